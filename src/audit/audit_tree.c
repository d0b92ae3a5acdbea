// SPDX-License-Identifier: Apache-2.0
/* Reads a log: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "audit/audit_tree.h"
#include "audit/journal.h"
#include "base/cleanup.h"

#define LOCK_WAIT_MS 30000
#define LOCK_STEP_MS 5

int audit_tree_lock(int dir, bool writer)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };

	for (int waited = 0;; waited += LOCK_STEP_MS) {
		if (flock(dir, (writer ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited >= LOCK_WAIT_MS)
			return -EBUSY;
		(void)nanosleep(&step, NULL);
	}
}

int audit_tree_add(struct audit_tree *tree, const void *entry, size_t size)
{
	u8 *at;

	if (tree->entries_room - tree->entries_size < size + 2) {
		size_t room = 2 * tree->entries_room + size + 4096;
		u8 *more = realloc(tree->entries, room);

		if (!more)
			return -ENOMEM;
		tree->entries = more;
		tree->entries_room = room;
	}
	if (tree->leaves_room == tree->pending) {
		size_t room = 2 * tree->leaves_room + 256;
		struct merkle_hash *more = reallocarray(tree->leaves, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		tree->leaves = more;
		tree->leaves_room = room;
	}
	at = tree->entries + tree->entries_size;
	at[0] = (u8)(size >> 8);
	at[1] = (u8)size;
	memcpy(at + 2, entry, size);
	tree->entries_size += size + 2;
	tree->leaves[tree->pending++] = merkle_leaf(entry, size);
	return 0;
}

void audit_tree_cut(struct audit_tree *tree, u64 pending, size_t size)
{
	tree->pending = pending;
	tree->entries_size = size;
}

static int tree_hash(void *data, unsigned level, u64 index, struct merkle_hash *ret_hash)
{
	struct audit_tree *tree = data;
	struct merkle_hash left, right;
	int r;

	if ((index + 1) << level <= tree->published)
		return tile_hash(&tree->tiles, level, index, ret_hash);
	if (level == 0) {
		*ret_hash = tree->leaves[index - tree->published];
		return 0;
	}
	r = tree_hash(data, level - 1, 2 * index, &left);
	if (r == 0)
		r = tree_hash(data, level - 1, 2 * index + 1, &right);
	if (r == 0)
		*ret_hash = merkle_node(&left, &right);
	return r;
}

struct merkle_source audit_tree_source(struct audit_tree *tree)
{
	return (struct merkle_source){ tree_hash, tree };
}

/* --- loading ------------------------------------------------------------------------------------------------------------------------- */

static int fail_note(struct audit_error *error, int code, const char *what, const struct note_key *key)
{
	if (code == -ENOKEY)
		return audit_fail(error, code, "%s is not signed by %.100s", what, key->name);
	return audit_fail(error, -EBADMSG, code == -EBADMSG ? "the signature of %s is wrong" : "%s is no checkpoint", what);
}

static int load_published(struct audit_tree *tree, const struct note_key *key, struct audit_error *error)
{
	struct merkle_source source = { tile_hash, &tree->tiles };
	CLEANUP_FREE char *note = NULL;
	struct checkpoint published;
	struct merkle_hash root;
	size_t size;
	int r = audit_file_read(tree->tiles.dir, AUDIT_CHECKPOINT, NOTE_MAX - 1, &note, &size);

	if (r == -ENOENT)
		return audit_fail(error, -EBADMSG, "the file 'checkpoint' is missing");
	if (r < 0)
		return audit_fail_errno(error, r == -EFBIG ? -EBADMSG : r, "cannot read the file 'checkpoint'");
	r = checkpoint_open(note, size, key, &published);
	if (r < 0)
		return fail_note(error, r, "the file 'checkpoint'", key);
	tree->published = tree->tiles.size = published.size;
	r = merkle_edge_load(&source, published.size, &tree->edge);
	if (r == -ENOENT || r == -EBADMSG)
		return audit_fail(error, -EBADMSG, "the file '%s' is %s", tree->tiles.failed,
				  r == -ENOENT ? "missing" : "too short");
	if (r < 0)
		return audit_fail_errno(error, r, "cannot read '%s'", tree->tiles.failed);
	root = merkle_edge_root(&tree->edge);
	if (!merkle_equal(&root, &published.root))
		return audit_fail(error, -EBADMSG, "the tiles of %" PRIu64 " entries do not have the root that was signed",
				  published.size);
	memcpy(tree->note, note, size + 1);
	tree->note_size = size;
	return 0;
}

static int fail_record(struct audit_error *error, const struct journal_record *record, const char *what)
{
	(void)audit_fail(error, -EBADMSG, "the journal's entries %" PRIu64 " to %" PRIu64 " %s", record->first,
			 record->first + record->count - 1, what);
	error->entry = record->first;
	return -EBADMSG;
}

static int load_record(struct audit_tree *tree, const struct journal_record *record, const struct note_key *key, bool verify,
		       struct audit_error *error)
{
	const u8 *at = record->entries, *end = at + record->entries_size;
	struct checkpoint covered;
	struct merkle_hash root;
	int r;

