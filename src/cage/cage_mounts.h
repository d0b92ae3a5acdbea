/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cage does with mounts, in a mount namespace of its own: what may not be written is read-only, whatever is done to it (chmod and its like are not judged by
 * Landlock); what may not be executed cannot be mapped executable either, which is how ld.so and lichen's agent load programs; and in a new /proc only those
 * processes show that the guest may trace.
 *
 *   1 every mount becomes private                          nothing leaks to the machine, or from it
 *   2 a copy of each tree that differs from what is around it, as it is, with what is mounted below it      open_tree(2)
 *   3 everything becomes read-only and noexec, copies as they may be                                        mount_setattr(2), recursive
 *   4 a new /proc, with what is mounted over parts of the old one
 *   5 the copies are attached where they belong, by descriptors of paths without symbolic links             move_mount(2)
 *     a tree that is the run's own (/dev/shm) is a new file system there                                    mount(2)
 *   6 any other /proc is covered (a chroot's)
 *   7 masks, last: what is mounted later would lie over them
 */
#ifndef LICHEN_CAGE_CAGE_MOUNTS_H
#define LICHEN_CAGE_CAGE_MOUNTS_H

#include "cage/policy.h"

/* Makes the calling process's user namespace, in which it is who it was, with the others (CLONE_NEW…). 0 or negative errno. */
int cage_users_enter(int namespaces) MUST_CHECK;
/* The second half of it: in a user namespace that is new, who it is there. */
int cage_users_map(uid_t uid, gid_t gid) MUST_CHECK;
/* Opens a canonical path (O_PATH) without following any symbolic link. A descriptor or negative errno. */
int cage_open_path(const char *path) MUST_CHECK;
/* Whether mounts can be copied and made read-only, in a mount namespace of our own: tried, and nothing is left. */
bool cage_mounts_allowed(void) MUST_CHECK;

/* A tree with rights of its own. */
struct cage_tree {
	const char *path; /* canonical */
	bool write, execute;
	u64 memory; /* not 0: instead of what is there an empty file system in memory, for everybody, of so many bytes */
};

/* In a new mount namespace: trees[0] is "/"; outer ones stand before inner ones. With `proc` /proc is a new one, on which those below it are mounted.
 * 0, or negative errno with what was done in `step` (192 bytes). */
int cage_mounts_enter(const struct cage_tree *trees, size_t count, bool proc, char *step) MUST_CHECK;
/* Takes what a tree does not have from the mount on a canonical path, and from those below it. Likewise. */
int cage_mounts_restrict(const char *place, const struct cage_tree *tree, char *step) MUST_CHECK;
/* Mounts what a tree with `memory` is on a canonical path. Likewise. */
int cage_mounts_memory(const char *place, const struct cage_tree *tree, char *step) MUST_CHECK;
/* Covers every /proc that is mounted below `base`, but `own`: it shows other processes, and by their roots all that they have. Likewise. */
int cage_mounts_hide_procs(const char *base, const char *own, char *step) MUST_CHECK;
/* What is mounted over parts of /proc, as in containers, which hide these: it lies over a new one as well. */
struct cage_covers {
	struct cage_cover {
		char *path;
		int source; /* negative: none */
	} * row;
	size_t count;
};
/* Opens them. Likewise; cage_covers_done() in any case. */
int cage_covers_take(struct cage_covers *covers, char *step) MUST_CHECK;
/* Mounts them below `base`, read-only, where there is something to cover. Likewise. */
int cage_covers_put(const struct cage_covers *covers, const char *base, char *step) MUST_CHECK;
void cage_covers_done(struct cage_covers *covers);
/* Then: covers a path, which is there: a directory by an empty one, anything else by what cannot be opened: a device on a mount without devices (EACCES), or, where
 * the kernel has no open_tree(2), `socket` (ENXIO; a descriptor of one, or negative). 0, or negative errno likewise. */
int cage_mounts_mask(const char *path, int socket, char *step) MUST_CHECK;

#endif
