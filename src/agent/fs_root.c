/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root directory of tasks, and their mount namespaces: chroot(2), pivot_root(2), and what unshare(2) and clone(2) do for CLONE_NEWNS. All of
 * it changes views (view.h) and tables (fs_mounts.h); the host's root directory stays what it is. What asks for privilege asks gap identity, or
 * where that is not filled, whether the caller is root.
 *
 * Limits: docs/limits.md, "A root directory of its own".
 */
#include "agent/fs_layers.h"
#include "agent/fs_mounts.h"
#include "agent/vfs_int.h"
#include "agent/view.h"

static struct fs_work *scratch(void)
{
	return (struct fs_work *)(void *)slot_current()->scratch;
}

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

bool fs_may_chroot(void)
{
	struct agent_creds creds;

	agent_creds_get(&creds);
	return identity_on() ? creds.cap_sys_chroot : creds.euid == 0;
}

bool fs_may_mount(void)
{
	struct agent_creds creds;

	agent_creds_get(&creds);
	return identity_on() ? creds.cap_sys_admin : creds.euid == 0;
}

/* --- where a path is -------------------------------------------------------------------------------------------------------------------- */

/* Finds a directory: an O_PATH descriptor, with its place in work->guest and work->mount. fs_object_done() ends it. */
static long find_directory(struct fs_work *work, u64 path)
{
	long fd = fs_object(work, AT_FDCWD_, path, FS_FOLLOW | FS_DIRECTORY), n;
	char link[AGENT_FD_LINK_SIZE];

	if (fd < 0 || (!work->magic && !work->deep))
		return fd;
	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	if (n > 0) {
		work->check[n] = 0;
		n = fs_place_work(work, work->check);
	}
	if (n < 0) { /* removed, or of a file system that is not mounted here any more */
		fs_object_done(fd, AT_FDCWD_);
		return n == -ESRCH ? -ENOENT : n;
	}
	return fd;
}

/* --- chroot ------------------------------------------------------------------------------------------------------------------------------- */

static bool is_own_root(const struct fs_work *work)
{
	return !work->mount.parent && strlen(work->guest) == work->mount.target_length;
}

enum verdict fs_chroot(struct call *call)
{
	struct fs_work *work = scratch();
	struct view_spec spec;
	long fd = find_directory(work, call->arg[0]), r;

	if (fd < 0)
		return done(call, fd);
	r = identity_on() ? identity_may((s32)fd, 1, false) : fs_may((s32)fd, 1);
	fs_object_done(fd, AT_FDCWD_);
	if (r == 0 && !fs_may_chroot())
		r = -EPERM;
	if (r < 0)
		return done(call, r);
	spec = view_spec_of(view_word());
	spec.root_mount = is_own_root(work) ? 0 : work->mount.id;
	spec.root = work->guest + work->mount.target_length;
	spec.root_length = (u32)strlen(spec.root);
	return done(call, view_set(&spec, VIEW_SHARED));
}

/* --- pivot_root ----------------------------------------------------------------------------------------------------------------------------- */

/* A place, by what does not change while others change the namespace. */
struct spot {
	u32 mount;   /* id */
	u32 length;  /* of the path below its root */
	char *below; /* "" or "/…" */
};

static void spot_of(const struct fs_work *work, char *room, struct spot *ret)
{
	*ret = (struct spot){ .mount = work->mount.id,
			      .below = room,
			      .length = (u32)strlen(work->guest) - work->mount.target_length };
	memcpy(room, work->guest + work->mount.target_length, ret->length + 1);
}

/* Follows what is mounted on a spot to the top. */
static void follow_up(const struct fs_edit *edit, struct spot *spot)
{
	for (u32 i = 0; i < edit->table->count; i++) {
		const struct fs_mount *n = &edit->table->mounts[i], *m = fs_edit_mount(edit, spot->mount);

		if (!m || n->parent != spot->mount || n->target_length != m->target_length + spot->length ||
		    memcmp(fs_edit_text(edit, n->target) + m->target_length, spot->below, spot->length) != 0)
			continue;
		*spot = (struct spot){ .mount = n->id, .below = spot->below };
		spot->below[0] = 0;
		i = (u32)-1;
	}
}

/* Whether a spot lies at or below the root of a mount. */
static bool is_reachable(const struct fs_edit *edit, const struct spot *spot, u32 mount)
{
	return fs_edit_is_below(edit, spot->mount, mount);
}

/* Whether a mount hangs on a directory at or below the root directory. */
static bool is_below_root(const struct fs_edit *edit, u32 id, u32 root_mount)
{
	return fs_edit_is_below(edit, id, root_mount);
}

