/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open(2) and its kin in the tree; opening what is to be executed.
 *
 * A FIFO may make its opener wait: what a stat(2) of the host path says to be one is opened where calls wait (window.c), through the /proc/self/fd name of a
 * descriptor. (Trying with O_NONBLOCK first would show itself to the other end.) Devices are opened with O_NONBLOCK, which is taken away again: a terminal line may wait for its carrier.
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/fs_quota.h"
#include "agent/vfs_int.h"

#define O_DIRECT_ 040000u
#define O_NOATIME_ 01000000u
#define O_ASYNC_ 020000u
#define KEPT_BY_F_SETFL (O_APPEND_ | O_DIRECT_ | O_NOATIME_ | O_ASYNC_)
#define VFS_FIFO 0010000u
#define IS_TMPFILE(flags) (((flags)&O_TMPFILE_) == O_TMPFILE_)

struct how {
	u64 flags, mode, resolve;
};

static struct fs_work *scratch(void)
{
	return (struct fs_work *)(void *)slot_current()->scratch;
}

/* --- calls that wait ------------------------------------------------------------------------------------------------------------------ */

void fs_hold(long object)
{
	slot_current()->trap.held = (s32)object;
}

void fs_release(long object)
{
	slot_current()->trap.held = 0;
	if (sys2(__NR_fcntl, object, 3 /* F_GETFL */) & O_PATH_) /* else another thread has made the number its own */
		(void)sys1(__NR_close, object);
}

/* --- open ---------------------------------------------------------------------------------------------------------------------------- */

/* What the tree's rules say of how this is opened; the kernel knows the rest. */
static long may_open(const struct fs_work *work, u64 flags)
{
	if (work->slash && (flags & O_CREAT_) && !(flags & O_PATH_))
		return work->last != FS_LAST_NAME && (flags & O_EXCL_) ? -EEXIST : -EISDIR;
	return 0;
}

static bool writes(u64 flags)
{
	return !(flags & O_PATH_) && ((flags & O_ACCMODE_) || (flags & (O_CREAT_ | O_TRUNC_)) || IS_TMPFILE(flags));
}

