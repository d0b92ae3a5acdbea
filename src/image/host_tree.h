/* SPDX-License-Identifier: Apache-2.0 */
/* Files of this machine, picked for an image: programs, the libraries that they load, the links and directories on the way to them. */
#ifndef LICHEN_IMAGE_HOST_TREE_H
#define LICHEN_IMAGE_HOST_TREE_H

#include "image/image_error.h"
#include "image/tar_write.h"

struct host_node {
	char *path; /* without the leading slash */
	char type;  /* '0', '2' or '5', as in tar_entry */
	u32 mode;
	s64 mtime;
	u64 size;
	char *link;       /* of a symbolic link */
	const char *text; /* static content instead of the machine's file; NULL = the file */
};

struct host_tree {
	struct host_node *nodes;
	size_t count;
};

/*
 * Adds a program by its name, searched along PATH, or by its absolute path, with all that it needs to start. Returns 0; -ENOENT when there is no
 * such program or a library is missing, -EBADMSG when it is none for this machine, with ret_error; or negative errno.
 */
int host_tree_add_program(struct host_tree *tree, const char *program, struct image_error *ret_error) MUST_CHECK;

/* Adds a directory (alone) or file of this machine with what leads to it. A path that is not there is fine. Returns 0 or negative errno. */
int host_tree_add_place(struct host_tree *tree, const char *path) MUST_CHECK;

/* Adds a file that is not the machine's, or with type '5' a directory. Returns 0 or -ENOMEM. */
int host_tree_add(struct host_tree *tree, char type, const char *path, u32 mode, const char *text) MUST_CHECK;

/* Writes all as tar archive, sorted. Returns 0 or negative errno with ret_error. */
int host_tree_write(struct host_tree *tree, const struct tar_sink *sink, struct image_error *ret_error) MUST_CHECK;

void host_tree_done(struct host_tree *tree);

#endif
