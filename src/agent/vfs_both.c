/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual files opened for reading and writing (systemd-sysctl, Python's "r+"): what is read must be seekable, what is written must reach the
 * gap. So the descriptor is a memfd with the snapshot, sealed against writing, and from then on writes to that descriptor's number are
 * trapped in this process and its children: by a filter of its own, added at the first such open of a number. Where the number is
 * something else later, such a write costs a trap and passes.
 *
 * After a write the number gets a new snapshot, which is what is read again, as runc does with cgroup.freeze.
 *
 * Limits: through another number (dup) a write says EPERM, and what is read is the snapshot of the open. At most VFS_NUMBERS_MAX numbers in a
 * process; further descriptors say EPERM.
 */
#include "agent/vfs_int.h"

#define F_GETFL_ 3
#define F_ADD_SEALS_ 1033
#define SEALS_ 0xeu /* SHRINK, GROW, WRITE */
#define MFD_CLOEXEC_ 1u
#define MFD_ALLOW_SEALING_ 2u
#define SEEK_SET_ 0
#define SEEK_CUR_ 1

/* From now on writes to number `fd` come to us. 0 or negative errno. */
static long trap_writes(u32 fd)
{
	static const u16 numbers[] = { __NR_write, __NR_writev, __NR_pwrite64 };

	return agent_add_filter(&(struct added_filter){ .of_fd = numbers, .of_fd_count = ARRAY_SIZE(numbers), .fd = fd });
}

static long remember_number(u32 fd)
{
	struct private *p = private();
	long r;

	if ((s32)sys0(__NR_getpid) != p->pid)
		return trap_writes(fd); /* a vfork child shares our memory, but its filters are its own */
	for (u32 i = 0; i < VFS_NUMBERS_MAX; i++)
		if (p->written_fds[i] == fd + 1)
			return 0;
	for (u32 i = 0; i < VFS_NUMBERS_MAX; i++)
		if (!p->written_fds[i]) {
			r = trap_writes(fd);
			if (r == 0)
				p->written_fds[i] = fd + 1;
			return r;
		}
	return -ENOSPC;
}

long vfs_open_both(const char *path, const char *bytes, u64 size, u32 flags)
{
	long fd = agent_memfd(path, MFD_ALLOW_SEALING_ | ((flags & O_CLOEXEC_) ? MFD_CLOEXEC_ : 0)), r;

	if (fd < 0)
		return fd;
	r = vfile_fill(fd, bytes, size);
	if (r >= 0)
		r = sys3(__NR_fcntl, fd, F_ADD_SEALS_, SEALS_);
	if (r < 0) {
		(void)sys1(__NR_close, fd);
		return r;
	}
	if (!(flags & VFS_AGAIN))
		(void)remember_number((u32)fd); /* where that is refused writes say EPERM */
	return fd;
}

/* The virtual file that a descriptor open for both stands for. */
static bool is_ours(s32 fd, char *path, struct vnode *node)
{
	if (vfs_fd_link(fd, path) <= 0 || strncmp(path, "/memfd:/", 8) || vfs_fd_path(fd, path) <= 0 || !vfs_find(path, node))
		return false;
	return (sys2(__NR_fcntl, fd, F_GETFL_) & O_ACCMODE_) == O_RDWR_;
}

/* What the file says now, from the same position on. Where that cannot be had, what was said stays. */
static void look_again(s32 fd, const struct vnode *node, const char *path)
{
	s64 position = sys3(__NR_lseek, fd, 0, SEEK_CUR_);
	long flags = sys2(__NR_fcntl, fd, 1 /* F_GETFD */), again = vfs_snapshot(node, path, O_RDWR_ | O_CLOEXEC_ | VFS_AGAIN);

	if (again < 0)
		return;
	(void)sys3(__NR_lseek, again, position, SEEK_SET_);
	(void)sys3(__NR_dup3, again, fd, flags & 1 ? O_CLOEXEC_ : 0);
	(void)sys1(__NR_close, again);
}

/* Hands what was written to the gap; `offset` -1 stands for the file position, which moves on. */
static enum verdict hand_on(struct call *call, long size, char *text, const char *path, struct vnode *node, s64 offset)
{
	bool moves = offset < 0;

	if (size >= 0) {
		text[size] = 0;
		if (moves)
			offset = sys3(__NR_lseek, call->arg[0], 0, SEEK_CUR_);
		node->position = (u64)offset;
		size = vfs_node_written(node, path, text, (u64)size);
		if (size > 0 && moves)
			(void)sys3(__NR_lseek, call->arg[0], offset + size, SEEK_SET_);
		if (size > 0)
			look_again((s32)call->arg[0], node, path);
	}
	call->ret = size;
	return CALL_DONE;
}

static enum verdict write_at(struct call *call, s64 offset)
{
	char *text = (char *)slot_current()->scratch + VFS_TEXT_AT, path[VFS_PATH_MAX];
	struct vnode node;

	if (!is_ours((s32)call->arg[0], path, &node))
		return CALL_PASS;
	return hand_on(call, vfs_take_buffer(call->arg[1], call->arg[2], text), text, path, &node, offset);
}

enum verdict vfs_write(struct call *call)
{
	return write_at(call, -1);
}

enum verdict vfs_pwrite64(struct call *call)
{
	return (s64)call->arg[3] < 0 ? CALL_PASS : write_at(call, (s64)call->arg[3]);
}

enum verdict vfs_writev(struct call *call)
{
	char *text = (char *)slot_current()->scratch + VFS_TEXT_AT, path[VFS_PATH_MAX];
	struct vnode node;

	if (!is_ours((s32)call->arg[0], path, &node))
		return CALL_PASS;
	return hand_on(call, vfs_take_vector(call->arg[1], call->arg[2], text), text, path, &node, -1);
}
