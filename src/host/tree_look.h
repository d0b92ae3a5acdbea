/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a tree of layers, looked up from outside as a process in the tree would find them. */
#ifndef LICHEN_HOST_TREE_LOOK_H
#define LICHEN_HOST_TREE_LOOK_H

#include "base/types.h"

#define TREE_LOOK_LAYERS 8u

/*
 * Opens a regular file for reading by its path in the tree that these directories make, topmost first, in the format of overlayfs. Symbolic links are
 * followed within the tree, and never by the kernel: the tree may be a stranger's, and change meanwhile. A descriptor; -ENOENT, -EISDIR, -ELOOP,
 * -EINVAL for what is no regular file, or negative errno.
 */
int tree_look_open(const char *const *layers, u32 count, const char *path) MUST_CHECK;

#endif
