/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlays in a cell's own tree: a mount (abi/fs_state.h) of several directories of the host, of which only the first, the upper one, is ever
 * changed. Semantics and format on disk: Documentation/filesystems/overlayfs.rst; the kernel's overlayfs shows an upper directory
 * written here as the guest saw it, and the other way round.
 *
 *   fs_layers.c    which layer has a path: the topmost that has it, unless a layer above hides it: by a whiteout, by a
 *                  file where the path has a directory, or by an opaque directory
 *   fs_up.c        copy-up: whatever is changed first comes to be in the upper layer, its directories included
 *   fs_copy.c      one object with all that it has, made in the work directory
 *   fs_create.c    open(2)
 *   fs_upper.c     makes, removes and links, fs_upper_rename.c renames there, with whiteouts and opaque directories
 *   fs_merge.c     what several layers together list
 *   fs_reached.c   changes through descriptors that were opened before
 *
 * An object is made in the overlay's work directory and renamed to its place, so that whoever is killed leaves the old state or the new one, and
 * a file of the work directory. What takes two steps is done under a lock of that directory (flock: the kernel drops it with its holder). A name is looked
 * up before, without the lock: under it the name is looked at again, and where it has changed the whole call begins anew (-ESTALE, fs_names.c).
 *
 * What a lookup costs: nothing is asked of the upper layer about what the filter (abi/fs_state.h) knows not to be there.
 *
 * Limits: docs/limits.md.
 */
#ifndef LICHEN_AGENT_FS_LAYERS_H
#define LICHEN_AGENT_FS_LAYERS_H

#include "agent/fs.h"
#include "agent/vfs_int.h"

#define AT_SYMLINK_NOFOLLOW_ 0x100
#define AT_REMOVEDIR_ 0x200
#define VFS_FIFO 0010000u

/* --- fs_layers.c ------------------------------------------------------------------------------------------------------------------------ */

static inline const struct fs_mount *fs_mount_of(const struct fs_work *work)
{
	return &work->mount;
}

/* Whether the work's guest path lies in an overlay; after fs_to_host(). */
static inline bool fs_layered(const struct fs_work *work)
{
	return fs_mount_of(work)->layer_count != 0 && work->base == FS_NO_BASE; /* a removed directory is the base of paths */
}

/* work->inner becomes the guest path as the overlay has it, whatever part of it is mounted: what follows is about that path. fs_to_host() and
 * fs_place_work() have done it for work->guest. 0 or negative errno. */
long fs_set_inner(struct fs_work *work) MUST_CHECK;
/* work->host becomes what a layer (0: the upper one) would have at the guest path. 0 or -ENAMETOOLONG. */
long fs_layer_host(struct fs_work *work, u32 layer) MUST_CHECK;
/* Opens what the guest path stands for in the topmost layer that has it, and sets work->layer. flags do not change anything. -ENOENT, -ENOTDIR, -ELOOP
 * as fs_host_open(), and where a whiteout says so. */
long fs_layers_open_top(struct fs_work *work, u64 flags) MUST_CHECK;
/* Opens the guest path, which is a directory, in the next layer from `layer` on in which it is seen: the layer, or -ENOENT. *ret_fd: to be listed.
 * opened: where the caller has it open in one, or NULL. */
struct fs_opened {
	s32 fd;
	u32 layer;
};
long fs_layers_next(struct fs_work *work, u32 layer, const struct fs_opened *opened, s32 *ret_fd) MUST_CHECK;
/* Whether files in a directory may be whiteouts: one that has such is marked, by being opaque in one way or the other. fd: not O_PATH. */
bool fs_marks_whiteouts(s32 fd);
/* Whether a name in the guest path, which is a directory, may be a whiteout. */
bool fs_may_be_whiteout(const struct fs_work *work, u32 layer, const char *name);
/* Whether the upper directory `fd` is opaque. */
bool fs_is_opaque(s32 fd);
bool fs_is_whiteout(s32 directory, const char *name, const struct kernel_stat *st);
/* Whether what was opened at the guest path in the upper layer is a whiteout: by its descriptor, which stays what it is. */
bool fs_opened_whiteout(const struct fs_work *work, s32 fd);
/* What lies at the guest path in the layers below the upper one, as if the upper had nothing at its name: S_IFMT bits, 0: nothing. */
u32 fs_layers_below(struct fs_work *work);
/* As fs_host_open() in an overlay, changing what flags ask to be changed. */
long fs_layers_open(struct fs_work *work, u64 flags, u64 mode) MUST_CHECK;
/* Makes a file where there is none; flags as O_CREAT has it. -ESTALE: that takes fs_layers_open(). */
long fs_layers_create(struct fs_work *work, u64 flags, u64 mode) MUST_CHECK;
/* lstat(2) of the guest path. */
long fs_layers_stat(struct fs_work *work, struct kernel_stat *st) MUST_CHECK;
/* readlink(2) of the guest path into work->check. */
long fs_layers_readlink(struct fs_work *work) MUST_CHECK;
/* Whether what the upper layer has at the guest path may be a copy (fs_origin_stat()). */
bool fs_may_be_copy(const struct fs_work *work);
/* Whether a name in the directory that a relative path starts at (work->near) is what the guest path stands for. */
enum fs_near {
	FS_NEAR_NOT,  /* it has to be looked for */
	FS_NEAR_SEEN, /* if it is there */
	FS_NEAR_ALL,  /* if it is not there, there is nothing */
};
enum fs_near fs_layers_near(const struct fs_work *work);
/* Whether there cannot be anything at the guest path in the upper layer; not to be relied upon but by what fails where that is wrong. */
bool fs_upper_lacks(const struct fs_work *work);
/* Notes in the filter what the upper layer is about to have at the guest path. */
void fs_layers_note(const struct fs_work *work, enum fs_seen kind);
/* Cuts the last component off that path; *name: it, to be put back by fs_uncut(). */
char *fs_cut(struct fs_work *work);
void fs_uncut(char *name);

