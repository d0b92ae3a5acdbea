/* SPDX-License-Identifier: Apache-2.0 */
/* A log that is read, by anybody who may: a writer waits only while checkpoint and journal are read. */
#ifndef LICHEN_AUDIT_AUDIT_VIEW_H
#define LICHEN_AUDIT_AUDIT_VIEW_H

#include "audit/audit_tree.h"

struct audit_view {
	int dir;
	struct note_key key;     /* the verifier */
	struct audit_tree *tree; /* as it was when it was opened */
};

/* Opens a log. `verifier`: the key that it must be signed by, as text; NULL: DIR/key.pub, of which the log itself is the only witness. `each_note`:
 * audit_tree_load(). Ends with audit_view_close(), whatever it returns. 0 or negative errno. */
int audit_view_open(const char *path, const char *verifier, bool each_note, struct audit_view *view,
		    struct audit_error *error) MUST_CHECK;
void audit_view_close(struct audit_view *view);

/* Whether a run goes on that has begun in the log. */
bool audit_view_runs(const struct audit_view *view, const char *run);

/* A kept checkpoint of the log: verifies it by the log's key, and proves that the log of today continues it. 0; -EBADMSG, -ENOKEY, -EINVAL: it is none of this
 * log, or the log was changed since; or negative errno. */
int audit_view_continues(struct audit_view *view, const char *note, size_t size, struct checkpoint *ret_checkpoint,
			 struct audit_error *error) MUST_CHECK;

/* The proof of an entry, verified: text that is the caller's to free. 0, -ENOENT, -EBADMSG, or negative errno. */
int audit_view_prove(struct audit_view *view, u64 index, char **ret_text, struct audit_error *error) MUST_CHECK;

#endif
