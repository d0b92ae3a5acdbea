// SPDX-License-Identifier: Apache-2.0
/* What `lichen doctor --kernel-config` says, as JSON. The format is described in docs/doctor-json.md: change both together. */
#include <jansson.h>
#include <string.h>

#include "cli/config_report.h"
#include "cli/json_out.h"
#include "lichen.h"

/* "a b" -> ["a", "b"] */
static json_t *words(const char *list)
{
	json_t *array = json_array();
	while (*list) {
		size_t length = strcspn(list, " ");
		json_array_append_new(array, json_stringn(list, length));
		list += length;
		list += strspn(list, " ");
	}
	return array;
}

static json_t *option(const struct config_row *row)
{
	const struct config_need *need = row->need;
	json_t *object = json_object();
	json_object_set_new(object, "options", json_string(need->options));
	json_object_set_new(object, "state", json_string(config_state(row)));
	json_object_set_new(object, "required", json_boolean(need->level == CONFIG_REQUIRED));
	json_object_set_new(object, "gap", need->gap >= 0 ? json_string(gap_by_id((enum gap_id)need->gap)->name) : json_null());
	json_object_set_new(object, "filled", json_boolean(row->filled));
	json_object_set_new(object, "missing", words(row->missing));
	json_object_set_new(object, "dropped", row->dropped[0] ? json_string(row->dropped) : json_null());
	json_object_set_new(object, "why", json_string(need->why));
	json_object_set_new(object, "source", json_string(need->source));
	return object;
}

int config_print_json(const struct config_report *report, FILE *to)
{
	char verdict[512];
	json_t *object = json_object(), *options = json_array();
	for (size_t i = 0; i < report->advice->count; i++)
		json_array_append_new(options, option(&report->advice->rows[i]));
	json_object_set_new(object, "schema", json_string(LICHEN_CONFIG_SCHEMA));
	json_object_set_new(object, "lichen", json_string(LICHEN_VERSION));
	json_object_set_new(object, "file", json_out_text(report->path));
	json_object_set_new(object, "whole", json_boolean(report->config->whole));
	json_object_set_new(object, "workload", report->workload ? json_out_text(report->workload) : json_null());
	json_object_set_new(object, "can_run", report->workload ? json_boolean(!report->advice->unmet) : json_null());
	json_object_set_new(object, "verdict", json_out_text(config_verdict(report, verdict, sizeof(verdict))));
	json_object_set_new(object, "options", options);
	return json_out_print(object, to);
}
