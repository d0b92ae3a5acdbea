/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of the caller's namespace (fs.h): which one a guest path lies on, and where a host path is.
 *
 * From path to mount as the kernel walks: from the anchor on, the mount that hangs on the current one at the shortest part of what is left is
 * crossed to, and so on. Where mounts lie on top of each other, each is the child of the one below, so the topmost is reached.
 *
 * Nothing is held while a table is read. Its copy's version says whether it was written to since; then the resolution begins anew (ELOOP).
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/fs_mounts.h"
#include "agent/view.h"

struct fs_space *fs_space_of(u32 space)
{
	struct fs_spaces *all = (struct fs_spaces *)(LAYOUT_COMMONS + commons()->spaces); /* NOLINT(performance-no-int-to-ptr) */

	return &all->space[space < FS_SPACES_MAX ? space : 0];
}

static bool is_at_or_below(const char *path, u64 length, const char *top, u64 top_length)
{
	return length >= top_length && !memcmp(path, top, top_length) && (length == top_length || path[top_length] == '/');
}

/* The copy to be read, and what its version must still be afterwards. */
static const struct fs_table *active_table(u32 space, u32 *ret_version)
{
	const struct fs_space *s = fs_space_of(space);

	for (;;) {
		const struct fs_table *t = &s->copy[__atomic_load_n(&s->active, __ATOMIC_ACQUIRE) & 1];

		*ret_version = __atomic_load_n(&t->version, __ATOMIC_ACQUIRE);
		if (!(*ret_version & 1))
			return t;
		(void)sys0(__NR_sched_yield);
	}
}

static bool is_unchanged(const struct fs_table *table, u32 version)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&table->version, __ATOMIC_RELAXED) == version;
}

bool fs_is_current(const struct fs_root *root)
{
	return is_unchanged(root->table, root->version);
}

static u32 count_of(const struct fs_table *table)
{
	return table->count < FS_MOUNTS_MAX ? table->count : FS_MOUNTS_MAX; /* whatever is read while it is written */
}

static const struct fs_mount *by_id(const struct fs_table *table, u32 id)
{
	for (u32 i = 0; i < count_of(table); i++)
		if (table->mounts[i].id == id)
			return &table->mounts[i];
	return NULL;
}

long fs_root_of(struct fs_root *root, u32 space, u32 mount, const char *below, u32 below_length)
{
	const struct fs_mount *m;

	root->space = space;
	root->table = active_table(space, &root->version);
	m = mount ? by_id(root->table, mount) : &root->table->mounts[0];
	if (!m)
		return fs_is_current(root) ? -ENOENT : -ELOOP; /* unmounted with the root directory in it */
	root->mount = m->id;
	root->target = m->target;
	root->target_length = m->target_length;
	root->below = below;
	root->below_length = below_length;
	root->hint = 0;
	if (!fs_is_current(root))
		return -ELOOP;
	return fs_root_length(root) < FS_PATH_MAX ? 0 : -ENAMETOOLONG;
}

long fs_root_get(struct fs_root *root)
{
	u32 word = view_word();
	const struct view *v = view_of(word);

	return fs_root_of(root, v->space, v->root_mount, v->root_length ? view_root(word) : "", v->root_length);
}

void fs_enter_root(struct fs_work *work)
{
	const struct fs_root *root = &work->root;

	memcpy(work->guest, root->table->text + root->target, root->target_length);
	memcpy(work->guest + root->target_length, root->below, root->below_length);
	work->guest[fs_root_length(root)] = 0;
	work->anchor = root->mount;
	work->anchor_from = fs_root_length(root) + 1;
}

/* Whether a path is the root directory's, as text. */
static bool is_root_text(const struct fs_root *root, const char *path, u64 length)
{
	return length == fs_root_length(root) && !memcmp(path, root->table->text + root->target, root->target_length) &&
	       !memcmp(path + root->target_length, root->below, root->below_length);
}

/* --- from a guest path ---------------------------------------------------------------------------------------------------------------------- */

/* What is mounted on m at the shortest part of path, where that has `from` bytes at least. */
static const struct fs_mount *crossed(const struct fs_table *table, const struct fs_mount *m, const char *path, u64 length,
				      u32 from)
{
	const struct fs_mount *best = NULL;

	for (u32 i = 0; i < count_of(table); i++) {
		const struct fs_mount *n = &table->mounts[i];

		if (n->parent == m->id && n->target_length >= from && (!best || n->target_length < best->target_length) &&
		    is_at_or_below(path, length, table->text + n->target, n->target_length))
			best = n;
	}
	return best;
}

