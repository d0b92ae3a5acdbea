/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow: steps that agents carry out one after the other, written in YAML with the fields of AKIOS (docs/flow.md).
 *
 *     file ──▶ flow_parse(): every key, value, template and condition is looked at before anything runs
 *          ──▶ flow_run(): for each step: condition ─▶ templates ─▶ agent ─▶ redaction ─▶ stored output
 */
#ifndef LICHEN_FLOW_FLOW_H
#define LICHEN_FLOW_FLOW_H

#include "flow/flow_agent.h"
#include "flow/flow_template.h"

enum flow_on_error {
	FLOW_ON_ERROR_FAIL,  /* the run ends */
	FLOW_ON_ERROR_SKIP,  /* it goes on, the step's output is empty */
	FLOW_ON_ERROR_RETRY, /* it is tried again, config->max_retries times; then the run ends */
};

struct flow_step {
	unsigned number; /* from 1, ascending */
	const struct yaml_node *node;
	const struct flow_agent *agent;
	const struct flow_action *action;
	const struct yaml_node *settings, *parameters; /* mappings; NULL = empty */
	const struct yaml_node *condition;             /* NULL = none */
	enum flow_on_error on_error;
};

struct flow {
	const char *name, *description; /* description: NULL = none */
	struct flow_step *steps;
	size_t count;
	struct yaml_node *root; /* owns the texts */
};

/*
 * Reads a flow. `variable`: NULL, or where variables come from: then those that are not set are errors, too. 0, -EINVAL with error set, or -ENOMEM.
 */
int flow_parse(const char *text, size_t length, const struct flow_config *config, const char *(*variable)(const char *name),
	       struct flow *ret, struct yaml_error *error) MUST_CHECK;
void flow_done(struct flow *flow);

/* Fills in a step's `config` or `parameters`: an object by the agent's fields. 0, -EINVAL with error set, -EFBIG, or -ENOMEM. */
int flow_fill(const struct yaml_node *mapping, const struct flow_field *fields, size_t field_count, const struct flow_scope *scope,
	      json_t **ret, struct yaml_error *error) MUST_CHECK;
/* Compares one with the agent's fields. `what`: "config" or "parameters". 0, or -EINVAL with error set. */
int flow_fields_check(const struct flow_step *step, const struct yaml_node *mapping, const struct flow_field *fields,
		      size_t field_count, const char *what, struct yaml_error *error) MUST_CHECK;

#endif
