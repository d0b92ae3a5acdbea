/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and removing names in an overlay (fs_layers.h). What a lower layer has at a name that goes is hidden by a whiteout; what
 * is made over a whiteout is made in the work directory and takes its place, a directory as an opaque one.
 */
#include "agent/fs_layers.h"

#define AT_SYMLINK_FOLLOW_ 0x400
#define RENAME_EXCHANGE_ 2u
#define SETGID 02000u
#define VFS_BLOCK 0060000u

/* --- names -------------------------------------------------------------------------------------------------------------------------------- */

long fs_layers_name(struct fs_work *work, struct fs_name *ret)
{
	long fd = fs_set_inner(work); /* it was that of the directory */
	struct kernel_stat st;
	char *name;

	if (fd < 0)
		return fd;
	name = fs_cut(work);
	fd = strlen(name) > 255 ? -ENAMETOOLONG : fs_layers_open_top(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_);
	fs_uncut(name);
	if (fd < 0)
		return fd;
	work->step = true; /* no link is in the path: what is missing in a layer is missing */
	ret->directory = (s32)fd;
	ret->name = name;
	ret->layered = true;
	ret->layer = work->layer;
	ret->mount = work->mount.id;
	if (!work->layer && !fs_upper_lacks(work) && sys4(__NR_newfstatat, fd, name, &st, AT_SYMLINK_NOFOLLOW_) == 0) {
		ret->whiteout = fs_is_whiteout((s32)fd, name, &st);
		ret->upper = ret->whiteout ? 0 : st.mode & VFS_TYPE;
	}
	ret->below = fs_layers_below(work);
	if (!fs_is_current(&work->root)) { /* somebody mounts: what was looked at may be another layer */
		(void)sys1(__NR_close, fd);
		return -ELOOP;
	}
	ret->mode = ret->upper ? ret->upper : ret->whiteout ? 0 : ret->below;
	return 0;
}

long fs_name_raise(struct fs_work *work, struct fs_name *where)
{
	long r;

	if (!where->layered || !where->layer)
		return 0;
	r = fs_may(where->directory, 3);
	if (r == 0)
		r = fs_upper_parent(work);
	if (r < 0)
		return r;
	(void)sys1(__NR_close, where->directory);
	where->directory = (s32)r;
	where->layer = 0;
	return 0;
}

long fs_name_again(const struct fs_name *where)
{
	struct kernel_stat st;
	bool whiteout = false;
	u32 upper = 0;
	long r = sys4(__NR_newfstatat, where->directory, where->name, &st, AT_SYMLINK_NOFOLLOW_);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		whiteout = fs_is_whiteout(where->directory, where->name, &st);
		upper = whiteout ? 0 : st.mode & VFS_TYPE;
	}
	return whiteout == where->whiteout && upper == where->upper ? 0 : -ESTALE;
}

long fs_set_attr(s32 directory, const char *name, enum fs_overlay_attr attr, char value)
{
	char path[AGENT_FD_NAME_SIZE];

	if (!agent_fd_name(path, directory, name))
		return -ENAMETOOLONG;
	return sys5(__NR_lsetxattr, path, fs_attr_name(attr), &value, 1, 0);
}

