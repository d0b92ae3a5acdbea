// SPDX-License-Identifier: Apache-2.0
/* Writes a log: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/audit_log_int.h"
#include "audit/journal.h"
#include "base/cleanup.h"
#include "lichen.h"

#define BATCH_BYTES (4u << 20)     /* more is committed at once */
#define PUBLISH_BYTES (16u << 20)  /* of the journal, while it is open; … */
#define PUBLISH_ENTRIES TILE_WIDTH /* … and when it is closed */

/* RFC 3339, in UTC, with microseconds. */
static void put_time(char text[40])
{
	struct timespec now;
	struct tm utc;
	size_t used;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	used = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(text + used, 40 - used, ".%06ldZ", now.tv_nsec / 1000);
}

static u64 batch(const struct audit_log *log)
{
	return log->tree.pending - (log->tree.edge.size - log->tree.published);
}

static void drop_batch(struct audit_log *log)
{
	audit_tree_cut(&log->tree, log->tree.edge.size - log->tree.published, log->committed_size);
}

static int dead(struct audit_error *error)
{
	return audit_fail(error, -EIO, "an earlier write of the log failed");
}

/* Puts one record at the journal's end, durably. */
static int write_record(struct audit_log *log, const u8 *record, size_t size, struct audit_error *error)
{
	struct audit_tree *tree = &log->tree;
	int r = lseek(log->journal, (off_t)tree->journal_end, SEEK_SET) < 0 ? -errno
									    : audit_write(log->io, log->journal, record, size);

	if (r < 0) {
		if (log->io->truncate(log->journal, (off_t)tree->journal_end) < 0)
			log->failed = true;
		return audit_fail_errno(error, r, "cannot write the log's journal");
	}
	/* a torn end that was longer */
	if (tree->torn > size && log->io->truncate(log->journal, (off_t)(tree->journal_end + size)) < 0)
		log->failed = true;
	if (!log->failed && log->io->sync(log->journal) < 0)
		log->failed = true;
	if (log->failed)
		return audit_fail_errno(error, -errno, "cannot make the log's journal durable");
	tree->journal_end += size;
	tree->torn = 0;
	return 0;
}

/* Publishing in between fails without harm, as long as the journal may grow. */
static int publish_if_full(struct audit_log *log, struct audit_error *error)
{
	if (log->tree.journal_end < PUBLISH_BYTES)
		return 0;
	return audit_log_publish(log, error) < 0 && log->tree.journal_end > JOURNAL_MAX / 2 ? -ENOSPC : 0;
}

int audit_log_commit(struct audit_log *log, struct audit_error *error)
{
	struct audit_tree *tree = &log->tree;
	u64 count = batch(log);
	struct journal_record record = { .first = tree->edge.size,
					 .count = (u32)count,
					 .entries = tree->entries + log->committed_size,
					 .entries_size = (u32)(tree->entries_size - log->committed_size) };
	struct merkle_edge edge = tree->edge;
	struct merkle_hash root;
	char note[NOTE_MAX];
	CLEANUP_FREE u8 *bytes = NULL;
	int r;

	if (log->failed)
		return dead(error);
	if (!count)
		return 0;
	for (u64 i = tree->pending - count; i < tree->pending; i++)
		merkle_edge_add(&edge, &tree->leaves[i]);
	root = merkle_edge_root(&edge);
	r = checkpoint_sign(&log->key, edge.size, &root, note);
	record.note = note;
	record.note_size = r < 0 ? 0 : (u32)r;
	bytes = r < 0 ? NULL : malloc(journal_record_size(&record));
	if (bytes) {
		journal_record_put(&record, bytes);
		r = write_record(log, bytes, journal_record_size(&record), error);
	} else {
		r = audit_fail_errno(error, r < 0 ? r : -ENOMEM, "cannot sign the log");
	}
	if (r < 0) {
		drop_batch(log);
		return r;
	}
	tree->edge = edge;
	log->committed_size = tree->entries_size;
	memcpy(tree->note, note, record.note_size + 1);
	tree->note_size = record.note_size;
	return publish_if_full(log, error);
}

int audit_log_append(struct audit_log *log, json_t *event, struct audit_error *error)
{
	char *members = event ? json_dumps(event, JSON_COMPACT) : NULL, *text = NULL, time[40];
	u64 seq = log->tree.published + log->tree.pending;
	int length, r;

	json_decref(event);
	put_time(time);
	length = members ? asprintf(&text, "{\"seq\":%" PRIu64 ",\"time\":\"%s\",%s", seq, time, members + 1) : -1;
	free(members);
	if (log->failed)
		r = dead(error);
	else if (length < 0)
		r = audit_fail_errno(error, -ENOMEM, "cannot write an event");
	else if (length > (int)TILE_ENTRY_MAX)
		r = audit_fail(error, -EINVAL, "an event of %d bytes is too long", length);
	else if (audit_tree_add(&log->tree, text, (size_t)length) < 0)
		r = audit_fail_errno(error, -ENOMEM, "cannot write an event");
	else
		r = log->tree.entries_size - log->committed_size < BATCH_BYTES ? 0 : audit_log_commit(log, error);
	if (length >= 0)
		free(text);
	if (r < 0)
		drop_batch(log);
	return r;
}

