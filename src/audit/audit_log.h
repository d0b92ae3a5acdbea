/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log that is written. Who has it open holds its lock: one writer at a time, and no longer than its events take.
 *
 *   1 audit_log_open()      lock, key, load, verify; what a crash tore off is cut away, and an event says so
 *   2 audit_log_append()    an event gets its sequence number and time; it may still be lost
 *   3 audit_log_commit()    one record of the journal, signed, written, synced: all events before are durable. Only now are they acknowledged
 *   4 audit_log_publish()   the journal's events become tiles, then the checkpoint, then the journal is emptied. Done by itself when much has gathered
 *
 * A write that fails takes its batch back: the file is cut to its last whole record. When that fails, or a sync, nobody knows what is on disk: the log
 * then takes nothing more until it is opened anew, which reads what is there.
 *
 * An event is a line of JSON: docs/audit-json.md has the schema.
 */
#ifndef LICHEN_AUDIT_AUDIT_LOG_H
#define LICHEN_AUDIT_AUDIT_LOG_H

#include <jansson.h>

#include "audit/audit_file.h"

struct audit_log;

#define AUDIT_DESCRIPTOR "/proc/self/fd/%d" /* as path of a log: that descriptor, whatever there is at /proc */

/* Opens a log for writing; a directory that is missing or empty becomes a new log. `io`: NULL = the system's. 0 or negative errno. */
int audit_log_open(const char *path, const struct audit_io *io, struct audit_log **ret_log, struct audit_error *error) MUST_CHECK;
/*
 * Gives the lock to others, and forgets the key, but not what has been read and verified; `path` is that of audit_log_open(). Nothing may be uncommitted. And takes
 * them again: 0; -ESTALE when others have written meanwhile, or the log is another one: it is to be closed, and opened anew; or negative errno.
 */
int audit_log_pause(struct audit_log *log, const char *path) MUST_CHECK;
int audit_log_resume(struct audit_log *log, const char *path, struct audit_error *error) MUST_CHECK;
/* Whether a log that was opened anew goes on where `before` was paused, as far as can be told without reading tiles: 0, or -EBADMSG. */
int audit_log_continues(const struct audit_log *log, const struct audit_log *before, struct audit_error *error) MUST_CHECK;
/* Drops what was not committed. NULL is fine. */
void audit_log_close(struct audit_log *log);

/* Adds an event: an object whose members follow "seq" and "time"; `type` is the first of them. It is dropped (its reference is taken) in any case.
 * 0; -EINVAL: more than 65535 bytes as text; or negative errno, then nothing that was not committed is kept. */
int audit_log_append(struct audit_log *log, json_t *event, struct audit_error *error) MUST_CHECK;
/* Makes all durable that was appended. 0 or negative errno, then nothing of it is kept. */
int audit_log_commit(struct audit_log *log, struct audit_error *error) MUST_CHECK;
/* Writes tiles and checkpoint for all that was committed. 0 or negative errno; what was committed stays so. */
int audit_log_publish(struct audit_log *log, struct audit_error *error) MUST_CHECK;

/* Committed events. */
u64 audit_log_size(const struct audit_log *log);
/* The directory, as long as the log is open. */
int audit_log_dir(const struct audit_log *log);

#endif
