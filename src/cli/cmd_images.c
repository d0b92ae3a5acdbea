// SPDX-License-Identifier: Apache-2.0
/* lichen images: lists them. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/image_words.h"
#include "cli/json_out.h"
#include "host/tree.h"
#include "lichen.h"

struct images_options {
	bool json, quiet, no_trunc;
};

static const struct option_row options[] = {
	{ .name = "json", .offset = offsetof(struct images_options, json), .help = "print JSON, described in docs/image-json.md" },
	{ .name = "quiet", .letter = 'q', .offset = offsetof(struct images_options, quiet), .help = "print ids only" },
	{ .name = "no-trunc", .offset = offsetof(struct images_options, no_trunc), .help = "print ids in full" },
};

/* One line. */
struct shown {
	const struct store_ref *ref;
	struct digest id;
	struct image_config config;
	u64 size; /* of the files in its root; 0 when that cannot be told */
};

/* Returns whether the reference leads to a sound image. */
static bool look(const struct image_store *store, const struct store_ref *ref, struct shown *ret_shown)
{
	struct shown shown = { .ref = ref };
	struct image_manifest manifest;
	struct image_error why;
	struct tree_size size;
	if (image_load_manifest(store, &ref->manifest, &manifest, &shown.config, &why)) {
		fprintf(stderr, "lichen images: %s: %s\n", ref->name, why.text);
		return false;
	}
	struct digest chain = digest_chain(shown.config.diff_ids, shown.config.layer_count);
	CLEANUP_FD int root = store_root_open(store, &chain);
	if (root >= 0 && tree_measure(root, &size) == 0)
		shown.size = size.bytes;
	shown.id = manifest.config;
	manifest_done(&manifest);
	*ret_shown = shown;
	return true;
}

static void print_line(const struct shown *shown, const struct images_options *given)
{
	char repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX], id[DIGEST_TEXT_SIZE], age[32], size[16];
	digest_text(&shown->id, id);
	const char *text = given->no_trunc ? id : id + 7;
	int width = given->no_trunc ? DIGEST_TEXT_SIZE - 1 : 12;
	if (given->quiet) {
		printf("%.*s\n", width, text);
		return;
	}
	image_name_short(shown->ref->name, repository, tag);
	printf("%-24s  %-10s  %.*s  %-16s  %s\n", repository, tag, width, text, age_words(shown->config.created, age),
	       size_words(shown->size, size));
}

static json_t *describe(const struct shown *shown)
{
	char repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX], id[DIGEST_TEXT_SIZE], manifest[DIGEST_TEXT_SIZE];
	image_name_short(shown->ref->name, repository, tag);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "reference", shown->ref->name, "repository", repository, "tag", tag,
			 "id", digest_text(&shown->id, id), "digest", digest_text(&shown->ref->manifest, manifest), "created",
			 shown->config.created, "size", (json_int_t)shown->size);
}

/* Whether a complete reference is that of `only`: a repository, or one with a tag. */
static bool wanted(const char *name, const char *only)
{
	char repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX], full[IMAGE_NAME_MAX];
	struct image_error why;
	if (!only)
		return true;
	image_name_short(name, repository, tag);
	return strcmp(repository, only) == 0 || (image_name(only, full, &why) == 0 && strcmp(full, name) == 0);
}

static int list(const struct image_store *store, const struct images_options *given, const char *only)
{
	struct store_refs refs;
	struct image_error why;
	json_t *rows = json_array();
	int error = store_refs_list(store, "refs", &refs);
	if (error) {
		(void)image_fail_errno(&why, error, "cannot list %s", store->path);
		return image_say(&command_images, error, &why);
	}
	if (!given->json && !given->quiet)
		printf("%-24s  %-10s  %-*s  %-16s  %s\n", "REPOSITORY", "TAG", given->no_trunc ? DIGEST_TEXT_SIZE - 1 : 12,
		       "IMAGE ID", "CREATED", "SIZE");
	for (size_t i = 0; i < refs.count; i++) {
		struct shown shown;
		if (!wanted(refs.rows[i].name, only) || !look(store, &refs.rows[i], &shown))
			continue;
		if (given->json)
			(void)json_array_append_new(rows, describe(&shown));
		else
			print_line(&shown, given);
		image_config_done(&shown.config);
	}
	store_refs_done(&refs);
	if (!given->json) {
		json_decref(rows);
		return 0;
	}
	return json_out_print(json_pack("{s:s, s:o}", "schema", LICHEN_IMAGES_SCHEMA, "images", rows), stdout)
		     ? LICHEN_EXIT_SOFTWARE
		     : 0;
}

static int run(int argc, char **argv)
{
	struct images_options given = { 0 };
	struct image_store store;
	int first, status = command_parse(&command_images, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first > 1)
		return command_usage(&command_images, "it takes one repository at most");
	status = image_store_begin(&command_images, &store);
	if (status)
		return status;
	status = list(&store, &given, first < argc ? argv[first] : NULL);
	store_close(&store);
	return command_flush(status);
}

const struct command command_images = {
	.name = "images",
	.synopsis = "[OPTION…] [REPOSITORY[:TAG]]",
	.summary = "Lists images",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
