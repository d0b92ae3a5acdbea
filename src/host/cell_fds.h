/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors a cell's members inherit (abi/reserved.h). */
#ifndef LICHEN_HOST_CELL_FDS_H
#define LICHEN_HOST_CELL_FDS_H

#include "abi/commons.h"
#include "abi/reserved.h"

struct launch; /* host/launch.h */

struct cell_fds {
	int reserved
		[RESERVED_COUNT]; /* members' own, not close-on-exec; the agent's memfd is sealed; the broker's negative if not wanted */
	int broker;               /* our end of the broker socket, negative where no gap wants one */
	u64 mapped;               /* bytes of it that members map */
	u32 text_size;            /* bytes of agent text */
	struct commons *map;      /* our own mapping of it, `mapped` bytes */
};
#define CELL_FDS_NONE ((struct cell_fds){ .reserved = { -9, -9, -9 }, .broker = -9 })

/*
 * Makes them for a cell of that launch, lets each emulated gap stage its area, and moves the descriptors to the highest free numbers below
 * min(RLIMIT_NOFILE, 1024), where guests are least likely to look; of the agent's image, see below. Of the launch count emulate, refuse,
 * identity, namespaces, trace, and whether there is a tree.
 * Returns 0 or negative errno; *ret_stage then says what failed. On failure *ret is untouched and nothing is left open.
 */
int cell_fds_make(const struct launch *launch, struct cell_fds *ret, const char **ret_stage) MUST_CHECK;
/* Writes the agent's image and seals it: before a member executes it, which may be after the first has been forked. 0 or negative errno. */
int cell_fds_fill(const struct cell_fds *fds) MUST_CHECK;
/* Moves descriptors that were received up, as those that are made are. 0 or negative errno. */
int cell_fds_move_up(struct cell_fds *fds) MUST_CHECK;
void cell_fds_done(struct cell_fds *fds);

#endif
