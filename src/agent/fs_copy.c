/* SPDX-License-Identifier: Apache-2.0 */
/* Copies one object for an overlay's copy-up, with owner, mode, times, attributes and holes. Not its numbers: a copy is another inode. */
#include "agent/fs_layers.h"
#include "agent/fs_quota.h"

#define FICLONE_ 0x40049409u
#define SEEK_DATA_ 3
#define SEEK_HOLE_ 4
#define BUFFER_SIZE 131072u
#define COPY_MOST (UINT64_C(1) << 30)
#define XATTR_NAMES 65536u
#define XATTR_VALUE 65536u
static_assert(XATTR_NAMES + XATTR_VALUE <= BUFFER_SIZE, "one buffer");

static void *buffer_map(void)
{
	long at = sys6(__NR_mmap, 0, BUFFER_SIZE, 3, 0x22 /* private, anonymous */, (u64)-1, 0);

	return at < 0 ? NULL : (void *)at; /* NOLINT(performance-no-int-to-ptr) */
}

static void buffer_unmap(void *buffer)
{
	(void)sys2(__NR_munmap, buffer, BUFFER_SIZE);
}

/* [at, end) by reading and writing. */
static long copy_plain(s32 in, s32 out, u64 at, u64 end)
{
	char *buffer = buffer_map();
	long n = 0;

	if (!buffer)
		return -ENOMEM;
	while (at < end) {
		n = sys4(__NR_pread64, in, buffer, end - at < BUFFER_SIZE ? end - at : BUFFER_SIZE, at);
		if (n <= 0)
			break;
		n = sys4(__NR_pwrite64, out, buffer, n, at);
		if (n <= 0)
			break;
		at += (u64)n;
	}
	buffer_unmap(buffer);
	return n < 0 ? n : 0;
}

static long copy_range(s32 in, s32 out, u64 at, u64 end)
{
	while (at < end) {
		u64 from = at, to = at;
		long n = sys6(__NR_copy_file_range, (u64)in, (u64)&from, (u64)out, (u64)&to,
			      end - at < COPY_MOST ? end - at : COPY_MOST, 0);

		if (n == 0)
			return 0; /* it became shorter */
		if (n < 0)
			return n == -EIO || n == -ENOSPC || n == -EDQUOT || n == -EFBIG ? n : copy_plain(in, out, at, end);
		at += (u64)n;
	}
	return 0;
}

static long copy_data(s32 in, s32 out, u64 size)
{
	long r = 0;
	u64 at = 0;

	if (!size || sys3(__NR_ioctl, out, FICLONE_, in) == 0)
		return 0;
	while (r == 0 && at < size) {
		long data = sys3(__NR_lseek, in, at, SEEK_DATA_), hole;

		if (data == -ENXIO)
			break; /* a hole to the end */
		if (data < 0)
			data = (long)at;
		hole = sys3(__NR_lseek, in, data, SEEK_HOLE_);
		if (hole <= data || (u64)hole > size)
			hole = (long)size;
		r = copy_range(in, out, (u64)data, (u64)hole);
		at = (u64)hole;
	}
	return r < 0 ? r : sys2(__NR_ftruncate, out, size);
}

/* The same onto a file system whose size may be limited. */
static long copy_limited(s32 in, s32 out, const struct kernel_stat *st, char *text)
{
	struct fs_quota *quota = fs_quota_on() ? fs_quota_of_fd(out, text) : NULL;

	if (quota && !fs_quota_reserve(quota, fs_quota_pages(st))) {
		fs_quota_count(quota);
		if (!fs_quota_reserve(quota, fs_quota_pages(st)))
			return -ENOSPC;
	}
	return copy_data(in, out, (u64)st->size);
}

/* Attributes that are the overlay's own are not copied. */
static bool is_overlay_attr(const char *name)
{
	return !strncmp(name, "trusted.overlay.", 16) || !strncmp(name, "user.overlay.", 13);
}

