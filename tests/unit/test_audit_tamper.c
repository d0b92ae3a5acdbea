// SPDX-License-Identifier: Apache-2.0
/*
 * A log that somebody has changed, who has the disk but not the key: edited, dropped, repeated, exchanged, cut, put back. Each is found, and the first bad
 * entry is named where it can be told. What cannot be found without a checkpoint kept elsewhere is found with one.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_log.h"
#include "audit/audit_verify.h"
#include "audit/journal.h"
#include "audit_disk.h"
#include "host/tree.h"

#define PUBLISHED 600u /* entries in tiles: two full bundles and a partial one; behind them, … */
#define RECORDS 3u     /* … records of the journal, of RECORD entries each */
#define RECORD 4u
#define ALL (PUBLISHED + RECORDS * RECORD)

static char dir[64], key[NOTE_KEY_TEXT];

/* --- files ------------------------------------------------------------------------------------------------------------------------------- */

struct bytes {
	u8 at[1 << 18];
	size_t size;
};

static struct bytes one, other;

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", disk_log(), name);
	return path;
}

static void read_file(const char *name, struct bytes *to)
{
	FILE *file = fopen(path_of(name), "r");

	assert_non_null(file);
	to->size = fread(to->at, 1, sizeof(to->at), file);
	(void)fclose(file);
}

static void write_file(const char *name, const struct bytes *from)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(from->at, 1, from->size, file), from->size);
	assert_int_equal(fclose(file), 0);
}

static void exchange_files(const char *a, const char *b)
{
	read_file(a, &one);
	read_file(b, &other);
	write_file(a, &other);
	write_file(b, &one);
}

/* Where an entry of a bundle begins. */
static size_t entry_at(const struct bytes *bundle, u32 entry)
{
	size_t at = 0;

	while (entry--)
		at += 2u + (size_t)(bundle->at[at] << 8 | bundle->at[at + 1]);
	return at;
}

static void exchange(u8 *a, u8 *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		u8 kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

/* --- the log ----------------------------------------------------------------------------------------------------------------------------- */

static void append(struct audit_log *log, u32 count)
{
	struct audit_error error;

	for (u32 i = 0; i < count; i++)
		assert_int_equal(
			audit_log_append(log, json_pack("{s:s, s:s}", "type", "test", "text", "as long as all others"), &error), 0);
	assert_int_equal(audit_log_commit(log, &error), 0);
}

static void build(void)
{
	struct audit_error error;
	struct audit_log *log;
	struct audit_view view;

	disk_begin(dir, DISK_FINE, 0);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	append(log, PUBLISHED - 1); /* and log.created */
	assert_int_equal(audit_log_publish(log, &error), 0);
	for (u32 i = 0; i < RECORDS; i++)
		append(log, RECORD);
	audit_log_close(log);
	assert_int_equal(audit_view_open(disk_log(), NULL, true, &view, &error), 0);
	(void)note_key_verifier(&view.key, key);
	audit_view_close(&view);
}

/* What verifying says: 0 or negative errno, and the entry that it names. */
static int verify(const char *verifier, u64 *ret_entry)
{
	struct audit_view view;
	struct audit_found found = { 0 };
	struct audit_error error = { .entry = AUDIT_NO_ENTRY };
	int r = audit_view_open(disk_log(), verifier, true, &view, &error);

	if (r == 0)
		r = audit_verify(&view, &found, &error);
	free(found.open);
	audit_view_close(&view);
	*ret_entry = error.entry;
	return r;
}

static void assert_whole(void)
{
	u64 entry;

	assert_int_equal(verify(NULL, &entry), 0);
}

static void assert_broken(u64 entry)
{
	u64 named;

	assert_int_equal(verify(NULL, &named), -EBADMSG);
	assert_int_equal(named, entry);
}

/* --- tiles ------------------------------------------------------------------------------------------------------------------------------- */

static void test_edited_entry(void **state)
{
	(void)state;
	build();
	assert_whole();
	read_file("tile/entries/001", &one);
	one.at[entry_at(&one, 44) + 30] ^= 1;
	write_file("tile/entries/001", &one);
	assert_broken(300);
}

static void test_edited_entry_and_its_hash(void **state)
{
	const u8 *at, *entry;
	struct merkle_hash hash;
	int size;

	(void)state;
	build();
	read_file("tile/entries/001", &one);
	one.at[entry_at(&one, 44) + 60] ^= 1;
	write_file("tile/entries/001", &one);
	at = one.at + entry_at(&one, 44);
	size = tile_entry(&at, one.at + one.size, &entry);
	assert_true(size > 0);
	hash = merkle_leaf(entry, (size_t)size);
	read_file("tile/0/001", &other);
	memcpy(other.at + (size_t)(44 * 32), hash.bytes, 32);
	write_file("tile/0/001", &other);
	assert_broken(256); /* one of 256 to 511: their tile gives another hash than the one above it */
}

static void test_dropped_entry(void **state)
{
	size_t from, to;

	(void)state;
	build();
	read_file("tile/entries/000", &one);
	from = entry_at(&one, 17);
	to = entry_at(&one, 18);
	memmove(one.at + from, one.at + to, one.size - to);
	one.size -= to - from;
	write_file("tile/entries/000", &one);
	assert_broken(255); /* the bundle has one too few */
}

static void test_exchanged_entries(void **state)
{
	size_t a, b;

	(void)state;
	build();
	read_file("tile/entries/000", &one);
	a = entry_at(&one, 110);
	b = entry_at(&one, 111);
	exchange(one.at + a, one.at + b, b - a);
	write_file("tile/entries/000", &one);
	assert_broken(110);
	read_file("tile/0/000", &one);
	exchange(one.at + (size_t)(110 * 32), one.at + (size_t)(111 * 32), 32);
	write_file("tile/0/000", &one);
	assert_broken(110); /* which says that it is entry 111 */
}

static void test_repeated_last_entry(void **state)
{
	size_t at, size;

	(void)state;
	build();
	read_file("tile/entries/002.p/88", &one);
	at = entry_at(&one, 87);
	size = one.size - at;
	memcpy(one.at + one.size, one.at + at, size);
	one.size += size;
	write_file("tile/entries/002.p/88", &one);
	assert_broken(PUBLISHED - 1); /* something follows it */
}

static void test_cut_bundle(void **state)
{
	(void)state;
	build();
	read_file("tile/entries/002.p/88", &one);
	one.size = entry_at(&one, 80) + 5;
	write_file("tile/entries/002.p/88", &one);
	assert_broken(512 + 80);
	assert_int_equal(unlink(path_of("tile/entries/002.p/88")), 0);
	assert_broken(512);
}

static void test_exchanged_tiles(void **state)
{
	(void)state;
	build();
	exchange_files("tile/entries/000", "tile/entries/001");
	assert_broken(0);
	exchange_files("tile/0/000", "tile/0/001");
	assert_broken(0); /* which says that it is entry 256 */
}

static void test_tile_that_is_missing_or_cut(void **state)
{
	(void)state;
	build();
	read_file("tile/0/001", &one);
	one.size -= 32;
	write_file("tile/0/001", &one);
	assert_broken(256);
	assert_int_equal(unlink(path_of("tile/0/001")), 0);
	assert_broken(256);
}

/* --- the journal --------------------------------------------------------------------------------------------------------------------------- */

/* Where its record begins. */
static size_t record_at(u32 record)
{
	struct journal_record found;
	size_t at = 0;

	while (record--)
		at += (size_t)journal_record_get(one.at, one.size, at, &found);
	return at;
}

static void test_edited_journal(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2 * RECORDS; i++) { /* in its entries, and in its first bytes */
		build();
		read_file("journal", &one);
		one.at[record_at(i / 2) + (i % 2 ? 80 : 3)] ^= 1;
		write_file("journal", &one);
		assert_broken(PUBLISHED + i / 2 * RECORD);
	}
}

