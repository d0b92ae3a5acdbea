/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk for tests of the audit log: calls that do what the system's do and count, so that the nth of them can be the last, or can fail once. Beside the log's
 * directory lies what would be on disk if the power failed now: a file has what it had at its last fsync, a directory the names that it had at its own.
 */
#ifndef LICHEN_TESTS_AUDIT_DISK_H
#define LICHEN_TESTS_AUDIT_DISK_H

#include "audit/audit_file.h"

enum disk_fault {
	DISK_FINE,
	DISK_KILLED, /* the nth call does half of what it should, and nothing happens any more */
	DISK_FULL,   /* the nth call does half and fails with ENOSPC; the next ones work */
};

/* The calls. One disk at a time. */
extern const struct audit_io disk_io;

/* Begins with empty directories below `work`: the log's, and what is durable. */
void disk_begin(const char *work, enum disk_fault fault, unsigned at);
/* Calls since then; whether the fault has come. */
unsigned disk_calls(void);
bool disk_fault_came(void);
/* From now on all calls work. */
void disk_repair(void);
const char *disk_log(void);
/* Makes the log's directory what it would be after a power failure. `seed`: of what of unsynced bytes has reached the journal nonetheless. */
void disk_power_failure(unsigned seed);

#endif
