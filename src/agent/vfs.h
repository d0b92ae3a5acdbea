/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual files: paths below /proc, /dev and /etc/mtab that a gap supplies. The engine (vfs_*.c) knows the system calls that take paths; a
 * gap knows its paths. What enters, and who decides:
 *
 *   guest path ─ vfs_path.c: absolute and straight ("/proc/sys/kernel/panic"; self and thread-self stay) ─ NAME_vfs_find() of each
 *   emulated gap in the order of gaps.def; the first that knows the path owns it ─ open, stat, access, readdir, statfs by its struct vnode
 *
 * A gap with virtual files sets `paths` in its struct gap (host half), which puts the rows of vfs.def into the filter, and says
 * GAP_BUILT in gaps.def. All callbacks run in a trap, by the rules of agent.h; strings are copies, never guest memory.
 *
 * Supplied files by kind:
 *   - read: a memfd with the bytes of NAME_vfs_read(), made at open: a snapshot, as a read of the kernel's from its start is. Its name is its
 *     path, which is how fstatfs and the dirfd rules know it again.
 *   - write: a pipe that nobody reads. The write raises SIGPIPE before it returns; vfs_write.c takes it for NAME_vfs_written() and puts the
 *     answer in the call's place. No write(2) in the cell is trapped for this.
 *   - directory: /proc/sys itself, opened and moved to an offset that no directory of procfs has (VFS_DIR_OFFSET + number); so it
 *     survives dup, fork and execve.
 */
#ifndef LICHEN_AGENT_VFS_H
#define LICHEN_AGENT_VFS_H

#include "agent/agent.h"

#define VFS_PATH_MAX 256u /* longer paths are nobody's */

#define VFS_TYPE 0170000u
#define VFS_REGULAR 0100000u
#define VFS_DIRECTORY 0040000u
#define VFS_DEVICE 0020000u
#define VFS_LINK 0120000u

/* What a gap says of a path. */
struct vnode {
	u32 gap;  /* enum gap_id; filled by the caller */
	u32 id;   /* the gap's own number of the file; below 4096 for directories */
	u32 mode; /* type and permissions; owner is root */
	u32 rdev; /* VFS_DEVICE: major << 8 | minor */
	bool real; /* the kernel is asked first, and what it has is left alone: supplied only where it says ENOENT (or, when opened for
	             * writing, EACCES, EPERM or EROFS) */
	bool contents;   /* the kernel has the file and answers for it; only open is the gap's, by NAME_vfs_open() */
	bool own_writes; /* with real: whatever is opened for writing or truncated is supplied, so that the machine's own is never
	                 * changed: right where commons()->forced has the gap */
	u64 position;    /* in written: the file position, bytes that this open file has taken before */
};

/* One name that a gap adds to a directory. */
struct ventry {
	char name[64];
	u32 mode; /* type */
};

/*
 * Callbacks of gap NAME; a gap without virtual files defines them by VFS_NONE(NAME).
 *
 * find: whether `path` is the gap's; fills *node (zeroed). No host calls: it is asked for every path that looks like /proc or /dev.
 * knows: whether a relative path that ends in this part may be the gap's ("panic"). A cheap, false-positive-tolerant filter.
 * read: writes the file's bytes to buffer; returns their number (a return above `size` asks for that much), or negative errno.
 * open: for files that are no snapshots (devices, streams): returns a descriptor, negative errno, or -EOPNOTSUPP for "use read/written".
 * written: the guest wrote bytes to the file (size <= 4095, NUL-terminated copy); returns how many it took or negative errno.
 * entry: the n-th name that the gap adds to directory `path`, counted from 0; false behind the last. Names that the kernel lists too
 *        are left out by the caller when node.real says so.
 */
#define VFS_CALLBACKS(name)                                                                               \
	enum verdict name##_dispatch(struct call *call);                                                  \
	void name##_event(enum agent_event event, long arg);                                              \
	void name##_member_reap(int member);                                                              \
	bool name##_vfs_find(const char *path, struct vnode *node);                                       \
	bool name##_vfs_knows(const char *last);                                                          \
	long name##_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size);         \
	long name##_vfs_open(const struct vnode *node, const char *path, int flags);                      \
	long name##_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size); \
	bool name##_vfs_entry(const char *path, u32 n, struct ventry *entry);

#define GAP_LISTED(name)
#define GAP_BUILT(name) VFS_CALLBACKS(name)
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED

/* A gap that keeps nothing for processes: no event concerns it, and a dead member leaves nothing to reap. */
#define GAP_NO_EVENTS(name)                                 \
	void name##_event(enum agent_event event, long arg) \
	{                                                   \
		(void)event, (void)arg;                     \
	}                                                   \
	void name##_member_reap(int member)                 \
	{                                                   \
		(void)member;                               \
	}

#define VFS_NONE(name)                                                                                   \
	bool name##_vfs_find(const char *path, struct vnode *node)                                       \
	{                                                                                                \
		(void)path, (void)node;                                                                  \
		return false;                                                                            \
	}                                                                                                \
	bool name##_vfs_knows(const char *last)                                                          \
	{                                                                                                \
		(void)last;                                                                              \
		return false;                                                                            \
	}                                                                                                \
	long name##_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)         \
	{                                                                                                \
		(void)node, (void)path, (void)buffer, (void)size;                                        \
		return -ENOENT;                                                                          \
	}                                                                                                \
	long name##_vfs_open(const struct vnode *node, const char *path, int flags)                      \
	{                                                                                                \
		(void)node, (void)path, (void)flags;                                                     \
		return -EOPNOTSUPP;                                                                      \
	}                                                                                                \
	long name##_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size) \
	{                                                                                                \
		(void)node, (void)path, (void)bytes, (void)size;                                         \
		return -EACCES;                                                                          \
	}                                                                                                \
	bool name##_vfs_entry(const char *path, u32 n, struct ventry *entry)                             \
	{                                                                                                \
		(void)path, (void)n, (void)entry;                                                        \
		return false;                                                                            \
	}

/* --- services for gaps (vfs_path.c) -------------------------------------------------------------------------------------------- */

/* The absolute, straightened path behind (dirfd, guest path), if it may be a virtual file's at all: length, or -ESRCH when it cannot,
 * -EFAULT, -ENAMETOOLONG. Costs no host call for absolute paths that begin elsewhere. out: VFS_PATH_MAX bytes. */
long vfs_path(s32 dirfd, u64 path, char *out) MUST_CHECK;

/* The path that an open descriptor stands for, as readlink of /proc/self/fd/N tells it, virtual files and directories by their virtual
 * path. Length or negative errno. out: VFS_PATH_MAX bytes. */
long vfs_fd_path(s32 fd, char *out) MUST_CHECK;

/* Finds the owner of a path. */
bool vfs_find(const char *path, struct vnode *node) MUST_CHECK;

/* What a guest reads from the start of a file that may be virtual: bytes, or negative errno. */
long vfs_read(const char *path, char *buffer, u64 size) MUST_CHECK;

/* The handlers of vfs_open.def and vfs_stat.def, and the switch over them: engine only. */
#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "agent/vfs_open.def"
#include "agent/vfs_stat.def"
#undef GAP_CALL
enum verdict vfs_dispatch(struct call *call);

#endif
