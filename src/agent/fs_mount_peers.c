/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Propagation: mount_namespaces(7), Documentation/filesystems/sharedsubtree.rst, fs/pnode.c of Linux 6.18.
 *
 * A group of peers is a number that rows of any namespaces have in common; a slave has the number of its master's group. What is hung on one of a group
 * is hung on all others that reach the place, as peers of each other; then on the slaves, as slaves of the new mounts; where slaves have peers
 * of their own, the copy on the first of them is what goes on to the others, and so on. A place is a path in the file system, which all of a group share.
 *
 * What is already mounted at that place of a receiver comes to lie on top of the copy.
 */
#include "agent/fs_mount.h"

#define DEPTH_MAX 32u /* of slaves of slaves */

/* --- who is there --------------------------------------------------------------------------------------------------------------------------- */

/* Rows of all namespaces, one after the other. */
struct each {
	u32 space, index;
};

/* The next row, as a copy; false at the end. */
static bool next_row(struct mnt_work *work, struct each *each, struct fs_mount *ret)
{
	for (; each->space < FS_SPACES_MAX; each->space++, each->index = 0) {
		const struct fs_table *table;

		if (fs_space_of(each->space)->state != FS_SPACE_READY)
			continue;
		table = mnt_table(work, each->space);
		if (each->index < table->count) {
			*ret = table->mounts[each->index++];
			return true;
		}
	}
	return false;
}

static bool any_peer(struct mnt_work *work, u32 group)
{
	struct each each = { 0, 0 };
	struct fs_mount m;

	while (next_row(work, &each, &m))
		if (m.peers == group)
			return true;
	return false;
}

/* A row to be changed. */
static struct fs_mount *row(struct mnt_work *work, u32 space, u32 id)
{
	return fs_edit_mount(mnt_edit(work, space), id);
}

/* Slaves of a group that is empty are those of its master. */
static void dissolve(struct mnt_work *work, u32 group, u32 master)
{
	struct each each = { 0, 0 };
	struct fs_mount m;

	if (!group || any_peer(work, group))
		return;
	while (next_row(work, &each, &m))
		if (m.master == group)
			row(work, each.space, m.id)->master = master;
}

void mnt_remove(struct mnt_work *work, u32 space, u32 id)
{
	struct fs_mount *m = row(work, space, id);
	u32 group = m ? m->peers : 0, master = m ? m->master : 0;

	fs_edit_remove(mnt_edit(work, space), id);
	dissolve(work, group, master);
}

/* --- change ------------------------------------------------------------------------------------------------------------------------------------ */

void mnt_change_type(struct mnt_work *work, u32 space, u32 id, u64 type)
{
	struct fs_mount *m = row(work, space, id);
	u32 group = m->peers, master = m->master;

	if (type == MS_SHARED_) {
		if (!group)
			m->peers = fs_new_peers();
		m->flags &= ~(u32)FS_UNBINDABLE;
		return;
	}
	m->peers = 0;
	if (group && any_peer(work, group))
		m->master = group;
	dissolve(work, group, master);
	if (type == MS_SLAVE_)
		return;
	m->master = 0;
	m->flags &= ~(u32)FS_UNBINDABLE;
	if (type == MS_UNBINDABLE_)
		m->flags |= FS_UNBINDABLE;
}

/* --- places ------------------------------------------------------------------------------------------------------------------------------------ */

/* work->spot becomes the path in its parent's file system at which a mount hangs. */
static void find_spot(struct mnt_work *work, const struct fs_table *table, const struct fs_mount *m, const struct fs_mount *parent)
{
	memcpy(work->spot, table->text + parent->root, parent->root_length);
	memcpy(work->spot + parent->root_length, table->text + m->target + parent->target_length,
	       m->target_length - parent->target_length + 1u);
}

