/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of mounts: copied, hung up, taken down; in the tables of an edit, with what propagation (fs_mount_peers.c) makes of it. */
#include "agent/fs_mount.h"

const struct fs_mount *mnt_find(const struct fs_table *table, u32 id)
{
	for (u32 i = 0; i < table->count; i++)
		if (table->mounts[i].id == id)
			return &table->mounts[i];
	return NULL;
}

const struct fs_mount *mnt_child_at(const struct fs_table *table, u32 parent, const char *target)
{
	for (u32 i = 0; i < table->count; i++)
		if (table->mounts[i].parent == parent && !strcmp(table->text + table->mounts[i].target, target))
			return &table->mounts[i];
	return NULL;
}

bool mnt_has_children(const struct fs_table *table, u32 id)
{
	for (u32 i = 0; i < table->count; i++)
		if (table->mounts[i].parent == id)
			return true;
	return false;
}

/* --- copying -------------------------------------------------------------------------------------------------------------------------------- */

/* The copy of one of a tree: where work->ids has it, 0: it is not copied. */
static u32 copied(const struct mnt_work *work, u32 count, u32 old)
{
	for (u32 i = 0; i < count; i++)
		if (work->ids[2 * i] == old)
			return work->ids[2 * i + 1];
	return 0;
}

/* One mount like another one. */
static long copy_one(struct mnt_work *work, u32 from, u32 like, u32 space, struct fs_new_mount *spec, enum mnt_copy mode)
{
	struct fs_edit *edit = mnt_edit(work, space); /* first: it may be the table that is copied from */
	const struct fs_table *table = mnt_table(work, from);
	const struct fs_mount *m = mnt_find(table, like);

	if (!m)
		return -EINVAL;
	spec->like = like;
	spec->flags |= m->flags & (MNT_ATTRIBUTES | FS_READ_ONLY);
	spec->peers = mode == MNT_COPY ? m->peers : mode == MNT_COPY_SLAVE ? 0 : fs_new_peers();
	spec->master = mode == MNT_COPY ? m->master : m->peers;
	return fs_edit_add_from(edit, spec, table);
}

/* Whether a mount that hangs on what is copied lies in the part that is; cut: length of that part's path in the namespace. */
static bool in_part(const struct fs_table *table, const struct fs_mount *top, const char *below, const struct fs_mount *m)
{
	u64 size = strlen(below);
	const char *rest = table->text + m->target + top->target_length;

	return m->target_length >= top->target_length + size && !strncmp(rest, below, size) && (!rest[size] || rest[size] == '/');
}

/* Copies what hangs on copies already made: how many there were, or negative errno. */
static long copy_level(struct mnt_work *work, const struct mnt_source *source, u32 space, const char *target, enum mnt_copy mode,
		       u32 *done)
{
	u32 before = *done, length = (u32)strlen(target);

	for (u32 i = 0;; i++) {
		const struct fs_table *table = mnt_table(work, source->space);
		const struct fs_mount *m = &table->mounts[i], *top = mnt_find(table, source->id);
		u64 cut = top ? top->target_length + strlen(source->below) : 0;
		u32 parent = i < table->count ? copied(work, *done, m->parent) : 0;
		struct fs_new_mount spec = { .parent = parent, .target = work->at };
		long r;

		if (i >= table->count || !top)
			break;
		if (!parent || m->id >= work->first_id || copied(work, *done, m->id) || (m->flags & FS_UNBINDABLE) ||
		    !in_part(table, top, source->below, m))
			continue;
		if (length + m->target_length - cut >= FS_PATH_MAX || *done == FS_MOUNTS_MAX)
			return -ENOSPC;
		memcpy(work->at, target, length);
		memcpy(work->at + length, table->text + m->target + cut, m->target_length - cut + 1);
		spec.target_length = (u32)(length + m->target_length - cut);
		work->ids[2 * *done] = m->id;
		r = copy_one(work, source->space, m->id, space, &spec, mode);
		if (r < 0)
			return r;
		work->ids[2 * (*done)++ + 1] = (u32)r;
	}
	return *done - before;
}

long mnt_copy(struct mnt_work *work, const struct mnt_source *source, u32 space, u32 parent, const char *target, enum mnt_copy mode,
	      u32 *ret_top)
{
	struct fs_new_mount spec = { .parent = parent,
				     .target = target,
				     .target_length = (u32)strlen(target),
				     .flags = source->file ? FS_FILE : 0,
				     .below = source->below,
				     .below_length = (u32)strlen(source->below) };
	long r = copy_one(work, source->space, source->id, space, &spec, mode);
	u32 done = 1;

	if (r < 0)
		return r;
	*ret_top = work->ids[1] = (u32)r;
	work->ids[0] = source->id;
	while (source->recursive && (r = copy_level(work, source, space, target, mode, &done)) > 0)
		;
	work->copied = done;
	return r < 0 ? r : 0;
}

bool mnt_any_unbindable(struct mnt_work *work, u32 space, u32 top)
{
	struct fs_edit *edit = mnt_edit(work, space);

	for (u32 i = 0; i < edit->table->count; i++)
		if ((edit->table->mounts[i].flags & FS_UNBINDABLE) && fs_edit_is_below(edit, edit->table->mounts[i].id, top))
			return true;
	return false;
}

long mnt_settle(struct mnt_work *work, u32 space, u32 top)
{
	struct fs_edit *edit = mnt_edit(work, space);
	const struct fs_mount *m = fs_edit_mount(edit, top), *parent = m && m->parent ? fs_edit_mount(edit, m->parent) : NULL;

	if (!parent || !parent->peers)
		return 0;
	for (u32 i = 0; i < edit->table->count; i++) {
		struct fs_mount *each = &edit->table->mounts[i];

		if (!each->peers && fs_edit_is_below(edit, each->id, top))
			each->peers = fs_new_peers();
	}
	return mnt_propagate(work, space, top);
}

/* --- taking down ---------------------------------------------------------------------------------------------------------------------------- */

long mnt_take_down(struct mnt_work *work, u32 space, u32 id)
{
	struct fs_edit *edit = mnt_edit(work, space);
	u32 *ids = work->ids, count = 1;

	ids[0] = id;
	for (u32 k = 0; k < count; k++) /* parents before children */
		for (u32 i = 0; i < edit->table->count && count < FS_MOUNTS_MAX; i++)
			if (edit->table->mounts[i].parent == ids[k])
				ids[count++] = edit->table->mounts[i].id;
	while (count--) {
		mnt_propagate_removal(work, space, ids[count]);
		mnt_remove(work, space, ids[count]);
	}
	return 0;
}
