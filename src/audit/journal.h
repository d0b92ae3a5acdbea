/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a log: what is acknowledged and not yet in tiles. A record is one batch of entries and the checkpoint that covers them, written by one
 * write and one fsync; so one sync makes a batch durable, and nothing is ever acknowledged that is not signed.
 *
 *     8  "lichenJ1"          8  index of the first entry      4  entries     4  their bytes     4  the note's bytes     4  zero
 *     the entries, as in a bundle of tile.h; the note; 32 bytes: SHA-256 of all before them.          Numbers: the highest byte first.
 *
 * What a crash leaves behind the last whole record was never acknowledged: torn. It is no torn end when a whole record follows it.
 */
#ifndef LICHEN_AUDIT_JOURNAL_H
#define LICHEN_AUDIT_JOURNAL_H

#include "audit/merkle.h"
#include "base/types.h"

#define JOURNAL_NAME "journal"
#define JOURNAL_MAX (64u << 20) /* bytes; more is not written, and malformed */
#define JOURNAL_HEAD 32u
#define JOURNAL_TAIL MERKLE_HASH_BYTES

struct journal_record {
	u64 first;
	u32 count;
	const u8 *entries;
	u32 entries_size;
	const char *note;
	u32 note_size;
};

/* Bytes that it takes. */
size_t journal_record_size(const struct journal_record *record);
/* Writes it to `to`, of that many bytes. */
void journal_record_put(const struct journal_record *record, u8 *to);

/*
 * Reads the record at `at`. Returns its size; 0 at the end; -ENODATA: the beginning of a record, as a writer leaves it that was killed; -EUCLEAN: nothing
 * whole, and no beginning either: a power failure, or somebody, has damaged the last record; -EBADMSG: it is damaged, and not by a crash, since whole records
 * follow.
 */
s64 journal_record_get(const u8 *bytes, size_t size, size_t at, struct journal_record *ret_record) MUST_CHECK;

/* What seems to be a record, by its head alone: its size, or 0. Of what is in it nothing is compared with its digest. */
size_t journal_record_peek(const u8 *bytes, size_t size, struct journal_record *ret_record) MUST_CHECK;

#endif