/* Whether that lies on a mount of the group; work->at becomes where it is in its namespace. */
static bool reaches(struct mnt_work *work, u32 space, const struct fs_mount *m)
{
	const struct fs_table *table = mnt_table(work, space);
	const char *rest = work->spot + m->root_length;
	u64 length = strlen(work->spot);

	if (length < m->root_length || memcmp(work->spot, table->text + m->root, m->root_length) || (*rest && *rest != '/') ||
	    m->target_length + length - m->root_length >= FS_PATH_MAX)
		return false;
	memcpy(work->at, table->text + m->target, m->target_length);
	memcpy(work->at + m->target_length, rest, strlen(rest) + 1);
	return true;
}

/* --- hanging up ------------------------------------------------------------------------------------------------------------------------------------ */

/* What was mounted at the same place lies on top of what is new. */
static void put_beneath(struct mnt_work *work, u32 space, u32 parent, u32 id)
{
	struct fs_edit *edit = mnt_edit(work, space);
	const struct fs_mount *made = fs_edit_mount(edit, id), *top = made, *up;
	const char *target = fs_edit_text(edit, made->target);

	while ((up = mnt_child_at(edit->table, top->id, target)))
		top = up;
	for (u32 i = 0; i < edit->table->count; i++) {
		struct fs_mount *m = &edit->table->mounts[i];

		if (m->id != id && m->parent == parent && !strcmp(fs_edit_text(edit, m->target), target))
			m->parent = top->id;
	}
}

/* Hangs a copy of a tree on one receiver. Its id, 0: the place is not on it; negative errno. */
static long receive(struct mnt_work *work, const struct mnt_row *model, u32 space, const struct fs_mount *m, enum mnt_copy mode)
{
	struct mnt_source source = { .space = model->space, .id = model->id, .below = "", .recursive = true };
	char *target = work->path.rest; /* the path has been walked */
	u32 top;
	long r;

	if (!reaches(work, space, m))
		return 0;
	memcpy(target, work->at, strlen(work->at) + 1);
	work->first_id = UINT32_MAX; /* the model may have been made by this call */
	r = mnt_copy(work, &source, space, m->id, target, mode, &top);
	work->first_id = work->first_id_kept;
	if (r < 0)
		return r;
	put_beneath(work, space, m->id, top);
	return top;
}

static long to_group(struct mnt_work *work, struct mnt_row model, u32 group, u32 except, u32 depth);

/* A peer group of slaves: the first that is reached gets a slave of the model, and is the model of the others. */
static long to_slave_group(struct mnt_work *work, struct mnt_row model, u32 group, u32 depth)
{
	struct each each = { 0, 0 };
	struct fs_mount m;

	while (next_row(work, &each, &m)) {
		long r;

		if (m.peers != group || m.id >= work->first_id)
			continue;
		r = receive(work, &model, each.space, &m, MNT_COPY_SHARED_SLAVE);
		if (r < 0)
			return r;
		if (r > 0)
			return to_group(work, (struct mnt_row){ each.space, (u32)r }, group, m.id, depth);
	}
	return to_group(work, model, group, 0, depth);
}

/* Whether this is the first row that is a slave of `master` with these peers. */
static bool is_first(struct mnt_work *work, const struct fs_mount *m)
{
	struct each each = { 0, 0 };
	struct fs_mount other;

	while (next_row(work, &each, &other))
		if (other.master == m->master && other.peers == m->peers)
			return other.id == m->id;
	return false;
}

/* To all of a group but one, and to its slaves. */
static long to_group(struct mnt_work *work, struct mnt_row model, u32 group, u32 except, u32 depth)
{
	struct each each = { 0, 0 };
	struct fs_mount m;
	long r = 0;

	if (depth == DEPTH_MAX)
		return -ENOSPC;
	while (r >= 0 && next_row(work, &each, &m))
		if (m.peers == group && m.id != except && m.id < work->first_id)
			r = receive(work, &model, each.space, &m, MNT_COPY);
	each = (struct each){ 0, 0 };
	while (r >= 0 && next_row(work, &each, &m)) {
		if (m.master != group || m.id >= work->first_id)
			continue;
		if (!m.peers)
			r = receive(work, &model, each.space, &m, MNT_COPY_SLAVE);
		else if (is_first(work, &m))
			r = to_slave_group(work, model, m.peers, depth + 1);
	}
	return r < 0 ? r : 0;
}

