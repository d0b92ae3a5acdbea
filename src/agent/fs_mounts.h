/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How mount namespaces (abi/fs_state.h) are changed: mount(2), umount2(2), pivot_root(2) and their kin are made of this.
 *
 *   fs_mounts_lock();                          of all namespaces, as the kernel's namespace_sem; no host call that may block until it is given back
 *   fs_edit_begin(&edit, space)                the copy that nobody reads becomes a copy of the other; several namespaces may be edited at once
 *   fs_edit_add(), _remove(), _move(), …       change it; pointers of it stay good until it is published, offsets of text too
 *   fs_edit_publish(&edit)                     everybody sees the new state at once; or nothing, and what was begun is forgotten
 *   fs_mounts_unlock();
 *
 * The caller must be a member (member_self() >= 0). Whoever is killed in between leaves the published state; the lock is taken over.
 *
 * Ids and numbers of groups are given out once in the life of a cell. What a mount's fields say: struct fs_mount. Permission, propagation and
 * the rules of each call are the callers' business.
 *
 *     long my_bind(...)
 *     {
 *             struct fs_new_mount m = { .parent = where.id, .target = "/b", .target_length = 2, .like = source.id };
 *             struct fs_edit edit;
 *             long r;
 *
 *             fs_mounts_lock();
 *             fs_edit_begin(&edit, view_self()->space);
 *             r = fs_edit_add(&edit, &m);
 *             if (r > 0)
 *                     fs_edit_publish(&edit);
 *             fs_mounts_unlock();
 *             return r < 0 ? r : 0;
 *     }
 *
 * Reading: fs_root_get() or fs_root_of() and what fs_find_mount() leaves in struct fs_work tell of one mount. While the lock is held, the table of
 * fs_edit_begin() may be read at leisure.
 */
#ifndef LICHEN_AGENT_FS_MOUNTS_H
#define LICHEN_AGENT_FS_MOUNTS_H

#include "agent/fs.h"

static inline struct fs_spaces *fs_spaces(void)
{
	return (struct fs_spaces *)(LAYOUT_COMMONS + commons()->spaces); /* NOLINT(performance-no-int-to-ptr) */
}

/* 0, or -ENOSPC when the caller cannot become a member. */
long fs_mounts_lock(void) MUST_CHECK;
void fs_mounts_unlock(void);

struct fs_edit {
	u32 space;
	struct fs_table *table; /* may be written */
};

/* Under the lock. */
void fs_edit_begin(struct fs_edit *edit, u32 space);
void fs_edit_publish(struct fs_edit *edit);

/* A mount by its id; NULL: there is none. */
struct fs_mount *fs_edit_mount(const struct fs_edit *edit, u32 id);
static inline const char *fs_edit_text(const struct fs_edit *edit, u32 at)
{
	return edit->table->text + at;
}
/* Puts a string into the table. Its offset, or -ENOSPC. */
long fs_edit_put(const struct fs_edit *edit, const char *text, u64 length) MUST_CHECK;

struct fs_new_mount {
	u32 parent;         /* id; 0: it is to be the namespace's root, mounts[0] of an empty table */
	const char *target; /* in the namespace */
	u32 target_length;
	u32 flags, peers, master;
	/* What is mounted: of another mount (id in the same namespace; with all that says what its file system is), or by itself */
	u32 like;
	const char *below; /* … of which this path below its root, "" or "/…" */
	u32 below_length;
	const char *source; /* host path; with like = 0 */
	u32 source_length;
	u32 device;
	const char *type, *from, *options; /* NULL: the host's */
	/* an overlay: host paths, upper first; without an upper layer (upper = false) it is to be read-only */
	u32 layer_count;
	const char *const *layers;
	const char *work;
};
/* Its id, -ENOSPC when the namespace is full (ENOSPC is what mount(2) says then), -ENOENT when parent or like is not there. flags: those of what
 * it is like are not taken over, but for FS_PROC, FS_FILE and FS_SUPER_READ_ONLY. */
long fs_edit_add(const struct fs_edit *edit, const struct fs_new_mount *mount) MUST_CHECK;
/* Likewise of a mount of another table, which is not changed: for propagation and new namespaces. */
long fs_edit_add_from(const struct fs_edit *edit, const struct fs_new_mount *mount, const struct fs_table *other) MUST_CHECK;
/* Takes one mount away; nothing must hang on it. */
void fs_edit_remove(const struct fs_edit *edit, u32 id);
/* Hangs a mount elsewhere, and with it all that hangs on it: their targets change. 0, -ENOSPC, or -ENAMETOOLONG. */
long fs_edit_move(const struct fs_edit *edit, u32 id, u32 parent, const char *target, u64 target_length) MUST_CHECK;
/* Whether a mount is `top` or hangs on it, directly or by others. */
bool fs_edit_is_below(const struct fs_edit *edit, u32 id, u32 top);

u32 fs_new_peers(void);
u32 fs_new_device(void);

/* A new namespace: a copy of another one, with new ids, in which peers are peers of the old ones. Its number, or -ENOSPC. ids: of mounts of the old
 * one, each is replaced by that of its copy. Under the lock, which is given back only when a view names the namespace (view_word_of()). */
long fs_space_copy(u32 space, u32 *ids, u32 count) MUST_CHECK;

/* An empty namespace that is nobody's view, for what a descriptor stands for. Its number, or -ENOSPC. Under the lock. */
long fs_space_tree(void) MUST_CHECK;

#endif
