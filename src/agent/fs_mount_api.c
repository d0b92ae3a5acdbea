/* SPDX-License-Identifier: Apache-2.0 */
/* open_tree(2), move_mount(2), mount_setattr(2): mounts by descriptor. */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"

#define AT_RECURSIVE_ 0x8000u
#define AT_NO_AUTOMOUNT_ 0x800u
#define OPEN_TREE_CLONE_ 1u
#define OPEN_TREE_FLAGS (AT_EMPTY_PATH_ | AT_NO_AUTOMOUNT_ | AT_RECURSIVE_ | AT_SYMLINK_NOFOLLOW_ | OPEN_TREE_CLONE_ | O_CLOEXEC_)
#define FD_CLOEXEC_ 1

static u32 lookup_flags(u32 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW_ ? 0 : FS_FOLLOW) | (flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0);
}

/* --- open_tree ------------------------------------------------------------------------------------------------------------------------------- */

/* A copy of what a path stands for, as a tree. */
static long clone_tree(struct mnt_work *work, const struct mnt_where *at, u32 flags)
{
	struct mnt_source source = { .space = at->space,
				     .id = at->id,
				     .below = work->path.guest + work->path.mount.target_length,
				     .recursive = flags & AT_RECURSIVE_,
				     .file = !at->directory };
	const struct fs_mount *m;
	u32 space, top;
	long fd, r = mnt_lock(work);

	if (r < 0)
		return r;
	m = mnt_find(mnt_table(work, at->space), at->id);
	fd = !m || (m->flags & FS_UNBINDABLE) ? -EINVAL : mnt_tree_make(work, flags & O_CLOEXEC_, &space);
	r = fd < 0 ? fd : mnt_copy(work, &source, space, 0, "", MNT_COPY, &top);
	r = mnt_commit(work, r);
	if (r < 0 && fd >= 0)
		(void)sys1(__NR_close, fd);
	return r < 0 ? r : fd;
}

static long do_open_tree(struct mnt_work *work, s32 dirfd, u64 path, u32 flags)
{
	struct mnt_where at;
	long fd;

	if ((flags & ~(u32)OPEN_TREE_FLAGS) || (flags & (AT_RECURSIVE_ | OPEN_TREE_CLONE_)) == AT_RECURSIVE_)
		return -EINVAL;
	if ((flags & OPEN_TREE_CLONE_) && !mnt_may())
		return -EPERM;
	fd = mnt_locate(&work->path, dirfd, path, lookup_flags(flags), &at);
	if (fd < 0)
		return fd;
	if (flags & OPEN_TREE_CLONE_) {
		fs_object_done(fd, dirfd);
		return clone_tree(work, &at, flags);
	}
	if (fd == dirfd)
		return sys3(__NR_fcntl, fd, flags & O_CLOEXEC_ ? 1030 : 0 /* F_DUPFD_CLOEXEC, F_DUPFD */, 0);
	if (!(flags & O_CLOEXEC_))
		(void)sys3(__NR_fcntl, fd, 2 /* F_SETFD */, 0);
	fs_note((s32)fd, at.id);
	return fd;
}

enum verdict fs_open_tree(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_open_tree(work, (s32)call->arg[0], call->arg[1], (u32)call->arg[2]);
	mnt_done(work);
	return CALL_DONE;
}

/* --- move_mount ------------------------------------------------------------------------------------------------------------------------------ */

#define MOVE_F_SYMLINKS 0x01u
#define MOVE_F_EMPTY_PATH 0x04u
#define MOVE_T_SYMLINKS 0x10u
#define MOVE_T_EMPTY_PATH 0x40u
#define MOVE_FLAGS 0x77u /* with those about automounts; neither MOVE_MOUNT_SET_GROUP nor MOVE_MOUNT_BENEATH */

