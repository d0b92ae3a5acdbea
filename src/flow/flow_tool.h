/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that a step runs: a process of lichen's own starts it, in the cage or, where the command line and config.yaml agree on that, without. Its output is
 * taken here, as far as it may go; what goes beyond, or beyond its time, ends it. Another process stands between, and kills what it leaves running.
 *
 *     lichen ── keeper (adopts orphans) ── launcher ── the tool
 */
#ifndef LICHEN_FLOW_FLOW_TOOL_H
#define LICHEN_FLOW_FLOW_TOOL_H

#include "flow/flow_agent.h"
#include "host/cell_resources.h"

struct flow_tool {
	const struct flow_task *task;
	char **argv, **envp; /* argv[0] is what was asked for */
	u64 deadline;        /* CLOCK_MONOTONIC, nanoseconds */
	size_t output_max;   /* bytes of its standard output */
};

enum flow_tool_end {
	FLOW_TOOL_ENDED,   /* by itself: status */
	FLOW_TOOL_TIME,    /* the deadline */
	FLOW_TOOL_OUTPUT,  /* it wrote too much */
	FLOW_TOOL_STOPPED, /* task->stop */
	FLOW_TOOL_LAYER,   /* the cage lacks a layer: nothing was started */
	FLOW_TOOL_DENIED,  /* it ended, and was denied something: status */
	FLOW_TOOL_FAILED,  /* it could not be started */
	FLOW_TOOL_LOG,     /* the audit log did not take what it had to be told */
};

struct flow_tool_result {
	enum flow_tool_end end;
	int status;      /* 128+n for a signal */
	char *out, *err; /* malloc'ed; err is cut off when it is long */
	size_t out_size, err_size;
	char detail[300]; /* FLOW_TOOL_LAYER, _FAILED */
};

#define FLOW_TOOL_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
#define FLOW_TOOL_ERR_MAX 65536u

/* Runs it to its end. 0, with the result (out and err the caller's); or negative errno. */
int flow_tool_run(const struct flow_tool *tool, struct flow_tool_result *ret) MUST_CHECK;

/* What its process says of it, by a pipe: one of these, and words. The first word counts. */
enum flow_tool_says {
	FLOW_TOOL_SAYS_LAYER = 'l',  /* nothing was started */
	FLOW_TOOL_SAYS_FAILED = 'f', /* likewise */
	FLOW_TOOL_SAYS_LOG = 'a',    /* the audit log does not take it */
	FLOW_TOOL_SAYS_DENIED = 'd', /* something was denied; it goes on */
};
void flow_tool_report(int report, enum flow_tool_says says, const char *what, const char *why);

/* What the process does that runs it: does not return. `report` is the pipe. */
NORETURN void flow_tool_uncaged(const struct flow_tool *tool, int report);
NORETURN void flow_tool_caged(const struct flow_tool *tool, int report);

/* What all tools of a run have in common, found out once: trying takes a dozen processes, and for a limit of the processor 0.1 s. */
struct flow_tool_plan {
	bool known;
	u32 emulate, refuse;            /* gaps, as `lichen run` fills them without options: bit per gap_id */
	struct cell_enforcement limits; /* who keeps those of config.yaml */
};
/* Unless it is known. 0 or negative errno. */
int flow_tool_plan_make(const struct flow_config *config, struct flow_tool_plan *plan) MUST_CHECK;

#endif
