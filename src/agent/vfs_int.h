/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine's virtual files: what vfs_*.c call of each other. The contract for gaps is vfs.h. */
#ifndef LICHEN_AGENT_VFS_INT_H
#define LICHEN_AGENT_VFS_INT_H

#include "agent/engine.h"
#include "agent/vfs.h"

#define AT_FDCWD_ (-100)
#define O_ACCMODE_ 3u
#define O_WRONLY_ 1u
#define O_RDWR_ 2u
#define O_CREAT_ 0100u
#define O_EXCL_ 0200u
#define O_TRUNC_ 01000u
#define O_APPEND_ 02000u
#define O_NONBLOCK_ 04000u
#define O_DIRECTORY_ 0200000u
#define O_NOFOLLOW_ 0400000u
#define O_CLOEXEC_ 02000000u
#define O_PATH_ 010000000u
#define AT_EMPTY_PATH_ 0x1000
#define O_TMPFILE_ 020200000u /* with O_DIRECTORY */

/* Offsets that no directory of procfs has: base | name << 12 | position. Name VFS_DIR_OWN: the path that the kernel tells. */
#define VFS_DIR_OFFSET 0x4c000000u
#define VFS_DIR_OWN 0xfffu
#define VFS_DIR_POSITIONS 0x1000u

/* vfs_path.c: the index of a path in the commons' names; negative errno: -ENOSPC, -ENAMETOOLONG. */
int vfs_intern(const char *path) MUST_CHECK;
const char *vfs_interned(u32 index); /* NULL: no such */
/* The kernel's name of an open descriptor: length or negative errno. out: VFS_PATH_MAX bytes. */
long vfs_fd_link(s32 fd, char *out) MUST_CHECK;

/* The virtual path of a descriptor that we made for a file: length, or 0 when it is something else. out: VFS_PATH_MAX bytes. */
long vfs_fd_ours(s32 fd, char *out) MUST_CHECK;

/* Whether the kernel's own file of this path counts: it is asked first. */
static inline bool vfs_asks_kernel(const struct vnode *node)
{
	return node->real && !(commons()->refused & (1u << node->gap));
}

/* vfs_node.c: 0, or what permission the caller lacks for reading (4), writing (2), executing (1): -EACCES. */
/* The caller's user id, as the guest has it. */
u32 vfs_uid(bool effective);
int vfs_permission(const struct vnode *node, const char *path, u32 wanted, u32 uid) MUST_CHECK;
/* Opens a supplied file: descriptor or negative errno. */
long vfs_open_node(const struct vnode *node, const char *path, u32 flags) MUST_CHECK;
void vfs_stat_node(const struct vnode *node, const char *path, struct kernel_stat *st);

/* vfs_write.c: a pipe that nobody reads, for a file opened for writing. */
long vfs_open_write(const char *path, u32 flags) MUST_CHECK;
/* Where in a slot's scratch a guest's bytes are kept: behind what agent_in_group() writes over. */
#define VFS_TEXT_AT 20480u
/* What a guest wants to write, copied to text (there): bytes or negative errno. */
long vfs_take_buffer(u64 address, u64 size, char *text) MUST_CHECK;
long vfs_take_vector(u64 address, u64 count, char *text) MUST_CHECK;
/* vfs_both.c: a snapshot whose writes come to us. */
long vfs_open_both(const char *path, const char *bytes, u64 size, u32 flags) MUST_CHECK;
/* The path that a pipe of ours stands for: its length, or 0 when the descriptor is something else. out: VFS_PATH_MAX bytes. */
long vfs_pipe_path(s32 fd, char *out);

/* Callbacks of the gap that a node is of. */
/* A descriptor of a snapshot of the file's bytes, opened with open(2)'s flags; VFS_AGAIN: of a file that is open for both, in whose place it will be. */
#define VFS_AGAIN 0x80000000u
long vfs_snapshot(const struct vnode *node, const char *path, u32 flags) MUST_CHECK;
long vfs_node_read(const struct vnode *node, const char *path, char *buffer, u64 size);
long vfs_node_open(const struct vnode *node, const char *path, int flags);
long vfs_node_written(const struct vnode *node, const char *path, const char *bytes, u64 size);

#endif
