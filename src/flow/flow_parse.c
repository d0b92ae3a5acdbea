// SPDX-License-Identifier: Apache-2.0
/* The parser of flow files: see flow.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/tame.h"
#include "flow/flow.h"
#include "flow/flow_condition.h"

#define STEP_NUMBER_MAX 999999

static const char *const flow_keys[] = { "name", "description", "steps", NULL };
static const char *const step_keys[] = { "step", "agent", "action", "config", "parameters", "condition", "on_error", NULL };

/* --- one step --------------------------------------------------------------------------------------------------------------------------- */

static int parse_number(const struct yaml_node *node, unsigned before, unsigned *ret, struct yaml_error *error)
{
	const struct yaml_node *given = yaml_get(node, "step");
	s64 number = (s64)before + 1;
	int r = given ? yaml_int(given, 1, STEP_NUMBER_MAX, &number, error) : 0;

	if (r < 0)
		return r;
	if (number <= (s64)before)
		return yaml_refuse(given, error, "steps are carried out in their order: step %lld is behind step %u",
				   (long long)number, before);
	*ret = (unsigned)number;
	return 0;
}

static int parse_agent(struct flow_step *step, struct yaml_error *error)
{
	const struct yaml_node *agent = yaml_get(step->node, "agent"), *action = yaml_get(step->node, "action");
	const char *name;

	if (!agent || !action)
		return yaml_refuse(step->node, error, "step %u has no %s", step->number, agent ? "action" : "agent");
	int r = yaml_string(agent, &name, error);
	if (r < 0)
		return r;
	step->agent = flow_agent_find(name);
	if (!step->agent)
		return yaml_refuse(agent, error, "there is no agent '%.40s': filesystem, http, llm or tool_executor", name);
	r = yaml_string(action, &name, error);
	for (size_t i = 0; r == 0 && i < step->agent->action_count; i++)
		if (strcmp(step->agent->actions[i].name, name) == 0)
			step->action = &step->agent->actions[i];
	if (r == 0 && !step->action)
		return yaml_refuse(action, error, "%s has no action '%.40s'", step->agent->name, name);
	return r;
}

static int parse_on_error(struct flow_step *step, struct yaml_error *error)
{
	static const char *const names[] = {
		[FLOW_ON_ERROR_FAIL] = "fail", [FLOW_ON_ERROR_SKIP] = "skip", [FLOW_ON_ERROR_RETRY] = "retry"
	};
	const struct yaml_node *node = yaml_get(step->node, "on_error");
	const char *word;
	int r = node ? yaml_string(node, &word, error) : 0;

	if (r < 0 || !node)
		return r;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(word, names[i]) == 0) {
			step->on_error = (enum flow_on_error)i;
			return 0;
		}
	return yaml_refuse(node, error, "on_error is fail, skip or retry, not '%.40s'", word);
}

static int parse_condition(struct flow_step *step, const struct flow_scope *scope, struct yaml_error *error)
{
	char why[FLOW_WHY_MAX];
	const char *text;
	size_t at = 0;

	step->condition = yaml_get(step->node, "condition");
	if (!step->condition || yaml_type(step->condition) == YAML_BOOL)
		return 0;
	int r = yaml_string(step->condition, &text, error);
	if (r == 0)
		r = flow_condition(text, step->condition->length, scope, &at, why);
	if (r == -EINVAL && yaml_type(step->condition) == YAML_STRING)
		return yaml_refuse(step->condition, error, "condition, character %zu: %s", at + 1, why);
	return r < 0 ? r : 0;
}

/* Fills in with outputs that are empty: whether it can be done. */
static int try_fill(const struct yaml_node *mapping, const struct flow_field *fields, size_t count, const struct flow_scope *scope,
		    struct yaml_error *error)
{
	json_t *filled;
	int r = flow_fill(mapping, fields, count, scope, &filled, error);

	if (r == 0)
		json_decref(filled);
	return r;
}

static int parse_values(struct flow_step *step, const struct flow_config *config, const struct flow_scope *scope,
			struct yaml_error *error)
{
	const struct flow_agent *agent = step->agent;
	const struct flow_action *action = step->action;