/* Makes a whiteout of the free name dir->name, for a name in `parent`. */
long fs_whiteout_make(const struct fs_work_dir *dir, s32 parent)
{
	long fd;

	if (!(commons()->fs.features & FS_WHITEOUT_XATTR))
		return sys4(__NR_mknodat, dir->fd, dir->name, 0020000 /* S_IFCHR */, 0);
	fd = sys4(__NR_openat, dir->fd, dir->name, O_WRONLY_ | O_CREAT_ | O_EXCL_ | O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	(void)sys1(__NR_close, fd);
	fd = fs_set_attr(dir->fd, dir->name, FS_ATTR_WHITEOUT, 'y');
	if (fd == 0 && !fs_is_opaque(parent)) /* the kernel looks for such whiteouts only there */
		fd = fs_set_attr(parent, ".", FS_ATTR_OPAQUE, 'x');
	if (fd < 0)
		(void)sys3(__NR_unlinkat, dir->fd, dir->name, 0);
	return fd;
}

/* --- making ------------------------------------------------------------------------------------------------------------------------------- */

/* What was made belongs to whom gap identity says; where nothing can be kept it is root's. parent: the directory that it is for. */
static void own(s32 parent, s32 directory, const char *name, const struct fs_new *made)
{
	long fd = sys4(__NR_openat, directory, name, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0), from;
	struct kernel_stat st = { 0 };

	if (fd < 0)
		return;
	if (made->kind != FS_NEW_LINK) {
		(void)!identity_made(parent, (s32)fd, STAT_O_PATH, (u32)made->mode);
	} else if (sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_) == 0 && identity_by_name(st.mode)) {
		from = sys4(__NR_openat, AT_FDCWD_, made->object->path,
			    O_PATH_ | O_CLOEXEC_ | (made->object->follow ? 0 : O_NOFOLLOW_), 0);
		if (from >= 0) {
			identity_same_owner((s32)from, (s32)fd);
			(void)sys1(__NR_close, from);
		}
	}
	(void)sys1(__NR_close, fd);
}

static long make_plain(s32 directory, const char *name, const struct fs_new *made)
{
	switch (made->kind) {
	case FS_NEW_DIRECTORY:
		return sys3(__NR_mkdirat, directory, name, made->mode);
	case FS_NEW_NODE:
		return sys4(__NR_mknodat, directory, name, made->mode, made->device);
	case FS_NEW_SYMLINK:
		return sys3(__NR_symlinkat, made->text, directory, name);
	case FS_NEW_SOCKET:
		return fs_bind_at(made, directory, name);
	case FS_NEW_LINK:
		break;
	}
	return sys5(__NR_linkat, AT_FDCWD_, made->object->path, directory, name, made->object->follow ? AT_SYMLINK_FOLLOW_ : 0);
}

/* The name that was to be linked may have become a whiteout meanwhile: nobody sees such a link. */
static long is_no_whiteout(s32 directory, const char *name)
{
	struct kernel_stat st;

	if (sys4(__NR_newfstatat, directory, name, &st, AT_SYMLINK_NOFOLLOW_) < 0 || !fs_is_whiteout(directory, name, &st))
		return 0;
	(void)sys3(__NR_unlinkat, directory, name, 0);
	return -ENOENT;
}

static long make_as(s32 parent, s32 directory, const char *name, const struct fs_new *made)
{
	u32 type = (u32)made->mode & VFS_TYPE;
	long r;

	if (made->kind == FS_NEW_NODE && (type == VFS_DEVICE || type == VFS_BLOCK))
		return identity_make_device(directory, name, (u32)made->mode, made->device);
	r = make_plain(directory, name, made);
	if (r == 0)
		own(parent, directory, name, made);
	return r;
}

static long make_at(s32 parent, s32 directory, const char *name, const struct fs_new *made)
{
	u32 making = identity_on() ? identity_making() : 0;
	long r = identity_on() ? make_as(parent, directory, name, made) : make_plain(directory, name, made);

	identity_is_made(making);
	if (r == 0 && made->kind == FS_NEW_LINK && fs_any_layers())
		r = is_no_whiteout(directory, name);
	return r;
}

/* What was made in the work directory gets what its own directory would have given it. */
static void inherit(const struct fs_work_dir *dir, s32 parent)
{
	struct kernel_stat above, st;

	if (sys4(__NR_newfstatat, parent, "", &above, AT_EMPTY_PATH_) < 0 || !(above.mode & SETGID) ||
	    sys4(__NR_newfstatat, dir->fd, dir->name, &st, AT_SYMLINK_NOFOLLOW_) < 0)
		return;
	(void)sys5(__NR_fchownat, dir->fd, dir->name, (u64)-1, above.gid, AT_SYMLINK_NOFOLLOW_);
	if ((st.mode & VFS_TYPE) == VFS_DIRECTORY)
		(void)sys3(__NR_fchmodat, dir->fd, dir->name, (st.mode & 07777) | SETGID);
}