/* A tree gets a place: its mounts become the namespace's, with new ids. */
static long attach_tree(struct mnt_work *work, const struct mnt_where *from, const struct mnt_where *to)
{
	struct mnt_source source = {
		.space = from->space, .id = from->id, .below = "", .recursive = true, .file = !from->directory
	};
	struct fs_space *s = fs_space_of(from->space);
	struct fs_edit *edit;
	u32 top = 0;
	long r;

	if (!s->tree || !mnt_find(mnt_table(work, to->space), to->id))
		return -EINVAL;
	if (from->directory != to->directory || to->removed)
		return to->removed ? -ENOENT : -EINVAL;
	r = mnt_copy(work, &source, to->space, to->id, work->path.guest, MNT_COPY, &top);
	if (r < 0)
		return r;
	edit = mnt_edit(work, to->space);
	for (u32 i = 0; i < work->copied; i++) { /* they are no more mounted twice than before */
		const struct fs_mount *old = mnt_find(mnt_table(work, from->space), work->ids[2 * i]);
		struct fs_mount *made = fs_edit_mount(edit, work->ids[2 * i + 1]);

		if (old && made && !(old->flags & FS_BOUND))
			made->flags &= ~(u32)FS_BOUND;
	}
	r = mnt_settle(work, to->space, top);
	if (r < 0)
		return r;
	while (mnt_table(work, from->space)->count)
		mnt_remove(work, from->space, mnt_table(work, from->space)->mounts[mnt_table(work, from->space)->count - 1].id);
	s->moved_space = to->space;
	s->moved_id = top;
	return 0;
}

static long do_move_mount(struct mnt_work *work, const u64 *arg, u32 flags)
{
	struct mnt_where from, to;
	long r;

	if (!mnt_may())
		return -EPERM;
	if (flags & ~MOVE_FLAGS)
		return -EINVAL;
	r = mnt_locate(&work->path, (s32)arg[2], arg[3],
		       (flags & MOVE_T_SYMLINKS ? FS_FOLLOW : 0) | (flags & MOVE_T_EMPTY_PATH ? FS_EMPTY : 0), &to);
	if (r < 0)
		return r;
	fs_object_done(r, (s32)arg[2]);
	r = mnt_locate(&work->other, (s32)arg[0], arg[1],
		       (flags & MOVE_F_SYMLINKS ? FS_FOLLOW : 0) | (flags & MOVE_F_EMPTY_PATH ? FS_EMPTY : 0), &from);
	if (r < 0)
		return r;
	fs_object_done(r, (s32)arg[0]);
	if (!from.mounted)
		return -EINVAL;
	r = mnt_lock(work);
	if (r < 0)
		return r;
	r = from.space == to.space ? mnt_move(work, &from, &to, work->path.guest) : attach_tree(work, &from, &to);
	return mnt_commit(work, r);
}

enum verdict fs_move_mount(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_move_mount(work, call->arg, (u32)call->arg[4]);
	mnt_done(work);
	return CALL_DONE;
}

/* --- mount_setattr --------------------------------------------------------------------------------------------------------------------------- */

struct mount_attr {
	u64 set, clear, propagation, user_namespace;
};

#define ATTR_TIMES UINT64_C(0x70)
#define ATTR_KNOWN UINT64_C(0x2000ff)

long mnt_attr_flags(u64 attributes, u32 *ret)
{
	u64 times = attributes & ATTR_TIMES;

	if (attributes & ~ATTR_KNOWN)
		return -EINVAL;
	*ret = (attributes & 1 ? FS_OWN_READ_ONLY : 0) | (attributes & 2 ? FS_NOSUID : 0) | (attributes & 4 ? FS_NODEV : 0) |
	       (attributes & 8 ? FS_NOEXEC : 0) | (attributes & 0x80 ? FS_NODIRATIME : 0) |
	       (attributes & 0x200000 ? FS_NOSYMFOLLOW : 0);
	*ret |= !times ? FS_RELATIME : times == 0x10 ? FS_NOATIME : 0;
	return times == 0 || times == 0x10 || times == 0x20 ? 0 : -EINVAL;
}

