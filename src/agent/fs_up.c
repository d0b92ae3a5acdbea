/* SPDX-License-Identifier: Apache-2.0 */
/* Copy-up: whatever is to be changed comes to be in the upper layer first, as do the directories that it lies in (fs_layers.h). */
#include "agent/fs_layers.h"

#define FAR_FD 256u
#define LOCK_EX_ 2
#define LOCK_UN_ 8
#define AT_EACCESS_ 0x200

long fs_far(long fd)
{
	long up = sys3(__NR_fcntl, fd, 1030 /* F_DUPFD_CLOEXEC */, FAR_FD);

	if (up < 0)
		return fd;
	(void)sys1(__NR_close, fd);
	return up;
}

long fs_may(s32 fd, u32 mode)
{
	char link[AGENT_FD_LINK_SIZE];
	long r;

	if (identity_on())
		return 0; /* it has been asked */
	agent_fd_link(link, (u32)fd);
	r = sys4(__NR_faccessat2, AT_FDCWD_, link, mode, AT_EACCESS_);
	return r == -ENOSYS ? sys3(__NR_faccessat, AT_FDCWD_, link, mode) : r;
}

/* --- the work directory ----------------------------------------------------------------------------------------------------------------- */

/* A child that another thread forks meanwhile has the lock as well, as long as it has the descriptor: it closes that at once (fs_hold()), and a lock that is
 * given back is given back for both. */
static void unlock(s32 fd)
{
	(void)sys2(__NR_flock, fd, LOCK_UN_);
	fs_hold(0);
	(void)sys1(__NR_close, fd);
}

long fs_work_lock(struct fs_work_dir *dir)
{
	long fd = sys4(__NR_openat, dir->fd, "lock", O_NOFOLLOW_ | O_CLOEXEC_, 0), r;

	if (fd < 0)
		return fd;
	fd = fs_far(fd);
	fs_hold(fd);
	do
		r = sys2(__NR_flock, fd, LOCK_EX_);
	while (r == -EINTR);
	if (r < 0) {
		unlock((s32)fd);
		return r;
	}
	dir->lock = (s32)fd;
	return 0;
}

