/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON strings, and back. */
#include <stdlib.h>
#include <string.h>

#include "host/cell_config.h"

#define RAW_FIRST 0xef80u /* stands for byte 0x80 */

/* The length of the UTF-8 sequence at `at` if it is one that stays as it is; else 0. RFC 3629, and not of those that stand for bytes. */
static size_t plain_length(const u8 *at)
{
	u32 c = at[0];
	size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;

	if (length <= 1)
		return length;
	c &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3fu);
	}
	if ((length == 3 && c < 0x800) || (length == 4 && (c < 0x10000 || c > 0x10ffff)) || (c >= 0xd800 && c < 0xe000))
		return 0;
	return c >= RAW_FIRST && c < RAW_FIRST + 0x80 ? 0 : length;
}

json_t *cell_text_json(const char *bytes)
{
	char *text = malloc(strlen(bytes) * 3 + 1), *to = text;
	json_t *string;

	if (!text)
		return NULL;
	for (const u8 *at = (const u8 *)bytes; *at;) {
		size_t length = plain_length(at);

		if (length) {
			memcpy(to, at, length);
			to += length;
			at += length;
			continue;
		}
		*to++ = (char)0xee; /* U+EF80 … U+EFFF: EE BE 80 … EE BF BF */
		*to++ = (char)(*at < 0xc0 ? 0xbe : 0xbf);
		*to++ = (char)(0x80 | (*at & 0x3f));
		at++;
	}
	string = json_stringn(text, (size_t)(to - text));
	free(text);
	return string;
}

char *cell_text_bytes(const json_t *string)
{
	const char *from = json_string_value(string);
	char *bytes = from ? strdup(from) : NULL, *to = bytes;

	if (!bytes)
		return NULL;
	for (const u8 *at = (const u8 *)from; *at;) {
		if (at[0] == 0xee && (at[1] == 0xbe || at[1] == 0xbf)) {
			*to++ = (char)((at[1] == 0xbe ? 0x80 : 0xc0) | (at[2] & 0x3f));
			at += 3;
		} else {
			*to++ = (char)*at++;
		}
	}
	*to = '\0';
	return bytes;
}

void cell_strings_free(char **strings)
{
	for (char **at = strings; at && *at; at++)
		free(*at);
	free((void *)strings);
}

char **cell_strings(const json_t *object, const char *member)
{
	const json_t *array = json_object_get(object, member);
	size_t count = json_array_size(array);
	char **strings = json_is_array(array) ? calloc(count + 1, sizeof(*strings)) : NULL;

	for (size_t i = 0; strings && i < count; i++) {
		strings[i] = cell_text_bytes(json_array_get(array, i));
		if (!strings[i]) {
			cell_strings_free(strings);
			return NULL;
		}
	}
	return strings;
}
