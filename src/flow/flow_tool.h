/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that a step runs: a process of lichen's own starts it, in the cage or, where the command line and config.yaml agree on that, without. Its output is
 * taken here, as far as it may go; what goes beyond, or beyond its time, ends it. What it leaves running is killed: the caller has no other children meanwhile.
 */
#ifndef LICHEN_FLOW_FLOW_TOOL_H
#define LICHEN_FLOW_FLOW_TOOL_H

#include "flow/flow_agent.h"

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

/* What the process does that runs it: does not return. `report`: takes words of why nothing was started. */
NORETURN void flow_tool_uncaged(const struct flow_tool *tool, int report);
NORETURN void flow_tool_caged(const struct flow_tool *tool, int report);

#endif
