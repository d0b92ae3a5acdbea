/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What carries out steps. To add an agent, write a struct flow_agent and list it in flow_agents.c.
 *
 *   1 flow_parse() compares a step's `config` and `parameters` with the agent's fields: an unknown key, a missing one or one of another kind is an error
 *     with its line. A value with a template in it ({previous_output}, ${VAR}) is of any kind until it is filled in.
 *   2 flow_run() fills in the templates. The agent gets both as JSON: what was a plain number or boolean in YAML and had no template is one, everything
 *     else is a string.
 *   3 The agent does its work until task->deadline, and hands over its output. Redaction of what is stored is done by flow_run(); redaction of what is
 *     sent elsewhere is the agent's (flow_redact.h).
 */
#ifndef LICHEN_FLOW_FLOW_AGENT_H
#define LICHEN_FLOW_FLOW_AGENT_H

#include <jansson.h>

#include "config/yaml_strict.h"
#include "flow/flow_config.h"

struct audit_run;
struct budget;
struct flow_step;
struct flow_tool;
struct flow_tool_plan;

enum flow_kind {
	FLOW_STRING,
	FLOW_INTEGER, /* 0 and more */
	FLOW_NUMBER,
	FLOW_BOOL,
	FLOW_STRINGS, /* a sequence of scalars */
	FLOW_MAPPING,
	FLOW_SECRET, /* exactly ${NAME}, which stays as it is: the agent gets the name of a variable, never its value */
	FLOW_ANY,
};

struct flow_field {
	const char *name;
	enum flow_kind kind;
	bool required;
};

/* How a step ended. */
enum flow_outcome {
	FLOW_OK,
	FLOW_FAILED,   /* the step's on_error decides what is next */
	FLOW_DENIED,   /* a rule forbids it: as FLOW_FAILED, but never tried again; the run's exit status is 77 */
	FLOW_WRONG,    /* a value that was filled in is wrong: ends the run, 78 */
	FLOW_TIME,     /* task->deadline has passed: ends the run, 124 */
	FLOW_BUDGET,   /* the budget is exhausted: ends the run, 75 */
	FLOW_NO_LAYER, /* the cage lacks a layer here: ends the run, 69 */
	FLOW_BROKEN,   /* lichen itself failed: ends the run, 125 */
	FLOW_STOPPED,  /* task->stop became readable: ends the run, 128+n */
};

#define FLOW_ERROR_MAX 512u

struct flow_task {
	const struct flow_config *config; /* config.yaml */
	const char *action;
	const json_t *settings;   /* the step's `config`: an object */
	const json_t *parameters; /* an object */
	u64 deadline;             /* CLOCK_MONOTONIC, nanoseconds */
	int stop;              /* readable: the run is to end now. The signals that do so are blocked: a child must unblock them */
	int base;              /* the directory that relative paths start from */
	const char *base_path; /* its absolute path */
	struct budget *budget; /* of the run */
	u64 *http_next;        /* of the run: when the next HTTP request is due (rate.h) */
	const char *run;       /* id of the run, and */
	unsigned step;         /* number of the step: for the log */
	const char *log;       /* the audit log's directory, and */
	const struct audit_run *audit; /* the run in it, for events of the agent's own */
	u32 weaker;                    /* bit per layer of the cage that may be missing (cage/layer.h) */
	void (*caged)(const struct flow_tool *tool,
		      int report);         /* flow_tool_caged(): what only reads flows need not be linked with the cage */
	const struct flow_tool_plan *plan; /* for `caged` */
	bool no_sandbox;                   /* the command line and config.yaml agree that there is no cage */
};

struct flow_result {
	char *output; /* malloc'ed, not NUL-terminated: the caller's. NULL = empty */
	size_t size;
	json_t *facts; /* an object with what else is to be told in the log and by status ("status", "tokens" …), or NULL: the caller's */
	char error[FLOW_ERROR_MAX]; /* one sentence without a full stop, unless FLOW_OK */
};

struct flow_action {
	const char *name;
	const struct flow_field *fields; /* of `parameters` */
	size_t field_count;
};

struct flow_agent {
	const char *name;
	const struct flow_field *settings; /* of `config` */
	size_t setting_count;
	const struct flow_action *actions;
	size_t action_count;
	/* What the fields do not tell; may be NULL. 0, or -EINVAL with error set. */
	int (*check)(const struct flow_step *step, const struct flow_config *config, struct yaml_error *error);
	enum flow_outcome (*run)(const struct flow_task *task, struct flow_result *result);
};

extern const struct flow_agent flow_agent_filesystem;
extern const struct flow_agent flow_agent_tool;
extern const struct flow_agent flow_agent_http;
extern const struct flow_agent flow_agent_llm;

/* The agent of that name, or NULL. */
const struct flow_agent *flow_agent_find(const char *name);

#endif