/* Whoever edits can write the checksum anew; not the signature. */
static void test_edited_journal_with_its_checksum(void **state)
{
	(void)state;
	for (u32 i = 0; i < RECORDS; i++) {
		size_t at, end;

		build();
		read_file("journal", &one);
		at = record_at(i);
		end = record_at(i + 1);
		one.at[at + 80] ^= 1;
		crypto_hash_sha256(one.at + end - 32, one.at + at, end - at - 32);
		write_file("journal", &one);
		assert_broken(PUBLISHED + i * RECORD);
	}
}

static void test_dropped_or_repeated_record(void **state)
{
	size_t first, last;

	(void)state;
	build();
	read_file("journal", &one);
	first = record_at(1);
	memmove(one.at, one.at + first, one.size - first);
	one.size -= first;
	write_file("journal", &one);
	assert_broken(PUBLISHED + RECORD);
	build();
	read_file("journal", &one);
	last = record_at(RECORDS - 1);
	memcpy(one.at + one.size, one.at + last, one.size - last);
	one.size += one.size - last;
	write_file("journal", &one);
	assert_broken(ALL - RECORD);
}

/* --- checkpoints and keys ------------------------------------------------------------------------------------------------------------------ */

static void test_edited_checkpoint(void **state)
{
	u64 entry;

	(void)state;
	build();
	read_file("checkpoint", &one);
	for (size_t i = 0; i < one.size; i++) {
		one.at[i] ^= 1;
		write_file("checkpoint", &one);
		assert_true(verify(NULL, &entry) < 0);
		one.at[i] ^= 1;
	}
	assert_int_equal(unlink(path_of("checkpoint")), 0);
	assert_int_equal(verify(NULL, &entry), -EBADMSG);
}

static void test_wrong_key(void **state)
{
	struct note_key wrong;
	char text[NOTE_KEY_TEXT];
	u64 entry;

	(void)state;
	build();
	assert_int_equal(verify(key, &entry), 0);
	assert_int_equal(note_key_parse(key, &wrong), 0);
	assert_int_equal(note_key_new(wrong.name, &wrong), 0);
	assert_int_equal(verify(note_key_verifier(&wrong, text), &entry), -ENOKEY);
}

