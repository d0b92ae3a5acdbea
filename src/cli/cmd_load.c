// SPDX-License-Identifier: Apache-2.0
/* lichen load: takes images out of an archive. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/image_words.h"
#include "lichen.h"

struct load_options {
	const char *input;
	bool quiet;
};

static const struct option_row options[] = {
	{ .name = "input",
	  .letter = 'i',
	  .value = "FILE",
	  .offset = offsetof(struct load_options, input),
	  .help = "read this archive, or directory with an OCI layout, instead of stdin" },
	{ .name = "quiet", .letter = 'q', .offset = offsetof(struct load_options, quiet), .help = "print nothing but errors" },
};

static void loaded(void *arg, const char *name, const struct digest *id)
{
	const struct load_options *given = arg;
	char text[DIGEST_TEXT_SIZE], repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX];
	if (given->quiet)
		return;
	if (*name)
		printf("Loaded image: %s:%s\n", image_name_short(name, repository, tag), tag);
	else
		printf("Loaded image ID: %s\n", digest_text(id, text));
}

static int load(struct load_options *given, int file)
{
	struct image_store store;
	struct image_error why;
	struct image_load load = { .loaded = loaded, .arg = given };
	int status = image_store_begin(&command_load, &store);
	if (status)
		return status;
	if (!given->quiet)
		image_progress_begin(&load.add);
	int error = image_load(&store, file, &load, &why);
	image_progress_end(&command_load, &load.add);
	if (error)
		status = image_say(&command_load, error, &why);
	return command_flush(image_store_end(&command_load, &store, status));
}

static int run(int argc, char **argv)
{
	struct load_options given = { 0 };
	struct image_error why;
	int first, status = command_parse(&command_load, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first < argc)
		return command_usage(&command_load, "it takes no arguments; -i names the file");
	if (!given.input && isatty(STDIN_FILENO))
		return command_usage(&command_load, "stdin is a terminal; -i names a file");
	CLEANUP_FD int file = given.input ? open(given.input, O_RDONLY | O_CLOEXEC | O_NOCTTY) : FD_NONE;
	if (given.input && file < 0)
		return image_say(&command_load, -errno, (image_fail_errno(&why, -errno, "cannot open '%s'", given.input), &why));
	return load(&given, given.input ? file : STDIN_FILENO);
}

static const char *const notes[] = {
	"Exit status: 0; 64 wrong words, 65 malformed, 66 no such file, 70 or 74 lichen or the machine failed.",
	NULL,
};

const struct command command_load = {
	.name = "load",
	.synopsis = "[OPTION…]",
	.summary = "Takes images out of an archive",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
