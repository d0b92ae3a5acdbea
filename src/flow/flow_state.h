/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs of flows in the state directory: flows/ID/, of mode 0700.
 *
 *     run.json     what `lichen flow status --json` prints, as of the last step (docs/flow-json.md); replaced as a whole
 *     step-N.out   outputs, as they were stored: redacted
 *     audit.jsonl  its events, where config.yaml has audit_export_enabled
 *     lock         locked as long as the run goes on. So a run that was killed is known without anything it would have to write
 *
 * The id is that of the run in the audit log.
 */
#ifndef LICHEN_FLOW_FLOW_STATE_H
#define LICHEN_FLOW_FLOW_STATE_H

#include <jansson.h>

#include "base/types.h"

#define FLOW_ID 16u /* hexadecimal digits */
#define LICHEN_FLOW_SCHEMA "lichen-flow/1"

/* Makes the directory of a run, and locks it. Returns its descriptor, *ret_lock: the lock's; or negative errno. */
int flow_state_create(const char *id, int *ret_lock) MUST_CHECK;
/* Opens the directory of a run by its id, or the beginning of it if that is enough. -ENOENT; -ENOTUNIQ: it fits several. `full`: its id. */
int flow_state_open(const char *id, char full[FLOW_ID + 1]) MUST_CHECK;

/* Writes run.json. 0 or negative errno, which who writes an account of a run that goes on may ignore. */
int flow_state_write(int dir, const json_t *state);
/* Reads it. "state" becomes "interrupted" for a run that says it runs, and whose lock nobody has; "resumable" is added. NULL: it cannot be read. */
json_t *flow_state_read(int dir) MUST_CHECK;

/* Keep an output of a step (step-N.out), and the run's events (audit.jsonl): redacted already. 0 or negative errno. */
int flow_state_put_output(int dir, unsigned step, const char *text, size_t size) MUST_CHECK;
int flow_state_put_audit(int dir, const char *text, size_t size) MUST_CHECK;
/* 0, -ENOENT, or negative errno. *ret: malloc'ed, NUL-terminated. */
int flow_state_get_output(int dir, unsigned step, char **ret, size_t *ret_size) MUST_CHECK;

/* All runs, an array of what flow_state_read() gives, the latest last. NULL without memory. */
json_t *flow_state_list(void) MUST_CHECK;

/* Reads the key by which values are hashed; makes it when there is none. 0 or negative errno. */
int flow_state_key(u8 *key, size_t size) MUST_CHECK;

#endif
