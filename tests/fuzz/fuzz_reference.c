/* SPDX-License-Identifier: Apache-2.0 */
/* A reference to an image: what is accepted has a complete form that means the same and can stand in a path of a URL. */
#include "fuzz.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct image_reference reference, again;
	char *text = malloc(size + 1), complete[REFERENCE_TEXT_MAX + 1], twice[REFERENCE_TEXT_MAX + 1];
	const char *why = NULL;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (image_reference_parse(text, &reference, &why)) {
		MUST(why && *why);
	} else {
		image_reference_text(&reference, complete);
		MUST(image_reference_parse(complete, &again, &why) == 0);
		MUST(strcmp(complete, image_reference_text(&again, twice)) == 0);
		MUST(!strstr(reference.registry, "..") && !strstr(reference.repository, "..") && !strchr(reference.tag, '/'));
		MUST(!strstr(complete, "//") && !strpbrk(complete, " %?#\\\"'<>\r\n\t"));
		MUST(reference.tag[0] || digest_valid(reference.digest));
	}
	free(text);
	return 0;
}
