/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at every entry and every hash of a log. */
#ifndef LICHEN_AUDIT_AUDIT_VERIFY_H
#define LICHEN_AUDIT_AUDIT_VERIFY_H

#include "audit/audit_view.h"

#define AUDIT_RUN_ID 16u /* hexadecimal digits */

/* A run that the log has no end of. */
struct audit_open_run {
	char id[AUDIT_RUN_ID + 1];
	u64 seq;      /* of its beginning */
	bool running; /* else it was truncated: whoever wrote the log was killed, or could not write any more */
};

struct audit_found {
	u64 ended;                   /* runs */
	struct audit_open_run *open; /* the caller's to free */
	size_t open_count;
	u64 recovered; /* times that a crash had torn the journal's end */
};

/*
 * Follows the runs of a log from entry to entry: what audit_verify() does of it, for those who list entries. Starts as zeros; `text`: an entry.
 * 0, -EBADMSG: it is no event, -ERANGE: it has another sequence number; or -ENOMEM.
 */
int audit_found_add(struct audit_found *found, u64 index, const u8 *text, size_t size) MUST_CHECK;

/*
 * Verifies a log that was opened with each_note: entries against hashes, hashes of tiles against those above, all against the signed root, sequence numbers
 * against places. 0; -EBADMSG: error->entry is the first that is bad, as far as it can be told; or negative errno. *found is valid in any case.
 */
int audit_verify(struct audit_view *view, struct audit_found *found, struct audit_error *error) MUST_CHECK;

#endif
