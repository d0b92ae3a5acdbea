/* SPDX-License-Identifier: Apache-2.0 */
/* A cage between its opening and its end. */
#ifndef LICHEN_CAGE_CAGE_INT_H
#define LICHEN_CAGE_CAGE_INT_H

#include "cage/cage.h"
#include "cage/cage_mounts.h"

/* What Landlock allows below a path. */
struct cage_grant {
	char *path; /* canonical */
	u32 access;
};

struct cage {
	const struct cage_policy *policy;
	u32 needed, weaker; /* bit per layer */
	struct cage_host host;
	struct cage_grant *grants;
	size_t grant_count;
	struct cage_tree *trees; /* for mounts; their paths are the policy's, and the grants' */
	size_t tree_count;
	struct launch_limit limits[4];
	size_t limit_count;
	bool separate; /* in the child: it is in a network namespace of its own */
	pid_t parent;
};

/* Whether a layer is in force. */
bool cage_has(const struct cage *cage, enum cage_layer layer);

/* In the child, struct launch_confinement; data: the cage. */
int cage_enter(void *data, char *stage) MUST_CHECK;
int cage_confine(void *data, const int *keep, u32 count, char *stage) MUST_CHECK;

#endif
