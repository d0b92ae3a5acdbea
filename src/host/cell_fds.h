/* SPDX-License-Identifier: Apache-2.0 */
/* The two descriptors a cell's members inherit: the agent's image and the commons. */
#ifndef LICHEN_HOST_CELL_FDS_H
#define LICHEN_HOST_CELL_FDS_H

#include "abi/commons.h"

struct cell_fds {
	int agent;           /* sealed memfd with the agent's image, not close-on-exec */
	int commons;         /* memfd of struct commons and the gaps' areas, not close-on-exec */
	u64 mapped;          /* bytes of it that members map */
	u32 text_size;       /* bytes of agent text */
	struct commons *map; /* our own mapping of it, `mapped` bytes */
};
#define CELL_FDS_NONE ((struct cell_fds){ .agent = -9, .commons = -9 })

/*
 * Makes both, lets each emulated gap (bit per gap_id) stage its area, and moves the descriptors to the highest free numbers below
 * min(RLIMIT_NOFILE, 1024), where guests are least likely to look. features: enum commons_feature. refused: gaps whose kernel
 * feature the agent treats as absent (commons->refused).
 * Returns 0 or negative errno; *ret_stage then says what failed. On failure *ret is untouched and nothing is left open.
 */
int cell_fds_make(u32 emulate, u32 refused, u32 features, struct cell_fds *ret, const char **ret_stage) MUST_CHECK;
void cell_fds_done(struct cell_fds *fds);

#endif
