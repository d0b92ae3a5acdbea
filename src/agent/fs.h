/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file tree of a cell with a root of its own (abi/fs_state.h): the agent resolves every path of the guest itself. Semantics:
 * path_resolution(7), fs/namei.c of Linux 6.18.
 *
 *   guest path ─ fs_path.c: canonical guest path, as text ─ mount table: host path, as text ─ one host call that follows no symbolic link
 *
 * A canonical path has no link, dot or double slash in it, and is "" for the root. The first attempt takes the path for canonical when it has
 * no dots (most are): the host call is made, and says ELOOP where a link is on the way. Only then the path is walked, one readlink(2) a component,
 * and the call made again. So a path without links costs what the call costs, plus opening its directory.
 *
 * Never outside: what is opened or changed is reached by openat2(RESOLVE_NO_SYMLINKS), or where there is none, by a directory descriptor whose
 * /proc/self/fd name is compared with what was wanted. A guest that swaps a directory for a link while another walks makes the call
 * fail or be tried again; no check is separate from the use. The walk's readlinks only yield text, and are not trusted.
 *
 * Relative paths start at a descriptor (or the working directory), whose path the kernel tells; where no mount lies below it, the call is made relative to
 * the descriptor itself, so that renames of what lies above do not matter.
 *
 * Where that path is longer than PATH_MAX, text and calls are relative to the descriptor, and ".." is the kernel's (no mount is so deep).
 *
 * Magic links (/proc/PID/fd/N, cwd, root, exe …) are followed by the kernel for the caller's own descriptors; those of others only as text, and
 * only to where the tree reaches. /proc/PID/root is the cell's root.
 *
 * What the caller sees is told by its view (agent/view.h): the mount namespace, and where its root directory is in it. Canonical paths are paths in the
 * namespace, whatever the root: a root directory is a path that absolute ones begin with, and at which ".." stays. A position is a mount and a
 * path; the path alone does not tell which of several mounts on top of each other is meant, so a resolution keeps the mount from which it goes on (anchor).
 *
 * What a descriptor or the working directory stands for is asked of the kernel, as a host path. Where that is to be seen at several places
 * (mount --bind), fs_guest_place() chooses.
 *
 * Limits: docs/limits.md.
 */
#ifndef LICHEN_AGENT_FS_H
#define LICHEN_AGENT_FS_H

#include "agent/engine.h"

#define FS_PATH_MAX 4352u /* a canonical guest path: PATH_MAX and what its directory adds */
#define FS_HOST_MAX 5376u

enum fs_last { /* the path's last component, as LAST_* of fs/namei.c */
	       FS_LAST_NAME,
	       FS_LAST_ROOT,
	       FS_LAST_DOT,
	       FS_LAST_DOTDOT,
};

/* A task's root directory in its mount namespace, and the copy of the namespace's table that is being read (fs_place.c). */
struct fs_root {
	const struct fs_table *table;
	u32 version; /* the copy's: another one means that what was read may be wrong */
	u32 space;
	u32 mount;                 /* id of the mount that it lies on … */
	u32 target, target_length; /* … whose target is this part of the table's text … */
	u32 below_length;
	const char *below; /* … and the rest of the path */
	u32 hint;          /* id of a mount where a host path is looked for first, 0: none */
};

static inline u32 fs_root_length(const struct fs_root *root)
{
	return root->target_length + root->below_length;
}

