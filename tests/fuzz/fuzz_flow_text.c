/* SPDX-License-Identifier: Apache-2.0 */
/* A template, and a condition; behind a line with the output that they refer to. */
#include "flow/flow_condition.h"
#include "flow/flow_redact.h"
#include "fuzz.h"

static const char *variable(const char *name)
{
	return *name == 'A' ? "${B} {step_1_output} $$" : NULL;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char first[512], why[FLOW_WHY_MAX] = "", *filled, *again, *clean;
	struct input in = { data, size };
	size_t at, filled_size, clean_size;

	input_line(&in, first, sizeof(first));
	const struct flow_output output = { 1, FLOW_STEP_OK, first, strlen(first) };
	const struct flow_scope scope = { .outputs = &output, .count = 1, .variable = variable };
	const char *text = (const char *)in.at;
	if (flow_template_fill(text, in.left, &scope, &filled, &filled_size, why) == 0) {
		MUST(strlen(filled) <= filled_size && !filled[filled_size]);
		if (!flow_template_is(text, in.left))
			MUST(filled_size == in.left && memcmp(filled, text, filled_size) == 0);
		free(filled);
	} else {
		MUST(*why);
	}
	int r = flow_condition(text, in.left, &scope, &at, why);
	MUST(r <= 1 && at <= in.left && (r >= 0 || *why));
	/* What is clean stays so. */
	MUST(flow_text_clean(text, in.left, &clean, &clean_size) == 0 && strlen(clean) == clean_size);
	MUST(flow_text_clean(clean, clean_size, &again, &at) == 0 && at == clean_size && memcmp(clean, again, at) == 0);
	free(clean);
	free(again);
	return 0;
}
