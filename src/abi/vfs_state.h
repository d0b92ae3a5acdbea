/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What members share about virtual files (agent/vfs.h), in the commons: the paths that open descriptors stand for.
 * Names of directories are only ever added to; one whose writer was killed in the middle stays unready and is never used. A pipe's row is
 * overwritten by the VFS_PIPES_MAX-th next file opened for writing.
 */
#ifndef LICHEN_ABI_VFS_STATE_H
#define LICHEN_ABI_VFS_STATE_H

#include <assert.h>

#include "base/types.h"

#define VFS_NAME_SIZE 120u
#define VFS_NAMES_MAX 2048u
#define VFS_PIPES_MAX 1024u

enum vfs_name_state { VFS_NAME_FREE = 0, VFS_NAME_WRITING = 1, VFS_NAME_READY = 2 };

struct vfs_name {
	u32 state; /* enum vfs_name_state */
	u32 reserved;
	char path[VFS_NAME_SIZE];
};
static_assert(sizeof(struct vfs_name) == 128, "shared between agents");

/* A virtual file opened for writing: the pipe that stands for it. */
struct vfs_pipe {
	u64 inode;    /* of the pipe; 0 = unused. Stored last, looked at again after the rest was read */
	u64 device;   /* of the pipe, for a FIFO elsewhere may have the same inode */
	u32 position; /* bytes written so far */
	u32 reserved;
	char path[VFS_NAME_SIZE];
};
static_assert(sizeof(struct vfs_pipe) == 144, "shared between agents");

struct vfs_state {
	u32 pipes_next; /* files opened for writing so far, not 0: images must look at SIGPIPE */
	u32 reserved;
	struct vfs_pipe pipes[VFS_PIPES_MAX];
	struct vfs_name names[VFS_NAMES_MAX];
};

#endif
