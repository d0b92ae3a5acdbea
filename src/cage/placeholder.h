/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placeholders: a path that a policy denies, and that is not there yet, must not be made by the guest. A mount needs something to lie on: an empty file of mode 0
 * that lichen makes for the time of the run, with the directories that lead to it.
 *
 *   record    STATE/cage/RUN, locked while the run lasts: the paths, one a line, written before anything is made
 *   made      without following any symbolic link, which a guest of an earlier run may have made
 *   removed   when the run has ended; after a kill by the next run: a record that nobody has locked. What is not an empty file of mode 0 any more, or a
 *             directory that is not empty, stays; so does what a record of another run names, which removes it in its turn
 */
#ifndef LICHEN_CAGE_PLACEHOLDER_H
#define LICHEN_CAGE_PLACEHOLDER_H

#include "base/types.h"

struct placeholders {
	int dir, record; /* negative: none */
	char name[32];   /* of the record */
};

#define PLACEHOLDERS_NONE               \
	{                               \
		.dir = -1, .record = -1 \
	}

/* Clears up after others, then makes these (absolute paths without symbolic links). 0 or negative errno; placeholders_end() in any case. */
int placeholders_begin(struct placeholders *all, const char *const *paths, size_t count) MUST_CHECK;
void placeholders_end(struct placeholders *all);

#endif
