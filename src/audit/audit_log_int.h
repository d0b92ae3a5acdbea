/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that write a log. */
#ifndef LICHEN_AUDIT_AUDIT_LOG_INT_H
#define LICHEN_AUDIT_AUDIT_LOG_INT_H

#include "audit/audit_log.h"
#include "audit/audit_tree.h"

/* By which it is told that nobody has written a log meanwhile. A journal that shrinks has been published: then the checkpoint is another file. */
struct audit_seen {
	struct {
		u64 device, inode, size, seconds, nanoseconds;
	} directory, checkpoint, journal;
};

struct audit_log {
	const struct audit_io *io;
	int dir, journal;
	struct note_key key;
	struct audit_tree tree; /* edge: committed; pending and entries: the batch, too */
	size_t committed_size;  /* of tree.entries */
	bool failed;            /* what is on disk is not known */
	struct audit_seen seen; /* while it is paused */
};

/* Reads the signer of a log, or makes a new log in an empty directory. 0 or negative errno. */
int audit_key_load(const struct audit_io *io, int dir, struct note_key *ret_key, struct audit_error *error) MUST_CHECK;

/* Writes the tile files of the committed entries that are in none, for the tree's next size, and syncs them. 0 or negative errno. */
int audit_tiles_write(const struct audit_io *io, struct audit_tree *tree, struct audit_error *error) MUST_CHECK;
/* Removes partial tiles of a tree of `old` entries for which there are full ones. What stays is no harm. */
void audit_tiles_clean(const struct audit_tree *tree, u64 old);

#endif