	step->settings = yaml_get(step->node, "config");
	step->parameters = yaml_get(step->node, "parameters");
	if (step->settings && yaml_type(step->settings) == YAML_NULL)
		step->settings = NULL;
	if (step->parameters && yaml_type(step->parameters) == YAML_NULL)
		step->parameters = NULL;
	int r = flow_fields_check(step, step->settings, agent->settings, agent->setting_count, "config", error);
	if (r == 0)
		r = flow_fields_check(step, step->parameters, action->fields, action->field_count, "parameters", error);
	if (r == 0)
		r = try_fill(step->settings, agent->settings, agent->setting_count, scope, error);
	if (r == 0)
		r = try_fill(step->parameters, action->fields, action->field_count, scope, error);
	return r == 0 && agent->check ? agent->check(step, config, error) : r;
}

/* Numbers, agent and action come first: what follows is held against them. */
static int parse_step(const struct yaml_node *node, const struct flow_config *config, const struct flow_scope *scope,
		      struct flow_step *step, struct yaml_error *error)
{
	int r = yaml_check_keys(node, step_keys, error);

	step->node = node;
	if (r == 0)
		r = parse_number(node, scope->count ? scope->outputs[scope->count - 1].step : 0, &step->number, error);
	if (r == 0)
		r = parse_agent(step, error);
	if (r == 0)
		r = parse_on_error(step, error);
	if (r == 0)
		r = parse_condition(step, scope, error);
	if (r < 0 || !step->agent || !step->action)
		return r < 0 ? r : -EINVAL;
	return parse_values(step, config, scope, error);
}

/* --- the file --------------------------------------------------------------------------------------------------------------------------- */

/* A scalar's text, whatever its type; templates are not for these. */
static int parse_word(const struct yaml_node *node, const char *what, const char **ret, struct yaml_error *error)
{
	if (node->kind != YAML_SCALAR || (yaml_type(node) != YAML_NULL && !node->length))
		return yaml_refuse(node, error, "%s must be a text", what);
	for (size_t i = 0; i < node->length; i++)
		if (!node->text[i] || (tame_wild(node->text + i) && !strchr("\n\t", node->text[i])))
			return yaml_refuse(node, error, "%s has control characters", what);
	*ret = yaml_type(node) == YAML_NULL ? NULL : node->text;
	return 0;
}

static int parse_head(struct flow *flow, struct yaml_error *error)
{
	const struct yaml_node *name = yaml_get(flow->root, "name"), *description = yaml_get(flow->root, "description");
	int r = yaml_check_keys(flow->root, flow_keys, error);

	if (r == 0 && !name)
		return yaml_refuse(flow->root, error, "the flow has no name");
	if (r == 0)
		r = parse_word(name, "name", &flow->name, error);
	if (r == 0 && !flow->name)
		return yaml_refuse(name, error, "the flow has no name");
	return r == 0 && description ? parse_word(description, "description", &flow->description, error) : r;
}

static int parse_steps(struct flow *flow, const struct flow_config *config, const char *(*variable)(const char *name),
		       struct yaml_error *error)
{
	const struct yaml_node *steps = yaml_get(flow->root, "steps");
	struct flow_output *outputs;
	int r = 0;

	if (!steps || steps->kind != YAML_SEQUENCE || steps->count == 0)
		return yaml_refuse(steps ? steps : flow->root, error, "steps must be a sequence of one step or more");
	outputs = calloc(steps->count, sizeof(*outputs));
	flow->steps = calloc(steps->count, sizeof(*flow->steps));
	if (!outputs || !flow->steps)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < steps->count; i++) {
		const struct flow_scope scope = { .outputs = outputs, .count = i, .variable = variable, .checking = true };

		r = parse_step(steps->items[i], config, &scope, &flow->steps[i], error);
		outputs[i].step = flow->steps[i].number;
	}
	free(outputs);
	flow->count = steps->count;
	return r;
}

int flow_parse(const char *text, size_t length, const struct flow_config *config, const char *(*variable)(const char *name),
	       struct flow *ret, struct yaml_error *error)
{
	struct flow flow = { 0 };
	int r = yaml_parse(text, length, &flow.root, error);

	if (r == 0)
		r = parse_head(&flow, error);
	if (r == 0)
		r = parse_steps(&flow, config, variable, error);
	if (r < 0) {
		flow_done(&flow);
		return r;
	}
	*ret = flow;
	return 0;
}

void flow_done(struct flow *flow)
{
	free(flow->steps);
	yaml_node_free(flow->root);
	*flow = (struct flow){ 0 };
}
