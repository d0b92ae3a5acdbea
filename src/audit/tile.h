/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a tree, as C2SP's tlog-tiles has them (https://c2sp.org/tlog-tiles):
 *
 *     tile/<L>/<N>[.p/<W>]        up to 256 hashes of perfect subtrees of level 8 * L
 *     tile/entries/<N>[.p/<W>]    up to 256 entries, each behind its length in two bytes, the higher first
 *
 * <N> is written in groups of three digits, all but the last with an x before them; .p/<W> is there when only W < 256 are in it.
 */
#ifndef LICHEN_AUDIT_TILE_H
#define LICHEN_AUDIT_TILE_H

#include "audit/merkle.h"

#define TILE_WIDTH 256u
#define TILE_LEVELS 8u /* 8 * 8 levels of the tree */
#define TILE_PATH_SIZE 64u
#define TILE_ENTRY_MAX 65535u
#define TILE_BUNDLE_MAX (TILE_WIDTH * (2u + TILE_ENTRY_MAX))
#define TILE_ENTRIES (-1) /* a level: the entries themselves */

/* Writes the path of a tile of `width` hashes or entries, 1 to 256. Returns `path`. */
const char *tile_path(char path[TILE_PATH_SIZE], int level, u64 index, u32 width);

/* Hashes, or entries, that a tree of `size` leaves has at that level of tiles, and in that tile: 0 to 256. */
u64 tile_count(int level, u64 size);
u32 tile_width(int level, u64 index, u64 size);

/* Takes one entry off the front of a bundle. Returns its size (it stands in *ret_entry), or -EBADMSG when it is not whole. */
int tile_entry(const u8 **at, const u8 *end, const u8 **ret_entry) MUST_CHECK;

/* What has been read last of each level. Starts as { .dir = descriptor, .size = leaves }. */
struct tile_reader {
	int dir;
	u64 size;
	struct tile_cache {
		u64 index;
		u32 width; /* 0 = nothing */
		struct merkle_hash hashes[TILE_WIDTH];
	} cache[TILE_LEVELS];
	char failed[TILE_PATH_SIZE]; /* the path of the tile that could not be read */
};

/* The hashes of a tile, as far as the reader's tree has them: *ret_hashes lives until the next call for that level. Returns their number; -ENOENT, -EBADMSG
 * (it is too short), or other negative errno. */
int tile_read(struct tile_reader *reader, unsigned level, u64 index, const struct merkle_hash **ret_hashes) MUST_CHECK;
/* The same for a bundle of entries, in memory that is the caller's to free: as many whole ones as the reader's tree has. *ret_size: bytes. Returns 0; -EBADMSG,
 * then *ret_size is how many entries of it are good; or other negative errno. */
int tile_read_entries(struct tile_reader *reader, u64 index, u8 **ret_bundle, size_t *ret_size) MUST_CHECK;

/* A struct merkle_source.hash whose data is a struct tile_reader: subtrees that lie within its size. */
int tile_hash(void *data, unsigned level, u64 index, struct merkle_hash *ret_hash) MUST_CHECK;

#endif
