/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that take paths, for virtual files (vfs.h): each finds the node behind its path, lets the kernel answer first where the node
 * says so, and answers itself where the kernel has nothing.
 */
#include "agent/fs.h"
#include "agent/vfs_int.h"

#define AT_SYMLINK_NOFOLLOW_ 0x100
#define AT_EACCESS_ 0x200
#define RESOLVE_BENEATH_ 0x08u
#define RESOLVE_IN_ROOT_ 0x10u

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* The node behind a path, its path in `path` ("": none that could be virtual); false: the call is the kernel's. */
static bool find(s32 dirfd, u64 where, char *path, struct vnode *node)
{
	long length = vfs_path(dirfd, where, path);

	if (length < 0)
		path[0] = 0;
	if (length < 0 || !vfs_find(path, node))
		return false;
	if (path[1] == 'p' && sys3(__NR_faccessat, AT_FDCWD_, "/proc/self/fd", 0) < 0)
		return false; /* a guest that changed its root to where there is no /proc */
	if (length > 1 && path[length - 1] == '/')
		path[length - 1] = 0; /* a directory: "/proc/sys/" and "/proc/sys" are one */
	return true;
}

/* The same for calls that do not open: of a file whose contents alone are a gap's they are the kernel's. */
static bool find_whole(s32 dirfd, u64 where, char *path, struct vnode *node)
{
	return find(dirfd, where, path, node) && !node->contents;
}

#define NEW_CALL (-4096) /* the kernel has the file, but not this call: gap newcalls, or the caller's own fallback */

/* Asks the kernel with the guest's own call: its result, or NEW_CALL. */
static long ask_kernel(const struct call *call, const char *path)
{
	long ret = agent_reissue(call->nr, call->arg);
	struct kernel_stat st;

	if (ret != -ENOSYS && !(ret == -EINVAL && call->nr == __NR_statx))
		return ret;
	return sys4(__NR_newfstatat, AT_FDCWD_, path, &st, AT_SYMLINK_NOFOLLOW_) == -ENOENT ? -ENOENT : NEW_CALL;
}

/* Whether the kernel's answer stands. */
static bool kernel_has(long ret)
{
	return ret != -ENOENT && ret != -ENOTDIR;
}

/* --- open ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_refusal(long ret)
{
	return ret == -EACCES || ret == -EPERM || ret == -EROFS;
}

/* Whether asking the kernel would make a file where a device is to be supplied: `>/dev/null` in an empty /dev. */
static bool would_create(const struct vnode *node, const char *path, u32 flags)
{
	struct kernel_stat st;

	return (flags & O_CREAT_) && (node->mode & VFS_TYPE) == VFS_DEVICE &&
	       sys4(__NR_newfstatat, AT_FDCWD_, path, &st, AT_SYMLINK_NOFOLLOW_) == -ENOENT;
}

/* The descriptor that a path is another name of, or -1. */
static s32 fd_of_path(const char *path)
{
	u64 at = !strncmp(path, "/proc/self/fd/", 14)        ? 14
	       : !strncmp(path, "/proc/thread-self/fd/", 21) ? 21
	       : !strncmp(path, "/dev/fd/", 8)               ? 8
							     : 0;
	u32 fd = 0;

	if (!strcmp(path, "/dev/stdin") || !strcmp(path, "/dev/stdout") || !strcmp(path, "/dev/stderr"))
		return path[8] == 'i' ? 0 : path[8] == 'o' ? 1 : 2;
	if (!at || !path[at])
		return -1;
	for (; path[at] >= '0' && path[at] <= '9' && fd < 100000000; at++)
		fd = fd * 10 + (u32)(path[at] - '0');
	return path[at] ? -1 : (s32)fd;
}

/* /proc/self/fd/N where N is a file of ours: the kernel would wait for the pipe's reader, or let the snapshot be written. */
static enum verdict open_again(struct call *call, s32 dirfd, u64 where, u32 flags)
{
	char path[VFS_PATH_MAX], ours[VFS_PATH_MAX];
	struct vnode node;
	s32 fd;