long fs_work_dir(const struct fs_work *work, bool lock, struct fs_work_dir *ret)
{
	u64 random, r = 0;
	long fd;

	*ret = (struct fs_work_dir){ .fd = -1, .lock = -1 };
	if (sys3(__NR_getrandom, &random, sizeof(random), 0) != sizeof(random)) {
		struct agent_time now = { 0 };

		(void)sys2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
		random = (u64)sys0(__NR_gettid) << 40 ^ (u64)now.nsec << 8 ^ (u64)now.sec;
	}
	memcpy(ret->name, "new-", 4);
	for (u32 i = 0; i < 16; i++)
		ret->name[4 + i] = "0123456789abcdef"[random >> (4 * i) & 15];
	fd = sys4(__NR_openat, AT_FDCWD_, work->root.table->text + work->mount.work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
	if (!fs_is_current(&work->root)) { /* it may have been another text */
		if (fd >= 0)
			(void)sys1(__NR_close, fd);
		return -ELOOP;
	}
	if (fd < 0)
		return fd;
	ret->fd = (s32)fs_far(fd);
	r = (u64)(lock ? fs_work_lock(ret) : 0);
	if ((long)r < 0)
		fs_work_done(ret);
	return (long)r;
}

void fs_work_done(struct fs_work_dir *dir)
{
	if (dir->lock >= 0)
		unlock(dir->lock);
	if (dir->fd >= 0)
		(void)sys1(__NR_close, dir->fd);
	dir->fd = dir->lock = -1;
}

/* --- copy-up ---------------------------------------------------------------------------------------------------------------------------- */

/* Opens the directory of the guest path in the upper layer, if it is there. The path is canonical by now, whether it was walked or not: what
 * is not there is ENOENT. */
static long open_upper_parent(struct fs_work *work)
{
	char *name = fs_cut(work);
	long fd = fs_layer_host(work, 0);
	bool step = work->step;

	work->step = true;
	if (fd == 0)
		fd = fs_host_open_text(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
	work->step = step;
	fs_uncut(name);
	return fd;
}

/* Renames what was made to its place, if nobody was faster: then it is removed. The directory keeps its times. */
static long publish(struct fs_work *work, struct fs_work_dir *dir, u32 mode)
{
	bool directory = (mode & VFS_TYPE) == VFS_DIRECTORY;
	const char *name = work->inner + strlen(work->inner);
	struct kernel_stat st, before;
	long parent, r = fs_work_lock(dir);

	while (name[-1] != '/')
		name--;
	parent = r < 0 ? r : open_upper_parent(work);
	if (parent < 0) {
		(void)sys3(__NR_unlinkat, dir->fd, dir->name, directory ? AT_REMOVEDIR_ : 0);
		return parent;
	}
	r = sys4(__NR_newfstatat, parent, "", &before, AT_EMPTY_PATH_);
	if (r == 0 && sys4(__NR_newfstatat, parent, name, &st, AT_SYMLINK_NOFOLLOW_) == -ENOENT) {
		s64 times[4] = { before.atime, before.atime_nsec, before.mtime, before.mtime_nsec };
		char link[AGENT_FD_LINK_SIZE];

		fs_layers_note(work, FS_SEEN_ENTRY);
		fs_layers_note(work, FS_SEEN_COPY);
		r = sys4(__NR_renameat, dir->fd, dir->name, parent, name);
		if (r == 0 && identity_on() && identity_by_name(mode))
			identity_name_moved(dir->fd, dir->name, (s32)parent, name, false);
		agent_fd_link(link, (u32)parent);
		(void)sys4(__NR_utimensat, AT_FDCWD_, link, times, 0);
	}
	(void)sys3(__NR_unlinkat, dir->fd, dir->name, directory ? AT_REMOVEDIR_ : 0);
	(void)sys1(__NR_close, parent);
	return r;
}

static long is_allowed(s32 fd, const struct kernel_stat *st, enum fs_need need)
{
	u32 uid = (u32)sys0(__NR_geteuid);

	if (need == FS_NEED_NOTHING || uid == 0 || identity_on()) /* gap identity has been asked */
		return 0;
	if ((need == FS_NEED_OWNER || need == FS_NEED_EITHER) && st->uid == uid)
		return 0;
	if (need == FS_NEED_OWNER)
		return -EPERM;
	return (st->mode & VFS_TYPE) == VFS_LINK ? 0 : fs_may(fd, 2);
}

/* Copies one object, whose directory is in the upper layer. fd: of the object. */
static long copy_one(struct fs_work *work, s32 fd, const struct kernel_stat *st, bool empty)
{
	struct fs_work_dir dir;
	long r = fs_work_dir(work, false, &dir);

	if (r < 0)
		return r;
	r = fs_copy(&dir, fd, st, empty, work);
	if (r == 0)
		r = publish(work, &dir, st->mode);
	fs_work_done(&dir);
	return r;
}

/* The guest path's own directories, from the top; each is looked for in the upper layer first. */
static long copy_parents(struct fs_work *work)
{
	char *end = work->inner + strlen(work->inner), *at = work->inner;
	long r = 0;

	for (at++; r == 0 && at < end; at++) {
		struct kernel_stat st = { 0 };
		long fd;

		if (*at != '/')
			continue;
		*at = 0;
		fd = fs_layers_open_top(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_);
		r = fd < 0 ? fd : 0;
		if (fd >= 0 && work->layer) {
			r = sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_);
			if (r == 0)
				r = copy_one(work, (s32)fd, &st, false);
		}
		if (fd >= 0)
			(void)sys1(__NR_close, fd);
		*at = '/';
	}
	return r;
}

long fs_upper_parent(struct fs_work *work)
{
	long fd = open_upper_parent(work), r;

	if (fd != -ENOENT)
		return fd;
	r = copy_parents(work);
	return r < 0 ? r : open_upper_parent(work);
}

long fs_copy_up(struct fs_work *work, enum fs_need need, bool empty)
{
	long fd = fs_layers_open_top(work, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_), r = 0;
	struct kernel_stat st = { 0 };

	if (fd < 0)
		return fd;
	work->step = true; /* no link is in the path */
	if (work->layer) {
		r = sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_);
		if (r == 0)
			r = is_allowed((s32)fd, &st, need);
		if (r == 0)
			r = copy_parents(work);
		if (r == 0)
			r = copy_one(work, (s32)fd, &st, empty);
	}
	(void)sys1(__NR_close, fd);
	return r < 0 ? r : fs_layer_host(work, 0);
}