long fs_hide_below(struct fs_work *work, const struct fs_work_dir *dir, s32 directory, const char *name)
{
	long r = fs_set_attr(directory, name, FS_ATTR_OPAQUE, 'y'), fd;

	if (r != -EPERM && r != -EACCES && r != -EOPNOTSUPP)
		return r;
	fd = sys4(__NR_openat, directory, name, O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_, 0); /* trusted.* is root's */
	if (fd < 0)
		return fd;
	r = fs_merge_hide(work, dir, (s32)fd);
	(void)sys1(__NR_close, fd);
	return r;
}

long fs_over_whiteout(struct fs_work *work, const struct fs_name *where, struct fs_work_dir *dir, bool directory)
{
	long r = 0;

	inherit(dir, where->directory);
	if (directory) {
		r = fs_hide_below(work, dir, dir->fd, dir->name);
		fs_layers_note(work, FS_SEEN_OPAQUE);
	}
	if (r == 0 && !directory)
		r = sys4(__NR_renameat, dir->fd, dir->name, where->directory, where->name);
	if (r == 0 && directory) {
		r = sys5(__NR_renameat2, dir->fd, dir->name, where->directory, where->name, RENAME_EXCHANGE_);
		if (r == 0)
			return sys3(__NR_unlinkat, dir->fd, dir->name, 0); /* the whiteout */
		if (r == -EINVAL || r == -ENOSYS) {
			(void)sys3(__NR_unlinkat, where->directory, where->name, 0);
			r = sys4(__NR_renameat, dir->fd, dir->name, where->directory, where->name);
		}
	}
	if (r < 0)
		(void)sys3(__NR_unlinkat, dir->fd, dir->name, directory ? AT_REMOVEDIR_ : 0);
	return r;
}

long fs_still_whiteout(const struct fs_name *where)
{
	struct kernel_stat st;
	long r = fs_may(where->directory, 3);

	if (r < 0)
		return r;
	r = sys4(__NR_newfstatat, where->directory, where->name, &st, AT_SYMLINK_NOFOLLOW_);
	if (r < 0)
		return r == -ENOENT ? -ESTALE : r; /* somebody's rename left it there for a moment */
	return fs_is_whiteout(where->directory, where->name, &st) ? 0 : -EEXIST;
}

long fs_make(struct fs_work *work, struct fs_name *where, const struct fs_new *made)
{
	struct fs_work_dir dir;
	long r;

	if (UNLIKELY(where->groups))
		return fs_cgroup_make(work, where, made);
	if (!where->layered)
		return make_at(where->directory, where->directory, where->name, made);
	r = where->mode ? -EEXIST : fs_name_raise(work, where);
	if (r < 0)
		return r;
	fs_layers_note(work, FS_SEEN_ENTRY);
	if (made->kind != FS_NEW_DIRECTORY)
		fs_layers_note(work, FS_SEEN_FILE);
	if (made->kind == FS_NEW_LINK)
		fs_layers_note(work, FS_SEEN_COPY);
	if (!where->whiteout)
		return make_at(where->directory, where->directory, where->name, made);
	r = fs_work_dir(work, true, &dir);
	if (r < 0)
		return r;
	r = fs_still_whiteout(where);
	if (r == 0)
		r = make_at(where->directory, dir.fd, dir.name, made);
	if (r == 0)
		r = fs_over_whiteout(work, where, &dir, made->kind == FS_NEW_DIRECTORY);
	if (r == 0 && identity_on() && made->kind != FS_NEW_DIRECTORY)
		identity_name_moved(dir.fd, dir.name, where->directory, where->name, false);
	fs_work_done(&dir);
	return r;
}

/* --- removing ----------------------------------------------------------------------------------------------------------------------------- */

/* A whiteout takes the place of whatever the upper layer has there, which is no directory. */
static long put_whiteout(struct fs_work *work, const struct fs_name *where)
{
	struct fs_work_dir dir;
	long r = fs_work_dir(work, true, &dir);

	if (r < 0)
		return r;
	fs_layers_note(work, FS_SEEN_ENTRY);
	fs_layers_note(work, FS_SEEN_WHITEOUT);
	r = fs_name_again(where);
	if (r == 0)
		r = fs_whiteout_make(&dir, where->directory);
	if (r == 0) {
		r = sys4(__NR_renameat, dir.fd, dir.name, where->directory, where->name);
		if (r < 0)
			(void)sys3(__NR_unlinkat, dir.fd, dir.name, 0);
	}
	fs_work_done(&dir);
	return r;
}

