/* SPDX-License-Identifier: Apache-2.0 */
/* `lichen run --audit`: each run of the command is told to a log, before it starts and when it has ended. */
#ifndef LICHEN_CLI_RUN_AUDIT_H
#define LICHEN_CLI_RUN_AUDIT_H

#include <limits.h>

#include "audit/audit_run.h"
#include "cli/options.h"
#include "host/cell_monitor.h"

struct run_learn;

struct run_audit {
	char path[PATH_MAX]; /* of the log, absolute; "" = none */
	struct audit_command command;
	struct audit_run run;
};

/* An option_row.parse for a struct run_audit: takes the log's directory. */
int run_audit_parse(void *field, const char *value, struct option_error *error);

/* Tells the beginning or the end of a run (struct cell_recorder; data: struct run_audit). 0; or negative errno, with the result's status 74, or 65 for a log that
 * is broken, its stage, and words in its detail. */
int run_audit_starting(void *data, struct launch_result *result) MUST_CHECK;
/* Between them, of a run with --learn; what it returns is as above. */
int run_audit_learning(struct run_audit *audit, const struct run_learn *learn, struct launch_result *result) MUST_CHECK;
int run_audit_ended(void *data, struct launch_result *result) MUST_CHECK;

#endif