/* Opening for writing on a read-only mount. 0: nothing of the mount is changed by it, *flags without O_CREAT. In the order of do_open(). */
static long may_write(struct fs_work *work, u64 *flags)
{
	const char *name;
	struct kernel_stat st;
	long fd = fs_host_open(work, O_PATH_ | O_CLOEXEC_ | (*flags & O_EXCL_ ? O_NOFOLLOW_ : 0), 0), r;

	if (fd == -ENOENT && (*flags & O_CREAT_)) {
		if (fs_layered(work)) {
			char *last = fs_cut(work);

			fd = fs_host_open(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
			fs_uncut(last);
		} else {
			fd = fs_host_parent(work, &name);
		}
		if (fd >= 0)
			(void)sys1(__NR_close, fd);
		return fd < 0 ? fd : -EROFS;
	}
	if (fd < 0)
		return fd;
	r = sys2(__NR_fstat, fd, &st);
	(void)sys1(__NR_close, fd);
	if (r < 0)
		return r;
	if ((*flags & O_CREAT_) && (*flags & O_EXCL_))
		return -EEXIST;
	if (IS_TMPFILE(*flags))
		return (st.mode & VFS_TYPE) == VFS_DIRECTORY ? -EROFS : -ENOTDIR;
	if ((st.mode & VFS_TYPE) == VFS_DIRECTORY)
		return -EISDIR;
	if ((st.mode & VFS_TYPE) == VFS_REGULAR && ((*flags & O_ACCMODE_) || (*flags & O_TRUNC_)))
		return -EROFS;
	*flags &= ~(u64)O_CREAT_;
	return 0;
}

#define FS_FIFO (-5000) /* not opened: who opens it may wait */

static long open_magic(struct fs_work *work, u64 flags, u64 mode)
{
	struct kernel_stat st;
	const char *name;
	long parent, fd, low;

	if (work->exe && (flags & O_ACCMODE_))
		return -ETXTBSY;
	parent = fs_host_parent(work, &name);
	if (parent < 0)
		return parent;
	low = sys3(__NR_fcntl, parent, 1030 /* F_DUPFD_CLOEXEC */, 256);
	if (low >= 0) { /* away from the number that the file is to have */
		(void)sys1(__NR_close, parent);
		parent = low;
	}
	if (!(flags & (O_NONBLOCK_ | O_PATH_)) && sys4(__NR_newfstatat, parent, name, &st, 0) == 0 &&
	    (st.mode & VFS_TYPE) == VFS_FIFO)
		fd = FS_FIFO;
	else
		fd = sys4(__NR_openat, parent, name, flags, mode);
	(void)sys1(__NR_close, parent);
	if (fd >= 0 && work->nsfs)
		(void)sys2(__NR_flock, fd, 1 /* LOCK_SH: it keeps the namespace */);
	return fd;
}

/* What a host path that is opened without O_NONBLOCK may make its opener wait for. */
static long open_waiting(struct fs_work *work, u64 flags, u64 mode)
{
	struct kernel_stat st;
	long fd = fs_layered(work) ? fs_layers_stat(work, &st)
				   : sys4(__NR_newfstatat, AT_FDCWD_, work->host, &st, 0x100 /* AT_SYMLINK_NOFOLLOW */);

	if (fd < 0)
		return fs_open_as(work, flags, mode, fd == -ENOENT);
	if ((st.mode & VFS_TYPE) == VFS_FIFO)
		return work->step ? FS_FIFO : -ELOOP; /* which a link to outside may have led to */
	if ((st.mode & VFS_TYPE) != VFS_DEVICE)
		return fs_open_as(work, flags, mode, false);
	fd = fs_open_as(work, flags | O_NONBLOCK_, mode, false);
	if (fd >= 0)
		(void)sys3(__NR_fcntl, fd, 4 /* F_SETFL */, flags & KEPT_BY_F_SETFL);
	return fd;
}

/* One more file where files are counted: 0 or -ENOSPC. In an overlay nothing is counted. */
static long may_count(struct fs_work *work, u64 flags)
{
	struct fs_quota *quota = !(flags & O_CREAT_) || work->magic || fs_layered(work) ? NULL : fs_quota_of(work->host);
	struct kernel_stat st;

	if (!quota || !quota->files || sys4(__NR_newfstatat, AT_FDCWD_, work->host, &st, AT_SYMLINK_NOFOLLOW_) != -ENOENT)
		return 0;
	return fs_quota_add_file(quota);
}

/* A file that was opened for writing, on a file system whose size may be limited. The descriptor or negative errno. */
static long limited(struct fs_work *work, long fd)
{
	const struct fs_quota *quota = fs_quota_of_fd((s32)fd, work->check);
	long r = quota && quota->pages ? fs_quota_watch() : 0;

	if (r < 0)
		(void)sys1(__NR_close, fd);
	return r < 0 ? r : fd;
}

/* Whether it is a device, on a mount that has none (nodev): 0 or -EACCES. */
static long may_be_device(struct fs_work *work, u64 flags)
{
	struct kernel_stat st = { 0 };
	long fd;

	if (LIKELY(!(work->mount.flags & FS_NODEV)) || (flags & O_PATH_) || work->magic)
		return 0;
	fd = fs_host_open(work, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
	if (fd < 0)
		return 0; /* opening it says why */
	if (sys2(__NR_fstat, fd, &st) == 0 && identity_on())
		identity_stat((s32)fd, STAT_O_PATH, &st);
	(void)sys1(__NR_close, fd);
	return (st.mode & VFS_TYPE) == VFS_DEVICE || (st.mode & VFS_TYPE) == 0060000u /* S_IFBLK */ ? -EACCES : 0;
}

static long attempt(struct fs_work *work, s32 dirfd, u64 path, u64 flags, u64 mode, u64 resolve)
{
	bool follow = !(flags & O_NOFOLLOW_) && (flags & (O_CREAT_ | O_EXCL_)) != (O_CREAT_ | O_EXCL_);
	long r;

	work->resolve = (u32)resolve;
	r = fs_begin(work, dirfd, path);
	work->names = flags & O_CREAT_; /* a slash at the end is an error then, whatever is before it */
	work->real = false;
	if (r == 0)
		r = fs_walk(work, follow);
	if (r == 0)
		r = fs_may_search(work);
	if (r < 0)
		return r;
	r = may_open(work, flags);
	if (r == 0 && writes(flags) && !work->magic && (work->mount.flags & FS_READ_ONLY))
		r = may_write(work, &flags);
	if (r == 0)
		r = may_be_device(work, flags);
	if (r == 0 && UNLIKELY(fs_quota_on()))
		r = may_count(work, flags);
	if (r < 0)
		return r;
	if (work->slash) /* a link before it is followed */
		flags = (flags | O_DIRECTORY_) & ~(u64)O_NOFOLLOW_;
	if (work->magic)
		return open_magic(work, flags, mode);
	if (UNLIKELY(work->mount.flags & FS_CGROUP))
		return fs_cgroup_open(work, flags, mode);
	if (!(flags & (O_NONBLOCK_ | O_PATH_ | O_DIRECTORY_)) && (flags & (O_CREAT_ | O_EXCL_)) != (O_CREAT_ | O_EXCL_))
		return open_waiting(work, flags, mode);
	return fs_open_as(work, flags, mode, false);
}

static long attempts(struct fs_work *work, s32 dirfd, u64 path, u64 flags, u64 mode, u64 resolve)
{
	struct fs_attempts count = { .links = resolve ? FS_ATTEMPTS : 0 }; /* each component is looked at from the start on */
	long r;

	work->step = resolve != 0;
	do
		r = attempt(work, dirfd, path, flags, mode, resolve);
	while (fs_again(work, r, &count));
	return r;
}

/* A FIFO, and the caller wants to wait for the other end: opened by the descriptor's name, as the guest would. */
static long open_fifo(struct call *call, s32 dirfd, u64 path, u64 flags)
{
	long object = fs_object(scratch(), dirfd, path, FS_FOLLOW), r;
	char link[AGENT_FD_LINK_SIZE];

	if (object < 0)
		return object;
	object = fs_far(object);
	agent_fd_link(link, (u32)object);
	fs_hold(object);
	r = agent_waiting_call(call, __NR_openat, (u64)AT_FDCWD_, (u64)link, flags & ~(u64)(O_CREAT_ | O_EXCL_ | O_NOFOLLOW_), 0);
	fs_release(object);
	return r;
}

static enum verdict open_call(struct call *call, s32 dirfd, u64 path, u64 flags, u64 mode, u64 resolve)
{
	call->ret = attempts(scratch(), dirfd, path, flags, mode, resolve);
	if (call->ret >= 0 && !scratch()->magic && !scratch()->deep)
		fs_note((s32)call->ret, scratch()->exe && private()->hints.exe ? private()->hints.exe : scratch()->mount.id);
	if (UNLIKELY(fs_quota_on()) && call->ret >= 0 && (flags & O_ACCMODE_) && !(flags & O_PATH_))
		call->ret = limited(scratch(), call->ret);
	if (call->ret == FS_FIFO)
		call->ret = open_fifo(call, dirfd, path, flags);
	return CALL_DONE;
}

/* open and openat, which ignore what openat2 refuses. */
static enum verdict open_plain(struct call *call, s32 dirfd, u64 path, u32 flags, u64 mode)
{
	if (flags & O_PATH_)
		flags &= O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_;
	if ((flags & (O_CREAT_ | O_DIRECTORY_)) == (O_CREAT_ | O_DIRECTORY_)) {
		call->ret = -EINVAL;
		return CALL_DONE;
	}
	return open_call(call, dirfd, path, flags, mode, 0);
}

enum verdict fs_open(struct call *call)
{
	return open_plain(call, AT_FDCWD_, call->arg[0], (u32)call->arg[1], call->arg[2]);
}

enum verdict fs_openat(struct call *call)
{
	return open_plain(call, (s32)call->arg[0], call->arg[1], (u32)call->arg[2], call->arg[3]);
}

enum verdict fs_creat(struct call *call)
{
	return open_call(call, AT_FDCWD_, call->arg[0], O_CREAT_ | O_WRONLY_ | O_TRUNC_, call->arg[1], 0);
}

/* struct open_how, of which a later kernel may know more. */
static long read_how(struct how *how, u64 at, u64 size)
{
	u64 more;

	if (size < sizeof(*how))
		return -EINVAL;
	if (size > LAYOUT_PAGE)
		return -E2BIG;
	if (guest_read(how, at, sizeof(*how)) < 0)
		return -EFAULT;
	for (u64 i = sizeof(*how); i < size; i += sizeof(more)) {
		u64 part = size - i < sizeof(more) ? size - i : sizeof(more);

		more = 0;
		if (guest_read(&more, at + i, part) < 0)
			return -EFAULT;
		if (more)
			return -E2BIG;
	}
	return 0;
}

/* build_open_flags() */
static bool is_valid(const struct how *how)
{
	u64 flags = how->flags;

	if (flags & ~UINT64_C(037777703) || (how->mode & ~UINT64_C(07777)) || (how->resolve & ~UINT64_C(0x3f)))
		return false;
	if (how->mode && !(flags & (O_CREAT_ | (O_TMPFILE_ & ~O_DIRECTORY_))))
		return false;
	if ((how->resolve & (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_)) == (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_))
		return false;
	if ((flags & (O_CREAT_ | O_DIRECTORY_)) == (O_CREAT_ | O_DIRECTORY_))
		return false;
	if ((flags & (O_TMPFILE_ & ~O_DIRECTORY_)) && (!(flags & O_DIRECTORY_) || !(flags & O_ACCMODE_)))
		return false;
	return !(flags & O_PATH_) || !(flags & ~(u64)(O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_));
}

enum verdict fs_openat2(struct call *call)
{
	struct how how;

	call->ret = read_how(&how, call->arg[2], call->arg[3]);
	if (call->ret == 0 && !is_valid(&how))
		call->ret = -EINVAL;
	if (call->ret == 0 && (how.resolve & RESOLVE_CACHED_))
		call->ret = how.flags & (O_CREAT_ | O_TRUNC_ | (O_TMPFILE_ & ~O_DIRECTORY_)) ? -EINVAL : -EAGAIN;
	if (call->ret < 0)
		return CALL_DONE;
	return open_call(call, (s32)call->arg[0], call->arg[1], how.flags, how.mode, how.resolve);
}

/* --- execute --------------------------------------------------------------------------------------------------------------------------- */

int fs_exec_open(s32 dirfd, u64 path, int flags)
{
	u64 room = ALIGN_UP(sizeof(struct fs_work), LAYOUT_PAGE); /* execve's strings fill the scratch */
	long map = sys6(__NR_mmap, 0, room, 3, 0x22, (u64)-1, 0), object;
	struct kernel_stat st;
	struct fs_work *work;
	bool noexec;
	u32 mount;
	int fd;

	if (map < 0)
		return (int)map;
	work = (struct fs_work *)map; /* NOLINT(performance-no-int-to-ptr) */
	object = fs_object(work, dirfd, path,
			   (flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0) | (flags & 0x100 /* AT_SYMLINK_NOFOLLOW */ ? 0 : FS_FOLLOW));
	mount = object == dirfd ? fs_hint(dirfd) : work->magic || object < 0 ? 0 : work->mount.id;
	noexec = object >= 0 && (fs_flags_of(work, (s32)object, object == dirfd) & FS_NOEXEC);
	(void)sys2(__NR_munmap, map, room);
	if (object < 0)
		return (int)object;
	if (noexec)
		fd = -EACCES;
	else if (sys4(__NR_newfstatat, object, "", &st, AT_EMPTY_PATH_) == 0 && (st.mode & VFS_TYPE) == VFS_LINK)
		fd = -ELOOP;
	else
		fd = identity_on() ? (int)identity_may((s32)object, 1, false) : 0;
	if (fd == 0)
		fd = exec_open_host((s32)object, "", AT_EMPTY_PATH_);
	if (fd >= 0 && mount)
		fs_note(fd, mount); /* which decides about set-user-ID bits */
	fs_object_done(object, dirfd);
	return fd;
}
