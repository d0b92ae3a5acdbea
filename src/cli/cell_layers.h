/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's changes, as the commands see them that compare its tree with what it was made of. */
#ifndef LICHEN_CLI_CELL_LAYERS_H
#define LICHEN_CLI_CELL_LAYERS_H

#include "cli/cells.h"
#include "host/cell_tree.h"
#include "image/changes.h"

struct cell_layers {
	struct cell_tree_spec spec;
	int upper, lower;
	const char **skip; /* what lichen lays over the tree: mount points made for that are no changes */
	char *skipped;     /* texts of volumes in it */
};

/* 0, or CELLS_FAILED after saying why the cell has none. */
int cell_layers_open(const struct command *command, const char *word, const struct cell_found *found, struct cell_layers *ret);
void cell_layers_close(struct cell_layers *layers);

/* Says that the changes could not be read: `error` and `where` of changes_walk(). Returns CELLS_FAILED. */
int cell_layers_say(const struct command *command, const char *word, int error, const char *where);

#endif
