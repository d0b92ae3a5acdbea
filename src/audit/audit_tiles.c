// SPDX-License-Identifier: Apache-2.0
/*
 * Writes tiles for what the journal holds: bundles of entries, then each level of hashes, where a tile that became full gives one hash to the level above. Nobody
 * looks at them before a checkpoint covers them, so they are written in place, and anew after a crash. Each is synced, and its directory once all are in it. They are
 * synced some hundred at a time: what the first sync of new files makes the file system do serves the others, and the whole is several times as fast.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_log_int.h"
#include "base/cleanup.h"
#include "host/tree.h"

#define FILES_AT_ONCE 256u

struct writer {
	const struct audit_io *io;
	struct audit_tree *tree;
	struct audit_error *error;
	char parent[TILE_PATH_SIZE]; /* of the file that was written last; "" = none */
	int files[FILES_AT_ONCE];    /* written and not synced */
	u32 file_count;
};

/* Syncs what was written, if `wanted`, and closes it. */
static int end_files(struct writer *to, bool wanted)
{
	int r = 0;

	while (to->file_count) {
		int fd = to->files[--to->file_count];

		if (wanted && r == 0 && to->io->sync(fd) < 0)
			r = -errno;
		close_fd(&fd);
	}
	return r;
}

static int sync_dir(struct writer *to, const char *path)
{
	CLEANUP_FD int dir = openat(to->tree->tiles.dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 || to->io->sync(dir) < 0 ? -errno : 0;
}

/* Makes the directories of a path, the top one first, durably. */
static int make_dirs(struct writer *to, const char *path)
{
	char part[TILE_PATH_SIZE];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (to->io->mkdir(to->tree->tiles.dir, part, 0755) == 0) {
			char *last = strrchr(part, '/');
			int r;

			if (last)
				*last = 0;
			r = sync_dir(to, last ? part : ".");
			if (r < 0)
				return r;
		} else if (errno != EEXIST) {
			return -errno;
		}
	}
	return 0;
}

static int write_tile(struct writer *to, int level, u64 index, u32 width, const void *bytes, size_t size)
{
	char path[TILE_PATH_SIZE];
	size_t parent = (size_t)(strrchr(tile_path(path, level, index, width), '/') - path);
	int fd, r = to->file_count == FILES_AT_ONCE ? end_files(to, true) : 0;

	if (r == 0 && (strncmp(path, to->parent, parent) != 0 || to->parent[parent])) {
		r = to->parent[0] ? sync_dir(to, to->parent) : 0;
		if (r == 0)
			r = make_dirs(to, path);
		(void)snprintf(to->parent, sizeof(to->parent), "%.*s", (int)parent, path);
	}
	fd = r < 0 ? r : audit_file_write(to->io, to->tree->tiles.dir, path, bytes, size, 0644);
	if (fd < 0)
		return audit_fail_errno(to->error, fd, "cannot write '%s'", path);
	to->files[to->file_count++] = fd;
	return 0;
}

/* Tiles of one level that get `count` more hashes. *ret_full: those of tiles that became full. */
static int write_level(struct writer *to, unsigned level, const struct merkle_hash *hashes, u64 count, struct merkle_hash *ret_full)
{
	u64 at = tile_count((int)level, to->tree->published), full = 0;
	struct merkle_hash tile[TILE_WIDTH];
	const struct merkle_hash *there;
	u32 width = at % TILE_WIDTH;

	if (width) {
		int r = tile_read(&to->tree->tiles, level, at / TILE_WIDTH, &there);

		if (r < 0)
			return audit_fail_errno(to->error, r, "cannot read '%s'", to->tree->tiles.failed);
		memcpy(tile, there, width * sizeof(*tile));
	}
	for (u64 i = 0; i < count; i++, at++) {
		tile[width++] = hashes[i];
		if (width == TILE_WIDTH || i + 1 == count) {
			int r = write_tile(to, (int)level, at / TILE_WIDTH, width, tile, width * sizeof(*tile));

			if (r < 0)
				return r;
		}
		if (width == TILE_WIDTH) {
			ret_full[full++] = merkle_perfect(tile, TILE_WIDTH);
			width = 0;
		}
	}
	return 0;
}