int audit_log_publish(struct audit_log *log, struct audit_error *error)
{
	struct audit_tree *tree = &log->tree;
	u64 old = tree->published, kept = batch(log);
	size_t published_size = log->committed_size;
	int r;

	if (log->failed)
		return dead(error);
	if (old == tree->edge.size)
		return 0;
	r = audit_tiles_write(log->io, tree, error);
	if (r < 0)
		return r;
	r = audit_file_replace(log->io, log->dir, AUDIT_CHECKPOINT, tree->note, tree->note_size, 0644);
	if (r < 0)
		return audit_fail_errno(error, r, "cannot write the log's checkpoint");
	memmove(tree->leaves, tree->leaves + (tree->pending - kept), kept * sizeof(*tree->leaves));
	memmove(tree->entries, tree->entries + published_size, tree->entries_size - published_size);
	audit_tree_cut(tree, kept, tree->entries_size - published_size);
	log->committed_size = 0;
	tree->published = tree->tiles.size = tree->edge.size;
	audit_tiles_clean(tree, old);
	if (log->io->truncate(log->journal, 0) < 0) {
		log->failed = true;
		return audit_fail_errno(error, -errno, "cannot empty the log's journal");
	}
	tree->journal_end = 0;
	return 0;
}

/* What a crash left behind is part of what happened. */
static int tell_of_torn(struct audit_log *log, struct audit_error *error)
{
	char digest[2 * MERKLE_HASH_BYTES + 1];
	json_t *event;
	int r;

	if (!log->tree.torn)
		return 0;
	for (unsigned i = 0; i < MERKLE_HASH_BYTES; i++)
		(void)snprintf(digest + 2 * (size_t)i, 3, "%02x", log->tree.torn_digest.bytes[i]);
	event = json_pack("{s:s, s:I, s:s}", "type", "log.recovered", "discarded_bytes", (json_int_t)log->tree.torn,
			  "discarded_sha256", digest);
	r = audit_log_append(log, event, error);
	return r < 0 ? r : audit_log_commit(log, error);
}

