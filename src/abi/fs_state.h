/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file tree of a cell that has a root of its own: which guest path is which host path. Made by host/root.c before the first guest
 * instruction, read by every member (agent/fs.h); not changed afterwards. Part of struct commons.
 *
 * Targets and sources are absolute, without links, dots or slashes at the end; the root itself is the empty string, on either side.
 *
 * A mount may be an overlay: several directories, the upper one first (agent/fs_layers.h). Of what is in upper layers there is a filter for
 * all overlays together: a set of paths that only grows, filled before the first guest instruction and by who changes a layer, before
 * the change. It may say yes to what is not there, never no to what is.
 */
#ifndef LICHEN_ABI_FS_STATE_H
#define LICHEN_ABI_FS_STATE_H

#include <assert.h>

#include "base/types.h"

#define FS_MOUNTS_MAX 64u
#define FS_TEXT_SIZE 32768u
#define FS_CWD_SIZE 4096u
#define FS_LAYERS_MAX 128u      /* of all overlays */
#define FS_SEEN_BITS (1u << 20) /* of the filter: 100,000 paths fill it so far that one lookup in fifty is in vain */

enum fs_mount_flag {
	FS_READ_ONLY = 1u << 0,
	FS_PROC = 1u << 1, /* source is a procfs: its links are magic */
	FS_FILE = 1u << 2, /* source is no directory */
};

enum fs_feature {
	FS_OPENAT2 = 1u << 0,        /* openat2(2) with RESOLVE_NO_SYMLINKS works here */
	FS_TRUSTED = 1u << 1,        /* overlays have their attributes in trusted.overlay.*, not in user.overlay.* */
	FS_WHITEOUT_XATTR = 1u << 2, /* whiteouts are empty files with an attribute: character devices cannot be made */
};

struct fs_layer {
	u16 source, source_length; /* offsets in text[] */
};

struct fs_mount {
	u32 flags; /* enum fs_mount_flag */
	u16 source, source_length;
	u16 target, target_length; /* offsets in text[]; NUL-terminated there */
	u16 layer, layer_count;    /* an overlay: its layers, upper first, whose source is the mount's; 0: none */
	u16 work, reserved;        /* an overlay: directory for what is being made, on the upper one's file system */
};
static_assert(sizeof(struct fs_mount) == 20, "shared between agents");

struct fs_state {
	u32 count; /* of mounts; 0: the cell has the machine's own tree, and no path is looked at. mounts[0] is the root */
	u32 features;
	u32 used; /* bytes of text */
	u32 layer_count;
	struct fs_mount mounts[FS_MOUNTS_MAX];
	struct fs_layer layers[FS_LAYERS_MAX];
	char text[FS_TEXT_SIZE];
	char cwd[FS_CWD_SIZE]; /* guest path where the first program starts */
	u64 seen[FS_SEEN_BITS / 64];
};

/* --- the filter ------------------------------------------------------------------------------------------------------------------------ */

enum fs_seen {                   /* what an upper layer may have at a guest path */
	       FS_SEEN_ENTRY,    /* anything */
	       FS_SEEN_OPAQUE,   /* a directory that hides what lies below it; everything in it may be there without being noted */
	       FS_SEEN_WHITEOUT, /* a whiteout, or what is no directory where a lower layer has one */
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
	return (u32)(hash >> (20 * probe)) & (FS_SEEN_BITS - 1);
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
