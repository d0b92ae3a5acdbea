/* SPDX-License-Identifier: Apache-2.0 */
/* A flow file: what is read can be filled in and computed; what is wrong has a sentence. */
#include "flow/flow.h"
#include "flow/flow_condition.h"
#include "fuzz.h"

static const char *variable(const char *name)
{
	return *name == 'A' ? "{step_1_output}" : NULL;
}

/* Fills in as a run would, with outputs that are templates themselves. */
static void use(const struct flow *flow)
{
	struct flow_output *outputs = calloc(flow->count, sizeof(*outputs));

	MUST(outputs);
	for (size_t i = 0; i < flow->count; i++) {
		const struct flow_step *step = &flow->steps[i];
		const struct flow_scope scope = { .outputs = outputs, .count = i, .variable = variable };
		struct yaml_error error;
		char why[FLOW_WHY_MAX];
		json_t *filled;
		size_t at;

		MUST(step->number > 0 && step->agent && step->action && (i == 0 || step->number > flow->steps[i - 1].number));
		if (flow_fill(step->settings, step->agent->settings, step->agent->setting_count, &scope, &filled, &error) == 0)
			json_decref(filled);
		if (flow_fill(step->parameters, step->action->fields, step->action->field_count, &scope, &filled, &error) == 0)
			json_decref(filled);
		if (step->condition)
			(void)!flow_condition(step->condition->text, step->condition->length, &scope, &at, why);
		outputs[i] = (struct flow_output){ step->number, i % 3 ? FLOW_STEP_OK : FLOW_STEP_SKIPPED, "{step_1_output}", 15 };
	}
	free(outputs);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct flow_config config;
	struct yaml_error error = { 0 };
	struct flow flow;

	MUST(flow_config_parse(NULL, 0, &config, &error) == 0);
	if (flow_parse((const char *)data, size, &config, NULL, &flow, &error) == 0) {
		use(&flow);
		flow_done(&flow);
	} else {
		MUST(*error.text && strlen(error.text) < sizeof(error.text));
	}
	flow_config_done(&config);
	return 0;
}
