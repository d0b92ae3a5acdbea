/* SPDX-License-Identifier: Apache-2.0 */
/* A run at work, and what it writes down of itself: the audit log, run.json. For flow_run.c and flow_work.c. */
#ifndef LICHEN_FLOW_FLOW_WORK_H
#define LICHEN_FLOW_FLOW_WORK_H

#include <limits.h>

#include "audit/audit_run.h"
#include "flow/flow_run.h"
#include "flow/flow_tool.h"

struct flow_work {
	struct flow_run *run;
	struct flow_ended *ended;
	struct flow_output *outputs; /* one for each step */
	struct audit_run audit;
	char log[PATH_MAX];        /* the audit log's directory */
	char resumes[FLOW_ID + 1]; /* the run that is resumed; "" = none */
	json_t *state;             /* what run.json has */
	int state_dir, lock, base;
	struct budget *budget;
	u64 http_next; /* rate.h */
	struct flow_tool_plan plan;
	u64 deadline;   /* CLOCK_MONOTONIC, nanoseconds */
	u64 attempts;   /* of all steps */
	bool denied;    /* a step was */
	int log_status; /* 0; else the exit status: the log could not be written */
};

/* Begins: base directory, key, what is kept of a run that is resumed, log, state. 0; or negative errno, with ended->error and ended->status set. */
int flow_work_begin(struct flow_work *work) MUST_CHECK;
/* Writes flow.end, and the last state. */
void flow_work_end(struct flow_work *work);

/* Events of a step. 0; or negative errno, with ended->error and log_status set. */
int flow_log_step_start(struct flow_work *work, size_t i, unsigned attempt) MUST_CHECK;
int flow_log_step_end(struct flow_work *work, size_t i, unsigned attempt, enum flow_outcome outcome, u64 duration_ms,
		      const struct flow_result *result) MUST_CHECK;
int flow_log_step_skip(struct flow_work *work, size_t i) MUST_CHECK;

/* Puts a step's state into run.json. The file is an account for people: when it cannot be written the run goes on. */
void flow_record_step(struct flow_work *work, size_t i, const char *state, unsigned attempts, u64 duration_ms,
		      const struct flow_result *result);

#endif
