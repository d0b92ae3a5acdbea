/* SPDX-License-Identifier: Apache-2.0 */
/* mount(2), in the order of path_mount() of fs/namespace.c: arguments are copied, the path is found, then flags say what is done. */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"
#include "agent/fs_quota.h"

#define MS_NOUSER_ UINT64_C(0xffffffff80000000) /* sign-extended in the kernel, so all bits above count */
#define MS_MAGIC 0xc0ed0000u
#define MS_MAGIC_MASK 0xffff0000u
#define SB_FLAGS (MS_RDONLY_ | 16u | 64u | 128u | (1u << 25))

/* --- arguments -------------------------------------------------------------------------------------------------------------------------------- */

/* A string that may be missing: then `to` is empty, and 0 is returned; 1: there is one. */
static long copy_string(char to[4097], u64 from)
{
	long n = from ? guest_read_string(to, from, 4097) : 0;

	if (!from)
		to[0] = 0;
	return n == -ENAMETOOLONG || n > 4095 ? -EINVAL : n < 0 ? n : from != 0;
}

/* A page of options, or what there is of it. */
static long copy_options(char to[4097], u64 from)
{
	u64 first = LAYOUT_PAGE - from % LAYOUT_PAGE;

	to[0] = to[4095] = 0;
	if (!from)
		return 0;
	if (guest_read(to, from, 4095) < 0) {
		if (guest_read(to, from, first < 4095 ? first : 4095) < 0)
			return -EFAULT;
		to[first < 4095 ? first : 4095] = 0;
	}
	return 0;
}

/* --- bind, move --------------------------------------------------------------------------------------------------------------------------------- */

/* Whether something may be hung on what the call's path stands for; under the lock. */
static long may_hang(struct mnt_work *work, const struct mnt_where *to, bool directory)
{
	if (to->removed)
		return -ENOENT;
	if (!mnt_find(mnt_table(work, to->space), to->id))
		return -EINVAL; /* unmounted meanwhile */
	return to->directory == directory ? 0 : -ENOTDIR;
}

/* What a path of a mount is below the mount's root. */
static const char *below_of(const struct fs_work *path)
{
	return path->guest + path->mount.target_length;
}

static long bind(struct mnt_work *work, const struct mnt_where *from, const struct mnt_where *to, bool recursive)
{
	struct mnt_source source = { .space = from->space,
				     .id = from->id,
				     .below = below_of(&work->other),
				     .recursive = recursive,
				     .file = !from->directory };
	const struct fs_mount *m = mnt_find(mnt_table(work, from->space), from->id);
	u32 top = 0;
	long r;

	if (!m || (m->flags & FS_UNBINDABLE))
		return -EINVAL;
	r = may_hang(work, to, from->directory);
	if (r == 0)
		r = mnt_copy(work, &source, to->space, to->id, work->path.guest, MNT_COPY, &top);
	return r < 0 ? r : mnt_settle(work, to->space, top);
}

/* mount --bind of what a link of /proc/PID/ns leads to: a file system of its own. */
static long bind_namespace(struct mnt_work *work, const struct mnt_where *to)
{
	struct fs_new_mount spec = { .parent = to->id,
				     .target = work->path.guest,
				     .target_length = (u32)strlen(work->path.guest),
				     .flags = FS_FILE | FS_NSFS,
				     .source = work->other.host,
				     .source_length = work->other.host_length,
				     .type = "nsfs",
				     .from = "nsfs",
				     .options = "" };
	long r = may_hang(work, to, false);

	if (r == 0)
		r = fs_edit_add(mnt_edit(work, to->space), &spec);
	return r < 0 ? r : mnt_settle(work, to->space, (u32)r);
}

long mnt_move(struct mnt_work *work, const struct mnt_where *from, const struct mnt_where *to, const char *target)
{
	const struct fs_mount *m = mnt_find(mnt_table(work, from->space), from->id),
			      *on = mnt_find(mnt_table(work, to->space), to->id), *parent;
	struct fs_edit *edit;
	u64 size = strlen(target);
	long r;

	if (!m || !on || !from->mounted || !m->parent || (m->flags & FS_LOCKED) || to->removed)
		return to->removed ? -ENOENT : -EINVAL;
	parent = mnt_find(mnt_table(work, from->space), m->parent);
	if (from->directory != to->directory || (parent && parent->peers))
		return -EINVAL;
	edit = mnt_edit(work, from->space);
	if (fs_edit_is_below(edit, to->id, from->id))
		return -ELOOP;
	if (on->peers && mnt_any_unbindable(work, from->space, from->id))
		return -EINVAL;
	r = fs_edit_move(edit, from->id, to->id, target, size);
	return r < 0 ? r : mnt_settle(work, to->space, from->id);
}