/* What of a procfs changes the machine: nobody writes to it, wherever it is mounted. */
static bool is_machines(const char *below)
{
	static const char names[][16] = { "/sys", "/irq", "/bus", "/sysrq-trigger" };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (is_at_or_below(below, strlen(below), names[i], strlen(names[i])))
			return true;
	return false;
}

/* The mount that work->guest lies on; NULL: what it starts from is gone. */
static const struct fs_mount *lies_on(const struct fs_work *work)
{
	const struct fs_table *table = work->root.table;
	const struct fs_mount *m = by_id(table, work->anchor), *next = m;
	u64 length = strlen(work->guest);
	u32 from = work->anchor_from;

	for (u32 i = 0; next && i < FS_MOUNTS_MAX; i++, from = m->target_length) {
		m = next;
		next = crossed(table, m, work->guest, length, from > m->target_length ? from : m->target_length);
	}
	return m;
}

bool fs_path_is_read_only(struct fs_work *work, const char *path)
{
	const struct view *v = view_self();
	const struct fs_mount *m;
	u32 length;

	if (!v->root_mount && !v->space)
		return false; /* nobody has mounted anything for it */
	for (u32 i = 0; i < FS_ATTEMPTS_MOUNTS; i++) {
		if (fs_root_get(&work->root) < 0)
			continue;
		fs_enter_root(work);
		length = fs_root_length(&work->root);
		if (length + strlen(path) >= FS_PATH_MAX)
			return false;
		memcpy(work->guest + length, path, strlen(path) + 1);
		m = lies_on(work);
		if (m && (m->flags & FS_READ_ONLY) && fs_is_current(&work->root))
			return true;
		if (fs_is_current(&work->root))
			return false;
	}
	return true;
}

long fs_find_mount(struct fs_work *work)
{
	const struct fs_mount *m = lies_on(work);

	if (m)
		work->mount = *m;
	if (m && UNLIKELY(m->flags & FS_PROC) && is_machines(work->guest + m->target_length))
		work->mount.flags |= FS_READ_ONLY;
	if (m && UNLIKELY(m->flags & FS_EXPIRING)) {
		work->expired = m->id;
		(void)__atomic_and_fetch((u32 *)&m->flags, ~(u32)FS_EXPIRING, __ATOMIC_RELAXED);
	}
	if (!fs_is_current(&work->root))
		return -ELOOP;
	return m ? 0 : -ENOENT;
}

bool fs_mounts_below(const struct fs_work *work)
{
	u64 length = strlen(work->guest);

	for (u32 i = 0; i < count_of(work->root.table); i++) {
		const struct fs_mount *n = &work->root.table->mounts[i];

		if (n->parent == work->mount.id && n->target_length > length &&
		    is_at_or_below(work->root.table->text + n->target, n->target_length, work->guest, length))
			return true;
	}
	return false;
}

bool fs_at_root(const struct fs_work *work)
{
	return work->mount.id == work->root.mount && is_root_text(&work->root, work->guest, strlen(work->guest));
}

void fs_above(struct fs_work *work)
{
	const struct fs_mount *m = &work->mount;
	u64 length = strlen(work->guest);

	if (fs_at_root(work))
		return;
	for (u32 i = 0; m->target_length == length && i < FS_MOUNTS_MAX; i++) { /* the root of a mount: from where it is mounted */
		m = m->parent ? by_id(work->root.table, m->parent) : NULL;
		if (!m || (m->id == work->root.mount && is_root_text(&work->root, work->guest, length)))
			return;
	}
	while (length && work->guest[length - 1] != '/')
		length--;
	length = length ? length - 1 : 0;
	work->guest[length] = 0;
	work->anchor = m->id;
	work->anchor_from = (u32)length;
}

/* --- from a host path ---------------------------------------------------------------------------------------------------------------------- */

/*
 * Several mounts may show one host path: the hint's, if it is one of them; else what nothing is mounted over; what lies below the caller's root;
 * the one whose file system's root is nearest; the one that shows most of that; one that may be written.
 */

/* A mount, or a layer of it, that has a host path. */
struct candidate {
	const struct fs_mount *mount;
	u32 layer;
	const char *below;               /* what comes behind the mount's root: "" or "/…" */
	u64 below_length, source_length; /* the latter of the file system's root */
	bool covered, inside;
};

/* The byte at a position of the path in the namespace. */
static char at(const struct fs_table *table, const struct candidate *c, u64 i)
{
	return i < c->mount->target_length ? table->text[c->mount->target + i] : c->below[i - c->mount->target_length];
}

