/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename(2) in an overlay. A directory that lower layers have a part in cannot be renamed (EXDEV, as with redirect_dir=off): mv(1) then copies.
 * Any other moves in the upper layer, opaque from then on; a whiteout is left where a lower layer has the old name.
 */
#include "agent/fs_layers.h"

#define RENAME_NOREPLACE_ 1u
#define RENAME_EXCHANGE_ 2u
#define RENAME_WHITEOUT_ 4u

static bool is_directory(u32 mode)
{
	return mode == VFS_DIRECTORY;
}

/* Whether a directory is in the upper layer alone, so that it can move. */
static bool is_pure(const struct fs_name *where)
{
	char path[AGENT_FD_NAME_SIZE], value[2];

	if (!is_directory(where->upper))
		return false;
	if (!is_directory(where->below))
		return true;
	if (!agent_fd_name(path, where->directory, where->name))
		return false;
	return sys4(__NR_lgetxattr, path, fs_attr_name(FS_ATTR_OPAQUE), value, sizeof(value)) == 1 && value[0] == 'y';
}

/* One of the names: a file comes to be in the upper layer. */
static long raise(struct fs_work *work, struct fs_name *where)
{
	long r;

	if (is_directory(where->mode))
		return where->layer || !is_pure(where) ? -EXDEV : 0;
	r = fs_name_raise(work, where);
	if (r == 0 && !where->upper)
		r = fs_copy_up(work, FS_NEED_NOTHING, false);
	if (r == 0)
		where->upper = where->mode;
	return r;
}

long fs_rename_from(struct fs_work *work, struct fs_name *source, u64 flags)
{
	if (!source->layered || !source->mode || source->read_only || source->mounted)
		return 0;
	source->copy = !source->upper || fs_may_be_copy(work);
	if (is_directory(source->mode)) {
		source->fixed = source->layer || !is_pure(source);
		if (!source->fixed && (flags & RENAME_EXCHANGE_))
			fs_layers_note(work, FS_SEEN_OPAQUE);
	} else {
		long r = raise(work, source);

		if (r < 0)
			return r;
	}
	fs_layers_note(work, FS_SEEN_ENTRY);
	if (flags & RENAME_EXCHANGE_) {
		fs_layers_note(work, FS_SEEN_FILE);
		fs_layers_note(work, FS_SEEN_COPY);
	}
	if (source->below)
		fs_layers_note(work, FS_SEEN_WHITEOUT);
	return 0;
}

/* In the order of vfs_rename(). */
static long may_replace(struct fs_work *work, const struct fs_name *source, const struct fs_name *target, u64 flags)
{
	if (flags & RENAME_EXCHANGE_)
		return source->fixed ? -EXDEV : 0;
	if (target->mode) {
		if (flags & RENAME_NOREPLACE_)
			return -EEXIST;
		if (is_directory(source->mode) && !is_directory(target->mode))
			return -ENOTDIR;
		if (!is_directory(source->mode) && is_directory(target->mode))
			return -EISDIR;
	}
	if (source->fixed)
		return -EXDEV;
	return target->mode && is_directory(source->mode) ? fs_merge_is_empty(work) : 0;
}

/* The old name is free: a whiteout hides what lower layers have there. */
static long leave_whiteout(const struct fs_work_dir *dir, const struct fs_name *source)
{
	struct kernel_stat st;
	long r;

	if (sys4(__NR_newfstatat, source->directory, source->name, &st, AT_SYMLINK_NOFOLLOW_) != -ENOENT)
		return 0; /* two names of one file: rename did nothing */
	r = fs_whiteout_make(dir, source->directory);
	if (r == 0)
		r = sys4(__NR_renameat, dir->fd, dir->name, source->directory, source->name);
	return r;
}