	if (record->first != tree->edge.size)
		return fail_record(error, record, "do not follow what is before them");
	for (u32 i = 0; i < record->count; i++) {
		const u8 *entry;
		int size = tile_entry(&at, end, &entry);

		if (size < 0)
			return fail_record(error, record, "are malformed");
		if (audit_tree_add(tree, entry, (size_t)size) < 0)
			return audit_fail_errno(error, -ENOMEM, "cannot read the journal");
		merkle_edge_add(&tree->edge, &tree->leaves[tree->pending - 1]);
	}
	root = merkle_edge_root(&tree->edge);
	r = verify ? checkpoint_open(record->note, record->note_size, key, &covered) : 0;
	if (r < 0) {
		(void)fail_note(error, r, "a checkpoint in the journal", key);
		error->entry = record->first;
		return r == -ENOKEY ? r : -EBADMSG;
	}
	if (at != end || record->note_size >= NOTE_MAX)
		return fail_record(error, record, "are malformed");
	if (verify && (covered.size != tree->edge.size || !merkle_equal(&covered.root, &root)))
		return fail_record(error, record, "do not have the root that was signed: one of them was changed");
	memcpy(tree->note, record->note, record->note_size);
	tree->note[record->note_size] = 0;
	tree->note_size = record->note_size;
	return 0;
}

/* Where the last record begins, if records fill a journal by what their heads say; else 0. */
static size_t find_last(const u8 *bytes, size_t size)
{
	struct journal_record record;
	size_t last = 0, at = 0, length;

	for (; at < size && (length = journal_record_peek(bytes + at, size - at, &record)); at += length)
		last = at;
	return at == size ? last : 0;
}

/* A record that lies before `last` is covered by the signature of the last one, which is over all entries: its own digest is left out. */
static s64 next_record(const u8 *bytes, size_t size, size_t at, size_t last, struct journal_record *ret_record)
{
	return at < last ? (s64)journal_record_peek(bytes + at, size - at, ret_record)
			 : journal_record_get(bytes, size, at, ret_record);
}

static int load_journal(struct audit_tree *tree, const struct note_key *key, bool each_note, struct audit_error *error)
{
	CLEANUP_FREE char *text = NULL;
	struct journal_record record, next;
	size_t size, at = 0, last;
	int r = audit_file_read(tree->tiles.dir, JOURNAL_NAME, JOURNAL_MAX, &text, &size);
	const u8 *bytes;
	s64 length, more;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return audit_fail_errno(error, r == -EFBIG ? -EBADMSG : r, "cannot read the file 'journal'");
	bytes = (const u8 *)text;
	last = each_note ? 0 : find_last(bytes, size);
	length = next_record(bytes, size, 0, last, &record);
	for (; length > 0; at += (size_t)length, length = more, record = next) {
		more = next_record(bytes, size, at + (size_t)length, last, &next);
		if (record.first + record.count <= tree->published) /* a crash came between publishing and emptying the journal */
			continue;
		r = load_record(tree, &record, key, each_note || more <= 0, error);
		if (r < 0)
			return r;
	}
	tree->journal_end = at;
	tree->torn = size - at;
	tree->damaged = length == -EUCLEAN;
	crypto_hash_sha256(tree->torn_digest.bytes, bytes + at, tree->torn);
	if (length == -EBADMSG) {
		(void)audit_fail(error, -EBADMSG, "the journal is damaged at byte %zu, behind which there are whole records", at);
		error->entry = tree->edge.size;
		return -EBADMSG;
	}
	return 0;
}

int audit_tree_load(struct audit_tree *tree, int dir, const struct note_key *key, bool each_note, struct audit_error *error)
{
	int r;

	memset(tree, 0, sizeof(*tree));
	tree->tiles.dir = dir;
	r = load_published(tree, key, error);
	return r < 0 ? r : load_journal(tree, key, each_note, error);
}

void audit_tree_done(struct audit_tree *tree)
{
	free(tree->entries);
	free(tree->leaves);
	tree->entries = NULL;
	tree->leaves = NULL;
}

/* --- walking -------------------------------------------------------------------------------------------------------------------------- */

static int fail_bundle(struct audit_tree *tree, struct audit_error *error, int code, u64 entry)
{
	if (code == -ENOENT)
		(void)audit_fail(error, -EBADMSG, "the file '%s' is missing", tree->tiles.failed);
	else if (code == -EBADMSG)
		(void)audit_fail(error, -EBADMSG, "the file '%s' is malformed", tree->tiles.failed);
	else
		return audit_fail_errno(error, code, "cannot read '%s'", tree->tiles.failed);
	error->entry = entry;
	return -EBADMSG;
}

static int each_of_bundle(struct audit_tree *tree, u64 index, u64 from,
			  int (*each)(void *data, u64 index, const u8 *entry, size_t size), void *data, struct audit_error *error)
{
	u32 width = tile_width(TILE_ENTRIES, index, tree->published);
	u64 first = index * TILE_WIDTH;
	CLEANUP_FREE u8 *bundle = NULL;
	size_t size = 0;
	int r = tile_read_entries(&tree->tiles, index, &bundle, &size);
	const u8 *at = bundle, *entry;

	if (r < 0)
		return fail_bundle(tree, error, r, first + (r == -EBADMSG ? size : 0));
	for (u32 i = 0; i < width; i++) {
		int length = tile_entry(&at, bundle + size, &entry);

		if (length < 0)
			return fail_bundle(tree, error, length, first + i);
		r = first + i < from ? 0 : each(data, first + i, entry, (size_t)length);
		if (r)
			return r;
	}
	return 0;
}

int audit_tree_each(struct audit_tree *tree, u64 from, int (*each)(void *data, u64 index, const u8 *entry, size_t size), void *data,
		    struct audit_error *error)
{
	const u8 *at = tree->entries, *end = at ? at + tree->entries_size : NULL, *entry;

	for (u64 index = from / TILE_WIDTH; index * TILE_WIDTH < tree->published; index++) {
		int r = each_of_bundle(tree, index, from, each, data, error);

		if (r)
			return r;
	}
	for (u64 i = tree->published; i < tree->edge.size; i++) {
		int length = tile_entry(&at, end, &entry), r = i < from || length < 0 ? 0 : each(data, i, entry, (size_t)length);

		if (r)
			return r;
	}
	return 0;
}
