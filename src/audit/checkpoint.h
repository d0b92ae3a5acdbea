/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints (https://c2sp.org/tlog-checkpoint): signed notes of three lines, the log's name, its size and its root. */
#ifndef LICHEN_AUDIT_CHECKPOINT_H
#define LICHEN_AUDIT_CHECKPOINT_H

#include "audit/merkle.h"
#include "audit/note.h"

struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	u64 size;
	struct merkle_hash root;
};

/* Signs one, with the key's name as origin. Returns the note's length, or -EINVAL. */
int checkpoint_sign(const struct note_key *key, u64 size, const struct merkle_hash *root, char note[NOTE_MAX]) MUST_CHECK;

/* Reads the text of a note, that is what is signed; lines that others may have added are passed over. 0 or -EINVAL. */
int checkpoint_parse(const char *text, size_t size, struct checkpoint *ret_checkpoint) MUST_CHECK;

/* Verifies a note, that the origin is the key's name, and reads it. 0 or as note_verify(). */
int checkpoint_open(const char *note, size_t size, const struct note_key *key, struct checkpoint *ret_checkpoint) MUST_CHECK;

/*
 * Writes a proof that an entry is in the log (https://c2sp.org/tlog-proof), with the entry itself as extra data. `note`: the checkpoint.
 * Returns text that is the caller's to free, or NULL without memory.
 */
char *checkpoint_proof_text(const void *entry, size_t size, u64 index, const struct merkle_proof *proof,
			    const char *note) MUST_CHECK;

#endif