/* Whether something is mounted over it, or above it; but not on the root directory itself, which is not left for that. */
static bool is_covered(const struct fs_root *root, const struct candidate *c)
{
	const struct fs_table *table = root->table;

	for (u32 i = 0; i < count_of(table); i++) {
		const struct fs_mount *n = &table->mounts[i];
		u32 cut = c->mount->target_length;

		if (n->parent == c->mount->id && n->target_length >= cut &&
		    !(c->mount->id == root->mount && n->target_length == fs_root_length(root)) &&
		    is_at_or_below(c->below, c->below_length, table->text + n->target + cut, n->target_length - cut))
			return true;
	}
	return false;
}

/* Whether it lies at or below the root directory. */
static bool is_inside(const struct fs_root *root, const struct candidate *c)
{
	const struct fs_table *table = root->table;
	const struct fs_mount *m = c->mount;
	u64 length = m->target_length + c->below_length, root_length = fs_root_length(root);

	if (!root_length && root->mount == table->mounts[0].id)
		return true;
	if (length < root_length || (length > root_length && at(table, c, root_length) != '/'))
		return false;
	for (u64 i = 0; i < root_length; i++)
		if (at(table, c, i) !=
		    (i < root->target_length ? table->text[root->target + i] : root->below[i - root->target_length]))
			return false;
	for (u32 i = 0; m && i < FS_MOUNTS_MAX; i++) {
		if (m->id == root->mount)
			return true;
		if (m->target_length < root_length)
			return false; /* it goes on above the root directory */
		m = m->parent ? by_id(table, m->parent) : NULL;
	}
	return false;
}

static bool is_better(const struct candidate *a, const struct candidate *b, u32 hint)
{
	if (hint && (a->mount->id == hint) != (b->mount->id == hint))
		return a->mount->id == hint;
	if (a->covered != b->covered)
		return b->covered;
	if (a->inside != b->inside)
		return a->inside;
	if (a->source_length != b->source_length)
		return a->source_length > b->source_length;
	if (a->mount->root_length != b->mount->root_length)
		return a->mount->root_length < b->mount->root_length;
	return (b->mount->flags & ~a->mount->flags) & FS_READ_ONLY; /* of two with one source, one that may be written */
}

/* Looks for the best place of a host path. root: whose view. */
static bool find_place(const struct fs_root *root, const char *host, struct candidate *best)
{
	const struct fs_table *table = root->table;
	u64 length = host[1] ? strlen(host) : 0; /* "/" is the empty path */

	*best = (struct candidate){ .mount = NULL };
	for (u32 i = 0; i < count_of(table); i++) {
		const struct fs_mount *m = &table->mounts[i];
		struct fs_layer own = { .source = m->source, .source_length = (u16)(m->source_length - m->root_length) };

		for (u32 k = 0; k == 0 || k < m->layer_count; k++) {
			const struct fs_layer *l = m->layer_count ? &table->layers[(m->layer + k) % FS_LAYERS_MAX] : &own;
			struct candidate c = { .mount = m, .layer = k, .source_length = l->source_length };
			u64 cut = l->source_length + m->root_length;

			if (length < cut || memcmp(host, table->text + l->source, l->source_length) ||
			    memcmp(host + l->source_length, table->text + m->root, m->root_length) ||
			    (length > cut && host[cut] != '/'))
				continue;
			c.below = length ? host + cut : "";
			c.below_length = length - cut;
			c.covered = is_covered(root, &c);
			c.inside = is_inside(root, &c);
			if (!best->mount || is_better(&c, best, root->hint))
				*best = c;
		}
	}
	return best->mount;
}

long fs_place_in(const struct fs_root *root, const char *host, char *out, struct fs_place *ret)
{
	struct candidate c;
	u64 size;

	if (!find_place(root, host, &c))
		return fs_is_current(root) ? -ESRCH : -ELOOP;
	ret->mount = *c.mount;
	size = ret->mount.target_length + c.below_length;
	if (size + 1 >= FS_PATH_MAX)
		return fs_is_current(root) ? -ENAMETOOLONG : -ELOOP;
	ret->layer = c.layer;
	ret->inside = c.inside;
	memmove(out + ret->mount.target_length, c.below, c.below_length);
	memcpy(out, root->table->text + ret->mount.target, ret->mount.target_length);
	out[size] = 0;
	return fs_is_current(root) ? (long)size : -ELOOP;
}

long fs_guest_place(const char *host, u32 hint, char *out, struct fs_place *ret)
{
	struct fs_root root;
	u32 attempts = 0;
	long r;

	do {
		r = fs_root_get(&root);
		root.hint = hint;
		if (r == 0)
			r = fs_place_in(&root, host, out, ret);
	} while (r == -ELOOP && fs_once_more(&attempts));
	return r;
}

long fs_place_work(struct fs_work *work, const char *host)
{
	return fs_place_hinted(work, host, 0);
}