/* Texts of one resolution; in a slot's scratch, or anywhere. Not initialised by its owner. */
struct fs_work {
	char guest[FS_PATH_MAX]; /* canonical so far */
	char rest[FS_PATH_MAX];  /* what is still to be walked, NUL-terminated; from `at` on */
	char host[FS_HOST_MAX];  /* of `guest` */
	char check[FS_HOST_MAX]; /* what readlink said */
	char inner_text[FS_PATH_MAX];
	char *inner; /* on an overlay: guest as a path in it, NUL-terminated: in guest itself, or in inner_text (fs_layers.h) */
	u32 at;
	u32 host_length;
	s32 base; /* descriptor that the first base_length bytes of host stand for, AT_FDCWD; FS_NO_BASE: none */
	u32 base_length;
	u32 base_guest; /* bytes of guest that base stands for */
	s32 near;       /* descriptor of the directory that a relative path starts at, FS_NO_BASE: none … */
	u32 near_layer; /* … in an overlay: the layer that the directory is of */
	u32 links;
	u32 resolve;           /* RESOLVE_ flags of openat2(2), set before fs_begin() */
	u32 scope;             /* with RESOLVE_BENEATH and RESOLVE_IN_ROOT: bytes of guest that are not left */
	struct fs_root root;   /* the caller's, and with it the mounts */
	u32 anchor;            /* id of the mount from which guest is looked up … */
	u32 anchor_from;       /* … in which mounts count whose targets are at least so long */
	u32 scope_anchor;      /* with scope: the anchor of what is not left */
	struct fs_mount mount; /* that guest lies on: a copy */
	u32 expired;           /* id of a mount that was marked to expire until this resolution came by */
	u32 layer;             /* in an overlay: the layer that host is of */
	bool step;             /* look at each component */
	bool slash;            /* a slash, dot or dots at the end: must be a directory */
	bool magic;            /* the last component is a magic link to be followed by the kernel */
	bool nsfs;             /* with magic: host is the file of a namespace instead, which need not be a path of the guest's */
	bool exe;              /* the last component is the link to the caller's own program */
	bool deep;             /* it starts where the path is too long to be told: guest and host are relative to base */
	bool real;             /* FS_REAL */
	bool names;            /* a slash at the end does not make a link followed: for calls that make and remove, O_CREAT too */
	bool rooted;           /* an absolute path or link came by */
	enum fs_last last;
};
static_assert(sizeof(struct fs_work) <= SLOT_SCRATCH, "one slot holds a resolution");
#define FS_NO_BASE (-1000)
#define RESOLVE_NO_XDEV_ 0x01u
#define RESOLVE_NO_MAGICLINKS_ 0x02u
#define RESOLVE_NO_SYMLINKS_ 0x04u
#define RESOLVE_BENEATH_ 0x08u
#define RESOLVE_IN_ROOT_ 0x10u
#define RESOLVE_CACHED_ 0x20u
#define RESOLVE_SCOPED (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_)

/* Where a name is, or is to be: for calls that make, remove or rename. */
struct fs_name {
	s32 directory;    /* O_PATH, the caller closes it: fs_name_done() */
	const char *name; /* in the work */
	enum fs_last last;
	bool slash;        /* it ended in a slash */
	bool mounted;      /* something is mounted there */
	bool mounted_file; /* and it is no directory */
	bool read_only;    /* by its mount */
	bool groups;       /* it lies in a hierarchy of control groups (fs_cgroup.c) */
	u32 mount;         /* id of what its directory lies on */
	/* in an overlay (fs_layers.h) */
	bool layered;
	bool whiteout;    /* the upper layer has one there */
	bool fixed;       /* a directory that cannot be renamed */
	bool copy;        /* what the upper layer has there may be a copy (fs_origin.c) */
	u32 layer;        /* of directory */
	u32 mode;         /* S_IFMT bits of what the guest sees there, 0: nothing */
	u32 upper, below; /* likewise of what the upper layer has there, of what the lower ones have */
};

enum fs_flag {
	FS_FOLLOW = 1u << 0,    /* a link as last component is followed */
	FS_EMPTY = 1u << 1,     /* AT_EMPTY_PATH */
	FS_DIRECTORY = 1u << 2, /* must be one */
	FS_WRITE = 1u << 3,     /* the caller changes it: EROFS on a read-only mount */
	FS_REAL = 1u << 4,      /* directories are searched as the real user, as access(2) does */
	/* in an overlay the object is to be in the upper layer; what the caller needs for it (fs_layers.h, enum fs_need) */
	FS_RAISE_WRITE = 1u << 8,
	FS_RAISE_OWNER = 2u << 8,
	FS_RAISE_EITHER = 3u << 8,
	FS_RAISE = 4u << 8,
	FS_RAISE_MASK = 7u << 8,
};

/* Whether the cell has a tree of its own. */
static inline bool fs_on(void)
{
	return commons()->fs.table.count != 0;
}

/* Whether it may have overlays. */
static inline bool fs_any_layers(void)
{
	return commons()->fs.table.layer_count || __atomic_load_n(&commons()->fs.layered, __ATOMIC_ACQUIRE);
}