/* Name of an overlay's attribute, for setxattr(2). */
enum fs_overlay_attr { FS_ATTR_OPAQUE, FS_ATTR_WHITEOUT };
const char *fs_attr_name(enum fs_overlay_attr attr);

/* --- fs_up.c ---------------------------------------------------------------------------------------------------------------------------- */

enum fs_need {                  /* what the caller is about to do, so what it must be allowed before anything is copied */
	       FS_NEED_WRITE,   /* write permission */
	       FS_NEED_OWNER,   /* to be the owner, or root */
	       FS_NEED_EITHER,  /* to be the owner, root, or have write permission */
	       FS_NEED_NOTHING, /* the host decides afterwards */
};

/* Brings what the guest path stands for into the upper layer; work->host and work->layer are then of it. empty: a regular file's data is
 * not wanted. 0 or negative errno. */
long fs_copy_up(struct fs_work *work, enum fs_need need, bool empty) MUST_CHECK;
/* Opens the guest path's directory in the upper layer, which gets it if need be: O_PATH. */
long fs_upper_parent(struct fs_work *work) MUST_CHECK;
/* Whether the caller may write to (mode 2), search (1), read (4) what an O_PATH descriptor stands for: 0 or negative errno. */
long fs_may(s32 fd, u32 mode) MUST_CHECK;

/* The work directory with its lock taken; both end with fs_work_done(). */
struct fs_work_dir {
	s32 fd, lock;
	char name[24]; /* free to be used there: nobody else has it */
};
/* lock: false while only the name is used. 0 or negative errno. */
long fs_work_dir(const struct fs_work *work, bool lock, struct fs_work_dir *ret) MUST_CHECK;
long fs_work_lock(struct fs_work_dir *dir) MUST_CHECK;
void fs_work_done(struct fs_work_dir *dir);
/* A number out of the way of the guest's. Takes fd. */
long fs_far(long fd) MUST_CHECK;

/* --- fs_copy.c -------------------------------------------------------------------------------------------------------------------------- */

/* Copies the object behind an O_PATH descriptor, but for what a directory holds, into dir->name. 0 or negative errno; nothing is left then. */
long fs_copy(const struct fs_work_dir *dir, s32 from, const struct kernel_stat *st, bool empty, struct fs_work *spare) MUST_CHECK;

/* --- fs_origin.c ------------------------------------------------------------------------------------------------------------------------ */

/* A copy keeps the numbers of what it is a copy of. */
void fs_origin_keep(s32 copy, const struct kernel_stat *of);

/* --- fs_socket_name.c ------------------------------------------------------------------------------------------------------------------- */

#define FS_SUN_PATH 108u

struct fs_unix_address { /* struct sockaddr_un, and an end */
	u16 family;
	char path[FS_SUN_PATH + 1];
};
struct fs_new;
/* Binds a socket to a name in a directory. */
long fs_bind_at(const struct fs_new *made, s32 directory, const char *name) MUST_CHECK;
/* Makes the kernel's name of a socket that of the guest. False: it is none that was noted. */
bool fs_socket_told(char path[FS_SUN_PATH + 1]) MUST_CHECK;

/* --- fs_upper.c ------------------------------------------------------------------------------------------------------------------------- */

