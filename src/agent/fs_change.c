/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that change what a path in the tree stands for: mode, owner, times, size, attributes. */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* Whether the guest's task may; times that it does not choose it may set where it may write. */
static long may_change(long nr, const u64 *args, long object)
{
	bool times = nr == __NR_utime || nr == __NR_utimes || nr == __NR_futimesat || nr == __NR_utimensat;
	bool now = !args[nr == __NR_utime || nr == __NR_utimes ? 1 : 2];
	long r = times ? identity_may_own((s32)object) : -EPERM;

	return r == -EPERM && (!times || now) ? identity_may((s32)object, 2, false) : r;
}

/* Makes call `nr` with the name of the object's descriptor as argument `at`. */
static enum verdict change(struct call *call, long nr, u32 at, s32 dirfd, u32 flags)
{
	char link[AGENT_FD_LINK_SIZE];
	long object = fs_object((struct fs_work *)(void *)slot_current()->scratch, dirfd, call->arg[at], flags | FS_WRITE);
	u64 args[6];

	if (object < 0)
		return done(call, object);
	agent_fd_link(link, (u32)object);
	memcpy(args, call->arg, sizeof(args));
	args[at] = (u64)link;
	call->ret = identity_on() ? may_change(nr, args, object) : 0;
	if (call->ret == 0) {
		call->ret = fs_reissue(nr, args);
		if (fs_unlocked(call->ret, (s32)object))
			call->ret = fs_reissue(nr, args);
	}
	fs_object_done(object, dirfd);
	return CALL_DONE;
}

/* The same for what is not followed, by call nr; by `followed` where the object's own descriptor is to be. values: its arguments. */
static enum verdict change_unfollowed(struct call *call, long nr, long followed, u32 at, s32 dirfd, u32 flags, const u64 values[6])
{
	struct fs_unfollowed object;
	u64 args[6];
	long r = fs_unfollowed((struct fs_work *)(void *)slot_current()->scratch, dirfd, call->arg[at], flags | FS_WRITE, &object),
	     fd;

	if (r < 0)
		return done(call, r);
	memcpy(args, values, sizeof(args));
	if (object.follow && nr == __NR_utimensat)
		args[3] = 0;
	if (identity_on()) {
		fd = object.follow ? object.fd : sys4(__NR_openat, AT_FDCWD_, object.path, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
		r = fd < 0 ? fd : may_change(nr, args, fd);
		if (fd >= 0 && !object.follow)
			(void)sys1(__NR_close, fd);
	}
	args[at] = (u64)object.path;
	if (r == 0)
		r = fs_reissue(object.follow ? followed : nr, args);
	fs_unfollowed_done(&object, dirfd);
	return done(call, r);
}

static enum verdict chmod_at(struct call *call, s32 dirfd, u64 path, u64 mode, u32 flags)
{
	struct kernel_stat st;
	char link[AGENT_FD_LINK_SIZE];
	long object = fs_object((struct fs_work *)(void *)slot_current()->scratch, dirfd, path, flags | FS_WRITE | FS_RAISE_OWNER);

	if (object < 0)
		return done(call, object);
	agent_fd_link(link, (u32)object);
	call->ret = sys4(__NR_newfstatat, object, "", &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_);
	if (call->ret == 0)
		call->ret = (st.mode & VFS_TYPE) == VFS_LINK ? -EOPNOTSUPP
			  : identity_on()                    ? identity_chmod((s32)object, STAT_O_PATH, (u32)mode)
							     : sys2(__NR_chmod, link, mode);
	fs_object_done(object, dirfd);
	return CALL_DONE;
}

enum verdict fs_chmod(struct call *call)
{
	return chmod_at(call, AT_FDCWD_, call->arg[0], call->arg[1], FS_FOLLOW);
}

enum verdict fs_fchmodat(struct call *call)
{
	return chmod_at(call, (s32)call->arg[0], call->arg[1], call->arg[2], FS_FOLLOW);
}

enum verdict fs_fchmodat2(struct call *call)
{
	u64 flags = (u32)call->arg[3];

	if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW_ | AT_EMPTY_PATH_))
		return done(call, -EINVAL);
	return chmod_at(call, (s32)call->arg[0], call->arg[1], call->arg[2],
			(flags & AT_SYMLINK_NOFOLLOW_ ? 0 : FS_FOLLOW) | (flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0));
}

static enum verdict chown_path(struct call *call, s32 dirfd, u64 path, u64 uid, u64 gid, u32 flags)
{
	long object = fs_object((struct fs_work *)(void *)slot_current()->scratch, dirfd, path, flags | FS_WRITE | FS_RAISE_OWNER);

	if (object < 0)
		return done(call, object);
	call->ret = identity_on() ? identity_chown((s32)object, STAT_O_PATH, (u32)uid, (u32)gid)
				  : sys5(__NR_fchownat, object, "", uid, gid, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_);
	if (call->ret == -EBADF && !identity_on() && object != dirfd) { /* gVisor of 2022 does not take O_PATH there */
		char link[AGENT_FD_LINK_SIZE];

		agent_fd_link(link, (u32)object);
		call->ret = sys5(__NR_fchownat, AT_FDCWD_, link, uid, gid, 0);
	}
	fs_object_done(object, dirfd);
	return CALL_DONE;
}

