/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cage does with mounts, in a mount namespace of its own: what may not be written is read-only, whatever is done to it (chmod and its like are not judged by
 * Landlock); what may not be executed cannot be mapped executable either, which is how ld.so and lichen's agent load programs; and in a new /proc only those
 * processes show that the guest may trace.
 *
 *   1 every mount becomes private                          nothing leaks to the machine, or from it
 *   2 a copy of each tree that differs from what is around it, as it is, with what is mounted below it      open_tree(2)
 *   3 everything becomes read-only and noexec, copies as they may be                                        mount_setattr(2), recursive
 *   4 the copies are attached where they belong, by descriptors of paths without symbolic links             move_mount(2)
 */
#ifndef LICHEN_CAGE_CAGE_MOUNTS_H
#define LICHEN_CAGE_CAGE_MOUNTS_H

#include "cage/policy.h"

/* Makes the calling process's user namespace, in which it is who it was, with the others (CLONE_NEW…). 0 or negative errno. */
int cage_users_enter(int namespaces) MUST_CHECK;
/* Opens a canonical path (O_PATH) without following any symbolic link. A descriptor or negative errno. */
int cage_open_path(const char *path) MUST_CHECK;
/* Whether mounts can be copied and made read-only, in a mount namespace of our own: tried, and nothing is left. */
bool cage_mounts_allowed(void) MUST_CHECK;

/* A tree with rights of its own. */
struct cage_tree {
	const char *path; /* canonical */
	bool write, execute;
};

/* In a new mount namespace: trees[0] is "/"; outer ones stand before inner ones. 0, or negative errno with what was done in `step` (192 bytes). */
int cage_mounts_enter(const struct cage_tree *trees, size_t count, char *step) MUST_CHECK;
/* A new /proc. Likewise. */
int cage_mounts_proc(char *step) MUST_CHECK;
/* Then: covers a path, which is there: a directory by an empty one, anything else by what cannot be opened. 0, or negative errno likewise. */
int cage_mounts_mask(const char *path, char *step) MUST_CHECK;

#endif