/* Another log in the place of this one, by somebody who has no key of it: whole, and of another key. */
static void test_another_log_in_its_place(void **state)
{
	char before[NOTE_KEY_TEXT];
	u64 entry;

	(void)state;
	build();
	memcpy(before, key, sizeof(key));
	build();
	assert_whole();
	assert_int_equal(verify(before, &entry), -ENOKEY);
}

/* What `lichen audit checkpoint` printed stands against an earlier state that is put back, and a newer log that begins otherwise. */
static void test_put_back(void **state)
{
	struct audit_view view;
	struct audit_error error;
	struct checkpoint kept;
	struct audit_log *log;
	char note[NOTE_MAX];
	size_t size;

	(void)state;
	build();
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	append(log, 1);
	audit_log_close(log);
	assert_int_equal(audit_view_open(disk_log(), key, true, &view, &error), 0);
	memcpy(note, view.tree->note, view.tree->note_size);
	size = view.tree->note_size;
	assert_int_equal(audit_view_continues(&view, note, size, &kept, &error), 0);
	assert_int_equal(kept.size, ALL + 1);
	audit_view_close(&view);

	read_file("journal", &one);
	one.size = record_at(1);
	write_file("journal", &one);
	assert_whole();
	assert_int_equal(audit_view_open(disk_log(), key, true, &view, &error), 0);
	assert_int_equal(audit_view_continues(&view, note, size, &kept, &error), -EBADMSG);
	audit_view_close(&view);

	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	append(log, ALL); /* longer than ever, by its own key, and not its continuation */
	audit_log_close(log);
	assert_whole();
	assert_int_equal(audit_view_open(disk_log(), key, true, &view, &error), 0);
	assert_int_equal(audit_view_continues(&view, note, size, &kept, &error), -EBADMSG);
	audit_view_close(&view);
}

/* Nothing is appended to a log that is broken where it is read to write. */
static void test_writer_refuses(void **state)
{
	struct audit_error error;
	struct audit_log *log;

	(void)state;
	build();
	read_file("tile/0/002.p/88", &one);
	one.at[5] ^= 1;
	write_file("tile/0/002.p/88", &one);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), -EBADMSG);
	build();
	assert_int_equal(unlink(path_of("checkpoint")), 0);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), -EBADMSG);
	build();
	read_file("tile/entries/002.p/88", &one); /* which is copied when the bundle grows */
	one.at[5] ^= 1;
	write_file("tile/entries/002.p/88", &one);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	assert_int_equal(audit_log_publish(log, &error), -EBADMSG);
	assert_int_equal(error.entry, 512);
	audit_log_close(log);
}

/* A paused log goes on as it was, unless another writer, or another log in its place, is found. */
static void test_pause(void **state)
{
	struct audit_error error;
	struct audit_log *log, *more;

	(void)state;
	build();
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	append(log, 1);
	assert_int_equal(audit_log_pause(log, disk_log()), 0);
	assert_int_equal(audit_log_resume(log, disk_log(), &error), 0);
	append(log, 1);
	assert_int_equal(audit_log_size(log), ALL + 2);
	assert_int_equal(audit_log_pause(log, disk_log()), 0);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &more, &error), 0); /* it does not hold the lock */
	append(more, 1);
	audit_log_close(more);
	assert_int_equal(audit_log_resume(log, disk_log(), &error), -ESTALE);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &more, &error), 0); /* nor now */
	assert_int_equal(audit_log_continues(more, log, &error), 0);
	audit_log_close(more);
	audit_log_close(log);
	assert_whole();

	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	assert_int_equal(audit_log_size(log), ALL + 3);
	assert_int_equal(audit_log_pause(log, disk_log()), 0);
	build();
	assert_int_equal(audit_log_resume(log, disk_log(), &error), -ESTALE);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &more, &error), 0);
	assert_int_equal(audit_log_continues(more, log, &error), -EBADMSG);
	audit_log_close(more);
	audit_log_close(log);
	assert_whole();
}

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/audit-tamper.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edited_entry),
		cmocka_unit_test(test_edited_entry_and_its_hash),
		cmocka_unit_test(test_dropped_entry),
		cmocka_unit_test(test_exchanged_entries),
		cmocka_unit_test(test_repeated_last_entry),
		cmocka_unit_test(test_cut_bundle),
		cmocka_unit_test(test_exchanged_tiles),
		cmocka_unit_test(test_tile_that_is_missing_or_cut),
		cmocka_unit_test(test_edited_journal),
		cmocka_unit_test(test_edited_journal_with_its_checksum),
		cmocka_unit_test(test_dropped_or_repeated_record),
		cmocka_unit_test(test_edited_checkpoint),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_another_log_in_its_place),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_writer_refuses),
		cmocka_unit_test(test_pause),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
