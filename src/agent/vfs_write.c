/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to a virtual file, without trapping write(2).
 *
 * A file opened for writing is a pipe whose reading end is closed: whoever writes to it gets SIGPIPE, raised by the kernel in the writing
 * thread before the call returns EPIPE. Our handler finds the call's arguments still in the registers, asks the gap, and puts its answer in
 * the place of EPIPE; the guest's own action for SIGPIPE never hears of it. So writes that have nothing to do with us cost nothing, and
 * the descriptor may be duplicated, inherited and moved at will.
 *
 * SIGPIPE is ours as SIGSEGV is (signal.c) in a process that has opened such a file, and in every image started afterwards in the cell;
 * a guest's handler gets all others. The frame does not tell which call it was: `mov $nr,%eax; syscall` is read from the code; where the
 * number is not there, it is write unless the buffer can only be an array of struct iovec.
 *
 * A thread that blocks SIGPIPE when it opens gets what it would for reading and writing (vfs_both.c).
 *
 * Limits: a thread that blocks SIGPIPE later gets EPIPE and the value stays. pwrite says ESPIPE, as for any pipe (the kernel takes offset 0).
 * sendfile and splice into such a file say EINVAL. Opened for reading and writing: vfs_both.c. A process that was running when
 * such a descriptor was first made, and is sent it over a socket, gets EPIPE. Two threads that set their action for a taken SIGPIPE at the
 * same instant may leave a mixture of both.
 */
#include "agent/vfs_int.h"

#define WRITTEN_MAX 4095u /* kernel: a sysctl write beyond a page is EINVAL */
#define IOV_MAX_ 1024u

struct iovec {
	u64 base, size;
};

#define S_IFIFO_ 0010000u
#define POLLERR_ 8
#define TRIES 64
#define SIGPIPE_BIT (UINT64_C(1) << 12)

/* The row of an open pipe, its path copied; NULL when it is none of ours. fstat, not /proc/self/fd: a guest may have no /proc. */
static struct vfs_pipe *find_pipe(s32 fd, char *path)
{
	struct vfs_state *vfs = &commons()->vfs;
	u32 count = __atomic_load_n(&vfs->pipes_next, __ATOMIC_ACQUIRE);
	struct kernel_stat st = { 0 };

	if (!count || sys2(__NR_fstat, fd, &st) < 0 || (st.mode & VFS_TYPE) != S_IFIFO_)
		return NULL;
	for (u32 i = 0; i < VFS_PIPES_MAX && i < count; i++) {
		struct vfs_pipe *row = &vfs->pipes[i];

		if (__atomic_load_n(&row->inode, __ATOMIC_ACQUIRE) != st.ino || row->device != st.dev)
			continue;
		memcpy(path, row->path, VFS_NAME_SIZE);
		path[VFS_NAME_SIZE - 1] = 0;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&row->inode, __ATOMIC_RELAXED) == st.ino)
			return row;
		path[0] = 0; /* another's, by now */
	}
	return NULL;
}

long vfs_pipe_path(s32 fd, char *out)
{
	return find_pipe(fd, out) ? (long)strlen(out) : 0;
}

static void remember_pipe(const struct kernel_stat *st, const char *path)
{
	struct vfs_state *vfs = &commons()->vfs;
	u32 turn = __atomic_fetch_add(&vfs->pipes_next, 1, __ATOMIC_ACQ_REL);
	struct vfs_pipe *row = &vfs->pipes[turn % VFS_PIPES_MAX];

	if (turn == ~0u)
		__atomic_store_n(&vfs->pipes_next, VFS_PIPES_MAX, __ATOMIC_RELEASE); /* 0 is for "none yet" */
	__atomic_store_n(&row->inode, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_ACQ_REL);
	row->device = st->dev;
	row->position = 0;
	memcpy(row->path, path, strlen(path) + 1);
	__atomic_store_n(&row->inode, st->ino, __ATOMIC_RELEASE);
}

/* The writing end of a pipe, at the lowest free number; the reading end is closed. */
static long pipe_without_reader(u32 flags)
{
	s32 ends[2] = { -1, -1 };
	long r = sys2(__NR_pipe2, ends, O_CLOEXEC_ | (flags & O_NONBLOCK_));

	if (r < 0)
		return r;
	r = sys3(__NR_dup3, ends[1], ends[0], flags & O_CLOEXEC_);
	if (r < 0)
		(void)sys1(__NR_close, ends[0]);
	(void)sys1(__NR_close, ends[1]);
	return r;
}

/* A child that another thread forked in between has the reading end, too: what is written would be lost in the pipe. */
static bool has_reader(s32 fd)
{
	struct {
		s32 fd;
		s16 events, revents;
	} poll = { fd, 0, 0 };

	return sys3(__NR_poll, &poll, 1, 0) >= 0 && !(poll.revents & POLLERR_);
}

