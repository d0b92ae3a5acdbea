// SPDX-License-Identifier: Apache-2.0
/* lichen image: makes images of what is on this machine, and shows one. */
#include <limits.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/image_describe.h"
#include "cli/image_words.h"
#include "cli/json_out.h"
#include "lichen.h"

/* One thing that `lichen image` does. */
struct action {
	const char *name;
	int least, most; /* arguments */
	int (*run)(int count, char **args);
};

/* Makes an image: `make` is given the first argument that is not the name, and those behind it. */
static int make(const char *reference,
		int (*make_image)(const struct image_store *store, const char *name, int count, char **args, struct image_add *add,
				  struct image_error *why),
		int count, char **args)
{
	char name[IMAGE_NAME_MAX], id[DIGEST_TEXT_SIZE];
	struct image_store store;
	struct image_error why;
	struct image_add add;
	int error = image_name(reference, name, &why);
	if (error)
		return image_say(&command_image, error, &why);
	int status = image_store_begin(&command_image, &store);
	if (status)
		return status;
	image_progress_begin(&add);
	error = make_image(&store, name, count, args, &add, &why);
	image_progress_end(&command_image, &add);
	if (error)
		status = image_say(&command_image, error, &why);
	else
		printf("%s\n", digest_text(&add.id, id));
	return command_flush(image_store_end(&command_image, &store, status));
}

static int make_import(const struct image_store *store, const char *name, int count, char **args, struct image_add *add,
		       struct image_error *why)
{
	(void)count;
	return image_import(store, args[0], name, add, why);
}

static int import(int count, char **args)
{
	if (!*args[0])
		return command_usage(&command_image, "the path to import is empty");
	return make(args[1], make_import, count, args);
}

static int make_from_host(const struct image_store *store, const char *name, int count, char **args, struct image_add *add,
			  struct image_error *why)
{
	return image_from_host(store, args, (size_t)count, name, add, why);
}

static int from_host(int count, char **args)
{
	return make(args[0], make_from_host, count - 1, args + 1);
}

static int inspect(int count, char **args)
{
	struct image_store store;
	struct image_error why;
	json_t *rows = json_array();
	int error, status = image_store_begin(&command_image, &store);
	if (status)
		return status;
	for (int i = 0; i < count; i++) {
		json_t *row = image_describe(&store, args[i], &error, &why);
		if (row)
			(void)json_array_append_new(rows, row);
		else
			status = image_say(&command_image, error, &why);
	}
	if (json_out_print(rows, stdout))
		status = LICHEN_EXIT_SOFTWARE;
	store_close(&store);
	return command_flush(status);
}

static const struct action actions[] = {
	{ "import", 2, 2, import },
	{ "from-host", 1, INT_MAX, from_host },
	{ "inspect", 1, INT_MAX, inspect },
};

#define ACTIONS "import, from-host or inspect"

static int run(int argc, char **argv)
{
	int first, status = command_parse(&command_image, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_no_action(&command_image, NULL, ACTIONS);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, argv[first]) != 0)
			continue;
		int count = argc - first - 1;
		if (count < actions[i].least || count > actions[i].most)
			return command_usage(&command_image, "%s takes %s%d argument%s", actions[i].name,
					     actions[i].most > actions[i].least ? "at least " : "", actions[i].least,
					     actions[i].least == 1 ? "" : "s");
		return actions[i].run(count, argv + first + 1);
	}
	return command_no_action(&command_image, argv[first], ACTIONS);
}

static const char *const notes[] = {
	"import DIR|TAR|- NAME[:TAG]: makes an image of a root file system, a directory or a tar archive (plain, gzip or zstd; - is stdin), "
	"and prints its id.",
	"from-host NAME[:TAG] [PROGRAM…]: makes one of this machine's own programs with their libraries; without PROGRAM: of a shell, coreutils and "
	"the like.",
	"inspect IMAGE…: prints what is known of images, as JSON.",
	"Exit status: 0; 64 wrong words, 65 malformed, 66 no such image or file, 70 or 74 lichen or the machine failed.",
	NULL,
};

const struct command command_image = {
	.name = "image",
	.synopsis = "import | from-host | inspect ARG…",
	.summary = "Makes an image of a root file system, or shows one",
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