/* The calls with a source that is a path. */
static long with_source(struct mnt_work *work, u64 source, const struct mnt_where *to, u64 flags)
{
	struct mnt_where from;
	long fd, r;

	if (!source || !work->source[0])
		return -EINVAL;
	fd = mnt_locate(&work->other, AT_FDCWD_, source, FS_FOLLOW, &from);
	if (fd < 0)
		return fd;
	fs_object_done(fd, AT_FDCWD_);
	r = mnt_lock(work);
	if (r < 0)
		return r;
	if (from.nsfs)
		r = flags & MS_BIND_ ? bind_namespace(work, to) : -EINVAL;
	else if (flags & MS_BIND_)
		r = bind(work, &from, to, flags & MS_REC_);
	else
		r = mnt_move(work, &from, to, work->path.guest);
	return mnt_commit(work, r);
}

/* --- change -------------------------------------------------------------------------------------------------------------------------------------- */

/* Attributes of a remount: times stay what they are unless one is named. */
static u32 remount_mask(u64 flags)
{
	bool times = flags & (MS_NOATIME_ | MS_NODIRATIME_ | MS_RELATIME_ | MS_STRICTATIME_);

	return times ? MNT_ATTRIBUTES : MNT_ATTRIBUTES & ~(u32)MNT_TIMES;
}

static long remount_bind(struct mnt_work *work, const struct mnt_where *at, u64 flags)
{
	struct fs_mount *m = at->mounted ? fs_edit_mount(mnt_edit(work, at->space), at->id) : NULL;

	if (!m)
		return -EINVAL;
	if ((flags & MS_RDONLY_) && !(m->flags & FS_READ_ONLY) && mnt_is_written(work, at->space, at->id))
		return -EBUSY;
	mnt_set_attributes(m, remount_mask(flags), mnt_attributes(flags));
	return 0;
}

long mnt_super_of(struct mnt_work *work, u32 space, u32 id, struct mnt_super *ret)
{
	const struct fs_table *table = mnt_table(work, space);
	const struct fs_mount *m = mnt_find(table, id);
	char *text = work->other.rest;
	long r;

	if (!m)
		return -EINVAL;
	r = mnt_super_init(ret, table->text + m->type);
	if (r < 0 || ret->kind == MNT_OVERLAY)
		*ret = (struct mnt_super){ .kind = MNT_OTHER };
	memcpy(text, table->text + m->options, strlen(table->text + m->options) + 1);
	r = ret->kind == MNT_OTHER ? 0 : mnt_super_parse(ret, text);
	ret->read_only = m->flags & FS_SUPER_READ_ONLY;
	ret->flags = (ret->flags & ~(u32)MS_RDONLY_) | ret->read_only;
	ret->has_source = true; /* it cannot change */
	return r;
}

long mnt_change_super(struct mnt_work *work, u32 space, u32 id, struct mnt_super *super)
{
	const struct fs_mount *m = mnt_find(mnt_table(work, space), id);

	if (!m)
		return -EINVAL;
	if (super->read_only && !(m->flags & FS_SUPER_READ_ONLY) && mnt_is_written(work, space, id))
		return -EBUSY;
	if (super->kind == MNT_TMPFS) {
		char *path = work->other.host;
		const struct fs_table *table = mnt_table(work, space);
		u64 length = (u64)m->source_length - m->root_length;
		long r;

		memcpy(path, table->text + m->source, length);
		path[length] = 0;
		r = fs_quota_mounted(work, path, super);
		if (r < 0)
			return r;
	}
	mnt_super_show(super);
	return mnt_set_super(work, space, id, super->read_only || super->kind == MNT_SYSFS,
			     super->kind == MNT_OTHER ? NULL : super->shown + (super->shown[0] == ','));
}

static long remount(struct mnt_work *work, const struct mnt_where *at, u64 flags)
{
	struct mnt_super *super = &work->super;
	struct fs_mount *m;
	long r;

	if (!at->mounted)
		return -EINVAL;
	r = mnt_super_of(work, at->space, at->id, super);
	if (r < 0)
		return r;
	super->flags = (super->flags & ~(u32)MS_RDONLY_) | (flags & MS_RDONLY_);
	super->read_only = flags & MS_RDONLY_;
	r = super->kind == MNT_OTHER ? 0 : mnt_super_parse(super, work->data);
	if (r == 0)
		r = mnt_change_super(work, at->space, at->id, super);
	if (r < 0)
		return r;
	m = fs_edit_mount(mnt_edit(work, at->space), at->id);
	mnt_set_attributes(m, remount_mask(flags), mnt_attributes(flags));
	return 0;
}