/* What cannot be kept is left out, as with cp --preserve=xattr: name spaces that only root has. */
static long copy_attributes(s32 from, s32 to)
{
	char in[AGENT_FD_LINK_SIZE], out[AGENT_FD_LINK_SIZE], *names;
	long size, r = 0;

	agent_fd_link(in, (u32)from);
	agent_fd_link(out, (u32)to);
	if (sys3(__NR_listxattr, in, NULL, 0) <= 0)
		return 0;
	names = buffer_map();
	if (!names)
		return -ENOMEM;
	size = sys3(__NR_listxattr, in, names, XATTR_NAMES);
	for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		char *value = names + XATTR_NAMES;
		long n = is_overlay_attr(name) ? -ENODATA : sys4(__NR_getxattr, in, name, value, XATTR_VALUE);

		if (n < 0)
			continue;
		n = sys5(__NR_setxattr, out, name, value, n, 0);
		if (n == -ENOSPC || n == -EDQUOT)
			r = n;
	}
	buffer_unmap(names);
	return r;
}

/* Makes the object itself; *ret_fd: of it, when it has data or attributes, else -1. */
static long make_object(const struct fs_work_dir *dir, s32 from, const struct kernel_stat *st, bool empty, struct fs_work *spare,
			s32 *ret_fd)
{
	char link[AGENT_FD_LINK_SIZE];
	long r, in;

	*ret_fd = -1;
	switch (st->mode & VFS_TYPE) {
	case VFS_DIRECTORY:
		r = sys3(__NR_mkdirat, dir->fd, dir->name, 0700);
		if (r == 0)
			r = sys4(__NR_openat, dir->fd, dir->name, O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
		break;
	case VFS_LINK:
		r = sys4(__NR_readlinkat, from, "", spare->check, FS_HOST_MAX - 1);
		if (r < 0)
			return r;
		spare->check[r] = 0;
		return sys3(__NR_symlinkat, spare->check, dir->fd, dir->name);
	case VFS_REGULAR:
		agent_fd_link(link, (u32)from);
		in = empty ? -1 : sys4(__NR_openat, AT_FDCWD_, link, O_CLOEXEC_, 0);
		if (!empty && in < 0)
			return in;
		r = sys4(__NR_openat, dir->fd, dir->name, O_WRONLY_ | O_CREAT_ | O_EXCL_ | O_NOFOLLOW_ | O_CLOEXEC_, 0600);
		*ret_fd = r < 0 ? -1 : (s32)r;
		if (r >= 0 && !empty)
			r = copy_limited((s32)in, *ret_fd, st, spare->check);
		if (in >= 0)
			(void)sys1(__NR_close, in);
		return r < 0 ? r : 0;
	default:
		return sys4(__NR_mknodat, dir->fd, dir->name, st->mode & (VFS_TYPE | 0600), st->rdev);
	}
	*ret_fd = r < 0 ? -1 : (s32)r;
	return r < 0 ? r : 0;
}

/* What has its owner in its directory. */
static void copy_owner(const struct fs_work_dir *dir, s32 from)
{
	long fd = sys4(__NR_openat, dir->fd, dir->name, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);

	if (fd < 0)
		return;
	identity_same_owner(from, (s32)fd);
	(void)sys1(__NR_close, fd);
}

long fs_copy(const struct fs_work_dir *dir, s32 from, const struct kernel_stat *st, bool empty, struct fs_work *spare)
{
	s64 times[4] = { st->atime, st->atime_nsec, st->mtime, st->mtime_nsec };
	u32 type = st->mode & VFS_TYPE;
	s32 fd;
	long r = make_object(dir, from, st, empty, spare, &fd);

	if (r == 0 && fd >= 0)
		r = copy_attributes(from, fd);
	if (r == 0 && fd >= 0)
		fs_origin_keep(fd, st);
	if (r == 0) { /* an owner that we may not set: ours */
		(void)sys5(__NR_fchownat, dir->fd, dir->name, st->uid, st->gid, AT_SYMLINK_NOFOLLOW_);
		if (type != VFS_LINK)
			r = sys3(__NR_fchmodat, dir->fd, dir->name, st->mode & 07777);
	}
	if (r == 0 && identity_on() && identity_by_name(type))
		copy_owner(dir, from);
	if (r == 0)
		(void)sys4(__NR_utimensat, dir->fd, dir->name, times, AT_SYMLINK_NOFOLLOW_);
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	if (r < 0)
		(void)sys3(__NR_unlinkat, dir->fd, dir->name, type == VFS_DIRECTORY ? AT_REMOVEDIR_ : 0);
	return r;
}
