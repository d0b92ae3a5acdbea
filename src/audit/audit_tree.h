/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log as it stands on disk: the tree of tile files that `checkpoint` covers, and behind it what the journal has.
 *
 *     DIR/checkpoint       the newest published one; the file is there as long as the log is
 *     DIR/tile/…           tile.h; complete for that checkpoint
 *     DIR/journal          journal.h; records that are published already are passed over
 *     DIR/key              the signer (note.h), mode 0600, unless $LICHEN_AUDIT_KEY names another file
 *     DIR/key.pub          the verifier
 *     DIR/runs/ID          locked (flock) as long as a run goes on that has begun in the log; afterwards it is kept as DIR/runs/.spare, for the next
 *
 * Who reads or writes the journal holds a lock of DIR (flock): one writer, or readers for as long as they take to read checkpoint and journal. Tiles
 * are never changed once a checkpoint covers them.
 */
#ifndef LICHEN_AUDIT_AUDIT_TREE_H
#define LICHEN_AUDIT_AUDIT_TREE_H

#include "audit/audit_file.h"
#include "audit/checkpoint.h"
#include "audit/tile.h"

#define AUDIT_CHECKPOINT "checkpoint"
#define AUDIT_KEY "key"
#define AUDIT_KEY_PUBLIC "key.pub"
#define AUDIT_RUNS "runs"

struct audit_tree {
	u64 published;           /* entries in tile files */
	struct merkle_edge edge; /* of all */
	struct tile_reader tiles;
	u8 *entries; /* all others, as in a bundle; … */
	size_t entries_size, entries_room;
	struct merkle_hash *leaves; /* … and their hashes: edge.size - published, and those of a batch that is being made */
	size_t leaves_room;
	u64 pending;
	char note[NOTE_MAX]; /* which covers all */
	size_t note_size;
	size_t journal_end;             /* of its last whole record */
	size_t torn;                    /* bytes behind that; … */
	bool damaged;                   /* … not merely the beginning of a record */
	struct merkle_hash torn_digest; /* their SHA-256 */
};

/* Takes the lock of a log's directory, waiting for others half a minute at most. `dir`: the descriptor that shall hold it. 0, -EBUSY, or negative errno. */
int audit_tree_lock(int dir, bool writer) MUST_CHECK;

/*
 * Reads checkpoint, tiles at the edge, and journal, and verifies them against each other and the key; `each_note`: the signature of every record,
 * not of the last alone. `dir` is kept for reading tiles. Ends with audit_tree_done(), whatever it returns. 0 or negative errno.
 */
int audit_tree_load(struct audit_tree *tree, int dir, const struct note_key *key, bool each_note,
		    struct audit_error *error) MUST_CHECK;
void audit_tree_done(struct audit_tree *tree);

/* Adds an entry to those that are not in tiles, not to the edge. 0 or -ENOMEM. */
int audit_tree_add(struct audit_tree *tree, const void *entry, size_t size) MUST_CHECK;
/* Takes the entries behind the first `pending` away again; `size`: what entries_size was then. */
void audit_tree_cut(struct audit_tree *tree, u64 pending, size_t size);

/* Hashes of any perfect subtree of the edge's tree. */
struct merkle_source audit_tree_source(struct audit_tree *tree);

/* Hands entries from index `from` on to `each` until it returns other than 0, which is returned; or negative errno: -EBADMSG when a bundle is malformed.
 * Entries are as they lie there; nothing is compared with tiles. */
int audit_tree_each(struct audit_tree *tree, u64 from, int (*each)(void *data, u64 index, const u8 *entry, size_t size), void *data,
		    struct audit_error *error) MUST_CHECK;

#endif
