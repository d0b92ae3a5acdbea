/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of mount namespaces (fs_mounts.h): the copy that nobody reads is written, then becomes the one that is read. */
#include "agent/fs_mounts.h"
#include "agent/view.h"

static struct lock *spaces_lock(void)
{
	return (struct lock *)&fs_spaces()->lock;
}

long fs_mounts_lock(void)
{
	if (member_self() < 0)
		return -ENOSPC;
	(void)!lock_take(spaces_lock()); /* what its former owner has not published was never there */
	return 0;
}

void fs_mounts_unlock(void)
{
	lock_release(spaces_lock());
}

/* --- text ----------------------------------------------------------------------------------------------------------------------------------- */

static long put(struct fs_table *to, const char *text, u64 length)
{
	u32 at = to->used;

	if (!length)
		return 0;
	if (at + length + 1 > FS_TEXT_SIZE)
		return -ENOSPC;
	memcpy(to->text + at, text, length);
	to->text[at + length] = 0;
	to->used = at + (u32)length + 1;
	return at;
}

long fs_edit_put(const struct fs_edit *edit, const char *text, u64 length)
{
	return put(edit->table, text, length);
}

/* Moves a string of another table over. False: no room. */
static bool carry(struct fs_table *to, const struct fs_table *from, u32 *at)
{
	long r = put(to, from->text + *at, strlen(from->text + *at));

	*at = (u32)(r < 0 ? 0 : r);
	return r >= 0;
}

static bool carry_layers(struct fs_table *to, const struct fs_table *from, struct fs_mount *m)
{
	u32 first = to->layer_count;

	if (first + m->layer_count > FS_LAYERS_MAX)
		return false;
	for (u32 k = 0; k < m->layer_count; k++) {
		struct fs_layer l = from->layers[m->layer + k];

		if (!carry(to, from, &l.source))
			return false;
		to->layers[to->layer_count++] = l;
	}
	m->layer = (u16)first;
	return true;
}

/* All that a row names, from another table into this one. */
static bool carry_row(struct fs_table *to, const struct fs_table *from, struct fs_mount *m)
{
	if (!carry(to, from, &m->source) || !carry(to, from, &m->target) || !carry(to, from, &m->work) ||
	    !carry(to, from, &m->type) || !carry(to, from, &m->from) || !carry(to, from, &m->options) ||
	    !carry(to, from, &m->upper_given) || !carry(to, from, &m->work_given) || !carry(to, from, &m->lower_given) ||
	    !carry_layers(to, from, m))
		return false;
	m->root = m->root_length ? m->source + m->source_length - m->root_length : 0;
	return true;
}

/* --- editing -------------------------------------------------------------------------------------------------------------------------------- */

static void clear(struct fs_table *table)
{
	table->count = table->layer_count = 0;
	table->text[0] = 0;
	table->used = 1;
}