/* A descriptor (O_PATH, close-on-exec) of what a path stands for; `dirfd` itself for an empty path with FS_EMPTY. flags: enum fs_flag.
 * Negative errno as the kernel's. Ended by fs_object_done(). */
long fs_object(struct fs_work *work, s32 dirfd, u64 path, u32 flags) MUST_CHECK;
void fs_object_done(long object, s32 dirfd);
/* What is known of an object that was found by a path: enum stat_known. */
u32 fs_stat_known(const struct fs_work *work);
/* stat(2) of it: 0, and *st is corrected; or negative errno. */
long fs_stat_path(struct fs_work *work, s32 dirfd, u64 path, u32 flags, struct kernel_stat *st) MUST_CHECK;

/* The same for a call that takes a path only, and is to follow no link at its end (gVisor follows an O_PATH descriptor's name through links). */
struct fs_unfollowed {
	s32 fd;
	bool follow; /* path is the descriptor's own name, which the call is to follow; else the name lies in it */
	char path[AGENT_FD_NAME_SIZE]; /* of the host */
};
long fs_unfollowed(struct fs_work *work, s32 dirfd, u64 path, u32 flags, struct fs_unfollowed *ret) MUST_CHECK;
void fs_unfollowed_done(const struct fs_unfollowed *done, s32 dirfd);

/* The directory and name of a path whose last component is not followed and need not exist. 0 or negative errno. */
long fs_name(struct fs_work *work, s32 dirfd, u64 path, struct fs_name *ret) MUST_CHECK;
void fs_name_done(struct fs_name *where);
/* Whether something may be made there: 0 or negative errno. directory: what is made is one. */
long fs_may_create(const struct fs_name *where, bool directory) MUST_CHECK;

/* An O_PATH descriptor that a call which may wait uses by its /proc/self/fd name, before and behind that call; fs_far() has given it a number that the guest
 * leaves alone. fs_release() closes it (fs_open.c). */
void fs_hold(long object);
void fs_release(long object);

/* --- fs_place.c: mounts ---------------------------------------------------------------------------------------------------------------- */

/* The caller's root directory; one that is given (mount: id, 0: the namespace's). 0, -ENOENT when it has been unmounted, -ELOOP: once more. */
long fs_root_get(struct fs_root *root) MUST_CHECK;
long fs_root_of(struct fs_root *root, u32 space, u32 mount, const char *below, u32 below_length) MUST_CHECK;
/* Whether what was read of the table since is right. */
bool fs_is_current(const struct fs_root *root);
/* work->guest becomes the root directory. */
void fs_enter_root(struct fs_work *work);
/* Sets work->mount: the one that work->guest lies on. 0, -ENOENT when what it starts from is gone, -ELOOP: once more. */
long fs_find_mount(struct fs_work *work) MUST_CHECK;
/* Whether something is mounted below work->guest, on work->mount. */
bool fs_mounts_below(const struct fs_work *work);
/* Whether work->guest, on work->mount, is the caller's root directory. */
bool fs_at_root(const struct fs_work *work);
/* "..": the guest path of what is above, looked up from there. Nothing at the root. */
void fs_above(struct fs_work *work);

/* Where a host path is in the caller's namespace: the mount, and in an overlay the layer. */
struct fs_place {
	struct fs_mount mount;
	u32 layer;
	bool inside; /* at or below the root directory */
};
/* The path in the namespace of a host path, as text: its length, -ESRCH when it is nowhere there, -ELOOP: once more. out: FS_PATH_MAX bytes, the
 * namespace's root is "". */
long fs_place_in(const struct fs_root *root, const char *host, char *out, struct fs_place *ret) MUST_CHECK;
/* Likewise for the caller's root, repeated as need be. */
long fs_guest_place(const char *host, u32 hint, char *out, struct fs_place *ret) MUST_CHECK;
/* The same into work->guest, from where the work may go on. */
long fs_place_work(struct fs_work *work, const char *host) MUST_CHECK;
/* Likewise; hint: id of a mount that it is known to have been reached by, 0: none. */
long fs_place_hinted(struct fs_work *work, const char *host, u32 hint) MUST_CHECK;
/* The same as the caller would name it: the root is "/"; what lies outside the caller's root directory is told as the namespace has it. */
long fs_guest_path(const char *host, u32 hint, char *out, bool *ret_inside) MUST_CHECK;