	if ((flags & (O_PATH_ | O_NOFOLLOW_)) || vfs_path(dirfd, where, path) < 0)
		return CALL_PASS;
	fd = fd_of_path(path);
	if (fd < 0 || (vfs_pipe_path(fd, ours) <= 0 && (!(flags & (O_ACCMODE_ | O_TRUNC_)) || vfs_fd_ours(fd, ours) <= 0)) ||
	    !vfs_find(ours, &node))
		return CALL_PASS;
	return done(call, vfs_open_node(&node, ours, flags));
}

/* /proc/sys of a container: what a gap supplies there is no more writable than what the kernel has. */
static bool is_on_read_only(const char *path)
{
	return path[1] == 'p' && fs_on() && fs_path_is_read_only((struct fs_work *)(void *)slot_current()->scratch, path);
}

static enum verdict open_path(struct call *call, s32 dirfd, u64 where, u32 flags)
{
	char path[VFS_PATH_MAX];
	bool writes;
	struct vnode node;
	long ret = -ENOENT;

	if (flags & O_PATH_)
		flags &= O_PATH_ | O_CLOEXEC_ | O_DIRECTORY_ | O_NOFOLLOW_;
	writes = (flags & O_ACCMODE_) || (flags & O_TRUNC_);
	if (!find(dirfd, where, path, &node))
		return open_again(call, dirfd, where, flags);
	if (writes && is_on_read_only(path))
		return done(call, -EROFS);
	if (vfs_asks_kernel(&node) && !(writes && node.own_writes)) {
		ret = would_create(&node, path, flags) ? -ENOENT : ask_kernel(call, path);
		if (ret == NEW_CALL)
			return CALL_PASS;
		if (kernel_has(ret) && !(writes && is_refusal(ret) && vfs_uid(true) == 0))
			return done(call, ret);
	}
	return done(call, vfs_open_node(&node, path, flags));
}

enum verdict vfs_open(struct call *call)
{
	return open_path(call, AT_FDCWD_, call->arg[0], (u32)call->arg[1]);
}

enum verdict vfs_openat(struct call *call)
{
	return open_path(call, (s32)call->arg[0], call->arg[1], (u32)call->arg[2]);
}

enum verdict vfs_creat(struct call *call)
{
	return open_path(call, AT_FDCWD_, call->arg[0], O_CREAT_ | O_WRONLY_ | O_TRUNC_);
}

/* What would leave the directory by RESOLVE_BENEATH or RESOLVE_IN_ROOT is not looked at here. */
enum verdict vfs_openat2(struct call *call)
{
	struct {
		u64 flags, mode, resolve;
	} how;

	if (call->arg[3] < sizeof(how) || guest_read(&how, call->arg[2], sizeof(how)) < 0)
		return CALL_PASS;
	if (how.resolve & (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_)) {
		char path[VFS_PATH_MAX];
		long length = guest_read_string(path, call->arg[1], sizeof(path));

		if (length <= 0 || path[0] == '/')
			return CALL_PASS;
		for (long i = 0; i + 1 < length; i++)
			if (path[i] == '.' && path[i + 1] == '.')
				return CALL_PASS;
	}
	if (how.flags >> 32 || (how.mode && !(how.flags & O_CREAT_)))
		return CALL_PASS;
	return open_path(call, (s32)call->arg[0], call->arg[1], (u32)how.flags);
}

/* --- access -------------------------------------------------------------------------------------------------------------------------- */

static enum verdict access_path(struct call *call, s32 dirfd, u64 where, u64 mode, bool effective)
{
	char path[VFS_PATH_MAX];
	struct vnode node;
	long ret;