long mnt_propagate(struct mnt_work *work, u32 space, u32 top)
{
	const struct fs_table *table = mnt_table(work, space);
	const struct fs_mount *m = mnt_find(table, top), *parent = mnt_find(table, m->parent);

	find_spot(work, table, m, parent);
	return to_group(work, (struct mnt_row){ space, top }, parent->peers, parent->id, 0);
}

/* --- taking down ------------------------------------------------------------------------------------------------------------------------------------ */

/* Removes what hangs at the place on one of a group, unless something hangs on it elsewhere than on its root. Returns its index + 1, 0: nothing. */
static u32 remove_at(struct mnt_work *work, u32 space, const struct fs_mount *on)
{
	const struct fs_mount *child;
	struct fs_edit *edit;
	u32 index;

	if (!reaches(work, space, on) || !mnt_child_at(mnt_table(work, space), on->id, work->at))
		return 0;
	edit = mnt_edit(work, space);
	child = mnt_child_at(edit->table, on->id, work->at);
	for (u32 i = 0; i < edit->table->count; i++) {
		const struct fs_mount *m = &edit->table->mounts[i];

		if (m->parent == child->id && strcmp(fs_edit_text(edit, m->target), work->at) != 0)
			return 0;
	}
	for (u32 i = 0; i < edit->table->count; i++)
		if (edit->table->mounts[i].parent == child->id)
			edit->table->mounts[i].parent = on->id;
	index = (u32)(child - edit->table->mounts);
	mnt_remove(work, space, child->id);
	return index + 1;
}

static void from_group(struct mnt_work *work, u32 group, u32 except, u32 depth)
{
	struct each each = { 0, 0 };
	struct fs_mount m;
	u32 removed;

	while (depth < DEPTH_MAX && next_row(work, &each, &m)) {
		if (m.id == except || (m.peers != group && m.master != group))
			continue;
		removed = remove_at(work, each.space, &m);
		if (removed && removed <= each.index)
			each.index--; /* those behind it have moved up */
		if (m.peers && m.peers != group && is_first(work, &m))
			from_group(work, m.peers, 0, depth + 1);
	}
}

void mnt_propagate_removal(struct mnt_work *work, u32 space, u32 id)
{
	const struct fs_table *table = mnt_table(work, space);
	const struct fs_mount *m = mnt_find(table, id), *parent = m && m->parent ? mnt_find(table, m->parent) : NULL;

	if (!parent || !parent->peers)
		return;
	find_spot(work, table, m, parent);
	from_group(work, parent->peers, parent->id, 0);
}

static bool held_in_group(struct mnt_work *work, u32 group, u32 except, u32 depth)
{
	struct each each = { 0, 0 };
	struct fs_mount m;

	while (depth < DEPTH_MAX && next_row(work, &each, &m)) {
		const struct fs_mount *child;

		if (m.id == except || (m.peers != group && m.master != group))
			continue;
		child = reaches(work, each.space, &m) ? mnt_child_at(mnt_table(work, each.space), m.id, work->at) : NULL;
		if (child && mnt_has_children(mnt_table(work, each.space), child->id) &&
		    !mnt_child_at(mnt_table(work, each.space), child->id, work->at))
			return true;
		if (m.peers && m.peers != group && is_first(work, &m) && held_in_group(work, m.peers, 0, depth + 1))
			return true;
	}
	return false;
}

bool mnt_is_held(struct mnt_work *work, u32 space, u32 id)
{
	const struct fs_table *table = mnt_table(work, space);
	const struct fs_mount *m = mnt_find(table, id), *parent = m && m->parent ? mnt_find(table, m->parent) : NULL;

	if (mnt_has_children(table, id))
		return true;
	if (!parent || !parent->peers)
		return false;
	find_spot(work, table, m, parent);
	return held_in_group(work, parent->peers, parent->id, 0);
}
