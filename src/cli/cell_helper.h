/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This program as a guest of a cell: what is done to files of a cell is done there, by a process that sees what its guests see and can
 * reach nothing else, and told over a socket to this end, which trusts none of it.
 *
 * A cell that runs gets one more member, as by `lichen exec`. Of one that has ended the tree is laid out again, for the helper alone.
 * The program comes as a sealed memfd: no guest gets a descriptor of the machine's file.
 */
#ifndef LICHEN_CLI_CELL_HELPER_H
#define LICHEN_CLI_CELL_HELPER_H

#include "cli/cells.h"

#define CELL_HELPER_NAME "lichen-helper" /* the guest's first argument: main() then calls cell_helper_main() */

struct cell_helper {
	int peer; /* the guest's standard streams are the other end */
	pid_t pid;
};

/* Starts it with these arguments behind its name (NULL-terminated). 0, or CELLS_FAILED after saying why not. */
int cell_helper_start(const struct command *command, const char *word, const struct cell_found *found, const char *const *args,
		      struct cell_helper *ret);
/* Closes the socket and waits. Returns the guest's exit status: 0, or an errno that it met. */
int cell_helper_end(struct cell_helper *helper);

/* In the guest; argv[0] is the word. */
int cell_helper_main(int argc, char **argv);

#endif
