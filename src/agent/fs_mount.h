/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting in a cell with a tree of its own: mount(2), umount2(2), the calls of the new mount API, and what /proc tells of it. Nothing of the
 * machine is mounted, whoever runs lichen: a mount is a row of a table (abi/fs_state.h), which path resolution follows.
 *
 *   fs_mount_call.c     mount(2) and its kinds: bind, move, remount, change of propagation, new file system
 *   fs_mount_umount.c   umount2(2)
 *   fs_mount_tree.c     copies trees of mounts, takes them down
 *   fs_mount_peers.c    what propagation makes of that: mount_namespaces(7), fs/pnode.c
 *   fs_mount_options.c  options of file systems; fs_mount_super.c: where their files are on the host
 *   fs_mount_handle.c   descriptors that stand for trees and for file systems that are being configured
 *   fs_mount_api.c      open_tree, move_mount, mount_setattr; fs_mount_config.c: fsopen, fsconfig, fsmount, fspick
 *   fs_mount_info.c     /proc/PID/{mountinfo,mounts,mountstats}
 *
 * A call finds what its paths stand for as any other (fs.h), then takes the lock of all namespaces, looks the mounts up again by id, changes copies of
 * the tables of all namespaces that propagation reaches, and publishes them one after the other. Whoever is killed in between leaves some of
 * them as they were: each is right in itself.
 *
 * A file system without a device is a directory of the host, fresh, in the cell's scratch directory (abi/commons.h), which the supervisor removes.
 * Its rows in all tables have one number in `device`; by it a remount finds them all.
 *
 * A tree that is not mounted anywhere yet (open_tree, fsmount) is a namespace of its own without a name; its descriptor is an open directory
 * of the scratch directory, locked (flock) as long as anybody has it, so that the namespace can be used again when nobody does.
 *
 * Limits: docs/limits.md, "Mounting in a cell".
 */
#ifndef LICHEN_AGENT_FS_MOUNT_H
#define LICHEN_AGENT_FS_MOUNT_H

#include "agent/fs_mounts.h"
#include "agent/view.h"

#define MNT_SHOWN 256u
#define MNT_GONE_MAX 2048u

/* MS_ flags of mount(2). */
enum {
	MS_RDONLY_ = 1,
	MS_NOSUID_ = 2,
	MS_NODEV_ = 4,
	MS_NOEXEC_ = 8,
	MS_REMOUNT_ = 32,
	MS_NOSYMFOLLOW_ = 256,
	MS_NOATIME_ = 1024,
	MS_NODIRATIME_ = 2048,
	MS_BIND_ = 4096,
	MS_MOVE_ = 8192,
	MS_REC_ = 16384,
	MS_SILENT_ = 32768,
	MS_UNBINDABLE_ = 1 << 17,
	MS_PRIVATE_ = 1 << 18,
	MS_SLAVE_ = 1 << 19,
	MS_SHARED_ = 1 << 20,
	MS_RELATIME_ = 1 << 21,
	MS_STRICTATIME_ = 1 << 24,
};
#define MS_TYPE (MS_UNBINDABLE_ | MS_PRIVATE_ | MS_SLAVE_ | MS_SHARED_)

/* What a mount has of its own, apart from its file system. */
#define MNT_TIMES (FS_NOATIME | FS_NODIRATIME | FS_RELATIME)
#define MNT_ATTRIBUTES (FS_OWN_READ_ONLY | FS_NOSUID | FS_NODEV | FS_NOEXEC | FS_NOSYMFOLLOW | MNT_TIMES)

/* A file system that is to be made, or whose options change (fs_mount_options.c, fs_mount_super.c). */
enum mnt_kind {
	MNT_TMPFS,
	MNT_RAMFS,
	MNT_PROC,
	MNT_SYSFS,
	MNT_DEVPTS,
	MNT_MQUEUE,
	MNT_OVERLAY,
	MNT_CGROUP,
	MNT_CGROUP2,
	MNT_OTHER
};
struct mnt_super {
	u32 kind; /* enum mnt_kind */
	bool read_only, has_source;
	bool has_size, has_inodes; /* tmpfs */
	u64 blocks, inodes;
	u32 mode, uid, gid;
	u32 ptmx_mode;                             /* devpts */
	u32 flags;                                 /* generic ones, as MS_ */
	char source[1024];                         /* as the guest named it */
	char more[MNT_SHOWN];                      /* options that are told as they came: ",huge=always" */
	char shown[MNT_SHOWN];                     /* all, as mountinfo tells them behind "rw" or "ro": mnt_super_show() */
	char lower[2048], upper[1024], work[1024]; /* overlay */
};

/* What a path of a call stands for. */
struct mnt_where {
	u32 space, id;
	bool mounted; /* it is the root of its mount */
	bool directory;
	bool removed; /* a directory that has no name any more */
	bool link;
	bool nsfs; /* the file of a namespace, at the path's host */
};

