/* SPDX-License-Identifier: Apache-2.0 */
/* open(2) in an overlay: what is opened for writing is copied up, what is not there is made in the upper layer. */
#include "agent/fs_layers.h"

#define ATTEMPTS 1000u /* while others remove what is looked at */

static bool is_tmpfile(u64 flags)
{
	return (flags & O_TMPFILE_) == O_TMPFILE_;
}

/* In the place of a whiteout. The descriptor that is returned takes the lowest number. */
static long create_over(struct fs_work *work, struct fs_name *where, u64 flags, u64 mode)
{
	struct fs_work_dir dir;
	long r, fd;

	where->directory = (s32)fs_far(where->directory);
	r = fs_work_dir(work, true, &dir);
	if (r < 0)
		return r;
	r = fs_still_whiteout(where);
	fd = r < 0 ? r : sys4(__NR_openat, dir.fd, dir.name, flags | O_CREAT_ | O_EXCL_ | O_NOFOLLOW_, mode);
	if (fd >= 0) {
		r = fs_over_whiteout(work, where, &dir, false);
		if (r < 0) {
			(void)sys1(__NR_close, fd);
			fd = r;
		}
	}
	fs_work_done(&dir);
	return fd == -EEXIST && !(flags & O_EXCL_) ? -ESTALE : fd; /* somebody was faster */
}

/* In a directory that the upper layer has, where lower layers have nothing and the upper one is known to have nothing: whatever else comes to be
 * there meanwhile, O_EXCL notices. */
long fs_layers_create(struct fs_work *work, u64 flags, u64 mode)
{
	bool step = work->step;
	long fd;

	if (!fs_upper_lacks(work) || is_tmpfile(flags))
		return -ESTALE;
	fs_layers_note(work, FS_SEEN_ENTRY);
	fs_layers_note(work, FS_SEEN_FILE);
	fd = fs_layer_host(work, 0);
	work->step = true;
	if (fd == 0)
		fd = fs_host_open_text(work, flags | O_CREAT_ | O_EXCL_, mode);
	work->step = step;
	return fd >= 0 || fd == -EACCES ? fd : -ESTALE;
}

/* By its host path. -ESTALE: it has been removed meanwhile, and what is there is a whiteout. */
static long open_again(struct fs_work *work, u64 flags, u64 mode)
{
	long fd = fs_host_open_text(work, flags, mode), there;
	bool gone;

	if (work->layer || (fd < 0 && fd != -ENXIO && fd != -EACCES))
		return fd;
	there = fd < 0 ? fs_host_open_text(work, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0) : fd;
	gone = there >= 0 && fs_opened_whiteout(work, (s32)there);
	if (there >= 0 && (gone || fd < 0))
		(void)sys1(__NR_close, there);
	return gone ? -ESTALE : fd;
}

static long create(struct fs_work *work, u64 flags, u64 mode)
{
	struct fs_name where = { .directory = -1 };
	long r = fs_layers_create(work, flags, mode);

	if (r != -ESTALE)
		return r;
	r = fs_layers_name(work, &where);
	if (r == 0)
		r = fs_name_raise(work, &where);
	if (r == 0) {
		fs_layers_note(work, FS_SEEN_ENTRY);
		fs_layers_note(work, FS_SEEN_FILE);
		if (where.whiteout)
			r = create_over(work, &where, flags, mode);
	}
	fs_name_done(&where);
	if (r < 0 || where.whiteout)
		return r;
	r = fs_layer_host(work, 0);
	return r < 0 ? r : open_again(work, flags, mode);
}

/* What is there is opened. fd: of it, O_PATH; its number is free again afterwards. */
static long open_found(struct fs_work *work, s32 fd, u64 flags, u64 mode)
{
	u32 access = (flags & O_ACCMODE_) == 0 ? 4 : (flags & O_ACCMODE_) == O_WRONLY_ ? 2 : 6, type;
	struct kernel_stat st;
	long r = sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_);
	bool copied = false;

	type = st.mode & VFS_TYPE;
	if (type != VFS_LINK)
		work->step = true; /* no link is in the path */
	if (r == 0 && (flags & (O_CREAT_ | O_EXCL_)) == (O_CREAT_ | O_EXCL_) && !is_tmpfile(flags))
		r = -EEXIST;
	else if (r == 0 && type == VFS_DIRECTORY && (flags & O_CREAT_) && !is_tmpfile(flags))
		r = -EISDIR;
	else if (r == 0 && type == VFS_LINK)
		r = -ELOOP;
	if (r == 0 && work->layer && !(flags & O_DIRECTORY_) && type == VFS_REGULAR) {
		r = fs_may(fd, access | (flags & O_TRUNC_ ? 2 : 0));
		copied = true;
	} else if (r == 0 && work->layer && is_tmpfile(flags) && type == VFS_DIRECTORY) {
		r = fs_may(fd, 3);
		copied = true;
	}
	if (r == 0 && copied)
		r = fs_copy_up(work, FS_NEED_NOTHING, flags & O_TRUNC_);
	(void)sys1(__NR_close, fd);
	if (r < 0)
		return r;
	r = copied ? 0 : fs_layer_host(work, work->layer);
	if (r < 0 || is_tmpfile(flags))
		return r < 0 ? r : fs_host_open_text(work, flags, mode);
	return open_again(work, flags & ~(u64)(O_CREAT_ | O_EXCL_), mode);
}

long fs_layers_open(struct fs_work *work, u64 flags, u64 mode)
{
	u32 missed = 0, attempts = 0;
	long r, fd;

	if ((flags & O_PATH_) || !(flags & (O_ACCMODE_ | O_CREAT_ | O_TRUNC_)))
		return fs_layers_open_top(work, flags);
	do {
		fd = fs_layers_open_top(work, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_);
		if (fd == -ENOENT && (flags & O_CREAT_) && !is_tmpfile(flags))
			r = create(work, flags, mode);
		else
			r = fd < 0 ? fd : open_found(work, (s32)fd, flags, mode);
	} while ((r == -ESTALE && fs_once_more(&attempts)) ||
		 (r == -ENOENT && fd >= 0 && (flags & O_CREAT_) && fs_once_more(&missed) && missed < ATTEMPTS));
	return r;
}
