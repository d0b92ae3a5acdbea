/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open(2) and its kin in the tree; opening what is to be executed.
 *
 * A FIFO may make its opener wait, and no handler waits: what a stat(2) of the host path says to be one is opened by the guest itself, through the
 * /proc/self/fd name of a descriptor that lingers until the thread's next call here. (Trying with O_NONBLOCK first would show itself to the
 * other end.) Devices are opened with O_NONBLOCK, which is taken away again: a terminal line may wait for its carrier.
 */
#include "agent/fs.h"
#include "agent/vfs_int.h"

#define RESOLVE_NO_XDEV_ 0x01u
#define RESOLVE_NO_MAGICLINKS_ 0x02u
#define RESOLVE_NO_SYMLINKS_ 0x04u
#define RESOLVE_BENEATH_ 0x08u
#define RESOLVE_IN_ROOT_ 0x10u
#define RESOLVE_CACHED_ 0x20u
#define O_DIRECT_ 040000u
#define O_NOATIME_ 01000000u
#define O_ASYNC_ 020000u
#define KEPT_BY_F_SETFL (O_APPEND_ | O_DIRECT_ | O_NOATIME_ | O_ASYNC_)
#define VFS_FIFO 0010000u

struct how {
	u64 flags, mode, resolve;
};

static struct fs_work *scratch(void)
{
	return (struct fs_work *)(void *)slot_current()->scratch;
}

/* --- descriptors that linger --------------------------------------------------------------------------------------------------------- */

void fs_linger_end(void)
{
	struct private *p = private();
	s32 tid;

	if (LIKELY(!__atomic_load_n(&p->lingering, __ATOMIC_ACQUIRE)))
		return;
	tid = (s32)sys0(__NR_gettid);
	for (u32 i = 0; i < LINGERING_MAX; i++) {
		if (__atomic_load_n(&p->linger_tid[i], __ATOMIC_ACQUIRE) != tid)
			continue;
		if (sys2(__NR_fcntl, p->linger_fd[i], 3 /* F_GETFL */) & O_PATH_) /* else the guest has made the number its own */
			(void)sys1(__NR_close, p->linger_fd[i]);
		__atomic_store_n(&p->linger_tid[i], 0, __ATOMIC_RELEASE);
		__atomic_sub_fetch(&p->lingering, 1, __ATOMIC_ACQ_REL);
	}
}