/* Which part of which mount is copied. */
struct mnt_source {
	u32 space, id;
	const char *below; /* path below the mount's root: "" or "/…" */
	bool recursive, file;
};

/* A file system that is being configured (fs_mount_config.c). */
enum mnt_phase { MNT_PHASE_CREATE, MNT_PHASE_MOUNT, MNT_PHASE_RECONFIGURE };
struct mnt_row {
	u32 space, id;
};
struct mnt_context {
	u32 phase;          /* enum mnt_phase */
	u32 device;         /* number of what has been made, or was picked; 0: the host's */
	struct mnt_row row; /* one of its mounts */
	struct mnt_super super;
};

enum mnt_copy {
	MNT_COPY,              /* mount --bind: a peer where the model is shared, a slave where it is one */
	MNT_COPY_SLAVE,        /* a slave of the model's peers … */
	MNT_COPY_SHARED_SLAVE, /* … with peers of its own */
};

/* All that a call needs; in memory of its own. */
struct mnt_work {
	u64 mapped;
	struct fs_work path, other;         /* what the call's paths were resolved in */
	struct fs_edit edit[FS_SPACES_MAX]; /* table NULL: not begun */
	u32 first_id, first_id_kept;        /* mounts from here on are made by this call */
	u32 ids[2 * FS_MOUNTS_MAX];
	struct mnt_row gone[MNT_GONE_MAX];
	char spot[FS_PATH_MAX]; /* a mount point as path in its file system */
	char at[FS_PATH_MAX];   /* the same in a namespace */
	char type[4097], source[4097], data[4097];
	struct mnt_super super;
	u32 copied; /* by mnt_copy(): pairs in ids */
	struct mnt_context context;
	const char *layers[FS_OVERLAY_MAX]; /* of an overlay that is being made … */
	char layer_text[32768];             /* … their host paths */
};

/* The memory, or negative errno; given back by mnt_done(). */
long mnt_begin(struct mnt_work **ret) MUST_CHECK;
void mnt_done(struct mnt_work *work);
bool mnt_may(void); /* CAP_SYS_ADMIN */

/* --- the edit ----------------------------------------------------------------------------------------------------------------------------- */

/* The lock: 0 or negative errno. Ended by mnt_commit(), which publishes everything when result is not negative, and returns it. */
long mnt_lock(struct mnt_work *work) MUST_CHECK;
long mnt_commit(struct mnt_work *work, long result) MUST_CHECK;
/* The table of a namespace, to be read; to be changed. Under the lock. */
const struct fs_table *mnt_table(struct mnt_work *work, u32 space);
struct fs_edit *mnt_edit(struct mnt_work *work, u32 space);
const struct fs_mount *mnt_find(const struct fs_table *table, u32 id);

/* --- paths -------------------------------------------------------------------------------------------------------------------------------- */

/* Finds what a path stands for, in `path`. flags: enum fs_flag. Returns an O_PATH descriptor (fs_object_done()) or negative errno. */
long mnt_locate(struct fs_work *path, s32 dirfd, u64 name, u32 flags, struct mnt_where *ret) MUST_CHECK;

/* --- fs_mount_tree.c ---------------------------------------------------------------------------------------------------------------------- */

/* Copies a part of a tree of mounts. Its new top hangs on `parent` (0: it is the namespace's root) at target. 0 or negative errno. */
long mnt_copy(struct mnt_work *work, const struct mnt_source *source, u32 space, u32 parent, const char *target, enum mnt_copy mode,
	      u32 *ret_top) MUST_CHECK;
/* What has just been hung up, with all below it, gets peers and is propagated where its parent says so. except: ids of mounts that move. */
long mnt_settle(struct mnt_work *work, u32 space, u32 top) MUST_CHECK;
/* Takes a mount down, and what hangs on it; propagated. */
long mnt_take_down(struct mnt_work *work, u32 space, u32 id) MUST_CHECK;
bool mnt_has_children(const struct fs_table *table, u32 id);
const struct fs_mount *mnt_child_at(const struct fs_table *table, u32 parent, const char *target);
/* Whether one of a tree is unbindable. */
bool mnt_any_unbindable(struct mnt_work *work, u32 space, u32 top);

/* --- fs_mount_peers.c --------------------------------------------------------------------------------------------------------------------- */

long mnt_propagate(struct mnt_work *work, u32 space, u32 top) MUST_CHECK;
void mnt_propagate_removal(struct mnt_work *work, u32 space, u32 id);
/* Removes a row; who were slaves of a group that is empty now are those of its master. */
void mnt_remove(struct mnt_work *work, u32 space, u32 id);
/* type: one of MS_TYPE. */
void mnt_change_type(struct mnt_work *work, u32 space, u32 id, u64 type);
/* Whether something else would keep a mount from being unmounted: what hangs on it, or on its copies elsewhere. */
bool mnt_is_held(struct mnt_work *work, u32 space, u32 id);

