/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of images share: a directory of their own, layers built in memory, and questions about files. */
#ifndef LICHEN_TESTS_IMAGE_BUILD_H
#define LICHEN_TESTS_IMAGE_BUILD_H

#include "image/tar_write.h"
#include "image/unpack.h"

/* Makes a directory of its own below $TMPDIR or /tmp, and goes there. */
void build_enter(void);
/* Removes it. */
void build_leave(void);

/* One entry of a layer: "TYPE NAME [LINK]", TYPE as in tar_entry; a file's data is its own name. Mode 0644, directories 0755. */
struct build_layer {
	const char *const *entries;   /* NULL-terminated */
	const struct tar_entry *more; /* after them, as they are; name NULL ends */
};

/* Writes the layer into a file without a name, open at its start. */
int build_tar(const struct build_layer *layer, u64 *ret_size);

/* Unpacks it into the directory `root` of the working directory, which is made when it is missing. Returns what unpack_layer() returns. */
int build_unpack(const char *root, const struct build_layer *layer, struct unpack_report *report, struct image_error *ret_error);

/* What lies at a path: "-" nothing, "d" directory, "l TARGET", "p", "c", "b", "f DATA". */
const char *build_look(const char *path);

/* Runs in a child as uid and gid 65534; the child must leave with 0. */
void build_as_nobody(void (*run)(void));

#endif