/* The entries of a bundle that is there in part are copied: they must be what their tile says. */
static int old_entries(struct writer *to, u64 index, u32 width, u8 **ret_bundle, size_t *ret_size)
{
	struct tile_reader *tiles = &to->tree->tiles;
	const struct merkle_hash *hashes;
	const u8 *at, *entry;
	int r = tile_read(tiles, 0, index, &hashes);

	if (r >= 0)
		r = tile_read_entries(tiles, index, ret_bundle, ret_size);
	if (r < 0)
		return audit_fail_errno(to->error, r, "cannot read '%s'", tiles->failed);
	at = *ret_bundle;
	for (u32 i = 0; i < width; i++) {
		int size = tile_entry(&at, *ret_bundle + *ret_size, &entry);
		struct merkle_hash hash = merkle_leaf(entry, size < 0 ? 0 : (size_t)size);

		if (size < 0 || !merkle_equal(&hash, &hashes[i])) {
			(void)audit_fail(to->error, -EBADMSG, "entry %" PRIu64 " was changed", index * TILE_WIDTH + i);
			to->error->entry = index * TILE_WIDTH + i;
			return -EBADMSG;
		}
	}
	return 0;
}

static int write_entries(struct writer *to)
{
	struct audit_tree *tree = to->tree;
	const u8 *at = tree->entries, *end = at + tree->entries_size, *entry;
	u32 before = tree->published % TILE_WIDTH;
	CLEANUP_FREE u8 *old = NULL;
	size_t old_size = 0;
	int r = before ? old_entries(to, tree->published / TILE_WIDTH, before, &old, &old_size) : 0;

	for (u64 index = tree->published / TILE_WIDTH; r == 0 && index * TILE_WIDTH < tree->edge.size; index++) {
		u32 width = tile_width(TILE_ENTRIES, index, tree->edge.size);
		const u8 *from = at;
		CLEANUP_FREE u8 *bundle = NULL;

		for (u32 i = old_size ? before : 0; i < width && r == 0; i++)
			if (tile_entry(&at, end, &entry) < 0)
				r = -EBADMSG;
		bundle = r == 0 ? malloc(old_size + (size_t)(at - from) + 1) : NULL;
		if (!bundle)
			return audit_fail_errno(to->error, r < 0 ? r : -ENOMEM, "cannot write entries");
		if (old_size)
			memcpy(bundle, old, old_size);
		memcpy(bundle + old_size, from, (size_t)(at - from));
		r = write_tile(to, TILE_ENTRIES, index, width, bundle, old_size + (size_t)(at - from));
		old_size = 0;
	}
	return r;
}

int audit_tiles_write(const struct audit_io *io, struct audit_tree *tree, struct audit_error *error)
{
	struct writer to = { .io = io, .tree = tree, .error = error };
	u64 count = tree->edge.size - tree->published;
	CLEANUP_FREE struct merkle_hash *hashes = reallocarray(NULL, count / TILE_WIDTH + 2, sizeof(*hashes));
	int r;

	if (!hashes)
		return audit_fail_errno(error, -ENOMEM, "cannot write tiles");
	r = write_entries(&to);
	for (unsigned level = 0; r == 0 && count; level++) {
		u64 next = tile_count((int)level + 1, tree->edge.size) - tile_count((int)level + 1, tree->published);

		r = write_level(&to, level, level ? hashes : tree->leaves, count,
				hashes); /* a full tile's hash is put where others have been read */
		count = next;
	}
	if (r == 0 && (end_files(&to, true) < 0 || (to.parent[0] && sync_dir(&to, to.parent) < 0)))
		r = audit_fail_errno(error, -errno, "cannot write '%s'", to.parent);
	(void)end_files(&to, false);
	return r;
}

void audit_tiles_clean(const struct audit_tree *tree, u64 old)
{
	char full[TILE_PATH_SIZE], path[TILE_PATH_SIZE + 4];

	for (int level = TILE_ENTRIES; level < (int)TILE_LEVELS; level++) {
		u64 index = tile_count(level, old) / TILE_WIDTH;

		if (tile_count(level, old) % TILE_WIDTH == 0 || tile_width(level, index, tree->published) < TILE_WIDTH)
			continue;
		(void)snprintf(path, sizeof(path), "%s.p", tile_path(full, level, index, TILE_WIDTH));
		(void)tree_remove(tree->tiles.dir, path);
	}
}
