// SPDX-License-Identifier: Apache-2.0
/* lichen commit: makes an image of a cell's image and what the cell has changed in it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cell_layers.h"
#include "cli/cell_options.h"
#include "cli/image_words.h"
#include "host/cell_control.h"
#include "image/commit.h"
#include "lichen.h"

#define HOLD_MS 30000

struct commit_options {
	const char *author, *message;
	struct option_words changes;
	bool running;
};

static const struct option_row options[] = {
	{ .name = "no-pause",
	  .offset = offsetof(struct commit_options, running),
	  .help = "let the cell's processes run meanwhile, though files may change while they are read" },
	{ .name = "author",
	  .letter = 'a',
	  .value = "TEXT",
	  .offset = offsetof(struct commit_options, author),
	  .help = "who made it" },
	{ .name = "message",
	  .letter = 'm',
	  .value = "TEXT",
	  .offset = offsetof(struct commit_options, message),
	  .help = "what it is" },
	{ .name = "change",
	  .letter = 'c',
	  .value = "INSTRUCTION",
	  .offset = offsetof(struct commit_options, changes),
	  .parse = options_add_word,
	  .help = "an instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR" },
};

static int make_image(const struct commit_options *given, const struct cell_found *found, const struct cell_layers *layers,
		      const char *reference)
{
	char name[IMAGE_NAME_MAX], id[DIGEST_TEXT_SIZE];
	struct image_store store;
	struct image_error why;
	struct image_add add;
	struct image_commit commit = {
		.changes = { .upper = layers->upper, .lower = layers->lower, .skip = layers->skip, .strict = true },
		.command = json_object_get(found->config, "command"),
		.env = json_object_get(found->config, "env"),
		.workdir = json_string_value(json_object_get(found->config, "workdir")),
		.labels = json_object_get(found->config, "labels"),
		.author = given->author,
		.message = given->message,
		.instructions = given->changes.words,
	};
	int error = reference ? image_name(reference, name, &why) : 0;
	if (!error && digest_parse(layers->spec.tree.manifest, &commit.manifest))
		error = image_fail(&why, -EBADMSG, "the cell's config.json is damaged");
	if (error)
		return image_say(&command_commit, error, &why);
	int status = image_store_begin(&command_commit, &store);
	if (status)
		return status;
	image_progress_begin(&add);
	error = image_commit(&store, &commit, reference ? name : NULL, &add, &why);
	image_progress_end(&command_commit, &add);
	if (error)
		status = image_say(&command_commit, error, &why);
	else
		printf("%s\n", digest_text(&add.id, id));
	return image_store_end(&command_commit, &store, status);
}

/* Makes the cell's processes stand as long as the descriptor is open, which is the monitor's to see, whatever becomes of us. FD_NONE: there are
 * none. 0 or negative errno. */
static int hold(const struct cell_found *found, int *ret_fd)
{
	struct cell_reply reply;
	CLEANUP_FD int fd = FD_NONE;
	*ret_fd = FD_NONE;
	if (found->state.status != CELL_RUNNING)
		return 0;
	fd = cell_control_send(found->dir, CELL_HOLD, 0);
	if (fd < 0)
		return fd == -ESRCH ? 0 : fd;
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	if (poll(&polled, 1, HOLD_MS) != 1)
		return -ETIMEDOUT;
	ssize_t size = recv(fd, &reply, sizeof(reply), 0);
	if (size == 0) /* the cell has ended meanwhile */
		return 0;
	if (size != (ssize_t)sizeof(reply))
		return size < 0 ? -errno : -EPROTO;
	if (reply.result < 0)
		return reply.result == -ESRCH ? 0 : reply.result;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int commit_cell(const char *word, const struct cell_found *found, const struct commit_options *given, const char *reference)
{
	struct cell_layers layers;
	int status = cell_layers_open(&command_commit, word, found, &layers);
	if (status)
		return status;
	CLEANUP_FD int held = FD_NONE;
	int error = given->running ? 0 : hold(found, &held);
	if (error)
		status = cells_say(&command_commit, word, "its processes cannot be held still (%s); --no-pause takes it as it runs",
				   strerror(-error));
	else if (!layers.spec.tree.image)
		status = cells_say(
			&command_commit, word,
			"it was not made of an image; `lichen export %s | lichen image import - NAME` makes one of all that it sees",
			word);
	else
		status = make_image(given, found, &layers, reference);
	cell_layers_close(&layers);
	return status;
}

static int run(int argc, char **argv)
{
	struct commit_options given = { 0 };
	struct cell_found found;
	int first, status = command_parse(&command_commit, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first < 1 || argc - first > 2)
		return command_usage(&command_commit, first == argc ? "which cell?" : "it takes a cell and a name for the image");
	CLEANUP_FD int store = cells_open(&command_commit);
	if (store < 0 || cells_find(&command_commit, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	status = commit_cell(argv[first], &found, &given, argc - first == 2 ? argv[first + 1] : NULL);
	cells_done(&found);
	free((void *)given.changes.words);
	return command_flush(status);
}

static const char *const notes[] = {
	"The image's command, environment and working directory are those that the cell was run with. Its id is printed.",
	NULL,
};

const struct command command_commit = {
	.name = "commit",
	.synopsis = "[OPTION…] CELL [NAME[:TAG]]",
	.summary = "Makes an image of what a cell has changed",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