static long move_file(const struct fs_work_dir *dir, const struct fs_name *source, const struct fs_name *target)
{
	long r = -EINVAL;

	if (source->below && !(commons()->fs.features & FS_WHITEOUT_XATTR))
		r = sys5(__NR_renameat2, source->directory, source->name, target->directory, target->name, RENAME_WHITEOUT_);
	if (r != -EINVAL && r != -EPERM && r != -ENOSYS)
		return r;
	r = sys4(__NR_renameat, source->directory, source->name, target->directory, target->name);
	return r == 0 && source->below ? leave_whiteout(dir, source) : r;
}

static long move_directory(struct fs_work *work, const struct fs_work_dir *dir, const struct fs_name *source,
			   const struct fs_name *target)
{
	long r = fs_hide_below(work, dir, source->directory, source->name);

	if (r < 0)
		return r;
	if (target->whiteout || target->upper) {
		r = sys5(__NR_renameat2, source->directory, source->name, target->directory, target->name, RENAME_EXCHANGE_);
		if (r == 0 && target->whiteout) /* which is where the directory was */
			return source->below ? 0 : sys3(__NR_unlinkat, source->directory, source->name, 0);
		if (r == 0) {
			r = fs_displace(dir, source->directory, source->name, source->below != 0);
			if (r < 0)
				(void)sys5(__NR_renameat2, source->directory, source->name, target->directory, target->name,
					   RENAME_EXCHANGE_);
			return r;
		}
		if (r != -EINVAL && r != -ENOSYS)
			return r;
		r = target->whiteout ? sys3(__NR_unlinkat, target->directory, target->name, 0)
				     : fs_displace(dir, target->directory, target->name, false);
		if (r < 0)
			return r;
	}
	r = sys4(__NR_renameat, source->directory, source->name, target->directory, target->name);
	return r == 0 && source->below ? leave_whiteout(dir, source) : r;
}

static long exchange(const struct fs_name *source, const struct fs_name *target)
{
	long r = 0;

	if (is_directory(source->mode))
		r = fs_set_attr(source->directory, source->name, FS_ATTR_OPAQUE, 'y');
	if (r == 0 && is_directory(target->mode))
		r = fs_set_attr(target->directory, target->name, FS_ATTR_OPAQUE, 'y');
	if (r < 0)
		return r;
	return sys5(__NR_renameat2, source->directory, source->name, target->directory, target->name, RENAME_EXCHANGE_);
}

static long rename_layered(struct fs_work *work, struct fs_name *source, struct fs_name *target, u64 flags)
{
	struct fs_work_dir dir;
	long r = may_replace(work, source, target, flags);

	if (r == 0)
		r = flags & RENAME_EXCHANGE_ ? raise(work, target) : fs_name_raise(work, target);
	if (r < 0)
		return r;
	fs_layers_note(work, FS_SEEN_ENTRY);
	fs_layers_note(work, is_directory(source->mode) ? FS_SEEN_OPAQUE : FS_SEEN_FILE);
	if (source->copy)
		fs_layers_note(work, FS_SEEN_COPY);
	if (!flags && !is_directory(source->mode) && !source->below && !target->below && !target->whiteout)
		return sys4(__NR_renameat, source->directory, source->name, target->directory,
			    target->name); /* lower layers have no part in it */
	r = fs_work_dir(work, true, &dir);
	if (r < 0)
		return r;
	r = fs_name_again(source);
	if (r == 0)
		r = fs_name_again(target);
	if (r < 0)
		; /* somebody was faster */
	else if (flags & RENAME_EXCHANGE_)
		r = exchange(source, target);
	else if (is_directory(source->mode))
		r = move_directory(work, &dir, source, target);
	else
		r = move_file(&dir, source, target);
	fs_work_done(&dir);
	return r;
}

long fs_rename_to(struct fs_work *work, struct fs_name *source, struct fs_name *target, u64 flags)
{
	if (source->layered != target->layered || (source->layered && source->mount != target->mount))
		return -EXDEV;
	if (source->layered)
		return flags & RENAME_WHITEOUT_ ? -EINVAL : rename_layered(work, source, target, flags);
	if (flags)
		return sys5(__NR_renameat2, source->directory, source->name, target->directory, target->name, flags);
	return sys4(__NR_renameat, source->directory, source->name, target->directory, target->name);
}
