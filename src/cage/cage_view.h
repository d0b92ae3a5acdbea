/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root in which there is nothing but what a policy names, in a mount namespace of its own: where the kernel has no Landlock, and where sockets with paths are
 * told from each other, which Landlock does not do.
 *
 *   1 all that is named is opened, without symbolic links, and the links on the way to it are read
 *   2 an empty file system is mounted somewhere; in it the directories, files and links are made
 *   3 each tree is mounted where it belongs, with all that is mounted below it, read-only and noexec as its rights are; a new /proc; a new /dev/shm (files.tmp)
 *   4 the file system itself becomes read-only, and then the root; the old one is gone
 *
 * Limits: where the kernel does not know mount_setattr(2) (gVisor), noexec keeps programs from execve(2), and not from being mapped by who may read them.
 */
#ifndef LICHEN_CAGE_CAGE_VIEW_H
#define LICHEN_CAGE_CAGE_VIEW_H

#include "cage/cage_mounts.h"

struct cage_view {
	const struct cage_tree
		*trees; /* outer ones before inner ones; what is not there any more is left out. "/proc" is a new one */
	size_t count;
	char *const *names; /* absolute paths: symbolic links on the way to them are there, too */
	size_t name_count;
	char *const *masks; /* canonical: covered (cage_mounts_mask()) */
	size_t mask_count;
	const char *workdir; /* absolute; it is there, and empty where no tree has it. NULL = none */
};

/* Makes it and enters it. 0, or negative errno with what was done in `step` (192 bytes). */
int cage_view_enter(const struct cage_view *view, char *step) MUST_CHECK;
/* Whether the kernel lets us make one: in the first process of a pid namespace, which is spoilt by it. */
bool cage_view_works(void) MUST_CHECK;

#endif