long fs_place_hinted(struct fs_work *work, const char *host, u32 hint)
{
	struct fs_place place;
	u32 attempts = 0;
	long r, inner;

	do {
		r = fs_root_get(&work->root);
		work->root.hint = hint;
		if (r == 0)
			r = fs_place_in(&work->root, host, work->guest, &place);
		if (r >= 0)
			work->mount = place.mount;
		inner = r >= 0 && place.mount.layer_count ? fs_set_inner(work) : 0;
	} while ((r == -ELOOP || inner == -ELOOP) && fs_once_more(&attempts));
	work->root.hint = 0;
	if (r < 0)
		return r;
	work->layer = place.layer;
	work->anchor = place.mount.id;
	work->anchor_from = (u32)r + 1;
	work->base = FS_NO_BASE;
	work->step = true;
	work->deep = false;
	return inner < 0 ? -ESRCH : r;
}

/* --- hints ---------------------------------------------------------------------------------------------------------------------------------- */

/* Only where something can be seen at several places. What a hint says of a number that has been closed and opened again since is of no use, but
 * does no harm: a hint counts where the host path lies on its mount. */
static bool wants_hints(void)
{
	return __atomic_load_n(&fs_space_of(view_self()->space)->bound, __ATOMIC_ACQUIRE);
}

u32 fs_hint(s32 fd)
{
	const struct fs_hints *hints = &private()->hints;

	if (fd == AT_FDCWD_)
		return hints->cwd;
	return fd >= 0 && hints->descriptor[(u32)fd % HINTS_MAX].fd == fd ? hints->descriptor[(u32)fd % HINTS_MAX].mount : 0;
}

bool fs_was_read_only(u32 mount_id, const char *host)
{
	const struct fs_spaces *all = fs_spaces();

	for (u32 i = 0; mount_id && i < FS_DETACHED_MAX; i++) {
		const struct fs_detached *row = &all->detached[i];

		if (__atomic_load_n(&row->id, __ATOMIC_ACQUIRE) == mount_id && row->source_length < FS_DETACHED_PATH &&
		    is_at_or_below(host, strlen(host), row->source, row->source_length))
			return __atomic_load_n(&row->id, __ATOMIC_ACQUIRE) == mount_id;
	}
	return false;
}

void fs_note(s32 fd, u32 mount_id)
{
	struct fs_hints *hints = &private()->hints;

	if (fd == AT_FDCWD_) {
		hints->cwd = mount_id;
	} else if (wants_hints() || mount_id == private()->hints.exe) {
		hints->descriptor[(u32)fd % HINTS_MAX].fd = fd;
		hints->descriptor[(u32)fd % HINTS_MAX].mount = mount_id;
	}
}

long fs_guest_path(const char *host, u32 hint, char *out, bool *ret_inside)
{
	struct fs_place place;
	struct fs_root root;
	u32 attempts = 0;
	long size;

	do {
		size = fs_root_get(&root);
		root.hint = hint;
		if (size == 0)
			size = fs_place_in(&root, host, out, &place);
	} while (size == -ELOOP && fs_once_more(&attempts));
	if (size < 0)
		return size;
	if (place.inside) {
		size -= fs_root_length(&root);
		memmove(out, out + fs_root_length(&root), (u64)size + 1);
	}
	if (ret_inside)
		*ret_inside = place.inside;
	if (size == 0) {
		memcpy(out, "/", 2);
		size = 1;
	}
	return size;
}

/* -ELOOP: once more. */
static long root_path(long view, char *out)
{
	const struct view *v = view_of(view < 0 ? 0 : (u32)view);
	struct candidate c = { .layer = 0 };
	struct fs_root root = { .table = NULL }, other = { .table = NULL };
	u64 cut;
	long r = view < 0 ? view : fs_root_get(&root);

	if (r == 0)
		r = v->space == root.space ? fs_root_of(&other, v->space, v->root_mount, view_root((u32)view), v->root_length)
					   : -EXDEV;
	if (r < 0)
		return r;
	c.mount = by_id(other.table, other.mount);
	c.below = other.below;
	c.below_length = other.below_length;
	cut = c.mount && is_inside(&root, &c) ? fs_root_length(&root) : 0;
	memcpy(out, other.table->text + other.target, other.target_length);
	memcpy(out + other.target_length, other.below, other.below_length);
	r = (long)(fs_root_length(&other) - cut);
	memmove(out, out + cut, (u64)r);
	if (!r)
		out[r++] = '/';
	out[r] = 0;
	return fs_is_current(&other) && fs_is_current(&root) ? r : -ELOOP;
}

long fs_root_path(long view, char *out)
{
	u32 attempts = 0;
	long r;

	do
		r = root_path(view, out);
	while (r == -ELOOP && fs_once_more(&attempts));
	return r;
}