	if ((mode & ~UINT64_C(7)) || !find_whole(dirfd, where, path, &node))
		return CALL_PASS;
	if ((mode & 2) && is_on_read_only(path))
		return done(call, -EROFS);
	if (vfs_asks_kernel(&node) && !node.own_writes) {
		ret = ask_kernel(call, path);
		if (ret == NEW_CALL)
			return CALL_PASS;
		if (kernel_has(ret) && !((mode & 2) && is_refusal(ret) && vfs_uid(true) == 0))
			return done(call, ret);
	}
	return done(call, vfs_permission(&node, path, (u32)mode, vfs_uid(effective)));
}

enum verdict vfs_access(struct call *call)
{
	return access_path(call, AT_FDCWD_, call->arg[0], call->arg[1], false);
}

enum verdict vfs_faccessat(struct call *call)
{
	return access_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], false);
}

enum verdict vfs_faccessat2(struct call *call)
{
	if (call->arg[3] & ~(u64)(AT_EACCESS_ | AT_SYMLINK_NOFOLLOW_ | AT_EMPTY_PATH_))
		return CALL_PASS;
	return access_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], call->arg[3] & AT_EACCESS_);
}

/* --- stat ---------------------------------------------------------------------------------------------------------------------------- */

#define VFS_PIPE 0010000u
#define STATX_SYNC 0x6000u
#define STATX_FLAGS ((u64)(AT_SYMLINK_NOFOLLOW_ | 0x800 /* AT_NO_AUTOMOUNT */ | AT_EMPTY_PATH_ | STATX_SYNC))
#define STATX_RESERVED 0x80000000u

/* gVisor shows files that root may write without any permission for it, which sysctl(8) believes: they are told as Linux has them. */
static bool is_understated(const struct vnode *node, const char *path, struct kernel_stat *st)
{
	if ((node->mode & (VFS_TYPE | 0200)) != (VFS_REGULAR | 0200) || sys4(__NR_newfstatat, AT_FDCWD_, path, st, 0) < 0 ||
	    (st->mode & 0222))
		return false;
	st->mode |= node->mode & 0222;
	return true;
}

/* Finds a node that the kernel does not have. */
static bool supplied(struct call *call, s32 dirfd, u64 where, bool nofollow, char *path, struct kernel_stat *st)
{
	struct vnode node;

	if (!find_whole(dirfd, where, path, &node))
		return false;
	if (vfs_asks_kernel(&node) && !node.own_writes) { /* else its mode must say that it can be written */
		call->ret = is_understated(&node, path, st) ? 1 : ask_kernel(call, path);
		if (kernel_has(call->ret))
			return true;
	}
	if ((node.mode & VFS_TYPE) == VFS_LINK && !nofollow) {
		char target[VFS_PATH_MAX];
		long n = vfs_node_read(&node, path, target, sizeof(target) - 1);

		target[n > 0 && n < (long)sizeof(target) ? n : 0] = 0;
		call->ret = sys4(__NR_newfstatat, AT_FDCWD_, target, st, 0);
		if (call->ret == 0)
			call->ret = 1;
		return true;
	}
	vfs_stat_node(&node, path, st);
	call->ret = 1;
	return true;
}

/* Not virtual, but /proc/PID/exe of a member: the file that it names to readlink (proc_self.c). path: find()'s. */
static bool is_program(struct call *call, bool nofollow, const char *path, struct kernel_stat *st)
{
	struct exe_paths {
		char target[4096], work[12288];
	} *s = (struct exe_paths *)(void *)slot_current()->scratch;

	if (nofollow || !path[0] || exe_link_target(path, s->target, s->work, sizeof(s->work)) < 0)
		return false;
	if (exe_kept(path) >= 0)
		agent_fd_link(s->target, (u32)exe_kept(path));
	call->ret = sys4(__NR_newfstatat, AT_FDCWD_, s->target, st, 0);
	if (call->ret == 0)
		call->ret = 1;
	return true;
}

