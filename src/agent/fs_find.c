/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to an object, or to a directory and a name in it: the attempts of fs.h. */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

static const struct fs_mount *mount_of(const struct fs_work *work)
{
	return &work->mount;
}

/* A magic link of the caller's own: by the kernel. */
static long magic_object(struct fs_work *work, u64 flags)
{
	const char *name;
	long parent = fs_host_parent(work, &name), fd;

	if (parent < 0)
		return parent;
	fd = sys4(__NR_openat, parent, name, flags, 0);
	(void)sys1(__NR_close, parent);
	return fd;
}

static enum fs_need need(u32 flags)
{
	switch (flags & FS_RAISE_MASK) {
	case FS_RAISE_WRITE:
		return FS_NEED_WRITE;
	case FS_RAISE_OWNER:
		return FS_NEED_OWNER;
	case FS_RAISE_EITHER:
		return FS_NEED_EITHER;
	default:
		return FS_NEED_NOTHING;
	}
}

/* What a descriptor stands for. */
static long own_object(struct fs_work *work, s32 fd, u32 flags)
{
	if (agent_reserved_fd((u32)fd) || sys2(__NR_fcntl, fd, 1 /* F_GETFD */) < 0)
		return -EBADF;
	if ((flags & FS_WRITE) && fs_is_read_only(work, fd))
		return -EROFS;
	return flags & FS_RAISE_MASK ? fs_reach_up(work, fd, need(flags)) : fd;
}

/* Finds out what a path is on the host. */
static long locate(struct fs_work *work, s32 dirfd, u64 path, u32 flags)
{
	long r;

	work->resolve = 0;
	r = fs_begin(work, dirfd, path);
	work->names = false;
	work->real = flags & FS_REAL;
	if (r == 0)
		r = fs_walk(work, flags & FS_FOLLOW);
	return r == 0 ? fs_may_search(work) : r;
}

/* Opens what was located. */
static long open_located(struct fs_work *work, u32 flags)
{
	u64 how = O_PATH_ | O_CLOEXEC_;
	long r;

	if ((flags & FS_DIRECTORY) || work->slash)
		how |= O_DIRECTORY_;
	if (work->magic)
		return magic_object(work, how);
	if ((flags & FS_WRITE) && (mount_of(work)->flags & FS_READ_ONLY)) {
		r = fs_host_open(work, how | O_NOFOLLOW_, 0);
		if (r < 0)
			return r;
		(void)sys1(__NR_close, r);
		return -EROFS;
	}
	if (!(flags & FS_FOLLOW) && !work->slash)
		how |= O_NOFOLLOW_;
	r = fs_host_open(work, how, 0);
	if (r < 0 || !(flags & FS_RAISE_MASK) || !fs_layered(work) || !work->layer)
		return r;
	(void)sys1(__NR_close, r);
	r = fs_copy_up(work, need(flags), false);
	return r < 0 ? r : fs_host_open(work, how, 0);
}

static long object(struct fs_work *work, s32 dirfd, u64 path, u32 flags)
{
	long r = locate(work, dirfd, path, flags);

	return r < 0 ? r : open_located(work, flags);
}

long fs_object(struct fs_work *work, s32 dirfd, u64 path, u32 flags)
{
	struct fs_attempts attempts = { 0 };
	char first;
	long r;

	if (flags & FS_EMPTY) {
		if (guest_read(&first, path, 1) < 0)
			return -EFAULT;
		if (!first && dirfd != AT_FDCWD_)
			return own_object(work, dirfd, flags);
		if (!first) {
			long here = sys4(__NR_openat, AT_FDCWD_, ".", O_PATH_ | O_CLOEXEC_, 0);

			r = here < 0 ? here : own_object(work, (s32)here, flags);
			if (here >= 0 && r != here)
				(void)sys1(__NR_close, here);
			return r;
		}
	}
	work->step = false;
	do
		r = object(work, dirfd, path, flags);
	while (fs_again(work, r, &attempts));
	return r;
}

/* --- stat(2) ---------------------------------------------------------------------------------------------------------------------------- */

u32 fs_stat_known(const struct fs_work *work)
{
	if (work->magic || (fs_mount_of(work)->layer_count && (work->base != FS_NO_BASE || (!work->layer && fs_may_be_copy(work)))))
		return STAT_O_PATH;
	return STAT_O_PATH | STAT_NO_COPY;
}