/* What the attributes change of a mount's flags. 0 or -EINVAL. */
static long read_change(const struct mount_attr *attr, u32 *ret_mask, u32 *ret_flags)
{
	u32 set, clear;

	if ((attr->propagation & ~(u64)MS_TYPE) || (attr->propagation & (attr->propagation - 1)))
		return -EINVAL;
	if ((attr->clear & ATTR_TIMES) ? (attr->clear & ATTR_TIMES) != ATTR_TIMES : (attr->set & ATTR_TIMES) != 0)
		return -EINVAL;
	if (mnt_attr_flags(attr->set, &set) < 0 || mnt_attr_flags(attr->clear & ~ATTR_TIMES, &clear) < 0)
		return -EINVAL;
	*ret_mask = (set | clear) & ~(u32)(FS_RELATIME | FS_NOATIME);
	if (attr->clear & ATTR_TIMES)
		*ret_mask |= FS_RELATIME | FS_NOATIME;
	*ret_flags = set;
	return 0;
}

static long read_attr(u64 from, u64 size, struct mount_attr *ret)
{
	char more[64];

	if (size > LAYOUT_PAGE)
		return -E2BIG;
	if (size < sizeof(*ret))
		return -EINVAL;
	if (!mnt_may())
		return -EPERM;
	if (guest_read(ret, from, sizeof(*ret)) < 0)
		return -EFAULT;
	for (u64 at = sizeof(*ret); at < size; at += sizeof(more)) {
		u64 part = size - at < sizeof(more) ? size - at : sizeof(more);

		if (guest_read(more, from + at, part) < 0)
			return -EFAULT;
		for (u64 i = 0; i < part; i++)
			if (more[i])
				return -E2BIG;
	}
	return 0;
}

static long set_attributes(struct mnt_work *work, const struct mnt_where *at, const struct mount_attr *attr, bool recursive)
{
	struct fs_edit *edit = mnt_edit(work, at->space);
	u32 mask, flags;

	if (!at->mounted || !fs_edit_mount(edit, at->id))
		return -EINVAL;
	if (read_change(attr, &mask, &flags) < 0)
		return -EINVAL;
	for (u32 i = 0; i < edit->table->count; i++) {
		struct fs_mount *m = &edit->table->mounts[i];

		if (m->id != at->id && !(recursive && fs_edit_is_below(edit, m->id, at->id)))
			continue;
		if ((flags & mask & FS_OWN_READ_ONLY) && !(m->flags & FS_READ_ONLY) && mnt_is_written(work, at->space, m->id))
			return -EBUSY;
		mnt_set_attributes(m, mask, flags);
		if (attr->propagation)
			mnt_change_type(work, at->space, m->id, attr->propagation);
	}
	return 0;
}

static long do_mount_setattr(struct mnt_work *work, const u64 *arg, u32 flags)
{
	struct mount_attr attr;
	struct mnt_where at;
	u32 mask, set;
	long r;

	if (flags & ~(u32)(AT_EMPTY_PATH_ | AT_RECURSIVE_ | AT_SYMLINK_NOFOLLOW_ | AT_NO_AUTOMOUNT_))
		return -EINVAL;
	r = read_attr(arg[3], arg[4], &attr);
	if (r < 0 || (!attr.set && !attr.clear && !attr.propagation))
		return r;
	r = read_change(&attr, &mask, &set);
	if (r == 0)
		r = mnt_locate(&work->path, (s32)arg[0], arg[1], lookup_flags(flags), &at);
	if (r < 0)
		return r;
	fs_object_done(r, (s32)arg[0]);
	r = mnt_lock(work);
	return r < 0 ? r : mnt_commit(work, set_attributes(work, &at, &attr, flags & AT_RECURSIVE_));
}

enum verdict fs_mount_setattr(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_mount_setattr(work, call->arg, (u32)call->arg[2]);
	mnt_done(work);
	return CALL_DONE;
}
