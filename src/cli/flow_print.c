// SPDX-License-Identifier: Apache-2.0
/* Runs of flows as text. */
#include <inttypes.h>
#include <string.h>

#include "cli/flow_cli.h"
#include "cli/words.h"

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static enum colour colour_of(const char *state)
{
	if (strcmp(state, "ok") == 0)
		return COLOUR_GREEN;
	if (strcmp(state, "running") == 0 || strcmp(state, "skipped") == 0 || strcmp(state, "waiting") == 0)
		return COLOUR_YELLOW;
	return COLOUR_RED;
}

static void print_step(const json_t *step, FILE *to)
{
	char number[24], what[80], more[700];
	const char *state = text_of(step, "state"), *error = text_of(step, "error");
	(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, number_of(step, "step"));
	(void)snprintf(what, sizeof(what), "%s %s", text_of(step, "agent"), text_of(step, "action"));
	if (*error)
		(void)snprintf(more, sizeof(more), "%s", error);
	else if (number_of(step, "attempts"))
		(void)snprintf(more, sizeof(more), "%" JSON_INTEGER_FORMAT " ms, %" JSON_INTEGER_FORMAT " bytes",
			       number_of(step, "duration_ms"), number_of(step, "output_bytes"));
	else
		*more = '\0';
	const struct cell cells[] = { { number, 5, COLOUR_NONE },
				      { what, 20, COLOUR_NONE },
				      { state, 10, colour_of(state) },
				      { more, SCREEN_COLUMNS - 35, COLOUR_NONE } };
	print_row(cells, ARRAY_SIZE(cells), to);
}

void flow_print_run(const json_t *state, FILE *to)
{
	const json_t *step;
	size_t i;
	fprintf(to, "run      %s\nflow     %s\nfile     %s\nstarted  %s\nstate    %s", text_of(state, "id"), text_of(state, "name"),
		text_of(state, "file"), text_of(state, "started"), text_of(state, "state"));
	if (json_is_integer(json_object_get(state, "status")))
		fprintf(to, ", exit status %" JSON_INTEGER_FORMAT, number_of(state, "status"));
	fprintf(to, "%s\naudit    %s\n", json_is_true(json_object_get(state, "resumable")) ? ", can be resumed" : "",
		text_of(state, "audit"));
	if (*text_of(state, "error"))
		fprintf(to, "error    "), text_wrap(text_of(state, "error"), 9, to);
	json_array_foreach(json_object_get(state, "steps"), i, step)
	{
		print_step(step, to);
	}
}

void flow_print_list(const json_t *runs, FILE *to)
{
	const json_t *run;
	size_t i;
	json_array_foreach(runs, i, run)
	{
		char time[20];
		const char *state = text_of(run, "state");
		(void)snprintf(time, sizeof(time), "%s", text_of(run, "started"));
		const struct cell cells[] = { { text_of(run, "id"), 17, COLOUR_NONE },
					      { time, 20, COLOUR_NONE },
					      { state, 12, colour_of(state) },
					      { text_of(run, "name"), SCREEN_COLUMNS - 49, COLOUR_NONE } };
		print_row(cells, ARRAY_SIZE(cells), to);
	}
}