/* fs/namespace.c, SYSCALL_DEFINE2(pivot_root): may the root mount go to `old`, and `new` to its place? */
static long may_pivot(const struct fs_edit *edit, const struct spot *new, const struct spot *old, const struct spot *root)
{
	const struct fs_mount *new_mount = fs_edit_mount(edit, new->mount), *old_mount = fs_edit_mount(edit, old->mount),
			      *root_mount = fs_edit_mount(edit, root->mount), *ex_parent, *root_parent;

	if (!new_mount || !old_mount || !root_mount)
		return -EINVAL;
	ex_parent = fs_edit_mount(edit, new_mount->parent);
	root_parent = fs_edit_mount(edit, root_mount->parent);
	if (old_mount->peers || (ex_parent && ex_parent->peers) || (root_parent && root_parent->peers))
		return -EINVAL;
	if (new_mount->flags & FS_LOCKED)
		return -EINVAL;
	if (new_mount == root_mount || old_mount == root_mount)
		return -EBUSY;
	if (root->length || new->length || !new_mount->parent)
		return -EINVAL; /* no mount points */
	return is_reachable(edit, old, new->mount) && is_below_root(edit, new->mount, root->mount) ? 0 : -EINVAL;
}

/* The new root comes first in the table. */
static void put_first(const struct fs_edit *edit, u32 id)
{
	struct fs_mount *m = fs_edit_mount(edit, id), row = *m;

	memmove(edit->table->mounts + 1, edit->table->mounts, (u64)(m - edit->table->mounts) * sizeof(row));
	edit->table->mounts[0] = row;
}

