// SPDX-License-Identifier: Apache-2.0
/* lichen tag: gives an image another name. */
#include "cli/commands.h"
#include "cli/image_words.h"
#include "lichen.h"

static int tag(const struct image_store *store, const char *image, const char *reference)
{
	struct digest manifest;
	struct image_error why;
	char name[IMAGE_NAME_MAX];
	int error = image_name(reference, name, &why);
	if (!error)
		error = image_find(store, image, &manifest, NULL, &why);
	if (!error && (error = store_ref_set(store, name, &manifest)))
		(void)image_fail_errno(&why, error, "cannot write to %s", store->path);
	return error ? image_say(&command_tag, error, &why) : 0;
}

static int run(int argc, char **argv)
{
	struct image_store store;
	int first, status = command_parse(&command_tag, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (argc - first != 2)
		return command_usage(&command_tag, "it takes an image and a new name");
	status = image_store_begin(&command_tag, &store);
	if (status)
		return status;
	status = tag(&store, argv[first], argv[first + 1]);
	return image_store_end(&command_tag, &store, status);
}

const struct command command_tag = {
	.name = "tag",
	.synopsis = "IMAGE NAME[:TAG]",
	.summary = "Gives an image another name",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
