/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file tree of a cell that has a root of its own: which guest path is which host path. Part of the commons.
 *
 * Mount namespaces. Each is a table of mounts with its own text, complete in itself, kept twice. A writer, who holds the lock of all of them, builds
 * the copy that is not in use (agent/fs_mounts.h) and publishes it by one store of `active`; a reader takes what it needs out of the active
 * copy and looks afterwards whether the copy's version is still the one that it began with. Namespace 0 is laid out by host/root.c before the
 * first guest instruction; others are made by unshare(2) and clone(2). Which one a task is in is told by its view (abi/view_state.h).
 *
 * Targets, sources and layers are absolute, without links, dots or slashes at the end; the root is the empty string, on either side. A mount hangs
 * on a place of its parent; a target is the whole path there, so the target of the parent is its beginning. Where mounts lie on top of each other,
 * the upper one is the child of the lower one. The root of a namespace has no parent.
 *
 * A mount may be an overlay: several directories, the upper one first (agent/fs_layers.h). Of what is in upper layers there is a filter for
 * all overlays together: a set of paths that only grows, filled before the first guest instruction and by who changes a layer, before
 * the change. It may say yes to what is not there, never no to what is.
 */
#ifndef LICHEN_ABI_FS_STATE_H
#define LICHEN_ABI_FS_STATE_H

#include <assert.h>

#include "base/types.h"

#define FS_MOUNTS_MAX 512u        /* of one namespace: dockerd makes three for each container, with 1.2 KiB of text … */
#define FS_TEXT_SIZE (256u << 10) /* of one namespace */
#define FS_LAYERS_MAX 2048u       /* of all overlays of one namespace … */
#define FS_OVERLAY_MAX 512u       /* … and of one overlay */
#define FS_SPACES_MAX 256u        /* namespaces of a cell */
#define FS_CWD_SIZE 4096u
#define FS_SEEN_SHIFT 21
#define FS_SEEN_BITS (1u << FS_SEEN_SHIFT) /* of the filter: 100,000 files fill it so far that one lookup in fifty is in vain */

enum fs_mount_flag {
	FS_READ_ONLY = 1u << 0, /* the mount, or its file system */
	FS_PROC = 1u << 1,      /* source is a procfs: its links are magic */
	FS_FILE = 1u << 2,      /* source is no directory */
	FS_NOSUID = 1u << 3,
	FS_NODEV = 1u << 4,
	FS_NOEXEC = 1u << 5,
	FS_NOATIME = 1u << 6,
	FS_NODIRATIME = 1u << 7,
	FS_RELATIME = 1u << 8,
	FS_NOSYMFOLLOW = 1u << 9,
	FS_UNBINDABLE = 1u << 10,
	FS_SUPER_READ_ONLY = 1u << 11, /* the file system itself: FS_READ_ONLY is set, too */
	FS_BOUND = 1u
		<< 12, /* part of what is mounted elsewhere as well: its host paths are another mount's, too (fs_guest_place()) */
	FS_LOCKED = 1u << 13,        /* came from a more privileged namespace: is not unmounted or laid open on its own */
	FS_OWN_READ_ONLY = 1u << 16, /* with FS_SUPER_READ_ONLY: the mount is, too */
	FS_NSFS = 1u << 19,          /* source is the file of a namespace (gaps/namespaces/ns_files.c) */
	FS_EXPIRING = 1u << 17,      /* umount2(MNT_EXPIRE): not used since */
	FS_CGROUP = 1u << 18,        /* control groups: what is opened, made and removed is gap cgroup's affair */
	FS_FILTERED = 1u << 14,      /* an overlay whose upper layer's contents are in the filter */
};

enum fs_feature {
	FS_OPENAT2 = 1u << 0,        /* openat2(2) with RESOLVE_NO_SYMLINKS works here */
	FS_TRUSTED = 1u << 1,        /* overlays have their attributes in trusted.overlay.*, not in user.overlay.* */
	FS_WHITEOUT_XATTR = 1u << 2, /* whiteouts are empty files with an attribute: character devices cannot be made */
};

struct fs_layer {
	u32 source; /* of the whole file system's root: an offset in text[] */
	u16 source_length, reserved;
};

/* A string of text[], NUL-terminated there; offset 0 is the empty one. */
struct fs_mount {
	u32 flags;         /* enum fs_mount_flag */
	u32 id, parent;    /* as mountinfo tells them: unique in the cell, never used again; parent 0: none */
	u32 peers, master; /* propagation: peer group; the group that it is a slave of; 0: none */
	u32 device;        /* minor number, of major 0, that mountinfo tells; 0: what stat(2) says of the source */
	u16 source_length, target_length, root_length;
	u16 layer, layer_count; /* an overlay: its layers, upper first, whose sources are without `root`; 0: none */
	u16 reserved;
	u32 source;              /* host path of the mount's root */
	u32 target;              /* path in the namespace */
	u32 root;                /* the mount's root, as a path in its file system: the end of source */
	u32 work;                /* an overlay: directory for what is being made, on the upper one's file system */
	u32 type, from, options; /* as mountinfo tells them: file system type, mount source, super options; 0: the host's */
	u32 upper_given, work_given, lower_given; /* an overlay: as the guest named them */
};
static_assert(sizeof(struct fs_mount) == 76, "shared between agents");

struct fs_table {
	u32 version; /* odd while it is being written */
	u32 count;   /* of mounts; mounts[0] is the namespace's root */
	u32 used;    /* bytes of text */
	u32 layer_count;
	struct fs_mount mounts[FS_MOUNTS_MAX];
	struct fs_layer layers[FS_LAYERS_MAX];
	char text[FS_TEXT_SIZE];
};

