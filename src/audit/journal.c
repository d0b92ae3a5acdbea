// SPDX-License-Identifier: Apache-2.0
/* Records of the journal: see the header. */
#include <errno.h>
#include <sodium/crypto_hash_sha256.h>
#include <string.h>

#include "audit/journal.h"
#include "audit/note.h"

#define MAGIC "lichenJ1"
#define MAGIC_SIZE 8u

static void put(u8 *to, u64 number, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (u8)(number >> 8 * (bytes - 1 - i));
}

static u64 get(const u8 *from, unsigned bytes)
{
	u64 number = 0;

	for (unsigned i = 0; i < bytes; i++)
		number = number << 8 | from[i];
	return number;
}

size_t journal_record_size(const struct journal_record *record)
{
	return (size_t)JOURNAL_HEAD + record->entries_size + record->note_size + JOURNAL_TAIL;
}

void journal_record_put(const struct journal_record *record, u8 *to)
{
	u8 *at = to + JOURNAL_HEAD;

	memcpy(to, MAGIC, MAGIC_SIZE);
	put(to + 8, record->first, 8);
	put(to + 16, record->count, 4);
	put(to + 20, record->entries_size, 4);
	put(to + 24, record->note_size, 4);
	put(to + 28, 0, 4);
	memcpy(at, record->entries, record->entries_size);
	at += record->entries_size;
	memcpy(at, record->note, record->note_size);
	at += record->note_size;
	crypto_hash_sha256(at, to, (size_t)(at - to));
}

size_t journal_record_peek(const u8 *bytes, size_t size, struct journal_record *ret_record)
{
	struct journal_record record = { 0 };
	size_t all;

	if (size < JOURNAL_HEAD || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0 || get(bytes + 28, 4) != 0)
		return 0;
	record.first = get(bytes + 8, 8);
	record.count = (u32)get(bytes + 16, 4);
	record.entries_size = (u32)get(bytes + 20, 4);
	record.note_size = (u32)get(bytes + 24, 4);
	all = journal_record_size(&record);
	if (all > size || record.note_size > NOTE_MAX || record.first > MERKLE_SIZE_MAX)
		return 0;
	record.entries = bytes + JOURNAL_HEAD;
	record.note = (const char *)record.entries + record.entries_size;
	*ret_record = record;
	return all;
}

/* Its size if it is whole, else 0. */
static size_t whole(const u8 *bytes, size_t size, struct journal_record *ret_record)
{
	struct journal_record record;
	u8 digest[JOURNAL_TAIL];
	size_t all = journal_record_peek(bytes, size, &record);

	if (!all)
		return 0;
	crypto_hash_sha256(digest, bytes, all - JOURNAL_TAIL);
	if (memcmp(digest, bytes + all - JOURNAL_TAIL, JOURNAL_TAIL) != 0)
		return 0;
	*ret_record = record;
	return all;
}

/* Whether these bytes, which are not a whole record, are the beginning of one. */
static bool begins(const u8 *bytes, size_t size)
{
	if (memcmp(bytes, MAGIC, size < MAGIC_SIZE ? size : MAGIC_SIZE) != 0)
		return false;
	return size < JOURNAL_HEAD || (size_t)JOURNAL_HEAD + get(bytes + 20, 4) + get(bytes + 24, 4) + JOURNAL_TAIL > size;
}

s64 journal_record_get(const u8 *bytes, size_t size, size_t at, struct journal_record *ret_record)
{
	struct journal_record later;
	const u8 *found = bytes + at;
	size_t all;

	if (at >= size)
		return 0;
	all = whole(bytes + at, size - at, ret_record);
	if (all)
		return (s64)all;
	while ((found = memmem(found + 1, size - (size_t)(found + 1 - bytes), MAGIC, MAGIC_SIZE)) != NULL)
		if (whole(found, size - (size_t)(found - bytes), &later))
			return -EBADMSG;
	return begins(bytes + at, size - at) ? -ENODATA : -EUCLEAN;
}
