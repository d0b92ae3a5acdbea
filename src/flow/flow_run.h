/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of a flow.
 *
 *   1 the audit log takes flow.start, durably; the state directory gets the run (flow_state.h). Without a log nothing runs
 *   2 for each step: its condition, its templates, then attempts: step.start in the log, the agent, redaction, step.end in the log, the output stored
 *   3 flow.end in the log
 *
 * Limits: config->max_steps attempts of steps, config->max_run_time from the start; both end the run with status 124. A retry waits 100 ms, 200 ms, 400 ms …
 */
#ifndef LICHEN_FLOW_FLOW_RUN_H
#define LICHEN_FLOW_FLOW_RUN_H

#include "flow/flow.h"
#include "flow/flow_state.h"

/* What a run tells while it goes on. */
struct flow_told {
	const struct flow_step *step;
	const char *outcome; /* "start", "skipped", "kept" (by a run that is resumed), or flow_outcome_name() */
	unsigned attempt;    /* from 1 */
	u64 duration_ms;
	size_t output_size;
	const char *error; /* NULL = none */
};

struct flow_run {
	const struct flow *flow;
	struct flow_config *config;
	const char *text; /* the file's bytes */
	size_t length;
	const char *file;        /* as the command line has it */
	const char *base_path;   /* absolute */
	const char *config_path; /* of config.yaml, which need not be there */
	const char *resume;      /* a run whose steps that are ok are kept; NULL = none */
	bool no_sandbox;
	u32 weaker; /* bit per layer of the cage that may be missing */
	int stop;   /* a signalfd, not blocking: readable, the run is to end */
	void (*tell)(void *user, const struct flow_told *told);
	void *user;
};

struct flow_ended {
	char id[FLOW_ID + 1]; /* "" = it did not begin */
	enum flow_outcome outcome;
	int status;   /* exit status */
	char *output; /* of the last step that was ok: malloc'ed; NULL = none */
	size_t output_size;
	char error[FLOW_ERROR_MAX + 160]; /* why it is not FLOW_OK */
};

/* Runs all steps. ret->output is freed by the caller. */
void flow_run(struct flow_run *run, struct flow_ended *ret);

/* "ok", "failed", … */
const char *flow_outcome_name(enum flow_outcome outcome);

#endif