static long change_type(struct mnt_work *work, const struct mnt_where *at, u64 flags)
{
	u64 type = flags & ~(u64)(MS_REC_ | MS_SILENT_);
	struct fs_edit *edit;

	if (!at->mounted || (type & ~(u64)MS_TYPE) || (type & (type - 1)))
		return -EINVAL;
	edit = mnt_edit(work, at->space);
	if (!fs_edit_mount(edit, at->id))
		return -EINVAL;
	for (u32 i = 0; i < edit->table->count; i++) {
		u32 id = edit->table->mounts[i].id;

		if (id == at->id || ((flags & MS_REC_) && fs_edit_is_below(edit, id, at->id)))
			mnt_change_type(work, at->space, id, type);
	}
	return 0;
}

/* --- new ------------------------------------------------------------------------------------------------------------------------------------------ */

static long new_mount(struct mnt_work *work, const struct mnt_where *at, u64 flags, bool has_source, bool has_type)
{
	struct fs_new_mount spec;
	long r;

	if (!has_type)
		return -EINVAL;
	r = mnt_super_init(&work->super, work->type);
	if (r < 0)
		return r;
	work->super.flags = (u32)flags & SB_FLAGS;
	work->super.read_only = flags & MS_RDONLY_;
	if (has_source && mnt_super_set(&work->super, "source", work->source) < 0)
		return -EINVAL;
	r = mnt_super_parse(&work->super, work->data);
	if (r == 0 && at->removed)
		r = -ENOENT;
	if (r == 0)
		r = mnt_super_make(work, &work->super, &spec);
	if (r < 0)
		return r;
	r = mnt_lock(work);
	if (r < 0)
		return r;
	r = may_hang(work, at, true);
	spec.parent = at->id;
	spec.target = work->path.guest;
	spec.target_length = (u32)strlen(spec.target);
	if (r == 0)
		r = fs_edit_add(mnt_edit(work, at->space), &spec);
	if (r >= 0) {
		mnt_set_attributes(fs_edit_mount(mnt_edit(work, at->space), (u32)r), MNT_ATTRIBUTES, mnt_attributes(flags));
		r = mnt_settle(work, at->space, (u32)r);
	}
	if (r >= 0 && spec.source)
		r = fs_quota_mounted(work, spec.source, &work->super);
	return mnt_commit(work, r);
}

/* --- mount(2) -------------------------------------------------------------------------------------------------------------------------------------- */

static long by_flags(struct mnt_work *work, const u64 *arg, const struct mnt_where *at, u64 flags)
{
	long r;

	if (!(flags & MS_REMOUNT_) && ((flags & MS_BIND_) || (!(flags & MS_TYPE) && (flags & MS_MOVE_))))
		return with_source(work, arg[0], at, flags);
	if (!(flags & (MS_REMOUNT_ | MS_TYPE)))
		return new_mount(work, at, flags, arg[0] != 0, arg[2] != 0);
	r = mnt_lock(work);
	if (r < 0)
		return r;
	if (!(flags & MS_REMOUNT_))
		r = change_type(work, at, flags);
	else
		r = flags & MS_BIND_ ? remount_bind(work, at, flags) : remount(work, at, flags);
	return mnt_commit(work, r);
}

static long do_mount(struct mnt_work *work, const u64 *arg)
{
	u64 flags = arg[3];
	struct mnt_where at;
	long r = copy_string(work->type, arg[2]);

	if (r >= 0)
		r = copy_string(work->source, arg[0]);
	if (r >= 0)
		r = copy_options(work->data, arg[4]);
	if (r >= 0)
		r = mnt_locate(&work->path, AT_FDCWD_, arg[1], FS_FOLLOW, &at);
	if (r < 0)
		return r;
	fs_object_done(r, AT_FDCWD_);
	if ((flags & MS_MAGIC_MASK) == MS_MAGIC)
		flags &= (u32)~MS_MAGIC_MASK;
	if (flags & MS_NOUSER_)
		return -EINVAL;
	return mnt_may() ? by_flags(work, arg, &at, flags) : -EPERM;
}

void fs_mount_groups(void)
{
	static const char target[] = "/sys/fs/cgroup", type[] = "cgroup2";
	struct mnt_work *work;
	struct mnt_where at;
	long r;

	if (!cgroup_on() || mnt_begin(&work) < 0)
		return;
	memcpy(work->type, type, sizeof(type));
	memcpy(work->source, type, sizeof(type));
	r = mnt_locate(&work->path, AT_FDCWD_, (u64)target, FS_FOLLOW, &at);
	if (r >= 0) {
		fs_object_done(r, AT_FDCWD_);
		(void)!new_mount(work, &at, MS_NOSUID_ | MS_NODEV_ | MS_NOEXEC_ | MS_RELATIME_, true, true);
	}
	mnt_done(work);
}

enum verdict fs_mount(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_mount(work, call->arg);
	mnt_done(work);
	return CALL_DONE;
}
