// SPDX-License-Identifier: Apache-2.0
/* Paths and contents of tiles: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/tile.h"
#include "base/cleanup.h"
#include "base/read_bytes.h"

const char *tile_path(char path[TILE_PATH_SIZE], int level, u64 index, u32 width)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%03" PRIu64, index), lead, used;

	used = level == TILE_ENTRIES ? snprintf(path, TILE_PATH_SIZE, "tile/entries/")
				     : snprintf(path, TILE_PATH_SIZE, "tile/%d/", level);
	lead = length % 3;
	if (lead) /* "1234" is 001/234 */
		used += snprintf(path + used, TILE_PATH_SIZE - (size_t)used, "x%s%.*s/", lead == 1 ? "00" : "0", lead, digits);
	for (int at = lead; at < length; at += 3)
		used += snprintf(path + used, TILE_PATH_SIZE - (size_t)used, "%s%.3s%s", at + 3 < length ? "x" : "", digits + at,
				 at + 3 < length ? "/" : "");
	if (width < TILE_WIDTH)
		(void)snprintf(path + used, TILE_PATH_SIZE - (size_t)used, ".p/%u", width);
	return path;
}

u64 tile_count(int level, u64 size)
{
	return level <= 0 ? size : size >> (8 * level);
}

u32 tile_width(int level, u64 index, u64 size)
{
	u64 count = tile_count(level, size);

	return index >= count / TILE_WIDTH ? index == count / TILE_WIDTH ? (u32)(count % TILE_WIDTH) : 0 : TILE_WIDTH;
}

int tile_entry(const u8 **at, const u8 *end, const u8 **ret_entry)
{
	int size;

	if (end - *at < 2)
		return -EBADMSG;
	size = (*at)[0] << 8 | (*at)[1];
	if (end - *at - 2 < size)
		return -EBADMSG;
	*ret_entry = *at + 2;
	*at += 2 + size;
	return size;
}

/* Opens a tile; where the partial one is gone, the full one is there: *width is what the file has. */
static int open_tile(struct tile_reader *reader, int level, u64 index, u32 *width)
{
	char full[TILE_PATH_SIZE];
	int fd = openat(reader->dir, tile_path(reader->failed, level, index, *width), O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT && *width < TILE_WIDTH) {
		fd = openat(reader->dir, tile_path(full, level, index, TILE_WIDTH), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0)
			*width = TILE_WIDTH;
		else
			errno = ENOENT;
	}
	return fd < 0 ? -errno : fd;
}

/* The size of a file that is opened, at most `most`; or -EBADMSG. */
static s64 size_of(int fd, size_t most)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) && (u64)st.st_size <= most ? st.st_size : -EBADMSG;
}

int tile_read(struct tile_reader *reader, unsigned level, u64 index, const struct merkle_hash **ret_hashes)
{
	struct tile_cache *cache = &reader->cache[level % TILE_LEVELS];
	u32 width = tile_width((int)level, index, reader->size);
	u32 there = width;
	ssize_t n;

	if (cache->width != width || cache->index != index) {
		CLEANUP_FD int fd = width ? open_tile(reader, (int)level, index, &there) : -ENOENT;

		if (fd < 0)
			return fd;
		cache->width = 0;
		n = (ssize_t)size_of(fd, sizeof(cache->hashes));
		if (n >= 0 && (size_t)n != there * sizeof(*cache->hashes))
			n = -EBADMSG;
		if (n < 0)
			return (int)n;
		n = read_bytes_into(fd, cache->hashes, width * sizeof(*cache->hashes));
		if (n < 0)
			return (int)n;
		if ((size_t)n < width * sizeof(*cache->hashes))
			return -EBADMSG;
		cache->index = index;
		cache->width = width;
	}
	*ret_hashes = cache->hashes;
	return (int)width;
}

static int bad_at(size_t *ret_size, u32 entry)
{
	*ret_size = entry;
	return -EBADMSG;
}

int tile_read_entries(struct tile_reader *reader, u64 index, u8 **ret_bundle, size_t *ret_size)
{
	u32 width = tile_width(TILE_ENTRIES, index, reader->size), there = width;
	CLEANUP_FD int fd = open_tile(reader, TILE_ENTRIES, index, &there);
	CLEANUP_FREE u8 *bundle = NULL;
	s64 size = fd < 0 ? fd : size_of(fd, TILE_BUNDLE_MAX);
	const u8 *at, *entry;
	ssize_t n;

	if (size < 0)
		return (int)size;
	bundle = malloc((size_t)size + 1);
	if (!bundle)
		return -ENOMEM;
	n = read_bytes_into(fd, bundle, (size_t)size);
	if (n < 0)
		return (int)n;
	at = bundle;
	for (u32 i = 0; i < there; i++) {
		if (i == width)
			size = at - bundle; /* the others are of a larger tree */
		if (tile_entry(&at, bundle + n, &entry) < 0)
			return bad_at(ret_size, i);
	}
	if (at != bundle + n)
		return bad_at(ret_size, width - 1); /* something follows the last */
	*ret_size = (size_t)size;
	*ret_bundle = bundle;
	bundle = NULL;
	return 0;
}

int tile_hash(void *data, unsigned level, u64 index, struct merkle_hash *ret_hash)
{
	unsigned within = level % 8;
	u64 first = index << within;
	const struct merkle_hash *hashes;
	int width = tile_read(data, level / 8, first / TILE_WIDTH, &hashes);

	if (width < 0)
		return width;
	if (first % TILE_WIDTH + (UINT64_C(1) << within) > (u64)width)
		return -EBADMSG;
	*ret_hash = merkle_perfect(hashes + first % TILE_WIDTH, 1U << within);
	return 0;
}