/* room: FS_PATH_MAX bytes. */
static long pivot(const struct fs_edit *edit, const struct spot *new, const struct spot *old, u32 root, char *room)
{
	const struct fs_mount *root_mount = fs_edit_mount(edit, root), *new_mount = fs_edit_mount(edit, new->mount),
			      *old_mount = fs_edit_mount(edit, old->mount);
	u32 parent = root_mount->parent, length = root_mount->target_length,
	    rest = old_mount->target_length - new_mount->target_length;
	long r;

	/* where the old root comes to be: behind the place of the new one */
	if (length + rest + old->length >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(room, fs_edit_text(edit, root_mount->target), length);
	memcpy(room + length, fs_edit_text(edit, old_mount->target) + new_mount->target_length, rest);
	memcpy(room + length + rest, old->below, old->length);
	r = fs_edit_move(edit, new->mount, parent, room, length);
	if (r == 0)
		r = fs_edit_move(edit, root, old->mount, room, length + rest + old->length);
	if (r == 0 && !parent)
		put_first(edit, new->mount);
	return r;
}

/* Under the lock. work: the spots' texts, in rest and check; host is free. */
static long pivot_locked(struct fs_work *work, struct spot *new, struct spot *old)
{
	struct view_spec spec = view_spec_of(view_word());
	struct spot root = { .mount = spec.root_mount, .length = spec.root_length };
	struct fs_edit edit;
	long r;

	fs_edit_begin(&edit, spec.space);
	if (!root.mount)
		root.mount = edit.table->mounts[0].id;
	follow_up(&edit, old);
	r = may_pivot(&edit, new, old, &root);
	if (r == 0)
		r = pivot(&edit, new, old, root.mount, work->host);
	if (r < 0)
		return r;
	fs_edit_publish(&edit);
	if (!spec.root_mount)
		return 0; /* it follows its namespace */
	spec.root_mount = new->mount;
	spec.root = "";
	spec.root_length = 0;
	return view_set(&spec, VIEW_SHARED);
}

/* Whether the working directory is the root directory. */
static bool stands_at_root(struct fs_work *work)
{
	long n = sys2(__NR_getcwd, work->check, FS_HOST_MAX);
	bool inside;

	return n > 0 && fs_guest_path(work->check, fs_hint(AT_FDCWD_), work->guest, &inside) == 1 && inside;
}

enum verdict fs_pivot_root(struct call *call)
{
	struct fs_work *work = scratch();
	struct spot new, old;
	u64 room = ALIGN_UP(2 * FS_PATH_MAX, LAYOUT_PAGE);
	bool at_root;
	char *texts;
	long fd, other, r;

	if (!fs_may_mount())
		return done(call, -EPERM);
	at_root = stands_at_root(work);
	fd = find_directory(work, call->arg[0]);
	if (fd < 0)
		return done(call, fd);
	r = sys6(__NR_mmap, 0, room, 3, 0x22, (u64)-1, 0);
	if (r < 0) {
		fs_object_done(fd, AT_FDCWD_);
		return done(call, r);
	}
	texts = (char *)r; /* NOLINT(performance-no-int-to-ptr) */
	spot_of(work, texts, &new);
	other = find_directory(work, call->arg[1]);
	r = other < 0 ? other : 0;
	if (r == 0) {
		spot_of(work, texts + FS_PATH_MAX, &old);
		fs_object_done(other, AT_FDCWD_);
		r = fs_mounts_lock();
	}
	if (r == 0) {
		r = pivot_locked(work, &new, &old);
		fs_mounts_unlock();
	}
	if (r == 0 && at_root) {
		(void)sys1(__NR_fchdir, fd);
		fs_note(AT_FDCWD_, new.mount);
	}
	fs_object_done(fd, AT_FDCWD_);
	(void)sys2(__NR_munmap, texts, room);
	return done(call, r);
}

/* --- namespaces ----------------------------------------------------------------------------------------------------------------------------- */

long fs_new_space(struct view_spec *spec, struct fs_hints *hints)
{
	u32 ids[2 + HINTS_MAX] = { spec->root_mount, hints->cwd };
	long space = fs_mounts_lock(), row;

	if (space < 0)
		return space;
	for (u32 k = 0; k < HINTS_MAX; k++)
		ids[2 + k] = hints->descriptor[k].mount;
	space = fs_space_copy(spec->space, ids, ARRAY_SIZE(ids));
	if (space > 0) {
		spec->space = (u32)space;
		spec->root_mount = ids[0];
		hints->cwd = ids[1];
		for (u32 k = 0; k < HINTS_MAX; k++)
			hints->descriptor[k].mount = ids[2 + k];
		row = view_word_of(spec); /* from now on it is somebody's */
		if (row < 0)
			space = row;
	}
	fs_mounts_unlock();
	return space < 0 ? space : 0;
}

long fs_join_space(struct view_spec *spec, u32 inode)
{
	long r = fs_mounts_lock(), fd;

	if (r < 0)
		return r;
	for (r = 0; r < (long)FS_SPACES_MAX; r++)
		if (fs_space_of((u32)r)->state == FS_SPACE_READY && fs_space_of((u32)r)->inode == inode)
			break;
	spec->space = (u32)r;
	spec->root_mount = spec->root_length = 0;
	r = spec->space < FS_SPACES_MAX ? view_set(spec, VIEW_OWN) : -EINVAL;
	fs_mounts_unlock();
	if (r < 0)
		return r;
	(void)sys1(__NR_unshare, 0x200 /* CLONE_FS */);
	fd = fs_object(scratch(), AT_FDCWD_, (u64) "/", FS_FOLLOW | FS_DIRECTORY);
	if (fd < 0)
		return fd;
	r = sys1(__NR_fchdir, fd);
	fs_note(AT_FDCWD_, scratch()->mount.id);
	fs_object_done(fd, AT_FDCWD_);
	return r;
}

/* --- virtual files ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_mounted_at(const struct fs_root *root, const struct fs_mount *m, const char *path, u32 length)
{
	const char *target = root->table->text + m->target;

	return m->target_length == fs_root_length(root) + length && !memcmp(target + fs_root_length(root), path, length) &&
	       !memcmp(target, root->table->text + root->target, root->target_length) &&
	       !memcmp(target + root->target_length, root->below, root->below_length);
}

/* Something else lies on it, as runtimes mask /proc/keys. */
static bool is_covered(const struct fs_root *root, const char *path, u32 length)
{
	for (u32 i = 0; i < root->table->count && i < FS_MOUNTS_MAX; i++)
		if (!(root->table->mounts[i].flags & FS_PROC) && is_mounted_at(root, &root->table->mounts[i], path, length))
			return true;
	return false;
}

/* 1: it is, 0: it is not; -ELOOP: once more. */
static long is_usual(const char *path)
{
	u32 length = 1, whole = (u32)strlen(path);
	const struct view *v = view_self();
	struct fs_root root;
	long r = fs_root_get(&root);
	bool is = !v->root_mount;

	if (r < 0)
		return r == -ELOOP ? r : 0;
	while (path[length] && path[length] != '/')
		length++;
	is = is && length == 4; /* "/dev" of the tree itself */
	for (u32 i = 0; i < root.table->count && i < FS_MOUNTS_MAX; i++) {
		const struct fs_mount *m = &root.table->mounts[i];

		if (!is_mounted_at(&root, m, path, length))
			continue;
		is = length == 5 ? m->flags & FS_PROC : !m->device; /* "/proc"; "/dev", but not one that the guest mounted */
		break;
	}
	if (is && length == 5 && whole > length && is_covered(&root, path, whole))
		is = false;
	return fs_is_current(&root) ? is : -ELOOP;
}

bool fs_is_usual(const char *path)
{
	const struct view *v = view_self();
	u32 attempts = 0;
	long r = -ELOOP;

	if (!v->root_mount && !v->space)
		return true;
	while (r == -ELOOP && fs_once_more(&attempts)) /* while somebody mounts */
		r = is_usual(path);
	return r > 0;
}