/* The same where two names cannot be exchanged: what lower layers have there is seen between two steps, of which the second one follows at once. */
static long displace_by_steps(const struct fs_work_dir *dir, s32 directory, const char *name, bool whiteout)
{
	struct fs_work_dir other = *dir;
	long r;

	other.name[0] = 'o';
	r = sys4(__NR_renameat, directory, name, dir->fd, other.name);
	if (r < 0)
		return r;
	if (whiteout)
		r = sys4(__NR_renameat, dir->fd, dir->name, directory, name);
	if (r == 0) {
		r = fs_merge_clear(dir->fd, other.name);
		if (r == 0)
			return 0;
		if (whiteout)
			(void)sys3(__NR_unlinkat, directory, name, 0);
	}
	(void)sys4(__NR_renameat, dir->fd, other.name, directory, name);
	return r;
}

long fs_displace(const struct fs_work_dir *dir, s32 directory, const char *name, bool whiteout)
{
	long r = whiteout ? fs_whiteout_make(dir, directory) : 0;

	if (r < 0)
		return r;
	r = whiteout ? sys5(__NR_renameat2, dir->fd, dir->name, directory, name, RENAME_EXCHANGE_) : -EINVAL;
	if (r == 0) {
		r = fs_merge_clear(dir->fd, dir->name);
		if (r < 0 && sys5(__NR_renameat2, dir->fd, dir->name, directory, name, RENAME_EXCHANGE_) == 0)
			(void)sys3(__NR_unlinkat, dir->fd, dir->name, 0);
		return r;
	}
	if (r == -EINVAL || r == -ENOSYS)
		r = displace_by_steps(dir, directory, name, whiteout);
	if (r < 0 && whiteout)
		(void)sys3(__NR_unlinkat, dir->fd, dir->name, 0);
	return r;
}

static long remove_directory(struct fs_work *work, struct fs_name *where)
{
	struct fs_work_dir dir;
	long r = fs_merge_is_empty(work);

	if (r == 0)
		r = fs_name_raise(work, where);
	if (r < 0)
		return r;
	if (!where->upper)
		return put_whiteout(work, where);
	if (!where->below) {
		r = sys3(__NR_unlinkat, where->directory, where->name, AT_REMOVEDIR_);
		if (r != -ENOTEMPTY)
			return r;
	}
	r = fs_work_dir(work, true, &dir);
	if (r < 0)
		return r;
	if (where->below)
		fs_layers_note(work, FS_SEEN_WHITEOUT);
	r = fs_name_again(where);
	if (r == 0)
		r = fs_merge_is_empty(work);
	if (r == 0)
		r = where->below ? fs_displace(&dir, where->directory, where->name, true)
				 : fs_merge_clear(where->directory, where->name);
	fs_work_done(&dir);
	return r;
}

static long remove_layered(struct fs_work *work, struct fs_name *where, u64 flags)
{
	long r;

	if (!where->mode)
		return -ENOENT;
	if (flags)
		return where->mode == VFS_DIRECTORY ? remove_directory(work, where) : -ENOTDIR;
	if (where->mode == VFS_DIRECTORY)
		return -EISDIR;
	r = fs_name_raise(work, where);
	if (r < 0)
		return r;
	if (where->below)
		return put_whiteout(work, where);
	return sys3(__NR_unlinkat, where->directory, where->name, 0);
}

long fs_remove(struct fs_work *work, struct fs_name *where, u64 flags)
{
	long r = where->groups  ? fs_cgroup_remove(work, where, flags)
	       : where->layered ? remove_layered(work, where, flags)
				: sys3(__NR_unlinkat, where->directory, where->name, flags);

	if (r == 0 && !flags && identity_on() && (!where->layered || identity_by_name(where->mode)))
		identity_name_gone(where->directory, where->name);
	return r;
}
