/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in a log's directory: bundles of entries, tiles, journals. Input: a kind, then bytes. Journals and tiles are read as those of a log whose
 * files they are; nothing that is read is beyond what there is, and nothing is accepted that was not signed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_verify.h"
#include "audit/journal.h"
#include "fuzz.h"

#define VERIFIER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define EMPTY_SIGNATURE "x08goyw1WL6iZD4GagectIEwy1dBJcu1w1xKzfGPJaPzS+8xGDsAojSszwytUnvMDG2Qs6yQC6sGr2c9X4K9VN/2Mwk="

static void bundle(const u8 *data, size_t size)
{
	const u8 *at = data, *end = data + size, *entry;
	struct audit_found found = { 0 };
	u64 index = 0;
	int length;

	while ((length = tile_entry(&at, end, &entry)) >= 0) {
		MUST(entry + length == at && at <= end);
		if (audit_found_add(&found, index, entry, (size_t)length) == 0)
			index++;
	}
	MUST(found.ended + found.open_count <= 2 * index);
	free(found.open);
}

static void records(const u8 *data, size_t size)
{
	struct journal_record record;
	size_t at = 0;
	s64 length;

	while ((length = journal_record_get(data, size, at, &record)) > 0) {
		MUST((size_t)length == journal_record_size(&record) && at + (size_t)length <= size);
		MUST(record.entries + record.entries_size == (const u8 *)record.note);
		at += (size_t)length;
	}
	MUST((length == 0) == (at >= size));
	MUST(length == 0 || length == -ENODATA || length == -EUCLEAN || length == -EBADMSG);
}

/* A file of the log's directory, which holds nothing but that. */
static void write_file(int dir, const char *name, const u8 *data, size_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
}

static int nothing(void *data, u64 index, const u8 *entry, size_t size)
{
	(void)entry;
	MUST(size <= TILE_ENTRY_MAX);
	MUST(index == (*(u64 *)data)++);
	return 0;
}

/* A tree of up to 255 entries, of which the input is one file. */
static void one_file(const u8 *data, size_t size, bool entries)
{
	char dir[] = "/tmp/fuzz-tiles.XXXXXX", path[TILE_PATH_SIZE];
	struct audit_tree tree = { .published = size ? data[0] : 0 };
	const struct merkle_hash *hashes;
	struct audit_error error;
	u64 next = 0;
	int r;

	if (!tree.published)
		return;
	MUST(mkdtemp(dir));
	tree.edge.size = tree.tiles.size = tree.published;
	tree.tiles.dir = open(dir, O_RDONLY | O_DIRECTORY);
	(void)tile_path(path, entries ? TILE_ENTRIES : 0, 0, (u32)tree.published);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		MUST(mkdirat(tree.tiles.dir, path, 0700) == 0);
		*slash = '/';
	}
	write_file(tree.tiles.dir, path, data + 1, size - 1);
	r = entries ? audit_tree_each(&tree, 0, nothing, &next, &error) : tile_read(&tree.tiles, 0, 0, &hashes);
	MUST(r == -EBADMSG ||
	     (entries ? r == 0 && next == tree.published : (u64)r == tree.published && size - 1 == tree.published * 32));
	MUST(unlinkat(tree.tiles.dir, path, 0) == 0);
	for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		*slash = 0;
		MUST(unlinkat(tree.tiles.dir, path, AT_REMOVEDIR) == 0);
	}
	MUST(close(tree.tiles.dir) == 0 && rmdir(dir) == 0);
}

/* A journal behind the checkpoint of an empty tree: the corpus has ones whose records are signed. */
static void journal(const u8 *data, size_t size)
{
	static const char empty[] = "PeterNeumann\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
				    "\xe2\x80\x94 PeterNeumann " EMPTY_SIGNATURE "\n";
	char dir[] = "/tmp/fuzz-tiles.XXXXXX";
	struct audit_tree tree;
	struct audit_error error;
	struct note_key key;
	int r, at;

	MUST(mkdtemp(dir) && note_key_parse(VERIFIER, &key) == 0);
	at = open(dir, O_RDONLY | O_DIRECTORY);
	write_file(at, AUDIT_CHECKPOINT, (const u8 *)empty, sizeof(empty) - 1);
	write_file(at, JOURNAL_NAME, data, size);
	r = audit_tree_load(&tree, at, &key, true, &error);
	MUST(r == 0 || r == -EBADMSG || r == -ENOKEY);
	MUST(r != 0 || (tree.pending == tree.edge.size && tree.journal_end + tree.torn == size));
	audit_tree_done(&tree);
	MUST(unlinkat(at, AUDIT_CHECKPOINT, 0) == 0 && unlinkat(at, JOURNAL_NAME, 0) == 0 && close(at) == 0 && rmdir(dir) == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0] % 5) {
	case 0:
		bundle(data + 1, size - 1);
		break;
	case 1:
		records(data + 1, size - 1);
		break;
	case 2:
		one_file(data + 1, size - 1, true);
		break;
	case 3:
		one_file(data + 1, size - 1, false);
		break;
	default:
		journal(data + 1, size - 1);
	}
	return 0;
}
