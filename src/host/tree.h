/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory trees that strangers described: paths below a root descriptor, on which no symbolic link is ever followed and ".." never
 * leads anywhere. openat2(2) where the host has it, else component by component with O_NOFOLLOW.
 */
#ifndef LICHEN_HOST_TREE_H
#define LICHEN_HOST_TREE_H

#include <limits.h>

#include "base/types.h"

#define TREE_DEPTH_MAX 256u /* components of a path; removal holds a descriptor for each */

/*
 * Makes a path of an archive canonical: leading slashes, empty components and "." fall away; "" is the root itself.
 * Returns 0; -EXDEV when it has a ".." component; -ENAMETOOLONG when it, one component, or the number of components is too long.
 */
int tree_clean_path(const char *path, char clean[PATH_MAX]) MUST_CHECK;

/*
 * Opens a directory by one name of `dir`, for reading; never through a symbolic link. gVisor (2022 to 2024 at least) follows links in spite of O_NOFOLLOW
 * when O_DIRECTORY is there and O_PATH is not: nobody may open a stranger's directory by openat(2) itself. Returns a descriptor; -ENOTDIR for
 * what is no directory, links included; -ENOENT; or negative errno.
 */
int tree_enter(int dir, const char *name) MUST_CHECK;

/* Opens a directory by its clean path. Returns a descriptor; -ELOOP or -ENOTDIR when a component is no directory; or negative errno. */
int tree_open_dir(int root, const char *clean) MUST_CHECK;

/* Removes a name and all below it; a name that is not there is fine. Returns 0 or the first negative errno; goes on as far as it can. */
int tree_remove(int dir, const char *name);

/* Calls `each` for every name in a directory but "." and "..", in no order, until it returns other than 0, which is returned. */
int tree_each(int dir, int (*each)(void *arg, int dir, const char *name), void *arg);

/* Bytes of the regular files below a directory, and their number. Returns 0 or negative errno. */
struct tree_size {
	u64 bytes, files;
};
int tree_measure(int dir, struct tree_size *ret_size) MUST_CHECK;

#endif
