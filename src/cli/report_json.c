// SPDX-License-Identifier: Apache-2.0
/* What doctor and `run --explain` say, as JSON. The formats are described in docs/doctor-json.md: change both together. */
#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/json_out.h"
#include "cli/report.h"
#include "cli/words.h"
#include "lichen.h"

static const char *presence_word(enum gap_presence presence)
{
	static const char *const words[] = {
		[GAP_PRESENT] = "present",
		[GAP_MISSING] = "missing",
		[GAP_BLOCKED] = "blocked",
		[GAP_UNKNOWN] = "unknown",
	};
	return words[presence];
}

static json_t *names(u32 gaps)
{
	json_t *array = json_array();
	for (int id = 0; id < GAP_COUNT; id++)
		if (gaps & GAP_BIT(id))
			json_array_append_new(array, json_string(gap_by_id(id)->name));
	return array;
}

/* "a, b" -> ["a", "b"] */
static json_t *split(const char *list)
{
	json_t *array = json_array();
	while (*list) {
		size_t length = strcspn(list, ",");
		json_array_append_new(array, json_stringn(list, length));
		list += length;
		list += strspn(list, ", ");
	}
	return array;
}

static json_t *strings(const char *const *list)
{
	json_t *array = json_array();
	for (; list && *list; list++)
		json_array_append_new(array, json_string(*list));
	return array;
}

static json_t *evidence(const struct gap_finding *finding)
{
	json_t *object = json_object();
	json_object_set_new(object, "tried", json_out_text(finding->tried));
	json_object_set_new(object, "errno", finding->error ? json_string(errno_name(finding->error)) : json_null());
	json_object_set_new(object, "errno_number", json_integer(finding->error));
	json_object_set_new(object, "detail", json_out_text(finding->detail));
	return object;
}

static json_t *host(void)
{
	struct utsname name = { 0 };
	json_t *object = json_object();
	uname(&name);
	json_object_set_new(object, "system", json_out_text(name.sysname));
	json_object_set_new(object, "release", json_out_text(name.release));
	json_object_set_new(object, "machine", json_out_text(name.machine));
	return object;
}

static json_t *feature(const struct diagnosis *diagnosis, enum gap_id id)
{
	const struct gap *gap = gap_by_id(id);
	const struct plan_row *row = &diagnosis->plan.rows[id];
	json_t *object = json_object();
	json_object_set_new(object, "name", json_string(gap->name));
	json_object_set_new(object, "summary", json_string(gap->summary));
	json_object_set_new(object, "state", json_string(row_state(row)));
	json_object_set_new(object, "presence", json_string(presence_word(row->finding.presence)));
	json_object_set_new(object, "fillable", json_boolean(gaps_built() & GAP_BIT(id)));
	json_object_set_new(object, "needed", json_boolean(diagnosis->needs & GAP_BIT(id)));
	json_object_set_new(object, "evidence", evidence(&row->finding));
	json_object_set_new(object, "reason", json_string(row->reason));
	json_object_set_new(object, "needed_by", split(gap->needed_by));
	json_object_set_new(object, "workloads", strings(gap->workloads));
	const struct program_needs *program = diagnosis->program;
	json_object_set_new(object, "used", json_boolean(diagnosis->uses & GAP_BIT(id)));
	json_object_set_new(object, "how", program && program->how[id][0] ? json_out_text(program->how[id]) : json_null());
	json_object_set_new(object, "limits", strings(row_limits(id, row)));
	return object;
}

/* What --for names, when it is a program. */
static json_t *program_judged(const struct program_needs *program)
{
	if (!program)
		return json_null();
	json_t *object = json_object();
	json_object_set_new(object, "path", program->path[0] ? json_out_text(program->path) : json_null());
	json_object_set_new(object, "known_as", program->known[0] ? json_out_text(program->known) : json_null());
	json_object_set_new(object, "what", json_out_text(program->what));
	return object;
}

static json_t *mechanisms(const struct native_plan *tree)
{
	json_t *object = json_object();
	json_object_set_new(object, "root", json_string(native_plan_root(tree)));
	json_object_set_new(object, "overlay", json_string(native_plan_overlay(tree)));
	json_object_set_new(object, "namespaces", json_string(native_plan_namespaces(tree)));
	json_object_set_new(object, "reason", json_out_text(tree->reason));
	json_object_set_new(object, "evidence", tree->probed ? evidence(&tree->finding) : json_null());
	return object;
}

int diagnosis_print_json(const struct diagnosis *diagnosis, FILE *to)
{
	char words[512];
	json_t *object = json_object(), *features = json_array();
	for (int id = 0; id < GAP_COUNT; id++)
		json_array_append_new(features, feature(diagnosis, id));
	json_object_set_new(object, "schema", json_string(LICHEN_DOCTOR_SCHEMA));
	json_object_set_new(object, "lichen", json_string(LICHEN_VERSION));
	json_object_set_new(object, "host", host());
	json_object_set_new(object, "workload", diagnosis->workload ? json_out_text(diagnosis->workload) : json_null());
	json_object_set_new(object, "can_run", diagnosis->workload ? json_boolean(!diagnosis->unmet) : json_null());
	json_object_set_new(object, "needs", names(diagnosis->needs));
	json_object_set_new(object, "unmet", names(diagnosis->unmet));
	json_object_set_new(object, "uses", names(diagnosis->uses));
	json_object_set_new(object, "program", program_judged(diagnosis->program));
	json_object_set_new(object, "verdict", json_out_text(diagnosis_verdict(diagnosis, words, sizeof(words))));
	json_object_set_new(object, "features", features);
	json_object_set_new(object, "containers", mechanisms(&diagnosis->containers));
	return json_out_print(object, to);
}

int plan_print_json(const struct plan *plan, const struct native_plan *tree, char *const *command, FILE *to)
{
	static const char *const states[] = {
		[PLAN_NATIVE] = "native",
		[PLAN_EMULATED] = "emulated",
		[PLAN_REFUSED] = "refused",
	};
	json_t *object = json_object(), *words = json_array(), *rows = json_array();
	for (; command && *command; command++)
		json_array_append_new(words, json_out_text(*command));
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct plan_row *row = &plan->rows[id];
		json_t *entry = json_object();
		json_object_set_new(entry, "name", json_string(gap_by_id(id)->name));
		json_object_set_new(entry, "plan", json_string(states[row->state]));
		json_object_set_new(entry, "reason", json_string(row->reason));
		json_object_set_new(entry, "presence",
				    row->probed ? json_string(presence_word(row->finding.presence)) : json_null());
		json_object_set_new(entry, "evidence", row->probed ? evidence(&row->finding) : json_null());
		json_object_set_new(entry, "limits", strings(row_limits(id, row)));
		json_array_append_new(rows, entry);
	}
	json_object_set_new(object, "schema", json_string(LICHEN_PLAN_SCHEMA));
	json_object_set_new(object, "lichen", json_string(LICHEN_VERSION));
	json_object_set_new(object, "host", host());
	json_object_set_new(object, "command", words);
	json_object_set_new(object, "emulated", names(plan->emulated));
	json_object_set_new(object, "features", rows);
	json_object_set_new(object, "mechanisms", mechanisms(tree));
	return json_out_print(object, to);
}