/* Whether a path is one name, and no dots. */
static bool is_bare(const char *path)
{
	u64 length = 0;

	while (path[length] && path[length] != '/')
		length++;
	return length && !path[length] && length <= 255 && strcmp(path, ".") && strcmp(path, "..");
}

/* Whether a bare name in a directory is what was located. */
static enum fs_near near(const struct fs_work *work)
{
	if (work->near == FS_NO_BASE || work->step || !is_bare(work->rest) || work->magic || work->mount.id != work->anchor ||
	    (work->mount.flags & FS_PROC))
		return FS_NEAR_NOT;
	return fs_mount_of(work)->layer_count ? fs_layers_near(work) : FS_NEAR_ALL;
}

/*
 * lstat(2) of a bare name: one call, and no descriptor. What else is kept of an object is asked by its name then, so another may have that by now: for this
 * it must be in a lower layer, which nobody changes. 1: done; 0: it has to be opened; or negative errno.
 */
static long stat_near(struct fs_work *work, u32 flags, struct kernel_stat *st)
{
	enum fs_near where = near(work);
	bool layered = where && fs_mount_of(work)->layer_count, fixed = layered && work->near_layer;
	long r;

	if (!where || (!fixed && (identity_on() || (layered && fs_may_be_copy(work)))))
		return 0;
	r = sys4(__NR_newfstatat, work->near, work->rest, st, AT_SYMLINK_NOFOLLOW_);
	if (r < 0)
		return r == -ENOENT && where == FS_NEAR_SEEN ? 0 : r;
	if ((flags & FS_FOLLOW) && (st->mode & VFS_TYPE) == VFS_LINK)
		return -ELOOP;
	return !identity_on() || identity_stat_name(work->near, work->rest, st);
}

/* Where the host has no openat2, whether a link is at the end shows here at no cost. */
static long stat_opened(struct fs_work *work, u32 flags, struct kernel_stat *st)
{
	bool late = (flags & FS_FOLLOW) && !work->magic && !(commons()->fs.features & FS_OPENAT2);
	long fd = open_located(work, late ? flags & ~(u32)FS_FOLLOW : flags), r;

	if (fd < 0)
		return fd;
	r = sys4(__NR_newfstatat, fd, "", st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_);
	if (r == 0 && late && (st->mode & VFS_TYPE) == VFS_LINK)
		r = -ELOOP;
	if (r == 0 && identity_on())
		identity_stat((s32)fd, fs_stat_known(work), st);
	else if (r == 0)
		fs_origin_stat((s32)fd, fs_stat_known(work), st);
	(void)sys1(__NR_close, fd);
	return r;
}

long fs_stat_path(struct fs_work *work, s32 dirfd, u64 path, u32 flags, struct kernel_stat *st)
{
	struct fs_attempts attempts = { 0 };
	long r;

	work->step = false;
	do {
		r = locate(work, dirfd, path, flags);
		if (r == 0)
			r = stat_near(work, flags, st);
		if (r == 0)
			r = stat_opened(work, flags, st);
	} while (fs_again(work, r, &attempts));
	return r < 0 ? r : 0;
}

void fs_object_done(long object, s32 dirfd)
{
	if (object >= 0 && object != dirfd)
		(void)sys1(__NR_close, object);
}

/* Puts the name behind its directory again: work->host becomes the name's own, as its directory has it. */
static long append(struct fs_work *work, const char *name)
{
	u64 size = strlen(name);

	if (work->host_length + size + 2 > FS_HOST_MAX)
		return -ENAMETOOLONG;
	if (work->host[work->host_length - 1] != '/')
		work->host[work->host_length++] = '/';
	memcpy(work->host + work->host_length, name, size + 1);
	work->host_length += (u32)size;
	return 0;
}

static bool is_mounted(const struct fs_work *work)
{
	const struct fs_mount *m = mount_of(work);

	return work->guest[0] && m->target_length == strlen(work->guest);
}

