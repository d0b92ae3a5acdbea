// SPDX-License-Identifier: Apache-2.0
/* lichen rmi: removes names of images, and images without names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/image_words.h"
#include "lichen.h"

struct rmi_options {
	bool force;
};

static const struct option_row options[] = {
	{ .name = "force",
	  .letter = 'f',
	  .offset = offsetof(struct rmi_options, force),
	  .help = "also an image that a cell uses, or, by its id, one with several names; no image is no error" },
};

/* Says whether a cell is made of this image, and no other name would be left to it. */
static int check_use(const struct image_store *store, const struct digest *manifest, size_t names_left, struct image_error *why)
{
	struct store_refs pins;
	struct stat st;
	int error = names_left ? 0 : store_refs_list(store, "pins", &pins);
	if (names_left || error)
		return error ? image_fail_errno(why, error, "cannot list what uses %s", store->path) : 0;
	for (size_t i = 0; i < pins.count && !error; i++)
		if (digest_equal(&pins.rows[i].manifest, manifest) && lstat(pins.rows[i].name, &st) == 0)
			error = image_fail(why, -EBUSY, "the image is used by %s (--force removes its name)", pins.rows[i].name);
	store_refs_done(&pins);
	return error;
}

static int untag(const struct image_store *store, const char *name, struct image_error *why)
{
	char repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX];
	int error = store_ref_remove(store, name);
	if (error && error != -ENOENT)
		return image_fail_errno(why, error, "cannot remove %s", name);
	if (!image_name_is_id(name))
		printf("Untagged: %s:%s\n", image_name_short(name, repository, tag), tag);
	return 0;
}

/* Removes the names `refs` (all that lead to the manifest): one, or all of them when the image was named by its id. */
static int remove_names(const struct image_store *store, const struct store_refs *refs, const struct digest *manifest,
			const char *only, const struct rmi_options *given, struct image_error *why)
{
	size_t count = 0;
	int error = 0;
	for (size_t i = 0; i < refs->count; i++)
		count += digest_equal(&refs->rows[i].manifest, manifest);
	if (!*only && count > 1 && !given->force)
		return image_fail(why, -EBUSY, "the image has %zu names (--force removes them all)", count);
	if (!given->force)
		error = check_use(store, manifest, *only ? count - 1 : 0, why);
	for (size_t i = 0; i < refs->count && !error; i++)
		if (digest_equal(&refs->rows[i].manifest, manifest) && (!*only || strcmp(refs->rows[i].name, only) == 0)) {
			error = untag(store, refs->rows[i].name, why);
			count--;
		}
	return error ? error : count == 0;
}

/* Removes one image or name. Returns 0 or negative errno. */
static int remove_one(const struct image_store *store, const char *text, const struct rmi_options *given, struct image_error *why)
{
	struct digest manifest;
	struct image_manifest parsed;
	struct store_refs refs;
	char name[IMAGE_NAME_MAX], id[DIGEST_TEXT_SIZE] = "";
	struct image_error ignored;
	int error = image_find(store, text, &manifest, name, why);
	if (error)
		return error;
	if (image_load_manifest(store, &manifest, &parsed, NULL, &ignored) == 0) { /* else damaged: it goes all the same */
		digest_text(&parsed.config, id);
		manifest_done(&parsed);
	}
	error = store_refs_list(store, "refs", &refs);
	if (error)
		return image_fail_errno(why, error, "cannot list %s", store->path);
	int last = remove_names(store, &refs, &manifest, name, given, why);
	store_refs_done(&refs);
	if (last > 0 && *id)
		printf("Deleted: %s\n", id);
	return last < 0 ? last : 0;
}

static int run(int argc, char **argv)
{
	struct rmi_options given = { 0 };
	struct image_store store;
	struct image_error why;
	int first, status = command_parse(&command_rmi, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_rmi, "there is no image to remove");
	status = image_store_begin(&command_rmi, &store);
	if (status)
		return status;
	for (int i = first; i < argc; i++) {
		int error = remove_one(&store, argv[i], &given, &why);
		if (error && !(error == -ENOENT && given.force))
			status = image_say(&command_rmi, error, &why);
	}
	return command_flush(image_store_end(&command_rmi, &store, status));
}

static const char *const notes[] = {
	"Exit status: 0; 64 wrong words, 66 no such image, 69 the image is used or has several names, 70 or 74 lichen or the machine failed.",
	NULL,
};

const struct command command_rmi = {
	.name = "rmi",
	.synopsis = "[OPTION…] IMAGE…",
	.summary = "Removes images",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
