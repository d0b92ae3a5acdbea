/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that make, remove and rename: each finds the directory and makes the call with a bare name in it, of which the kernel follows nothing.
 * What the kernel says of "/", ".", ".." and of slashes at the end is said here, since it sees none of them (fs/namei.c, filename_create(), do_rmdir() …).
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/fs_quota.h"
#include "agent/vfs_int.h"

#define AT_SYMLINK_FOLLOW_ 0x400
#define RENAME_NOREPLACE_ 1u
#define RENAME_EXCHANGE_ 2u
#define VFS_FIFO 0010000u
#define VFS_BLOCK 0060000u
#define VFS_SOCKET 0140000u

static struct fs_work *scratch(void)
{
	return (struct fs_work *)(void *)slot_current()->scratch;
}

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* Whether all is to be done once more, of which nothing has been done: in an overlay somebody was faster, or somebody mounted meanwhile. */
static bool is_to_repeat(long r, u32 *attempts)
{
	return (r == -ESTALE || (r == -ELOOP && !fs_is_current(&scratch()->root))) && fs_once_more(attempts);
}

static long look_at(const struct fs_name *where, u32 *mode)
{
	struct kernel_stat st;
	long r;

	if (where->layered) {
		*mode = where->mode;
		return where->mode ? 0 : -ENOENT;
	}
	r = sys4(__NR_newfstatat, where->directory, where->name, &st, AT_SYMLINK_NOFOLLOW_);
	if (r == 0)
		*mode = st.mode & VFS_TYPE;
	return r;
}

static bool exists(const struct fs_name *where, u32 *mode)
{
	return look_at(where, mode) == 0;
}

/* One more name where they are counted: 0 or negative errno. */
static long may_count(const struct fs_name *where)
{
	struct fs_quota *quota = fs_quota_of_fd(where->directory, scratch()->check);
	u32 mode;

	if (!quota || !quota->files)
		return 0;
	return exists(where, &mode) ? -EEXIST : fs_quota_add_file(quota);
}

long fs_may_create(const struct fs_name *where, bool directory)
{
	u32 mode;
	long r;

	if (where->last != FS_LAST_NAME || where->mounted)
		return -EEXIST;
	if (where->slash && !directory)
		return exists(where, &mode) ? -EEXIST : -ENOENT;
	if (where->read_only)
		return exists(where, &mode) ? -EEXIST : -EROFS;
	if (where->groups && exists(where, &mode)) {
		cgroup_recover();
		if (exists(where, &mode))
			return -EEXIST;
	}
	r = identity_on() && !identity_unchecked(false) && exists(where, &mode) ? -EEXIST : fs_may_make(where->directory);
	return r == 0 && UNLIKELY(fs_quota_on()) ? may_count(where) : r;
}

/* --- mkdir, mknod, symlink ------------------------------------------------------------------------------------------------------------- */

static long make_there(struct fs_name *where, const struct fs_new *made)
{
	long r = fs_make(scratch(), where, made);

	return fs_unlocked(r, where->directory) ? fs_make(scratch(), where, made) : r;
}

static long make_once(s32 dirfd, u64 path, const struct fs_new *made)
{
	struct fs_name where;
	long r = fs_name(scratch(), dirfd, path, &where);

	if (r < 0)
		return r;
	r = fs_may_create(&where, made->kind == FS_NEW_DIRECTORY);
	if (r == 0)
		r = make_there(&where, made);
	fs_name_done(&where);
	return r;
}

long fs_make_path(s32 dirfd, u64 path, const struct fs_new *made)
{
	u32 attempts = 0;
	long r;

	do
		r = make_once(dirfd, path, made);
	while (is_to_repeat(r, &attempts));
	return r;
}

static enum verdict make(struct call *call, enum fs_new_kind kind, s32 dirfd, u64 path, u64 mode, u64 device)
{
	struct fs_new new = { .kind = kind, .mode = mode, .device = device };