static long name(struct fs_work *work, s32 dirfd, u64 path, struct fs_name *ret)
{
	char *at;
	long r;

	work->resolve = 0;
	r = fs_begin(work, dirfd, path);
	work->names = true;
	work->real = false;
	if (r == 0)
		r = fs_walk(work, false);
	if (r == 0)
		r = fs_may_search(work);
	if (r < 0)
		return r;
	*ret = (struct fs_name){ .directory = -1, .last = work->last, .slash = work->slash, .mounted = is_mounted(work) };
	ret->mounted_file = ret->mounted && (mount_of(work)->flags & FS_FILE);
	if (work->last != FS_LAST_NAME)
		return 0;
	at = work->guest + strlen(work->guest);
	while (*at != '/')
		at--;
	*at = 0;
	r = fs_to_host(work);
	*at = '/';
	ret->read_only = mount_of(work)->flags & FS_READ_ONLY;
	ret->mount = work->mount.id;
	ret->groups = work->mount.flags & FS_CGROUP;
	if (r == 0 && fs_layered(work))
		return fs_layers_name(work, ret);
	if (r == 0)
		r = append(work, at + 1);
	if (r == 0)
		r = fs_host_parent(work, &ret->name);
	if (r < 0)
		return r;
	ret->directory = (s32)r;
	return 0;
}

long fs_name(struct fs_work *work, s32 dirfd, u64 path, struct fs_name *ret)
{
	struct fs_attempts attempts = { 0 };
	long r;

	work->step = false;
	do
		r = name(work, dirfd, path, ret);
	while (fs_again(work, r, &attempts));
	return r;
}

void fs_name_done(struct fs_name *where)
{
	if (where->directory >= 0)
		(void)sys1(__NR_close, where->directory);
	where->directory = -1;
}

/* where->directory becomes the one of the layer that has the object. */
static long unfollowed_layer(struct fs_work *work, struct fs_name *where, u32 flags)
{
	struct kernel_stat st;
	const char *name;
	long r = where->mode ? 0 : -ENOENT;

	if (r == 0 && (flags & FS_RAISE_MASK) && !where->read_only) {
		r = where->upper ? 0 : fs_copy_up(work, need(flags), false);
		if (r == 0)
			r = fs_upper_parent(work);
	} else if (r == 0) {
		r = fs_layers_stat(work, &st);
		if (r == 0)
			r = fs_host_parent(work, &name);
	}
	fs_name_done(where);
	where->directory = (s32)r;
	return r;
}

static long unfollowed_once(struct fs_work *work, s32 dirfd, u64 path, u32 flags, struct fs_unfollowed *ret)
{
	struct fs_name where = { .directory = -1 };
	struct kernel_stat st;
	char first;
	long r;

	if (guest_read(&first, path, 1) < 0)
		return -EFAULT;
	r = first || !(flags & FS_EMPTY) ? fs_name(work, dirfd, path, &where) : 0;
	if (r < 0)
		return r;
	if (where.directory < 0 || where.slash || where.mounted || strlen(where.name) > 255) {
		fs_name_done(&where);
		r = fs_object(work, dirfd, path, flags);
		ret->fd = (s32)r;
		ret->follow = true;
		if (r >= 0)
			agent_fd_link(ret->path, (u32)r);
		return r < 0 ? r : 0;
	}
	if (where.layered) {
		r = unfollowed_layer(work, &where, flags);
		if (r < 0)
			return r;
	}
	*ret = (struct fs_unfollowed){ .fd = where.directory };
	if ((flags & FS_WRITE) && where.read_only) {
		r = sys4(__NR_newfstatat, where.directory, where.name, &st, AT_SYMLINK_NOFOLLOW_);
		fs_name_done(&where);
		return r < 0 ? r : -EROFS;
	}
	return agent_fd_name(ret->path, where.directory, where.name) ? 0 : -ENAMETOOLONG;
}

long fs_unfollowed(struct fs_work *work, s32 dirfd, u64 path, u32 flags, struct fs_unfollowed *ret)
{
	u32 attempts = 0;
	long r;

	do
		r = unfollowed_once(work, dirfd, path, flags, ret);
	while (r == -ELOOP && !fs_is_current(&work->root) && fs_once_more(&attempts)); /* somebody mounts meanwhile */
	return r;
}

void fs_unfollowed_done(const struct fs_unfollowed *done, s32 dirfd)
{
	if (done->fd != dirfd)
		(void)sys1(__NR_close, done->fd);
}