static enum verdict stat_path(struct call *call, s32 dirfd, u64 where, u64 to, bool nofollow)
{
	char path[VFS_PATH_MAX];
	struct kernel_stat st;

	if (!supplied(call, dirfd, where, nofollow, path, &st) && !is_program(call, nofollow, path, &st))
		return CALL_PASS;
	if (call->ret == 1)
		call->ret = guest_write(to, &st, sizeof(st));
	return CALL_DONE;
}

enum verdict vfs_stat(struct call *call)
{
	return stat_path(call, AT_FDCWD_, call->arg[0], call->arg[1], false);
}

enum verdict vfs_lstat(struct call *call)
{
	return stat_path(call, AT_FDCWD_, call->arg[0], call->arg[1], true);
}

/* fstat(3) of a descriptor that we made: a memfd has no links (in gVisor: mode 0777), a pipe is none of /proc. Others cost nothing but the call itself. */
static enum verdict stat_descriptor(struct call *call)
{
	char path[VFS_PATH_MAX];
	struct vnode node;
	struct kernel_stat st;
	bool ours = false;

	call->ret = sys4(__NR_newfstatat, call->arg[0], "", &st, AT_EMPTY_PATH_);
	if (call->ret < 0)
		return CALL_PASS;
	if ((st.mode & VFS_TYPE) == VFS_PIPE || ((st.mode & VFS_TYPE) == VFS_REGULAR && (!st.nlink || (st.mode & 0777) == 0777)))
		ours = vfs_fd_path((s32)call->arg[0], path) > 0 && path[0] == '/' && vfs_find(path, &node) && !node.contents;
	if (ours)
		vfs_stat_node(&node, path, &st);
	else if (identity_on())
		identity_stat((s32)call->arg[0], 0, &st);
	else
		fs_origin_stat((s32)call->arg[0], 0, &st);
	call->ret = guest_write(call->arg[2], &st, sizeof(st));
	return CALL_DONE;
}

static bool is_empty(u64 where)
{
	char first;
	return guest_read(&first, where, 1) == 0 && !first;
}

enum verdict vfs_newfstatat(struct call *call)
{
	if (call->arg[3] == AT_EMPTY_PATH_ && (s32)call->arg[0] >= 0 && is_empty(call->arg[1]))
		return stat_descriptor(call);
	if (call->arg[3] & ~STATX_FLAGS)
		return CALL_PASS; /* EINVAL */
	return stat_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], call->arg[3] & AT_SYMLINK_NOFOLLOW_);
}

enum verdict vfs_statx(struct call *call)
{
	char path[VFS_PATH_MAX];
	struct kernel_stat st = { 0 };
	struct kernel_statx x;

	if ((call->arg[2] & ~STATX_FLAGS) || (call->arg[2] & STATX_SYNC) == STATX_SYNC || (call->arg[3] & STATX_RESERVED))
		return CALL_PASS; /* EINVAL, unless it is known in the future */
	if (!supplied(call, (s32)call->arg[0], call->arg[1], call->arg[2] & AT_SYMLINK_NOFOLLOW_, path, &st))
		return CALL_PASS;
	if (call->ret != 1)
		return call->ret == NEW_CALL ? CALL_PASS : CALL_DONE;
	kernel_statx_from(&x, &st);
	return done(call, guest_write(call->arg[4], &x, sizeof(x)));
}

/* A path that is no link: EINVAL, where the kernel would say ENOENT. */
static enum verdict readlink_path(struct call *call, s32 dirfd, u64 where, u64 to, s32 size)
{
	char path[VFS_PATH_MAX], target[VFS_PATH_MAX];
	struct vnode node;
	long n;