	return done(call, fs_make_path(dirfd, path, &new));
}

enum verdict fs_mkdir(struct call *call)
{
	return make(call, FS_NEW_DIRECTORY, AT_FDCWD_, call->arg[0], call->arg[1], 0);
}

enum verdict fs_mkdirat(struct call *call)
{
	return make(call, FS_NEW_DIRECTORY, (s32)call->arg[0], call->arg[1], call->arg[2], 0);
}

static enum verdict make_node(struct call *call, s32 dirfd, u64 path, u64 mode, u64 device)
{
	switch ((u32)mode & VFS_TYPE) { /* may_mknod() */
	case 0:
	case VFS_REGULAR:
	case VFS_DEVICE:
	case VFS_BLOCK:
	case VFS_FIFO:
	case VFS_SOCKET:
		return make(call, FS_NEW_NODE, dirfd, path, mode, device);
	default:
		return done(call, ((u32)mode & VFS_TYPE) == VFS_DIRECTORY ? -EPERM : -EINVAL);
	}
}

enum verdict fs_mknod(struct call *call)
{
	return make_node(call, AT_FDCWD_, call->arg[0], call->arg[1], call->arg[2]);
}

enum verdict fs_mknodat(struct call *call)
{
	return make_node(call, (s32)call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

/* The text is the guest's own: nobody resolves it here. */
static enum verdict make_symlink(struct call *call, u64 text, s32 dirfd, u64 path)
{
	struct fs_new new = { .kind = FS_NEW_SYMLINK, .text = text };
	long r = guest_read_string(scratch()->rest, text, 4096);

	if (r == 0)
		r = -ENOENT;
	return done(call, r < 0 ? r : fs_make_path(dirfd, path, &new));
}

enum verdict fs_symlink(struct call *call)
{
	return make_symlink(call, call->arg[0], AT_FDCWD_, call->arg[1]);
}

enum verdict fs_symlinkat(struct call *call)
{
	return make_symlink(call, call->arg[0], (s32)call->arg[1], call->arg[2]);
}

/* --- unlink, rmdir --------------------------------------------------------------------------------------------------------------------- */

/* What only a lower layer of an overlay has is no owner's: who may write to its directory may hide it. */
static long may_remove(const struct fs_name *where)
{
	return where->layered && !where->upper ? fs_may_make(where->directory) : fs_may_remove(where->directory, where->name);
}

static long may_remove_directory(const struct fs_name *where)
{
	switch (where->last) {
	case FS_LAST_DOTDOT:
		return -ENOTEMPTY;
	case FS_LAST_DOT:
		return -EINVAL;
	case FS_LAST_ROOT:
		return -EBUSY;
	default:
		return where->mounted_file ? -ENOTDIR : where->mounted ? -EBUSY : where->read_only ? -EROFS : 0;
	}
}

static long may_unlink(const struct fs_name *where)
{
	u32 mode;

	if (where->last != FS_LAST_NAME)
		return -EISDIR;
	if (where->slash)
		return !exists(where, &mode) ? -ENOENT : mode == VFS_DIRECTORY ? -EISDIR : -ENOTDIR;
	if (where->mounted)
		return where->mounted_file ? -EBUSY : -EISDIR;
	return where->read_only ? -EROFS : 0;
}

static long remove_once(s32 dirfd, u64 path, u64 flags)
{
	struct fs_name where;
	long r = fs_name(scratch(), dirfd, path, &where);

	if (r < 0)
		return r;
	r = flags ? may_remove_directory(&where) : may_unlink(&where);
	if (r == 0)
		r = may_remove(&where);
	if (r == 0) {
		r = fs_remove(scratch(), &where, flags);
		if (fs_unlocked(r, where.directory))
			r = fs_remove(scratch(), &where, flags);
	}
	fs_name_done(&where);
	return r;
}

static enum verdict remove_name(struct call *call, s32 dirfd, u64 path, u64 flags)
{
	u32 attempts = 0;
	long r;

	if (flags & ~(u64)AT_REMOVEDIR_)
		return done(call, -EINVAL);
	do
		r = remove_once(dirfd, path, flags);
	while (is_to_repeat(r, &attempts));
	return done(call, r);
}

enum verdict fs_rmdir(struct call *call)
{
	return remove_name(call, AT_FDCWD_, call->arg[0], AT_REMOVEDIR_);
}

enum verdict fs_unlink(struct call *call)
{
	return remove_name(call, AT_FDCWD_, call->arg[0], 0);
}

enum verdict fs_unlinkat(struct call *call)
{
	return remove_name(call, (s32)call->arg[0], call->arg[1], (u32)call->arg[2]);
}

/* --- link ------------------------------------------------------------------------------------------------------------------------------ */

/* Two paths: the second one's work lies behind the first one's, in the same scratch. */
static long second_name(s32 dirfd, u64 path, struct fs_name *ret, char *kept)
{
	long r = fs_name(scratch(), dirfd, path, ret);

	if (r == 0 && ret->last == FS_LAST_NAME && strlen(ret->name) > 255) {
		fs_name_done(ret);
		return -ENAMETOOLONG;
	}
	if (r == 0 && ret->last == FS_LAST_NAME) {
		memcpy(kept, ret->name, strlen(ret->name) + 1);
		ret->name = kept;
	}
	return r;
}

/* What is linked: by its name, or by a descriptor. 0 or negative errno; *ret_mount: what it lies on, FS_MOUNTS_MAX: only the kernel knows. */
static long link_source(s32 dirfd, u64 path, u64 flags, struct fs_unfollowed *ret, u32 *ret_mount)
{
	u32 empty = flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0;
	struct kernel_stat st;
	long r;

	if (flags & AT_SYMLINK_FOLLOW_) {
		r = fs_object(scratch(), dirfd, path, FS_FOLLOW | FS_RAISE | empty);
		ret->fd = (s32)r;
		ret->follow = true;
		if (r >= 0)
			agent_fd_link(ret->path, (u32)r);
	} else {
		r = fs_unfollowed(scratch(), dirfd, path, FS_RAISE | empty, ret);
	}
	if (r < 0)
		return r;
	*ret_mount = ret->fd == dirfd || scratch()->magic ? 0 : scratch()->mount.id;
	r = ret->follow ? 0 : sys4(__NR_newfstatat, AT_FDCWD_, ret->path, &st, AT_SYMLINK_NOFOLLOW_);
	if (r < 0)
		fs_unfollowed_done(ret, dirfd);
	return r;
}

static long link_once(s32 from, u64 old, s32 to, u64 new, u64 flags)
{
	struct fs_unfollowed source;
	const struct fs_new made = { .kind = FS_NEW_LINK, .object = &source };
	struct fs_name where;
	char name[256];
	u32 mount;
	long r = link_source(from, old, flags, &source, &mount);

	if (r < 0)
		return r;
	r = second_name(to, new, &where, name);
	if (r == 0) {
		r = fs_may_create(&where, false);
		if (r == 0 && !(!mount ? fs_is_on(scratch(), source.fd, where.mount) : mount == where.mount))
			r = -EXDEV;
		if (r == 0)
			r = make_there(&where, &made);
		fs_name_done(&where);
	}
	fs_unfollowed_done(&source, from);
	return r;
}

static enum verdict link_path(struct call *call, s32 from, u64 old, s32 to, u64 new, u64 flags)
{
	u32 attempts = 0;
	long r;

	if (flags & ~(u64)(AT_SYMLINK_FOLLOW_ | AT_EMPTY_PATH_))
		return done(call, -EINVAL);
	do
		r = link_once(from, old, to, new, flags);
	while (is_to_repeat(r, &attempts));
	return done(call, r);
}

enum verdict fs_link_call(struct call *call)
{
	return link_path(call, AT_FDCWD_, call->arg[0], AT_FDCWD_, call->arg[1], 0);
}

enum verdict fs_linkat(struct call *call)
{
	return link_path(call, (s32)call->arg[0], call->arg[1], (s32)call->arg[2], call->arg[3], (u32)call->arg[4]);
}

/* --- rename ---------------------------------------------------------------------------------------------------------------------------- */

/* In the order of do_renameat2(). */
static long may_rename(struct fs_name *old, const struct fs_name *new, u64 flags)
{
	u32 from = 0, to = 0;
	long r;

	if (old->mount != new->mount && old->last == FS_LAST_NAME &&new->last == FS_LAST_NAME)
		return -EXDEV;
	if (old->last != FS_LAST_NAME)
		return -EBUSY;
	if (new->last != FS_LAST_NAME)
		return flags & RENAME_NOREPLACE_ ? -EEXIST : -EBUSY;
	if (old->read_only || new->read_only)
		return -EROFS;
	r = look_at(old, &from);
	if (r < 0)
		return r;
	old->mode = from;
	if ((flags & RENAME_NOREPLACE_) && exists(new, &to))
		return -EEXIST;
	if ((flags & RENAME_EXCHANGE_) && !exists(new, &to))
		return -ENOENT;
	if (from != VFS_DIRECTORY && (old->slash || (!(flags & RENAME_EXCHANGE_) && new->slash)))
		return -ENOTDIR;
	if ((flags & RENAME_EXCHANGE_) && new->slash && to != VFS_DIRECTORY)
		return -ENOTDIR;
	if (old->mounted || new->mounted)
		return -EBUSY;
	if (old->groups)
		return -EPERM;
	r = may_remove(old);
	if (r == 0)
		r = exists(new, &to) ? may_remove(new) : fs_may_make(new->directory);
	return r;
}

static long rename_once(s32 from, u64 old, s32 to, u64 new, u64 flags)
{
	struct fs_name source = { .directory = -1 }, target = { .directory = -1 };
	char name[256];
	long r = second_name(from, old, &source, name);
	if (r == 0)
		r = fs_rename_from(scratch(), &source, flags);
	if (r == 0)
		r = fs_name(scratch(), to, new, &target);
	if (r == 0)
		r = may_rename(&source, &target, flags);
	if (r == 0) {
		r = fs_rename_to(scratch(), &source, &target, flags);
		if (fs_unlocked(r, source.directory) || fs_unlocked(r, target.directory))
			r = fs_rename_to(scratch(), &source, &target, flags);
	}
	if (r == 0 && identity_on() && (identity_by_name(source.mode) || (flags & RENAME_EXCHANGE_)))
		identity_name_moved(source.directory, source.name, target.directory, target.name, flags & RENAME_EXCHANGE_);
	if (source.directory >= 0)
		fs_name_done(&source);
	if (target.directory >= 0)
		fs_name_done(&target);
	return r;
}

static enum verdict rename_path(struct call *call, s32 from, u64 old, s32 to, u64 new, u64 flags)
{
	u32 attempts = 0;
	long r;

	if ((flags & ~UINT64_C(7)) || ((flags & RENAME_EXCHANGE_) && (flags & 5)))
		return done(call, -EINVAL);
	do
		r = rename_once(from, old, to, new, flags);
	while (is_to_repeat(r, &attempts));
	return done(call, r);
}

enum verdict fs_rename(struct call *call)
{
	return rename_path(call, AT_FDCWD_, call->arg[0], AT_FDCWD_, call->arg[1], 0);
}

enum verdict fs_renameat(struct call *call)
{
	return rename_path(call, (s32)call->arg[0], call->arg[1], (s32)call->arg[2], call->arg[3], 0);
}

enum verdict fs_renameat2(struct call *call)
{
	return rename_path(call, (s32)call->arg[0], call->arg[1], (s32)call->arg[2], call->arg[3], (u32)call->arg[4]);
}
