/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an overlay's upper directory changes in the one below it: added, changed, deleted, as `docker diff` tells it.
 *
 * On disk (Documentation/filesystems/overlayfs.rst): a whiteout is a character device 0/0, or an empty file with the attribute overlay.whiteout;
 * a directory is opaque when its attribute overlay.opaque is "y"; attributes are trusted.* or user.*. Whoever wrote the upper directory is not
 * trusted: no link is followed, every name is looked at once more when it is opened.
 *
 * A directory that was only copied up, because something in it changed, is told as changed, before what changed; one in which nothing did is not told.
 * Times of directories do not count: copying up changes them.
 */
#ifndef LICHEN_IMAGE_CHANGES_H
#define LICHEN_IMAGE_CHANGES_H

#include "base/types.h"

struct change {
	char kind;        /* 'A' added, 'C' changed, 'D' deleted */
	const char *path; /* relative to the root */
	int dir;          /* not of 'D': a descriptor of the upper directory that it lies in … */
	const char *name; /* … and its name there */
};

struct changes {
	int upper, lower;        /* descriptors of the two directories */
	const char *const *skip; /* paths that are not looked at, nor what lies below them; NULL-terminated */
	bool strict;             /* what vanishes while it is looked at is an error */
	int (*each)(void *arg, const struct change *change); /* returns 0, or what ends the walk */
	void *arg;
};

/* Walks in the order of names. Returns 0; what `each` returned; -EXDEV: a directory that was renamed (overlay.redirect), or a file without its data
 * (overlay.metacopy), which are not told apart; or negative errno. `where` (PATH_MAX bytes): the path in question. */
int changes_walk(const struct changes *changes, char *where) MUST_CHECK;

#endif