long vfs_open_write(const char *path, u32 flags)
{
	struct kernel_stat st = { 0 };
	long fd, r = signal_take_sigpipe();

	if (strlen(path) >= VFS_NAME_SIZE)
		return -ENAMETOOLONG;
	if (slot_current()->trap.context->sigmask & SIGPIPE_BIT) /* the signal would come too late: crun */
		return vfs_open_both(path, "", 0, flags);
	if (r < 0)
		return r;
	fd = pipe_without_reader(flags);
	for (u32 i = 0; fd >= 0 && i < TRIES && has_reader((s32)fd); i++) {
		(void)sys1(__NR_close, fd);
		(void)sys0(__NR_sched_yield);
		fd = pipe_without_reader(flags);
	}
	if (fd >= 0 && has_reader((s32)fd)) { /* other threads fork without end: better no file than one that swallows */
		(void)sys1(__NR_close, fd);
		return -EAGAIN;
	}
	if (fd >= 0 && sys2(__NR_fstat, fd, &st) == 0)
		remember_pipe(&st, path);
	return fd;
}

/* --- the call behind a SIGPIPE -------------------------------------------------------------------------------------------------- */

/* The call's number, or -1: in a cell whose calls are recorded it lies on the stack, else in `mov $nr,%eax; syscall` before ip. */
static long number_of_call(u64 ip, u64 sp)
{
	struct left left;
	u8 code[7];

	if (commons()->trace && text_holds(ip, agent_pass_begin, agent_pass_resume_end))
		return guest_read(&left, sp, offsetof(struct left, result)) < 0 ? -1 : (long)left.nr;
	if (guest_read(code, ip - sizeof(code), sizeof(code)) < 0 || code[0] != 0xb8)
		return -1;
	return (long)((u32)code[1] | (u32)code[2] << 8 | (u32)code[3] << 16 | (u32)code[4] << 24);
}

static bool is_text(const char *bytes, long size)
{
	for (long i = 0; i < size; i++)
		if (bytes[i] < ' ' && (bytes[i] < '\t' || bytes[i] > '\r') && (bytes[i] || i + 1 < size))
			return false;
	return size > 0;
}

long vfs_take_buffer(u64 address, u64 size, char *text)
{
	if (size > WRITTEN_MAX)
		return -EINVAL;
	return guest_read(text, address, size) < 0 ? -EFAULT : (long)size;
}

long vfs_take_vector(u64 address, u64 count, char *text)
{
	u64 used = 0;

	if (count > IOV_MAX_)
		return -EINVAL;
	for (u64 i = 0; i < count; i++) {
		struct iovec v;

		if (guest_read(&v, address + i * sizeof(v), sizeof(v)) < 0)
			return -EFAULT;
		if (v.size > WRITTEN_MAX - used)
			return -EINVAL;
		if (v.size && guest_read(text + used, v.base, v.size) < 0)
			return -EFAULT;
		used += v.size;
	}
	return (long)used;
}

/* The bytes that the call wanted to write: their number or negative errno. Without its number: a vector if it leads to text, which no
 * buffer of text does by accident. */
static long take_text(const struct registers *regs, char *text)
{
	long nr = number_of_call(regs->ip, regs->sp), n;

	if (nr == __NR_write)
		return vfs_take_buffer(regs->si, regs->dx, text);
	n = vfs_take_vector(regs->si, regs->dx, text);
	if (nr == __NR_writev || nr == __NR_pwritev2 || is_text(text, n))
		return n;
	return nr >= 0 ? -EINVAL /* sendfile, splice, tee */ : vfs_take_buffer(regs->si, regs->dx, text);
}

/* The descriptor that the call wrote to. */
static s32 target_of(const struct registers *regs)
{
	long nr = number_of_call(regs->ip, regs->sp);

	return (s32)(nr == __NR_splice ? regs->dx : nr == __NR_tee ? regs->si : regs->di);
}

bool vfs_write_signalled(struct registers *regs)
{
	char path[VFS_PATH_MAX];
	char *text = (char *)slot_current()->scratch + VFS_TEXT_AT;
	struct vnode node;
	struct vfs_pipe *row;
	long n;

	if (regs->ax != (u64)-EPIPE)
		return false;
	row = find_pipe(target_of(regs), path);
	if (!row)
		return false;
	n = take_text(regs, text);
	if (n >= 0) {
		text[n] = 0;
		if (vfs_find(path, &node)) {
			node.position = row->position;
			n = vfs_node_written(&node, path, text, (u64)n);
		} else {
			n = -EIO;
		}
	}
	if (n > 0)
		(void)__atomic_fetch_add(&row->position, (u32)n, __ATOMIC_RELAXED);
	regs->ax = (u64)n;
	return true;
}