/* The root directory of a view as the caller would name it, as text: its length, or negative errno. out: FS_PATH_MAX bytes. */
long fs_root_path(long view, char *out) MUST_CHECK;

/* On which mount a descriptor, or the working directory (AT_FDCWD), was opened, as far as known: its id, or 0. Noting it. */
u32 fs_hint(s32 fd);
void fs_note(s32 fd, u32 mount_id);

/* Whether a host path was seen on a read-only mount of that id, which has been taken away since. */
bool fs_was_read_only(u32 mount_id, const char *host);

struct fs_space *fs_space_of(u32 space);

/* Whether what fd stands for may not be changed by it: it lies on a read-only mount, and is not open for writing. Whether it lies on a mount, or on
 * none. In the work's rest and check (fs_reached.c). */
bool fs_is_read_only(struct fs_work *work, s32 fd);
bool fs_is_on(struct fs_work *work, s32 fd, u32 mount_id);

/* The flags of the mount that an object lies on which fs_object() found in the work; itself: the path was empty. In the work's rest and check. */
u32 fs_flags_of(struct fs_work *work, s32 fd, bool itself);

/* The namespace of the tree that a host path is the descriptor of (fs_mount_handle.c); -1: of none. */
long mnt_handle_space(const char *host);

/* exec_open() in the tree. */
int fs_exec_open(s32 dirfd, u64 path, int flags) MUST_CHECK;
/* Goes to where the first program starts: 0 or negative errno. */
long fs_start(const char *path) MUST_CHECK;

/* A call that was passed on with `reported` has its result: names of sockets in it become the guest's (fs_socket_name.c). */
void fs_reported(long nr, const u64 args[6], long result);

/* --- fs_host.c: host calls that follow no link ------------------------------------------------------------------------------------- */

/* work->host of work->guest; sets work->mount. 0, -ENAMETOOLONG, or -ENOENT where what it lies on is gone. */
long fs_to_host(struct fs_work *work) MUST_CHECK;
/* Opens work->host. flags: open(2)'s. -ELOOP where a link is in it, the last component included unless O_PATH|O_NOFOLLOW is asked. */
long fs_host_open(struct fs_work *work, u64 flags, u64 mode) MUST_CHECK;
/* The same of work->host as text, whatever layer of an overlay it is of. */
long fs_host_open_text(struct fs_work *work, u64 flags, u64 mode) MUST_CHECK;
/* Opens the directory that work->host lies in, O_PATH. *name: the last component, in work->host. */
long fs_host_parent(struct fs_work *work, const char **name) MUST_CHECK;

/* --- fs_cgroup.c: hierarchies of control groups, work->mount being one ------------------------------------------------------------------ */

/* Opens work->host: descriptor or negative errno. */
long fs_cgroup_open(struct fs_work *work, u64 flags, u64 mode) MUST_CHECK;
/* Makes, removes what fs_name() found. 0 or negative errno. */
struct fs_new;
long fs_cgroup_make(struct fs_work *work, const struct fs_name *where, const struct fs_new *made) MUST_CHECK;
long fs_cgroup_remove(struct fs_work *work, const struct fs_name *where, bool directory) MUST_CHECK;

/* --- fs_identity.c: who the caller is, where gap identity is filled; else these do nothing --------------------------------------------- */

/* Whether the caller may search the directories of work->host. 0 or -EACCES. */
long fs_may_search(struct fs_work *work) MUST_CHECK;
/* Whether it may make names in a directory; remove this one. 0 or negative errno. */
long fs_may_make(s32 directory) MUST_CHECK;
long fs_may_remove(s32 directory, const char *name) MUST_CHECK;
/* After a call that the host refused for what fd stands for: whether it is worth being made again. */
bool fs_unlocked(long result, s32 fd) MUST_CHECK;
/* agent_reissue(), but for attributes that are kept under other names. */
static inline long fs_reissue(long nr, const u64 args[6])
{
	bool xattr = nr >= __NR_setxattr && nr <= __NR_fremovexattr;

	return xattr && xattr_on() ? kept_xattr(-1, nr, args) : agent_reissue(nr, args);
}
/* The xattr family. flags: enum fs_flag. */
enum verdict fs_xattr_as(struct call *call, u32 flags);
/* fs_host_open() as the caller. absent: it has just been looked for, and nothing was there. */
long fs_open_as(struct fs_work *work, u64 flags, u64 mode, bool absent) MUST_CHECK;