/* fs_name() in an overlay, once the guest path is canonical: all of ret but `last`, `slash` and `mounted`. */
long fs_layers_name(struct fs_work *work, struct fs_name *ret) MUST_CHECK;

/* Makes the name's directory one of the upper layer. 0 or negative errno. */
long fs_name_raise(struct fs_work *work, struct fs_name *where) MUST_CHECK;
/* Whether a name in an upper directory is what it was when it was looked up: 0, -ESTALE when not, or another negative errno. Under the lock. */
long fs_name_again(const struct fs_name *where) MUST_CHECK;
/* Sets an overlay's attribute of a name to one letter. */
long fs_set_attr(s32 directory, const char *name, enum fs_overlay_attr attr, char value) MUST_CHECK;
/* Makes a whiteout of the free name dir->name, for a name in the upper directory `parent`. */
long fs_whiteout_make(const struct fs_work_dir *dir, s32 parent) MUST_CHECK;
/* Makes the directory dir->name hide what lower layers have at the guest path. Under the lock. */
long fs_hide_below(struct fs_work *work, const struct fs_work_dir *dir, s32 directory, const char *name) MUST_CHECK;
/* Whether there is a whiteout at a name of an upper directory to which the caller may write: 0, -EEXIST when it is something else, -ESTALE when it is
 * nothing, or another negative errno. Under the lock. */
long fs_still_whiteout(const struct fs_name *where) MUST_CHECK;
/* dir->name takes the place of the whiteout at a name. Under the lock. Nothing is left of it on failure. */
long fs_over_whiteout(struct fs_work *work, const struct fs_name *where, struct fs_work_dir *dir, bool directory) MUST_CHECK;
/* Takes an upper directory away that holds nothing but whiteouts; whiteout: leaves one in its place. -ENOTEMPTY, and it stays, where something was made in it
 * meanwhile. Under the lock. */
long fs_displace(const struct fs_work_dir *dir, s32 directory, const char *name, bool whiteout) MUST_CHECK;

/* What is made at a name. */
struct fs_new {
	enum fs_new_kind { FS_NEW_DIRECTORY, FS_NEW_NODE, FS_NEW_LINK, FS_NEW_SYMLINK, FS_NEW_SOCKET } kind;
	u64 mode, device;
	u64 text;                           /* of a symbolic link: the guest's */
	const struct fs_unfollowed *object; /* what is linked */
	s32 socket;                         /* what is bound */
	const char *called;                 /* … as the guest does */
};
/* Makes something where there was nothing. In any tree: where->layered says what is to be done. work: where `where` was found. */
long fs_make(struct fs_work *work, struct fs_name *where, const struct fs_new *made) MUST_CHECK;
/* The same at a path; by fs_names.c. */
long fs_make_path(s32 dirfd, u64 path, const struct fs_new *made) MUST_CHECK;
/* unlinkat(2). */
long fs_remove(struct fs_work *work, struct fs_name *where, u64 flags) MUST_CHECK;
/* Prepares the first name of rename(2), while the work still holds it. */
long fs_rename_from(struct fs_work *work, struct fs_name *source, u64 flags) MUST_CHECK;
/* renameat2(2). work: of target. */
long fs_rename_to(struct fs_work *work, struct fs_name *source, struct fs_name *target, u64 flags) MUST_CHECK;

/* --- fs_merge.c ------------------------------------------------------------------------------------------------------------------------- */

/* Whether the directory at the guest path has no entry: 0, -ENOTEMPTY, -ESTALE when it is another one by now, or another negative errno. */
long fs_merge_is_empty(struct fs_work *work) MUST_CHECK;
/* Makes whiteouts in `directory` for everything that lower layers list at the guest path; each is made in the work directory first. */
long fs_merge_hide(struct fs_work *work, const struct fs_work_dir *dir, s32 directory) MUST_CHECK;
/* Removes a directory that holds nothing but whiteouts, which hide nothing there. 0; -ENOTEMPTY, and nothing is changed, when it holds more; or another
 * negative errno. */
long fs_merge_clear(s32 directory, const char *name) MUST_CHECK;
/* getdents64(2) of a directory in an overlay: true when call->ret is the answer. */
bool fs_merge_getdents(struct call *call);

/* --- fs_reached.c ----------------------------------------------------------------------------------------------------------------------- */

/* Whether a descriptor is of something in a lower layer. */
bool fs_reaches_lower(s32 fd);
enum verdict fs_reached_times(struct call *call);
/* For what is changed through a descriptor: one of the same object in the upper layer (O_PATH), to be closed; `fd` itself when it
 * lies in no lower layer; negative errno. */
long fs_reach_up(struct fs_work *work, s32 fd, enum fs_need need) MUST_CHECK;

#endif
