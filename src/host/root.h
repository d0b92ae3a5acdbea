/* SPDX-License-Identifier: Apache-2.0 */
/* The file tree of a cell with a root of its own: what is where in it (abi/fs_state.h). */
#ifndef LICHEN_HOST_ROOT_H
#define LICHEN_HOST_ROOT_H

#include "abi/fs_state.h"

#define ROOT_BINDS_MAX 32u
#define ROOT_LOWERS_MAX 120u

enum root_kind {
	ROOT_BIND,
	ROOT_TMPFS, /* a file system of its own where one can be mounted; else the empty directory `host` stands in for it */
};

struct root_bind {
	const char *host;  /* a file or directory of the machine; links are followed */
	const char *guest; /* absolute path in the tree; what it lies in must be there, or is made */
	bool read_only;
	enum root_kind kind;
	u64 size;             /* ROOT_TMPFS: bytes, 0 = no limit */
	u32 mode;             /* ROOT_TMPFS: of its root; `host` has it */
	bool exec, suid, dev; /* ROOT_TMPFS: otherwise as mount(8) with noexec, nosuid, nodev */
};

struct root_spec {
	const char *directory; /* of the machine: becomes "/" */
	/* An overlay: what is changed goes into another directory, which is made if it is missing, in the format of overlayfs. */
	const char *upper; /* NULL: none, the directory itself is changed */
	const char *work;  /* on the same file system, emptied; NULL: the upper's path and ".work" */
	u32 lower_count;   /* layers below `directory`, topmost first */
	const char *lowers[ROOT_LOWERS_MAX];
	const char *workdir; /* absolute guest path where the command starts, made where it is missing; NULL = "/" */
	bool read_only;      /* nothing is changed but what lies below `binds` */
	u32 bind_count;
	struct root_bind binds[ROOT_BINDS_MAX + 5]; /* five are lichen's own: names, /dev/shm, init */
};

struct root_error {
	char what[512]; /* which path, as a sentence without a full stop */
};

/*
 * Lays out the tree: the directory, /proc, /sys (read-only), a small /dev, the machine's resolv.conf and hosts, then the binds in their
 * order, later ones above earlier ones. Mount points that the directory lacks are made in it where that is allowed, as docker run does:
 * without them the files are there all the same, but are not listed.
 * In an overlay they are made in the upper layer. The upper layer is this process's until it ends: -EBUSY for others.
 * Returns 0 or negative errno with error->what filled.
 */
int root_stage(const struct root_spec *spec, struct fs_state *ret, struct root_error *error) MUST_CHECK;

/* The machine's own tree, for a cell whose paths are looked at all the same; it starts in `workdir`, NULL = here. mounts: what is mounted in it is
 * known one by one; groups: control groups, too. 0 or negative errno. */
int root_stage_machine(const char *workdir, bool mounts, bool groups, struct fs_state *ret) MUST_CHECK;

/* Copies what was laid out; to: zeroed, and touched no further than there is something to copy. */
void root_copy(struct fs_state *to, const struct fs_state *from);

/* Makes mount namespace 0 of what was laid out. spaces: zeroed. */
void root_begin(const struct fs_state *fs, struct fs_spaces *spaces);

#endif
