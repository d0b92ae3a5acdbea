/* SPDX-License-Identifier: Apache-2.0 */
/* A run in a log: what is executed, how its gaps are filled, how it ended; and runs of other kinds, whose events are their own. */
#ifndef LICHEN_AUDIT_AUDIT_RUN_H
#define LICHEN_AUDIT_AUDIT_RUN_H

#include "audit/audit_log.h"
#include "audit/audit_verify.h"
#include "host/plan.h"

/* What is known of a command before it starts. Text may be NULL where there is none. */
struct audit_command {
	char *const *argv;
	const char *workdir; /* NULL = ours */
	const char *image, *root, *user;
	const char *host;             /* NULL = what uname(2) says */
	const char *cell, *cell_name; /* id and name */
	const char *tree;             /* who makes its file tree: "machine", "kernel", "agent" */
	const struct plan *plan;
	json_t *policy; /* members of an event run.policy, of a caged run; the caller's. NULL: none */
};

/* A run between its events. */
struct audit_run {
	char id[AUDIT_RUN_ID + 1];
	int lock;                 /* of DIR/runs/ID */
	u64 started;              /* CLOCK_MONOTONIC, nanoseconds */
	struct audit_log *paused; /* of audit_run_begin(), as it was then; NULL: none */
};

#define AUDIT_RUN_NONE                   \
	{                                \
		.lock = -1 /* nothing */ \
	}

/* Writes run.start and run.plan, durably. Until audit_run_end(), or until the process ends, the log tells that it runs. 0 or negative errno. */
int audit_run_begin(const char *path, const struct audit_command *command, struct audit_run *ret_run,
		    struct audit_error *error) MUST_CHECK;

/* Writes run.end. `failure`: why the command could not be started, NULL when it was. 0 or negative errno; the run is over in any case. */
int audit_run_end(const char *path, struct audit_run *run, int status, const char *failure, struct audit_error *error) MUST_CHECK;

/*
 * A run with events of its own. `members`: an object with what follows "type" and "run" in the event; its reference is taken in any case. Each is durable on
 * return. `type` of the first and the last must be among those that audit_verify.c knows to begin and end runs. 0 or negative errno; -EINVAL: more than an
 * event may hold.
 */
int audit_run_open(const char *path, const char *type, json_t *members, struct audit_run *ret_run,
		   struct audit_error *error) MUST_CHECK;
int audit_run_note(const char *path, const struct audit_run *run, const char *type, json_t *members,
		   struct audit_error *error) MUST_CHECK;
/* The run is over in any case. */
int audit_run_close(const char *path, struct audit_run *run, const char *type, json_t *members,
		    struct audit_error *error) MUST_CHECK;

#endif