enum fs_space_state { FS_SPACE_FREE = 0, FS_SPACE_MAKING = 1, FS_SPACE_READY = 2 };

struct fs_space {
	u32 state;                 /* enum fs_space_state */
	u32 active;                /* which copy is to be read */
	u32 inode;                 /* of /proc/PID/ns/mnt: unique in the cell, never used again */
	u32 bound;                 /* a mount is FS_BOUND */
	u32 events;                /* changes so far, for poll(2) of mountinfo */
	u32 tree;                  /* it is what a descriptor stands for (agent/fs_mount_handle.c), and nobody's view … */
	u32 moved_space, moved_id; /* … until its mounts were moved: where to; 0: they were not */
	u32 reserved[8];
	struct fs_table copy[2];
};

/* A read-only mount that was taken away: it remains one for who has something of it open still. */
#define FS_DETACHED_MAX 64u /* the last ones */
#define FS_DETACHED_PATH 248u
struct fs_detached {
	u32 id; /* 0 while it is being written */
	u32 source_length;
	char source[FS_DETACHED_PATH];
};

/* What all namespaces share; behind it in the commons: FS_SPACES_MAX of them, sparse. */
struct fs_spaces {
	u32 lock; /* struct lock (agent/agent.h): who changes any namespace */
	u32 next_id, next_peers, next_device, next_inode;
	u32 detached_count; /* so far: rows are used in a circle */
	u32 reserved[10];
	struct fs_detached detached[FS_DETACHED_MAX];
	struct fs_space space[FS_SPACES_MAX];
};

#define FS_FIRST_ID 20u /* of mounts, as on a machine that has been started */
#define FS_FIRST_INODE 0xf0001000u

/*
 * Names of sockets: what a guest bound one to. The kernel knows another path, which holds the number of this row (agent/fs_socket_name.c). Rows are used
 * in a circle.
 */
#define FS_SOCKETS_MAX 4096u
#define FS_SOCKET_BITS 16u /* of a number in a path: the last 16 rounds are told apart */
#define FS_SOCKET_PATH 108u

struct fs_socket {
	u32 number;                /* 0 while it is being written */
	char path[FS_SOCKET_PATH]; /* as struct sockaddr_un has it */
};

/*
 * File systems without a device of which only so much may be used (agent/fs_quota.h): directories of the host. A row is whoever's made `state` FS_QUOTA_MAKING;
 * what has been used is never less than what is there, as far as calls tell, and more after files went, until it is counted again.
 */
#define FS_QUOTAS_MAX 256u
#define FS_QUOTA_PATH 480u

enum fs_quota_state { FS_QUOTA_FREE = 0, FS_QUOTA_MAKING = 1, FS_QUOTA_READY = 2 };

struct fs_quota {
	u32 state;        /* enum fs_quota_state */
	u32 length;       /* of path */
	u64 pages, files; /* limits, 0: none */
	u64 used_pages, used_files;
	char path[FS_QUOTA_PATH]; /* directory of the host, without links */
};

struct fs_state {
	u32 features;
	u32 layered; /* the guest has mounted an overlay */
	struct fs_table
		table; /* as laid out by the host, from which namespace 0 is made; count 0: the cell has the machine's own tree, and no
	                        * path is looked at */
	char cwd[FS_CWD_SIZE]; /* guest path where the first program starts */
	u64 seen[FS_SEEN_BITS / 64];
	u32 sockets_bound, reserved; /* the next one's number */
	struct fs_socket sockets[FS_SOCKETS_MAX];
	u32 quota_count, reserved_quota; /* rows behind these were never used */
	struct fs_quota quotas[FS_QUOTAS_MAX];
};

/* --- the filter ------------------------------------------------------------------------------------------------------------------------ */

enum fs_seen {                   /* what an upper layer may have at a guest path */
	       FS_SEEN_ENTRY,    /* anything */
	       FS_SEEN_OPAQUE,   /* a directory that hides what lies below it; everything in it may be there without being noted */
	       FS_SEEN_WHITEOUT, /* a whiteout, or what is no directory where a lower layer has one */
	       FS_SEEN_FILE,     /* what is no directory: a link, through which a path may go on, or what it may not go through */
	       FS_SEEN_COPY,     /* what has the numbers of something else (agent/fs_origin.c) */
};

#define FS_SEEN_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */

static inline u64 fs_seen_hash(u64 hash, const char *text, u64 length)
{
	for (u64 i = 0; i < length; i++)
		hash = (hash ^ (u8)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* The bit of one probe of three. */
static inline u32 fs_seen_bit(u64 hash, enum fs_seen kind, u32 probe)
{
	hash += (u64)(kind + 1) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
	hash ^= hash >> 32;
	return (u32)(hash >> (FS_SEEN_SHIFT * probe)) & (FS_SEEN_BITS - 1);
}

static inline void fs_seen_add(struct fs_state *fs, u64 hash, enum fs_seen kind)
{
	for (u32 i = 0; i < 3; i++) {
		u32 bit = fs_seen_bit(hash, kind, i);

		if (!(__atomic_load_n(&fs->seen[bit / 64], __ATOMIC_RELAXED) & UINT64_C(1) << bit % 64))
			(void)__atomic_fetch_or(&fs->seen[bit / 64], UINT64_C(1) << bit % 64, __ATOMIC_SEQ_CST);
	}
}

static inline bool fs_seen_has(const struct fs_state *fs, u64 hash, enum fs_seen kind)
{
	for (u32 i = 0; i < 3; i++) {
		u32 bit = fs_seen_bit(hash, kind, i);

		if (!(__atomic_load_n(&fs->seen[bit / 64], __ATOMIC_ACQUIRE) & UINT64_C(1) << bit % 64))
			return false;
	}
	return true;
}

#endif
