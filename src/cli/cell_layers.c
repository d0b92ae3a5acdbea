// SPDX-License-Identifier: Apache-2.0
/* Opens the directories that hold a cell's changes. */
#include "cli/cell_layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/words.h"
#include "host/tree.h"

/* What host/root.c binds over every tree, and the volumes. */
static int make_skip(struct cell_layers *layers)
{
	static const char *const usual[] = { "dev", "proc", "sys", "etc/hostname", "etc/hosts", "etc/resolv.conf" };
	size_t count = 0;
	layers->skip = calloc(ARRAY_SIZE(usual) + layers->spec.stage.bind_count + 1, sizeof(*layers->skip));
	layers->skipped = calloc(layers->spec.stage.bind_count + 1, PATH_MAX);
	if (!layers->skip || !layers->skipped)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		layers->skip[count++] = usual[i];
	for (u32 i = 0; i < layers->spec.stage.bind_count; i++) {
		char *clean = layers->skipped + (size_t)i * PATH_MAX;
		if (tree_clean_path(layers->spec.stage.binds[i].guest, clean) == 0 && *clean)
			layers->skip[count++] = clean;
	}
	return 0;
}

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cell_layers_open(const struct command *command, const char *word, const struct cell_found *found, struct cell_layers *ret)
{
	*ret = (struct cell_layers){ .upper = FD_NONE, .lower = FD_NONE };
	int error = cell_tree_read(found->config, found->dir, &ret->spec);
	if (error == -ENODATA)
		return cells_say(command, word, "it has no file tree of its own: what it changes is this machine's");
	if (!error && !ret->spec.tree.upper) {
		cells_say(command, word, "what it changes is changed in '%s' itself (--upper, or an image, would keep it apart)",
			  ret->spec.tree.root);
		cell_layers_close(ret);
		return CELLS_FAILED;
	}
	if (!error)
		error = make_skip(ret);
	if (!error) {
		ret->upper = open_directory(ret->spec.tree.upper);
		ret->lower = open_directory(ret->spec.tree.root);
		error = ret->upper < 0 ? ret->upper : ret->lower < 0 ? ret->lower : 0;
	}
	if (!error)
		return 0;
	if (error == -ENOENT)
		cells_say(command, word, "its file tree is no longer there");
	else
		cells_say(command, word, "cannot open its file tree: %s (%s)", strerror(-error), errno_name(-error));
	cell_layers_close(ret);
	return CELLS_FAILED;
}

void cell_layers_close(struct cell_layers *layers)
{
	close_fd(&layers->upper);
	close_fd(&layers->lower);
	free((void *)layers->skip);
	free(layers->skipped);
	cell_tree_done(&layers->spec);
}

int cell_layers_say(const struct command *command, const char *word, int error, const char *where)
{
	if (error == -EXDEV)
		return cells_say(command, word, "'/%s' was moved or copied by a kernel's overlay in a way that only it can follow",
				 where);
	return cells_say(command, word, "cannot read '/%s' of its tree: %s (%s)", where, strerror(-error), errno_name(-error));
}
