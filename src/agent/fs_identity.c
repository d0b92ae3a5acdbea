/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths in a cell whose tasks are whom gap identity says (agent.h): what the guest's task may is asked before the host does it, and what is made is given to
 * the task. A refusal of the host that comes only from a mode on the host is lifted (identity_unlock()), and the host asked again.
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

#define MAY_MAKE 3u /* write and search */
#define O_TMPFILE_BIT 020000000u
#define FAR_FD 256
#define CREATE_ATTEMPTS 1000u /* while others make and remove what is to be opened */

static bool checks(void)
{
	return identity_on() && !identity_unchecked(false);
}

/* The same in an overlay, whose directories lie in several layers. */
static long may_search_layers(struct fs_work *work)
{
	long r = 0;

	for (char *cut = work->inner + fs_mount_of(work)->root_length; *cut && r == 0; cut++) {
		long fd;

		if (*cut != '/')
			continue;
		*cut = 0;
		fd = fs_layers_open_top(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_);
		*cut = '/';
		if (fd < 0)
			break;
		r = identity_may((s32)fd, 1, work->real);
		(void)sys1(__NR_close, fd);
	}
	return r;
}

long fs_may_search(struct fs_work *work)
{
	u32 at = work->base != FS_NO_BASE ? work->base_length : work->mount.source_length;
	long fd = 0, r = 0;

	if (!identity_on() || work->deep || identity_unchecked(work->real))
		return 0;
	if (fs_layered(work))
		return may_search_layers(work);
	for (; at <= work->host_length && fd >= 0 && r == 0; at++) {
		char *cut = &work->host[at > 0 ? at : 1], kept = *cut;

		if (kept != '/' && at > 1)
			continue;
		*cut = 0;
		fd = sys4(__NR_openat, AT_FDCWD_, work->host, O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
		*cut = kept;
		if (fd < 0)
			break; /* what is not there, or no directory, the call itself tells */
		r = identity_may((s32)fd, 1, work->real);
		(void)sys1(__NR_close, fd);
	}
	return r;
}

long fs_may_make(s32 directory)
{
	return checks() ? identity_may(directory, MAY_MAKE, false) : 0;
}

long fs_may_remove(s32 directory, const char *name)
{
	return checks() ? identity_may_remove(directory, name) : 0;
}

bool fs_unlocked(long result, s32 fd)
{
	return result == -EACCES && identity_on() && !fs_reaches_lower(fd) && identity_unlock(fd);
}

enum verdict fs_xattr_as(struct call *call, u32 flags)
{
	long object = fs_object((struct fs_work *)(void *)slot_current()->scratch, AT_FDCWD_, call->arg[0], flags);

	call->ret = object < 0 ? object : identity_xattr((s32)object, call->nr, call->arg);
	fs_object_done(object, AT_FDCWD_);
	return CALL_DONE;
}

/* --- open ------------------------------------------------------------------------------------------------------------------------------ */

static u32 mask_of(u64 flags)
{
	static const u8 masks[] = { 4, 2, 6, 6 };

	return masks[flags & O_ACCMODE_] | (flags & O_TRUNC_ ? 2u : 0);
}

static long may_open(s32 object, u64 flags)
{
	struct kernel_stat st;
	u32 mask = mask_of(flags);

	if ((mask & 2) && sys4(__NR_newfstatat, object, "", &st, AT_EMPTY_PATH_) == 0 && (st.mode & VFS_TYPE) == VFS_DIRECTORY)
		return -EISDIR;
	return identity_may(object, mask, false);
}

/* What is there, as an O_PATH descriptor. */
static long look(struct fs_work *work, u64 flags)
{
	return fs_host_open(work, O_PATH_ | O_CLOEXEC_ | (flags & (O_NOFOLLOW_ | O_DIRECTORY_)), 0);
}

static long open_existing(struct fs_work *work, u64 flags)
{
	long object, fd, r;
	bool again;

	if (checks()) {
		object = look(work, flags);
		if (object < 0)
			return object;
		r = may_open((s32)object, flags);
		(void)sys1(__NR_close, object);
		if (r < 0)
			return r;
	}
	fd = fs_host_open(work, flags, 0);
	if (fd == -EACCES) {
		object = look(work, flags);
		if (object < 0)
			return object;
		again = fs_unlocked(fd, (s32)object);
		(void)sys1(__NR_close, object);
		if (again)
			fd = fs_host_open(work, flags, 0);
	}
	return fd < 0 ? fd : identity_opened(fd, flags);
}

/* The directory's descriptor leaves the low numbers to what is opened. */
static long far_parent(struct fs_work *work)
{
	const char *name;
	long parent = fs_layered(work) ? fs_upper_parent(work) : fs_host_parent(work, &name), up;

	if (parent < 0)
		return parent;
	up = sys3(__NR_fcntl, parent, 1030 /* F_DUPFD_CLOEXEC */, FAR_FD);
	if (up < 0)
		return parent;
	(void)sys1(__NR_close, parent);
	return up;
}

/* What may be asked for first. */
static long create_checked(struct fs_work *work, u64 flags, u64 mode)
{
	long parent = far_parent(work), fd;
	u32 making;

	if (parent < 0)
		return parent;
	fd = fs_may_make((s32)parent);
	if (fd == 0) {
		making = identity_making();
		fd = fs_host_open(work, flags, mode);
		if (fs_unlocked(fd, (s32)parent))
			fd = fs_host_open(work, flags, mode);
		if (fd >= 0)
			(void)!identity_made((s32)parent, (s32)fd, 0, (u32)mode);
		identity_is_made(making);
	}
	(void)sys1(__NR_close, parent);
	return fd;
}

/* Makes a file where there is none; absent: it has just been looked for. */
static long make_file(struct fs_work *work, u64 flags, u64 mode, bool absent)
{
	long fd = absent && fs_layered(work) ? fs_layers_create(work, flags, mode) : -ESTALE;

	return fd == -ESTALE ? fs_host_open(work, flags, mode) : fd;
}

static long create_unchecked(struct fs_work *work, u64 flags, u64 mode, bool absent)
{
	u32 making = identity_making();
	long fd = make_file(work, flags, mode, absent), parent;
	const char *name;

	if (fd >= 0) {
		parent = fs_layered(work) ? fs_upper_parent(work) : fs_host_parent(work, &name);
		(void)!identity_made(parent < 0 ? -1 : (s32)parent, (s32)fd, 0, (u32)mode);
		if (parent >= 0)
			(void)sys1(__NR_close, parent);
	}
	identity_is_made(making);
	return fd;
}

static long create(struct fs_work *work, u64 flags, u64 mode, bool absent)
{
	u64 new = flags | O_CREAT_ | O_EXCL_;
	long fd = checks() ? -EACCES : create_unchecked(work, new, mode, absent);

	return fd == -EACCES ? create_checked(work, new, mode) : fd;
}

long fs_open_as(struct fs_work *work, u64 flags, u64 mode, bool absent)
{
	u32 attempts = 0;
	long fd;

	if (!(flags & O_CREAT_) || (flags & O_PATH_))
		absent = false;
	if (!identity_on() || (flags & O_PATH_))
		return absent ? make_file(work, flags, mode, true) : fs_host_open(work, flags, mode);
	if (flags & O_TMPFILE_BIT) {
		fd = fs_host_open(work, flags, mode);
		if (fd >= 0)
			(void)!identity_made(-1, (s32)fd, 0, (u32)mode);
		return fd;
	}
	if (!(flags & O_CREAT_))
		return open_existing(work, flags);
	do {
		fd = absent || (flags & O_EXCL_) ? -ENOENT : open_existing(work, flags & ~(u64)O_CREAT_);
		if (fd == -ENOENT)
			fd = create(work, flags, mode, absent);
		absent = false;
	} while (fd == -EEXIST && !(flags & O_EXCL_) && fs_once_more(&attempts) && attempts < CREATE_ATTEMPTS);
	return fd;
}
