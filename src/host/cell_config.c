/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's config.json. */
#include "host/cell_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cell_resources.h"
#include "host/cell_tree.h"

static json_t *strings_json(char *const *strings)
{
	json_t *array = json_array();

	for (; strings && *strings; strings++)
		if (json_array_append_new(array, cell_text_json(*strings)) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* KEY=VALUE: {"KEY": "VALUE"}; without '=', the value is empty. */
static json_t *labels_json(const char *const *labels)
{
	json_t *object = json_object();

	for (; labels && *labels; labels++) {
		size_t length = strcspn(*labels, "=");
		char *key = strndup(*labels, length);
		json_t *name = key ? cell_text_json(key) : NULL;
		int r = name ? json_object_set_new(object, json_string_value(name),
						   cell_text_json((*labels)[length] ? *labels + length + 1 : ""))
			     : -1;

		json_decref(name);
		free(key);
		if (r < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* RLIM_INFINITY is null. */
static json_t *limit_json(rlim_t value)
{
	return value == RLIM_INFINITY ? json_null() : json_integer((json_int_t)value);
}

static json_t *limits_json(const struct cell_config *config)
{
	json_t *array = json_array();

	for (size_t i = 0; i < config->limit_count; i++) {
		const struct launch_limit *limit = &config->limits[i];
		json_t *row = json_pack("{s:i, s:o, s:o}", "resource", limit->resource, "soft", limit_json(limit->limit.rlim_cur),
					"hard", limit_json(limit->limit.rlim_max));

		if (json_array_append_new(array, row) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *gaps_json(const struct plan *plan)
{
	static const char *const states[] = { [PLAN_NATIVE] = "native", [PLAN_EMULATED] = "emulated", [PLAN_REFUSED] = "refused" };
	json_t *array = json_array();

	for (int id = 0; id < GAP_COUNT; id++) {
		const struct plan_row *row = &plan->rows[id];
		json_t *gap = json_pack("{s:s, s:s, s:s, s:b}", "name", gap_by_id(id)->name, "state", states[row->state], "reason",
					row->reason, "probed", row->probed);

		if (json_array_append_new(array, gap) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *mechanisms_json(const struct native_plan *plan)
{
	if (!plan)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s}", "root", native_plan_root(plan), "overlay", native_plan_overlay(plan), "namespaces",
			 native_plan_namespaces(plan), "reason", plan->reason);
}

const char *cell_restart_name(enum cell_restart restart)
{
	static const char *const names[] = { [CELL_RESTART_NO] = "no",
					     [CELL_RESTART_ON_FAILURE] = "on-failure",
					     [CELL_RESTART_ALWAYS] = "always",
					     [CELL_RESTART_UNLESS_STOPPED] = "unless-stopped" };

	return names[restart];
}

json_t *cell_config_json(const struct cell_config *config)
{
	return json_pack(
		"{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:s, s:i, s:b, s:b, s:b, s:b, s:I, s:s?, s:s, s:b, s:o, s:o, s:o, s:o}",
		"id", config->id, "name", config->name, "created", (json_int_t)config->created, "command",
		strings_json(config->argv), "env", strings_json(config->env), "workdir", cell_text_json(config->workdir), "labels",
		labels_json(config->labels), "limits", limits_json(config), "stop_signal", config->stop_signal, "stop_timeout",
		(int)config->stop_timeout, "restart", cell_restart_name(config->restart), "restart_max", (int)config->restart_max,
		"detached", config->detached, "remove", config->remove, "interactive", config->interactive, "tty", config->tty,
		"log_size", (json_int_t)config->log_size, "user", config->user, "network", config->network_none ? "none" : "host",
		"init", config->init, "gaps", gaps_json(config->plan), "tree", cell_tree_json(config->tree), "resources",
		cell_resources_json(config->resources, config->enforcement), "mechanisms", mechanisms_json(config->mechanisms));
}

static rlim_t limit_of(const json_t *row, const char *member)
{
	const json_t *value = json_object_get(row, member);

	return json_is_integer(value) ? (rlim_t)json_integer_value(value) : RLIM_INFINITY;
}

int cell_limits(const json_t *config, struct launch_limit **ret, size_t *ret_count)
{
	const json_t *array = json_object_get(config, "limits");
	size_t count = json_array_size(array);
	struct launch_limit *limits = calloc(count + 1, sizeof(*limits));

	if (!limits)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(array, i);

		limits[i] = (struct launch_limit){ (int)json_integer_value(json_object_get(row, "resource")),
						   { limit_of(row, "soft"), limit_of(row, "hard") } };
	}
	*ret = limits;
	*ret_count = count;
	return 0;
}
