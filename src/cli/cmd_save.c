// SPDX-License-Identifier: Apache-2.0
/* lichen save: writes images to an archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/image_words.h"
#include "lichen.h"

struct save_options {
	const char *output;
};

static const struct option_row options[] = {
	{ .name = "output",
	  .letter = 'o',
	  .value = "FILE",
	  .offset = offsetof(struct save_options, output),
	  .help = "write this file instead of stdout" },
};

/* Where the archive is written: a new file beside `path`, which takes its name when it is whole; what is no file is written as it is. */
struct target {
	const char *path;
	char *temp; /* NULL: written directly */
	int fd;
};

static int target_open(struct target *target, const char *path)
{
	struct stat st;
	*target = (struct target){ .path = path, .fd = FD_NONE };
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		target->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return target->fd < 0 ? -errno : 0;
	}
	if (asprintf(&target->temp, "%s.XXXXXX", path) < 0) {
		target->temp = NULL;
		return -ENOMEM;
	}
	target->fd = mkostemp(target->temp, O_CLOEXEC);
	if (target->fd >= 0)
		return 0;
	free(target->temp);
	target->temp = NULL;
	return -errno;
}

/* Gives the file its name, or removes it. Returns 0 or negative errno. */
static int target_close(struct target *target, bool good)
{
	int error = 0;
	mode_t mask = umask(0);
	umask(mask);
	if (target->temp && good && (fchmod(target->fd, 0666 & ~mask) || rename(target->temp, target->path)))
		error = -errno;
	if (target->temp && (!good || error))
		(void)unlink(target->temp);
	if (target->fd >= 0 && close(target->fd) && !error)
		error = -errno;
	free(target->temp);
	return error;
}

static int save(const struct image_store *store, char *const *names, size_t count, const char *output)
{
	struct image_error why;
	struct digest digest;
	int error = 0;
	for (size_t i = 0; i < count && !error; i++) /* a wrong name leaves the file alone */
		error = image_find(store, names[i], &digest, NULL, &why);
	if (error)
		return image_say(&command_save, error, &why);
	if (!output) {
		error = image_save(store, names, count, STDOUT_FILENO, &why);
		return error ? image_say(&command_save, error, &why) : 0;
	}
	struct target target;
	error = target_open(&target, output);
	if (error)
		return image_say(&command_save, -EIO, (image_fail_errno(&why, error, "cannot write '%s'", output), &why));
	error = image_save(store, names, count, target.fd, &why);
	int closed = target_close(&target, !error);
	if (!error && closed)
		error = image_fail_errno(&why, closed, "cannot write '%s'", output);
	return error ? image_say(&command_save, error, &why) : 0;
}

static int run(int argc, char **argv)
{
	struct save_options given = { 0 };
	struct image_store store;
	int first, status = command_parse(&command_save, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_save, "there is no image to save");
	if (!given.output && isatty(STDOUT_FILENO))
		return command_usage(&command_save, "stdout is a terminal; -o names a file");
	status = image_store_begin(&command_save, &store);
	if (status)
		return status;
	status = save(&store, argv + first, (size_t)(argc - first), given.output);
	store_close(&store);
	return status;
}

static const char *const notes[] = {
	"The archive is an OCI layout and a docker-archive at once.",
	"Exit status: 0; 64 wrong words, 66 no such image, 70 or 74 lichen or the machine failed.",
	NULL,
};

const struct command command_save = {
	.name = "save",
	.synopsis = "[OPTION…] IMAGE…",
	.summary = "Writes images to an archive",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