	if (size <= 0 || !find_whole(dirfd, where, path, &node))
		return CALL_PASS;
	if (vfs_asks_kernel(&node)) {
		n = agent_reissue(call->nr, call->arg);
		if (kernel_has(n))
			return CALL_PASS; /* the engine has a word on /proc/PID/exe */
	}
	if ((node.mode & VFS_TYPE) != VFS_LINK)
		return done(call, -EINVAL);
	n = vfs_node_read(&node, path, target, sizeof(target));
	if (n > size)
		n = size;
	return done(call, n < 0 ? n : guest_write(to, target, (u64)n) < 0 ? -EFAULT : n);
}

enum verdict vfs_readlink(struct call *call)
{
	return readlink_path(call, AT_FDCWD_, call->arg[0], call->arg[1], (s32)call->arg[2]);
}

enum verdict vfs_readlinkat(struct call *call)
{
	return readlink_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], (s32)call->arg[3]);
}

/* --- statfs, truncate --------------------------------------------------------------------------------------------------------------- */

#define STATFS_SIZE 120u

/* Tells of the file system that a virtual path would be on. */
static long statfs_of(const char *path, u64 to)
{
	u64 st[STATFS_SIZE / 8];
	u64 *type = st;
	long r = sys2(__NR_statfs, path[1] == 'p' ? "/proc" : path[1] == 'd' ? "/dev" : "/etc", st);

	if (r == 0 && !strncmp(path, "/cgroup", 7)) /* a control file */
		*type = path[7] == '2' ? 0x63677270 : 0x27e0eb;
	return r < 0 ? r : guest_write(to, st, sizeof(st));
}

enum verdict vfs_statfs(struct call *call)
{
	char path[VFS_PATH_MAX];
	struct vnode node;
	long ret;

	if (!find_whole(AT_FDCWD_, call->arg[0], path, &node))
		return CALL_PASS;
	if (vfs_asks_kernel(&node)) {
		ret = agent_reissue(call->nr, call->arg);
		if (kernel_has(ret) && ret != -ENOSYS) /* which gVisor of 2022 says of what it has in /proc */
			return done(call, ret);
	}
	return done(call, statfs_of(path, call->arg[1]));
}

/* A descriptor of a virtual file: the kernel would tell of tmpfs or pipefs. */
enum verdict vfs_fstatfs(struct call *call)
{
	char path[VFS_PATH_MAX];

	if (vfs_fd_ours((s32)call->arg[0], path) <= 0)
		return CALL_PASS;
	return done(call, statfs_of(path, call->arg[1]));
}

enum verdict vfs_truncate(struct call *call)
{
	char path[VFS_PATH_MAX];
	struct vnode node;
	long ret;

	if (!find_whole(AT_FDCWD_, call->arg[0], path, &node))
		return CALL_PASS;
	if (vfs_asks_kernel(&node) && !node.own_writes) {
		ret = agent_reissue(call->nr, call->arg);
		if (kernel_has(ret) && !is_refusal(ret))
			return done(call, ret);
	}
	if ((node.mode & VFS_TYPE) != VFS_REGULAR)
		return done(call, (node.mode & VFS_TYPE) == VFS_DIRECTORY ? -EISDIR : -EINVAL);
	return done(call, vfs_permission(&node, path, 2, vfs_uid(true)));
}

/* --- extended attributes: a supplied file has none ---------------------------------------------------------------------------------- */

static enum verdict xattr_path(struct call *call, bool list)
{
	char path[VFS_PATH_MAX];
	struct vnode node;
	long ret;

	if (!find_whole(AT_FDCWD_, call->arg[0], path, &node))
		return CALL_PASS;
	if (vfs_asks_kernel(&node)) {
		ret = agent_reissue(call->nr, call->arg);
		if (kernel_has(ret))
			return done(call, ret);
	}
	return done(call, list ? 0 : path[1] == 'd' ? -ENODATA : -EOPNOTSUPP); /* devtmpfs, procfs */
}

enum verdict vfs_getxattr(struct call *call)
{
	return xattr_path(call, false);
}

enum verdict vfs_listxattr(struct call *call)
{
	return xattr_path(call, true);
}