/* Before the first program: mounts control groups (v2) on /sys/fs/cgroup, where that is there and gap cgroup is filled (fs_mount_call.c). */
void fs_mount_groups(void);

/* --- fs_path.c ---------------------------------------------------------------------------------------------------------------------- */

/* Begins: the path into work->rest, where it starts into work->guest. 0 or negative errno. */
long fs_begin(struct fs_work *work, s32 dirfd, u64 path) MUST_CHECK;
/* Of a path in procfs: the view of the process that it is of, or negative errno; the hint for the caller's own cwd and fd/N. */
long fs_proc_view(const struct fs_work *work) MUST_CHECK;
u32 fs_proc_hint(const struct fs_work *work);
/* Walks work->rest: work->guest and work->host are then what is looked for. follow: a link as last component, too. */
long fs_walk(struct fs_work *work, bool follow) MUST_CHECK;

/* --- fs_namespace.c ----------------------------------------------------------------------------------------------------------------- */

/* Whether a path ends as /proc/PID/ns/NAME does: such a link may be there, whatever the host has. */
bool fs_may_be_namespace(const char *path, u64 length);
/* Where work->host is a link to a namespace that lichen supplies, or `host` the file of one, it is followed to that file: 1; 0: it is none; or negative
 * errno. more: the path goes on behind it. */
long fs_follow_namespace(struct fs_work *work, bool more) MUST_CHECK;
long fs_to_namespace(struct fs_work *work, const char *host, bool more) MUST_CHECK;

#define FS_ATTEMPTS 8u             /* while somebody swaps links for directories */
#define FS_ATTEMPTS_MOUNTS 100000u /* while others mount: a change is some microseconds' work, but they may have the processor */
struct fs_attempts {
	u32 links, mounts;
};
/* After a look at a table that was written to meanwhile: whether another is worth it. */
static inline bool fs_once_more(u32 *attempts)
{
	if (++*attempts > FS_ATTEMPTS)
		(void)sys0(__NR_sched_yield);
	return *attempts < FS_ATTEMPTS_MOUNTS;
}
/* Whether the errno of an attempt means that there may be a link in what was taken for canonical: then each component is looked at. Or that the
 * mounts were changed meanwhile, which is to be seen by nobody. */
static inline bool fs_again(struct fs_work *work, long error, struct fs_attempts *attempts)
{
	if (error != -ELOOP)
		return false;
	if (!fs_is_current(&work->root))
		return fs_once_more(&attempts->mounts);
	work->step = true;
	return ++attempts->links <= FS_ATTEMPTS;
}

/* --- fs_root.c ----------------------------------------------------------------------------------------------------------------------- */

/* CAP_SYS_CHROOT, CAP_SYS_ADMIN; where gap identity is not filled: being root. */
bool fs_may_chroot(void);
bool fs_may_mount(void);
/* Makes a copy of the namespace of spec and of what the hints say, and puts it there. 0 or negative errno. */
struct view_spec;
long fs_new_space(struct view_spec *spec, struct fs_hints *hints) MUST_CHECK;
/* The calling thread gets such a view, but in the mount namespace of that number (struct fs_space) and at its root. 0, or -EINVAL when it is gone. */
long fs_join_space(struct view_spec *spec, u32 inode) MUST_CHECK;
/* Whether a path of the caller is what gaps know by that name: /proc, /dev … of its root directory are those of the cell. */
bool fs_is_usual(const char *path);
/* Whether such a path, canonical and absolute, lies on a mount of the caller's namespace that is read-only. */
bool fs_path_is_read_only(struct fs_work *work, const char *path) MUST_CHECK;

/* The handlers of fs.def and the switch over them: engine only. */
#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "agent/fs.def"
#undef GAP_CALL
enum verdict fs_dispatch(struct call *call);

#endif