/* --- fs_mount_options.c --------------------------------------------------------------------------------------------------------------------- */

/* A file system's type by name: 0, -ENODEV. */
long mnt_super_init(struct mnt_super *super, const char *type) MUST_CHECK;
const char *mnt_type_name(u32 kind);
/* One option; value NULL: it has none. 0 or -EINVAL. */
long mnt_super_set(struct mnt_super *super, const char *key, const char *value) MUST_CHECK;
/* Options as mount(2) takes them; the text is written over. */
long mnt_super_parse(struct mnt_super *super, char *options) MUST_CHECK;
void mnt_super_show(struct mnt_super *super);
/* The next directory of lowerdir's "a:b:c", in which a backslash takes a colon's meaning; written over. NULL: there is none. */
char *mnt_lower_next(char **at);
/* Text, and a number behind a word, in at least so many digits, where there is room for them. */
void mnt_append(char *to, u64 size, const char *text);
void mnt_append_number(char *to, u64 size, const char *word, u64 number, u32 base, u32 width);

/* --- fs_mount_super.c --------------------------------------------------------------------------------------------------------------------- */

/* Makes it: what is mounted, but for parent and target. Strings are in the work. 0 or negative errno. */
long mnt_super_make(struct mnt_work *work, struct mnt_super *super, struct fs_new_mount *ret) MUST_CHECK;
/* A fresh directory for it, in `path`. */
long mnt_scratch(const struct mnt_super *super, u32 number, char *path, u64 size) MUST_CHECK;
/* fs_mount_overlay.c */
long mnt_overlay_make(struct mnt_work *work, struct mnt_super *super, struct fs_new_mount *ret) MUST_CHECK;

/* --- fs_mount_call.c, fs_mount_umount.c ----------------------------------------------------------------------------------------------------- */

/* MS_MOVE, under the lock. */
long mnt_move(struct mnt_work *work, const struct mnt_where *from, const struct mnt_where *to, const char *target) MUST_CHECK;
/* What the file system of a mount is now; MNT_OTHER where it has no options that can be changed. Under the lock. */
long mnt_super_of(struct mnt_work *work, u32 space, u32 id, struct mnt_super *ret) MUST_CHECK;
/* It becomes what super says, in all namespaces. Under the lock. */
long mnt_change_super(struct mnt_work *work, u32 space, u32 id, struct mnt_super *super) MUST_CHECK;
/* Whether some process has a file of it open for writing, as far as that can be known. */
bool mnt_is_written(struct mnt_work *work, u32 space, u32 id);

/* --- fs_mount_attr.c ---------------------------------------------------------------------------------------------------------------------- */

/* FS_ flags of a mount from MS_ flags. */
u32 mnt_attributes(u64 flags);
/* Sets those in mask; FS_READ_ONLY follows. */
void mnt_set_attributes(struct fs_mount *m, u32 mask, u32 flags);
/* The file system of a mount is, or is no longer, read-only; options NULL: as they are. In all namespaces. 0 or negative errno. */
long mnt_set_super(struct mnt_work *work, u32 space, u32 id, bool read_only, const char *options) MUST_CHECK;

/* --- fs_mount_discard.c ---------------------------------------------------------------------------------------------------------------------- */

/* Whether a mount is of a file system that has a directory of its own: its path. Under the lock, as the next one. */
bool mnt_directory_of(struct mnt_work *work, u32 space, u32 id, char *path);
/* Whether nothing that is mounted has anything to do with that directory any more. */
bool mnt_is_gone(struct mnt_work *work, const char *path);
/* Removes it; path is written over, size: its room. */
void mnt_discard(char *path, u64 size);

/* --- fs_mount_api.c -------------------------------------------------------------------------------------------------------------------------- */

/* FS_ flags of MOUNT_ATTR_ ones. 0 or -EINVAL. */
long mnt_attr_flags(u64 attributes, u32 *ret) MUST_CHECK;

/* --- fs_mount_handle.c ----------------------------------------------------------------------------------------------------------------------- */

enum mnt_handle { MNT_HANDLE_TREE, MNT_HANDLE_CONTEXT };
/* The number of what a descriptor stands for; -EBADF, -EINVAL: nothing of the kind. */
long mnt_handle_of(s32 fd, enum mnt_handle kind) MUST_CHECK;
/* An empty tree: its descriptor. Under the lock. */
long mnt_tree_make(struct mnt_work *work, bool cloexec, u32 *ret_space) MUST_CHECK;
long mnt_context_make(const struct mnt_context *context, bool cloexec) MUST_CHECK;
long mnt_context_write(u32 number, const struct mnt_context *context) MUST_CHECK;
long mnt_context_read(u32 number, struct mnt_context *context) MUST_CHECK;

#endif
