/* SPDX-License-Identifier: Apache-2.0 */
/* A set of paths that grows, kept as keyed 64-bit hashes: whoever chooses the paths cannot choose collisions. */
#ifndef LICHEN_IMAGE_PATH_SET_H
#define LICHEN_IMAGE_PATH_SET_H

#include "base/types.h"

struct path_set {
	u64 *slots; /* 0 = free */
	size_t room, count;
	u8 key[16];
};

/* Returns 0 or negative errno. */
int path_set_init(struct path_set *set) MUST_CHECK;
void path_set_done(struct path_set *set);

/* Adds the first `length` bytes of a path. Returns 1 when they are new, 0 when they were there, -ENOMEM. */
int path_set_add(struct path_set *set, const char *path, size_t length) MUST_CHECK;
bool path_set_has(const struct path_set *set, const char *path, size_t length);

#endif