enum verdict fs_chown(struct call *call)
{
	return chown_path(call, AT_FDCWD_, call->arg[0], call->arg[1], call->arg[2], FS_FOLLOW);
}

/* By path: gVisor of 2022 follows a link's descriptor. */
static enum verdict chown_unfollowed(struct call *call, u32 at, s32 dirfd, u32 flags)
{
	u64 uid = call->arg[at + 1], gid = call->arg[at + 2];
	struct fs_unfollowed object;
	long r;

	if (identity_on())
		return chown_path(call, dirfd, call->arg[at], uid, gid, flags);
	r = fs_unfollowed((struct fs_work *)(void *)slot_current()->scratch, dirfd, call->arg[at],
			  flags | FS_WRITE | FS_RAISE_OWNER, &object);

	if (r < 0)
		return done(call, r);
	if (object.follow)
		call->ret = sys3(__NR_chown, object.path, uid, gid);
	else
		call->ret = sys3(__NR_lchown, object.path, uid, gid);
	fs_unfollowed_done(&object, dirfd);
	return CALL_DONE;
}

enum verdict fs_lchown(struct call *call)
{
	return chown_unfollowed(call, 0, AT_FDCWD_, 0);
}

enum verdict fs_fchownat(struct call *call)
{
	u64 flags = (u32)call->arg[4];

	if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW_ | AT_EMPTY_PATH_))
		return done(call, -EINVAL);
	if (flags & AT_SYMLINK_NOFOLLOW_)
		return chown_unfollowed(call, 1, (s32)call->arg[0], flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0);
	return chown_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], call->arg[3],
			  FS_FOLLOW | (flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0));
}

enum verdict fs_utime(struct call *call)
{
	return change(call, __NR_utime, 0, AT_FDCWD_, FS_FOLLOW | FS_RAISE_EITHER);
}

enum verdict fs_utimes(struct call *call)
{
	return change(call, __NR_utimes, 0, AT_FDCWD_, FS_FOLLOW | FS_RAISE_EITHER);
}

enum verdict fs_futimesat(struct call *call)
{
	if (!call->arg[1])
		return fs_reached_times(call);
	return change(call, __NR_futimesat, 1, (s32)call->arg[0], FS_FOLLOW | FS_RAISE_EITHER);
}

/* Whether both times are UTIME_OMIT. */
static bool omits_both(u64 times)
{
	u64 value[4];

	return times && guest_read(value, times, sizeof(value)) == 0 && value[1] == 0x3ffffffe && value[3] == 0x3ffffffe;
}

enum verdict fs_utimensat(struct call *call)
{
	u64 flags = (u32)call->arg[3], args[6];
	u32 empty = flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0;

	if (omits_both(call->arg[2]))
		return done(call, 0); /* nothing is looked at */
	if (!call->arg[1])
		return fs_reached_times(call);
	if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW_ | AT_EMPTY_PATH_))
		return done(call, -EINVAL);
	memcpy(args, call->arg, sizeof(args));
	args[3] = AT_SYMLINK_NOFOLLOW_;
	if (flags & AT_SYMLINK_NOFOLLOW_)
		return change_unfollowed(call, __NR_utimensat, __NR_utimensat, 1, (s32)call->arg[0], FS_RAISE_EITHER | empty, args);
	call->arg[3] = 0;
	return change(call, __NR_utimensat, 1, (s32)call->arg[0], FS_FOLLOW | FS_RAISE_EITHER | empty);
}

enum verdict fs_truncate(struct call *call)
{
	struct kernel_stat st;
	long object;

	(void)change(call, __NR_truncate, 0, AT_FDCWD_, FS_FOLLOW | FS_RAISE_WRITE);
	if (call->ret != -EROFS)
		return CALL_DONE;
	object = fs_object((struct fs_work *)(void *)slot_current()->scratch, AT_FDCWD_, call->arg[0], FS_FOLLOW);
	if (object < 0)
		return CALL_DONE;
	if (sys2(__NR_fstat, object, &st) == 0 && (st.mode & VFS_TYPE) != VFS_REGULAR) /* vfs_truncate() asks that first */
		call->ret = (st.mode & VFS_TYPE) == VFS_DIRECTORY ? -EISDIR : -EINVAL;
	fs_object_done(object, AT_FDCWD_);
	return CALL_DONE;
}

enum verdict fs_setxattr(struct call *call)
{
	if (identity_on())
		return fs_xattr_as(call, FS_FOLLOW | FS_WRITE | FS_RAISE);
	return change(call, call->nr, 0, AT_FDCWD_, FS_FOLLOW | FS_RAISE_WRITE);
}

enum verdict fs_lsetxattr(struct call *call)
{
	u64 args[6];

	if (identity_on())
		return fs_xattr_as(call, FS_WRITE | FS_RAISE);
	memcpy(args, call->arg, sizeof(args));
	return change_unfollowed(call, call->nr, call->nr == __NR_lsetxattr ? __NR_setxattr : __NR_removexattr, 0, AT_FDCWD_,
				 FS_RAISE_WRITE, args);
}