void fs_edit_begin(struct fs_edit *edit, u32 space)
{
	struct fs_space *s = fs_space_of(space);
	const struct fs_table *from = &s->copy[s->active & 1];
	struct fs_table *to = &s->copy[(s->active & 1) ^ 1];

	__atomic_store_n(&to->version, to->version | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	clear(to);
	for (u32 i = 0; i < from->count; i++) {
		to->mounts[i] = from->mounts[i];
		if (!carry_row(to, from, &to->mounts[i]))
			break; /* it had room for this before */
		to->count++;
	}
	edit->space = space;
	edit->table = to;
}

void fs_edit_publish(struct fs_edit *edit)
{
	struct fs_space *s = fs_space_of(edit->space);
	u32 bound = 0;

	for (u32 i = 0; i < edit->table->count; i++)
		bound |= edit->table->mounts[i].flags & FS_BOUND;
	__atomic_store_n(&s->bound, bound, __ATOMIC_RELEASE);
	__atomic_store_n(&edit->table->version, edit->table->version + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&s->active, edit->table == &s->copy[1], __ATOMIC_RELEASE);
	(void)__atomic_add_fetch(&s->events, 1, __ATOMIC_ACQ_REL);
	edit->table = NULL;
}

struct fs_mount *fs_edit_mount(const struct fs_edit *edit, u32 id)
{
	for (u32 i = 0; i < edit->table->count; i++)
		if (edit->table->mounts[i].id == id)
			return &edit->table->mounts[i];
	return NULL;
}

static u32 new_id(u32 *next)
{
	return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
}

u32 fs_new_peers(void)
{
	return new_id(&fs_spaces()->next_peers);
}

u32 fs_new_device(void)
{
	return new_id(&fs_spaces()->next_device);
}

/* --- one more mount ------------------------------------------------------------------------------------------------------------------------- */

/* What another mount says of its file system, with a path below its root. */
static long fill_like(struct fs_table *to, struct fs_mount *m, const struct fs_new_mount *spec, const struct fs_table *other)
{
	const struct fs_mount *like = NULL;
	u64 length;
	long at;

	for (u32 i = 0; i < other->count; i++)
		if (other->mounts[i].id == spec->like)
			like = &other->mounts[i];
	if (!like)
		return -ENOENT;
	length = like->source_length + spec->below_length;
	if (to->used + length + 1 > FS_TEXT_SIZE || length > UINT16_MAX)
		return -ENOSPC;
	*m = *like;
	m->flags = like->flags & (FS_PROC | FS_CGROUP | FS_FILE | FS_NSFS | FS_SUPER_READ_ONLY | FS_FILTERED);
	if (spec->below_length)
		m->flags &= ~(u32)FS_FILE;
	if (!carry(to, other, &m->work) || !carry(to, other, &m->type) || !carry(to, other, &m->from) ||
	    !carry(to, other, &m->options) || !carry(to, other, &m->upper_given) || !carry(to, other, &m->work_given) ||
	    !carry(to, other, &m->lower_given) || !carry_layers(to, other, m) || to->used + length + 1 > FS_TEXT_SIZE)
		return -ENOSPC;
	at = to->used;
	memcpy(to->text + at, other->text + like->source, like->source_length);
	memcpy(to->text + at + like->source_length, spec->below, spec->below_length);
	to->text[at + (long)length] = 0;
	to->used += (u32)length + 1;
	m->source = (u32)at;
	m->source_length = (u16)length;
	m->root_length = (u16)(like->root_length + spec->below_length);
	m->root = m->root_length ? m->source + m->source_length - m->root_length : 0;
	m->flags |= FS_BOUND;
	return 0;
}

static bool put_into(struct fs_table *to, u32 *ret, const char *text)
{
	long at = text ? put(to, text, strlen(text)) : 0;

	*ret = (u32)(at < 0 ? 0 : at);
	return at >= 0;
}

/* A file system of its own. */
static long fill_new(struct fs_table *to, struct fs_mount *m, const struct fs_new_mount *spec)
{
	*m = (struct fs_mount){ .device = spec->device,
				.source_length = (u16)spec->source_length,
				.layer = (u16)to->layer_count,
				.layer_count = (u16)spec->layer_count };
	if (to->layer_count + spec->layer_count > FS_LAYERS_MAX)
		return -ENOSPC;
	for (u32 k = 0; k < spec->layer_count; k++) {
		struct fs_layer *l = &to->layers[to->layer_count++];

		l->source_length = (u16)strlen(spec->layers[k]);
		if (!put_into(to, &l->source, spec->layers[k]))
			return -ENOSPC;
	}
	if (!put_into(to, &m->source, spec->source) || !put_into(to, &m->type, spec->type) || !put_into(to, &m->from, spec->from) ||
	    !put_into(to, &m->options, spec->options) || !put_into(to, &m->work, spec->work))
		return -ENOSPC;
	if (spec->layer_count)
		__atomic_store_n(&commons()->fs.layered, 1, __ATOMIC_RELEASE);
	return 0;
}

static long add(struct fs_table *to, const struct fs_new_mount *spec, const struct fs_table *other)
{
	struct fs_mount *m = &to->mounts[to->count];
	u32 used = to->used, layers = to->layer_count;
	long r, at;

	if (to->count == FS_MOUNTS_MAX)
		return -ENOSPC;
	r = spec->like ? fill_like(to, m, spec, other) : fill_new(to, m, spec);
	at = r < 0 ? r : put(to, spec->target, spec->target_length);
	if (at < 0) {
		to->used = used;
		to->layer_count = layers;
		return at;
	}
	m->target = (u32)at;
	m->target_length = (u16)spec->target_length;
	m->flags |= spec->flags;
	m->parent = spec->parent;
	m->peers = spec->peers;
	m->master = spec->master;
	m->id = new_id(&fs_spaces()->next_id);
	to->count++;
	return m->id;
}

long fs_edit_add(const struct fs_edit *edit, const struct fs_new_mount *mount)
{
	return add(edit->table, mount, edit->table);
}

long fs_edit_add_from(const struct fs_edit *edit, const struct fs_new_mount *mount, const struct fs_table *other)
{
	return add(edit->table, mount, other);
}

static void remember_detached(const struct fs_table *table, const struct fs_mount *m)
{
	struct fs_spaces *all = fs_spaces();
	struct fs_detached *row = &all->detached[all->detached_count % FS_DETACHED_MAX];

	if (!(m->flags & FS_READ_ONLY) || m->source_length >= FS_DETACHED_PATH)
		return;
	__atomic_store_n(&row->id, 0, __ATOMIC_SEQ_CST);
	memcpy(row->source, table->text + m->source, m->source_length);
	row->source_length = m->source_length;
	__atomic_store_n(&row->id, m->id, __ATOMIC_RELEASE);
	all->detached_count++;
}

void fs_edit_remove(const struct fs_edit *edit, u32 id)
{
	struct fs_mount *m = fs_edit_mount(edit, id);
	struct fs_table *table = edit->table;

	if (!m)
		return;
	remember_detached(table, m);
	table->count--;
	memmove(m, m + 1, (u64)(table->mounts + table->count - m) * sizeof(*m));
}

bool fs_edit_is_below(const struct fs_edit *edit, u32 id, u32 top)
{
	for (u32 i = 0; id && i < FS_MOUNTS_MAX; i++) {
		const struct fs_mount *m = fs_edit_mount(edit, id);

		if (id == top)
			return true;
		id = m ? m->parent : 0;
	}
	return false;
}

/* --- moving --------------------------------------------------------------------------------------------------------------------------------- */

long fs_edit_move(const struct fs_edit *edit, u32 id, u32 parent, const char *target, u64 target_length)
{
	struct fs_mount *top = fs_edit_mount(edit, id);
	struct fs_table *table = edit->table;
	u32 cut = top ? top->target_length : 0;

	if (!top)
		return -ENOENT;
	for (u32 i = 0; i < table->count; i++) {
		struct fs_mount *m = &table->mounts[i];
		u64 rest = (u64)m->target_length - cut, length = target_length + rest;
		u32 at = table->used;

		if (!fs_edit_is_below(edit, m->id, id))
			continue;
		if (length >= FS_PATH_MAX)
			return -ENAMETOOLONG;
		if (at + length + 1 > FS_TEXT_SIZE)
			return -ENOSPC;
		memcpy(table->text + at, target, target_length);
		memcpy(table->text + at + target_length, table->text + m->target + cut, rest + 1);
		table->used += (u32)length + 1;
		m->target = at;
		m->target_length = (u16)length;
	}
	top->parent = parent;
	return 0;
}

/* --- namespaces ----------------------------------------------------------------------------------------------------------------------------- */

static bool is_in_space(const struct view *view, u32 space)
{
	return view->space == space;
}

static bool is_pinned(u32 space)
{
	return (commons()->emulated & (1u << GAP_namespaces)) && ns_is_pinned(0x20000 /* CLONE_NEWNS */, fs_space_of(space)->inode);
}

bool fs_is_mounted(const char *host)
{
	u64 length = strlen(host);

	for (u32 i = 0; i < FS_SPACES_MAX; i++) {
		const struct fs_space *s = fs_space_of(i);
		const struct fs_table *table = &s->copy[__atomic_load_n(&s->active, __ATOMIC_ACQUIRE) & 1];

		for (u32 k = 0; s->state == FS_SPACE_READY && k < table->count && k < FS_MOUNTS_MAX; k++)
			if ((table->mounts[k].flags & FS_NSFS) && table->mounts[k].source_length == length &&
			    !memcmp(table->text + table->mounts[k].source, host, length))
				return true;
	}
	return false;
}

/* A namespace that nobody has: its number, or -ENOSPC. */
static long take_space(void)
{
	for (u32 i = 1; i < FS_SPACES_MAX; i++)
		if (fs_space_of(i)->state == FS_SPACE_FREE)
			return i;
	for (u32 i = 1; i < FS_SPACES_MAX; i++)
		if (!fs_space_of(i)->tree && !view_holds(is_in_space, i) && !is_pinned(i))
			return i;
	return -ENOSPC;
}

long fs_space_tree(void)
{
	long number = take_space();
	struct fs_space *s = fs_space_of(number < 0 ? 0 : (u32)number);
	struct fs_edit edit;

	if (number < 0)
		return number;
	s->state = FS_SPACE_MAKING;
	s->moved_space = s->moved_id = 0;
	s->tree = 1;
	s->inode = 0;
	clear(&s->copy[s->active & 1]);
	fs_edit_begin(&edit, (u32)number);
	fs_edit_publish(&edit);
	__atomic_store_n(&s->state, FS_SPACE_READY, __ATOMIC_RELEASE);
	return number;
}

long fs_space_copy(u32 space, u32 *ids, u32 count)
{
	const struct fs_space *old = fs_space_of(space);
	const struct fs_table *from = &old->copy[old->active & 1];
	long number = take_space();
	struct fs_space *s = fs_space_of(number < 0 ? 0 : (u32)number);
	struct fs_edit edit;

	if (number < 0)
		return number;
	s->state = FS_SPACE_MAKING;
	s->tree = 0;
	clear(&s->copy[s->active & 1]);
	fs_edit_begin(&edit, (u32)number);
	for (u32 i = 0; i < from->count; i++) {
		struct fs_mount *m = &edit.table->mounts[i];

		*m = from->mounts[i];
		if (!carry_row(edit.table, from, m))
			return -ENOSPC; /* cannot be: it had room for it */
		m->id = new_id(&fs_spaces()->next_id);
		edit.table->count++;
	}
	for (u32 i = 0; i < from->count; i++) {
		struct fs_mount *m = &edit.table->mounts[i];

		for (u32 k = 0; k < from->count; k++)
			if (m->parent && from->mounts[k].id == from->mounts[i].parent)
				m->parent = edit.table->mounts[k].id;
		for (u32 k = 0; k < count; k++)
			if (ids[k] == from->mounts[i].id)
				ids[k] = m->id;
	}
	s->inode = new_id(&fs_spaces()->next_inode);
	s->events = 0;
	fs_edit_publish(&edit);
	__atomic_store_n(&s->state, FS_SPACE_READY, __ATOMIC_RELEASE);
	return number;
}
