/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What members share about virtual files (agent/vfs.h), in the commons: the paths that open descriptors stand for.
 * Only ever added to. A name whose writer was killed in the middle stays unready and is never used; a pipe's row is overwritten by the
 * VFS_PIPES_MAX-th next file opened for writing.
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
	u64 inode;    /* of the pipe; 0 = unused. Stored last */
	u32 name;     /* index in names */
	u32 position; /* bytes written so far */
};

struct vfs_state {
	u32 pipes_next; /* files opened for writing so far, not 0: images must look at SIGPIPE */
	u32 reserved;
	struct vfs_pipe pipes[VFS_PIPES_MAX];
	struct vfs_name names[VFS_NAMES_MAX];
};

#endif
