/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file tree of a cell that has a root of its own: which guest path is which host path. Made by host/root.c before the first guest
 * instruction, read by every member (agent/fs.h); not changed afterwards. Part of struct commons.
 *
 * Targets and sources are absolute, without links, dots or slashes at the end; the root itself is the empty string, on either side.
 */
#ifndef LICHEN_ABI_FS_STATE_H
#define LICHEN_ABI_FS_STATE_H

#include <assert.h>

#include "base/types.h"

#define FS_MOUNTS_MAX 64u
#define FS_TEXT_SIZE 32768u
#define FS_CWD_SIZE 4096u

enum fs_mount_flag {
	FS_READ_ONLY = 1u << 0,
	FS_PROC = 1u << 1, /* source is a procfs: its links are magic */
	FS_FILE = 1u << 2, /* source is no directory */
};

enum fs_feature {
	FS_OPENAT2 = 1u << 0, /* openat2(2) with RESOLVE_NO_SYMLINKS works here */
};

struct fs_mount {
	u32 flags; /* enum fs_mount_flag */
	u16 source, source_length;
	u16 target, target_length; /* offsets in text[]; NUL-terminated there */
};
static_assert(sizeof(struct fs_mount) == 12, "shared between agents");

struct fs_state {
	u32 count; /* of mounts; 0: the cell has the machine's own tree, and no path is looked at. mounts[0] is the root */
	u32 features;
	u32 used;  /* bytes of text */
	struct fs_mount mounts[FS_MOUNTS_MAX];
	char text[FS_TEXT_SIZE];
	char cwd[FS_CWD_SIZE]; /* guest path where the first program starts */
};

#endif