void fs_linger(long fd)
{
	struct private *p = private();
	s32 tid = (s32)sys0(__NR_gettid);

	for (u32 i = 0; i < LINGERING_MAX; i++) {
		s32 none = 0;

		if (!__atomic_compare_exchange_n(&p->linger_tid[i], &none, tid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		p->linger_fd[i] = (s32)fd;
		__atomic_add_fetch(&p->lingering, 1, __ATOMIC_ACQ_REL);
		return;
	}
}

/* --- open ---------------------------------------------------------------------------------------------------------------------------- */

/* Whether the tree's rules let this be opened so; the kernel knows the rest. */
static long may_open(const struct fs_work *work, u64 flags, u64 resolve)
{
	bool writes = (flags & O_ACCMODE_) || (flags & (O_CREAT_ | O_TRUNC_));

	if (work->slash && (flags & O_CREAT_) && work->last == FS_LAST_NAME)
		return -EISDIR;
	if (work->magic && (resolve & RESOLVE_NO_MAGICLINKS_))
		return -ELOOP;
	if (work->links && (resolve & RESOLVE_NO_SYMLINKS_))
		return -ELOOP;
	if (writes && !(flags & O_PATH_) && !work->magic && (commons()->fs.mounts[work->mount].flags & FS_READ_ONLY))
		return -EROFS;
	return 0;
}

static long open_magic(struct fs_work *work, u64 flags, u64 mode)
{
	const char *name;
	long parent = fs_host_parent(work, &name), fd, low;

	if (parent < 0)
		return parent;
	low = sys3(__NR_fcntl, parent, 1030 /* F_DUPFD_CLOEXEC */, 256);
	if (low >= 0) { /* away from the number that the file is to have */
		(void)sys1(__NR_close, parent);
		parent = low;
	}
	fd = sys4(__NR_openat, parent, name, flags, mode);
	(void)sys1(__NR_close, parent);
	return fd;
}

#define FS_FIFO (-5000) /* not opened: who opens it may wait */

/* What a host path that is opened without O_NONBLOCK may make its opener wait for. */
static long open_waiting(struct fs_work *work, u64 flags, u64 mode)
{
	struct kernel_stat st;
	long fd;

	if (sys4(__NR_newfstatat, AT_FDCWD_, work->host, &st, 0x100 /* AT_SYMLINK_NOFOLLOW */) < 0)
		st.mode = VFS_REGULAR;
	if ((st.mode & VFS_TYPE) == VFS_FIFO)
		return FS_FIFO;
	if ((st.mode & VFS_TYPE) != VFS_DEVICE)
		return fs_host_open(work, flags, mode);
	fd = fs_host_open(work, flags | O_NONBLOCK_, mode);
	if (fd >= 0)
		(void)sys3(__NR_fcntl, fd, 4 /* F_SETFL */, flags & KEPT_BY_F_SETFL);
	return fd;
}

static long attempt(struct fs_work *work, s32 dirfd, u64 path, u64 flags, u64 mode, u64 resolve)
{
	bool follow = !(flags & O_NOFOLLOW_) && (flags & (O_CREAT_ | O_EXCL_)) != (O_CREAT_ | O_EXCL_);
	long r = fs_begin(work, dirfd, path);

	work->names = false;
	if (r == 0)
		r = fs_walk(work, follow);
	if (r < 0)
		return r;
	r = may_open(work, flags, resolve);
	if (r == -EROFS) { /* what is not there, or no directory, comes first; a device may be written all the same */
		struct kernel_stat st;
		long fd = fs_host_open(work, O_PATH_ | O_CLOEXEC_, 0);

		if (fd < 0)
			return fd == -ENOENT && (flags & O_CREAT_) ? r : fd;
		if (sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_) == 0 &&
		    ((st.mode & VFS_TYPE) != VFS_REGULAR && (st.mode & VFS_TYPE) != VFS_DIRECTORY))
			r = 0;
		(void)sys1(__NR_close, fd);
	}
	if (r < 0)
		return r;
	if (work->slash)
		flags |= O_DIRECTORY_;
	if (work->magic)
		return open_magic(work, flags, mode);
	if (!(flags & (O_NONBLOCK_ | O_PATH_ | O_DIRECTORY_)) && (flags & (O_CREAT_ | O_EXCL_)) != (O_CREAT_ | O_EXCL_))
		return open_waiting(work, flags, mode);
	return fs_host_open(work, flags, mode);
}

static long attempts(struct fs_work *work, s32 dirfd, u64 path, u64 flags, u64 mode, u64 resolve)
{
	u32 count = 0;
	long r;

	work->step = resolve != 0;
	do
		r = attempt(work, dirfd, path, flags, mode, resolve);
	while (!resolve && fs_again(work, r, &count));
	return r;
}

/* A FIFO, and the caller wants to wait for the other end: it opens the descriptor's name itself. */
static enum verdict open_fifo(struct call *call, s32 dirfd, u64 path, u64 flags)
{
	long object = fs_object(scratch(), dirfd, path, FS_FOLLOW);

	if (object < 0) {
		call->ret = object;
		return CALL_DONE;
	}
	fs_linger(object);
	fs_link((char *)call->extra, (u32)object);
	call->nr = __NR_openat;
	call->arg[0] = (u64)AT_FDCWD_;
	call->arg[1] = 0;
	call->arg[2] = flags & ~(u64)(O_CREAT_ | O_EXCL_ | O_NOFOLLOW_);
	call->edited = 2;
	return CALL_PASS;
}

static enum verdict open_call(struct call *call, s32 dirfd, u64 path, u64 flags, u64 mode, u64 resolve)
{
	fs_linger_end();
	call->ret = attempts(scratch(), dirfd, path, flags, mode, resolve);
	return call->ret == FS_FIFO ? open_fifo(call, dirfd, path, flags) : CALL_DONE;
}

enum verdict fs_open(struct call *call)
{
	return open_call(call, AT_FDCWD_, call->arg[0], (u32)call->arg[1], call->arg[2], 0);
}

enum verdict fs_openat(struct call *call)
{
	return open_call(call, (s32)call->arg[0], call->arg[1], (u32)call->arg[2], call->arg[3], 0);
}

enum verdict fs_creat(struct call *call)
{
	return open_call(call, AT_FDCWD_, call->arg[0], O_CREAT_ | O_WRONLY_ | O_TRUNC_, call->arg[1], 0);
}

/* What is scoped to its directory is so by the kernel; mounts below that directory are not seen then. */
enum verdict fs_openat2(struct call *call)
{
	struct how how;

	if (!(commons()->fs.features & FS_OPENAT2)) {
		call->ret = -ENOSYS;
		return CALL_DONE;
	}
	if (call->arg[3] != sizeof(how) || guest_read(&how, call->arg[2], sizeof(how)) < 0)
		return CALL_PASS; /* EINVAL, E2BIG, EFAULT: no path is looked at */
	if (how.flags & ~UINT64_C(0x7fffffff) || (how.mode & ~UINT64_C(07777)) ||
	    (how.mode && !(how.flags & (O_CREAT_ | 020000000))) || (how.resolve & ~UINT64_C(0x3f)) ||
	    (how.flags & ~UINT64_C(037777703)) ||
	    (how.resolve & (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_)) == (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_) ||
	    ((how.flags & O_PATH_) && (how.flags & ~(u64)(O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_))))
		return CALL_PASS; /* EINVAL */
	if (how.resolve & (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_))
		return CALL_PASS;
	if (how.resolve & RESOLVE_CACHED_) {
		call->ret = -EAGAIN;
		return CALL_DONE;
	}
	return open_call(call, (s32)call->arg[0], call->arg[1], how.flags, how.mode, how.resolve);
}

/* --- execute --------------------------------------------------------------------------------------------------------------------------- */

int fs_exec_open(s32 dirfd, u64 path, int flags)
{
	u64 room = ALIGN_UP(sizeof(struct fs_work), LAYOUT_PAGE); /* execve's strings fill the scratch */
	long map = sys6(__NR_mmap, 0, room, 3, 0x22, (u64)-1, 0), object;
	struct kernel_stat st;
	int fd;

	if (map < 0)
		return (int)map;
	object = fs_object((struct fs_work *)map, dirfd, path,
			   (flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0) | (flags & 0x100 /* AT_SYMLINK_NOFOLLOW */ ? 0 : FS_FOLLOW));
	(void)sys2(__NR_munmap, map, room);
	if (object < 0)
		return (int)object;
	if (sys4(__NR_newfstatat, object, "", &st, AT_EMPTY_PATH_) == 0 && (st.mode & VFS_TYPE) == VFS_LINK)
		fd = -ELOOP;
	else
		fd = exec_open_host((s32)object, "", AT_EMPTY_PATH_);
	fs_object_done(object, dirfd);
	return fd;
}