/* Opens the log's directory. A descriptor of ours is taken for itself: what lies at /proc is another's where lichen is in a tree that an image brought. */
static int open_path(const char *path)
{
	int fd, end = 0;

	if (sscanf(path, AUDIT_DESCRIPTOR "%n", &fd, &end) == 1 && !path[end]) /* NOLINT(cert-err34-c): ours */
		return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_dir(const struct audit_io *io, const char *path, struct audit_error *error)
{
	int dir = open_path(path);

	if (dir < 0 && io->mkdir(AT_FDCWD, path, 0700) < 0 && errno != EEXIST)
		return audit_fail_errno(error, -errno, "cannot make the log '%.200s'", path);
	if (dir < 0)
		dir = open_path(path);
	return dir < 0 ? audit_fail_errno(error, -errno, "cannot open the log '%.200s'", path) : dir;
}

/* Where its name is. While there is no entry this is done each time: who made the directory may have got no further. */
static int make_name_durable(const struct audit_log *log, const char *path, struct audit_error *error)
{
	CLEANUP_FD int parent = openat(log->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return parent >= 0 && log->io->sync(parent) < 0
		     ? audit_fail_errno(error, -errno, "cannot make the log '%.200s' durable", path)
		     : 0;
}

static int open_journal(struct audit_log *log, struct audit_error *error)
{
	struct stat st;
	bool is_new = fstatat(log->dir, JOURNAL_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0;

	log->journal = log->io->create(log->dir, JOURNAL_NAME, O_RDWR, 0644);
	if (log->journal < 0 || (is_new && log->io->sync(log->dir) < 0))
		return audit_fail_errno(error, -errno, "cannot open the log's journal");
	return 0;
}

static int begin(struct audit_log *log, const char *path, struct audit_error *error)
{
	int r = log->dir = open_dir(log->io, path, error);

	if (r >= 0) {
		r = audit_tree_lock(log->dir, true);
		if (r < 0)
			(void)audit_fail_errno(error, r, "cannot lock the log '%.200s'", path);
	}
	if (r >= 0)
		r = audit_key_load(log->io, log->dir, &log->key, error);
	if (r >= 0)
		r = audit_tree_load(&log->tree, log->dir, &log->key, false, error);
	if (r >= 0 && !log->tree.edge.size)
		r = make_name_durable(log, path, error);
	if (r >= 0) {
		log->committed_size = log->tree.entries_size;
		r = open_journal(log, error);
	}
	if (r >= 0 && !log->tree.edge.size) /* its first entry, durable with the next */
		r = audit_log_append(log,
				     json_pack("{s:s, s:s, s:s}", "type", "log.created", "schema", LICHEN_AUDIT_SCHEMA, "lichen",
					       LICHEN_VERSION),
				     error);
	return r < 0 ? r : tell_of_torn(log, error);
}

int audit_log_open(const char *path, const struct audit_io *io, struct audit_log **ret_log, struct audit_error *error)
{
	struct audit_log *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return audit_fail_errno(error, -ENOMEM, "cannot open the log");
	log->io = io ? io : &audit_io_system;
	log->dir = log->journal = FD_NONE;
	r = begin(log, path, error);
	if (r < 0) {
		log->failed = true;
		audit_log_close(log);
		return r;
	}
	*ret_log = log;
	return 0;
}

static void publish_if_due(struct audit_log *log)
{
	struct audit_error ignored;

	if (!log->failed && log->tree.edge.size - log->tree.published >= PUBLISH_ENTRIES && audit_log_publish(log, &ignored) < 0)
		log->failed = true; /* the next one tries again */
}

/* --- between two events ---------------------------------------------------------------------------------------------------------------- */

static int look(const struct audit_log *log, const char *path, struct audit_seen *ret)
{
	CLEANUP_FD int again = open_path(path);
	struct stat directory, checkpoint, journal;

	if (again < 0 || fstat(again, &directory) < 0 ||
	    fstatat(log->dir, AUDIT_CHECKPOINT, &checkpoint, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(log->dir, JOURNAL_NAME, &journal, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret = (struct audit_seen){
		.directory = { .device = directory.st_dev, .inode = directory.st_ino },
		.checkpoint = { checkpoint.st_dev, checkpoint.st_ino, (u64)checkpoint.st_size, (u64)checkpoint.st_ctim.tv_sec,
				(u64)checkpoint.st_ctim.tv_nsec },
		.journal = { journal.st_dev, journal.st_ino, (u64)journal.st_size, (u64)journal.st_ctim.tv_sec,
			     (u64)journal.st_ctim.tv_nsec },
	};
	return 0;
}

int audit_log_pause(struct audit_log *log, const char *path)
{
	int r = log->failed ? -EIO : look(log, path, &log->seen);

	if (r < 0)
		return r;
	note_key_done(&log->key);
	return flock(log->dir, LOCK_UN) < 0 ? -errno : 0;
}

/* Whether the log is still what was paused. */
static int take_again(struct audit_log *log, const char *path, struct audit_error *error)
{
	struct note_key key;
	struct audit_seen seen;
	int r = audit_tree_lock(log->dir, true);

	if (r == 0 && (look(log, path, &seen) < 0 || memcmp(&seen, &log->seen, sizeof(seen)) != 0))
		r = -ESTALE;
	if (r == 0)
		r = audit_key_load(log->io, log->dir, &key, error);
	if (r < 0)
		return r;
	if (memcmp(key.verifier, log->key.verifier, sizeof(key.verifier)) == 0 && strcmp(key.name, log->key.name) == 0)
		log->key = key;
	else
		r = -ESTALE;
	note_key_done(&key);
	return r;
}

int audit_log_resume(struct audit_log *log, const char *path, struct audit_error *error)
{
	int r = take_again(log, path, error);

	log->failed = r < 0;
	if (r < 0)
		(void)flock(log->dir, LOCK_UN); /* for whom it is opened anew */
	return r;
}

int audit_log_continues(const struct audit_log *log, const struct audit_log *before, struct audit_error *error)
{
	const struct audit_tree *now = &log->tree, *then = &before->tree;
	u64 last = then->edge.size - 1;
	const char *how = NULL;

	if (memcmp(log->key.verifier, before->key.verifier, sizeof(log->key.verifier)) != 0 ||
	    strcmp(log->key.name, before->key.name) != 0)
		how = "it is another log";
	else if (now->edge.size <= last)
		how = "entries have been taken from its end";
	else if (last >= now->published && last >= then->published &&
		 !merkle_equal(&now->leaves[last - now->published], &then->leaves[last - then->published]))
		how = "entries have been exchanged";
	return how ? audit_fail(error, -EBADMSG, "since the run began: %s", how) : 0;
}

void audit_log_close(struct audit_log *log)
{
	if (!log)
		return;
	publish_if_due(log);
	audit_tree_done(&log->tree);
	note_key_done(&log->key);
	close_fd(&log->journal);
	close_fd(&log->dir);
	free(log);
}

u64 audit_log_size(const struct audit_log *log)
{
	return log->tree.edge.size;
}

int audit_log_dir(const struct audit_log *log)
{
	return log->dir;
}
