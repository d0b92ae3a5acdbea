// SPDX-License-Identifier: Apache-2.0
/* lichen up --explain: what would be done, why, and what not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/json_out.h"
#include "cli/report.h"
#include "cli/units.h"
#include "lichen.h"
#include "units/unit_command.h"
#include "units/unit_told.h"

static void print_wrapped(const char *head, const char *text, FILE *to)
{
	fprintf(to, "    %s", head);
	text_wrap(text, 6, to);
}

static void print_commands(const struct unit *unit, const struct unit_profile *profile, FILE *to)
{
	static const char *const lists[] = { "ExecStartPre", "ExecStart", "ExecStartPost", "ExecStop", "ExecStopPost", NULL };
	for (size_t i = 0; lists[i]; i++) {
		const struct unit_setting *row;
		size_t at = 0;
		while ((row = unit_next(unit, "Service", lists[i], &at))) {
			fprintf(to, "    %s=%s", lists[i], row->value);
			for (size_t j = 0; i == 1 && j < profile->added.count; j++)
				fprintf(to, " %s", profile->added.words[j]);
			fputc('\n', to);
		}
	}
	for (size_t i = 0; i < profile->added.count; i++)
		fprintf(to, "    added: %s, because %s\n", profile->added.words[i], profile->why.words[i]);
}

static void print_told(const struct unit *unit, FILE *to)
{
	struct unit_told told;
	char *text = NULL;
	size_t size;
	if (unit_told(unit, &told) < 0)
		return;
	FILE *guards = open_memstream(&text, &size);
	for (size_t i = 0; guards && i < told.guards.count; i++)
		fprintf(guards, "%s%s", i ? ", " : "", told.guards.words[i]);
	if (guards && fclose(guards) == 0 && told.guards.count)
		print_wrapped("protections that are not applied: ", text, to);
	free(text);
	for (size_t i = 0; i < told.lacks.count; i++)
		print_wrapped("", told.lacks.words[i], to);
	unit_told_done(&told);
}

static void print_listens(const struct unit *unit, const char *value, FILE *to)
{
	char path[PATH_MAX];
	CLEANUP_FREE char *given = NULL;
	if (unit_specifiers(value, &unit->name, &unit->place, &given) == 0)
		unit_own_path(&unit->place, given, path);
	fprintf(to, "    listens at %s\n", given ? path : value);
}

static void print_unit(const struct up *up, size_t at, FILE *to)
{
	const struct unit *unit = up->set.units[at];
	const struct unit_profile *profile = &up->profiles.of[at];
	const char *description = unit_get(unit, "Unit", "Description");
	fprintf(to, "%s%s%s%s\n", unit->name.full, description ? ": " : "", description ? description : "",
		up->set.need[at] == UNIT_WANTED ? " (wanted; goes on without it)" : "");
	fprintf(to, "    file: %s\n", unit->path);
	for (size_t i = 0; i < unit->drop_ins.count; i++)
		fprintf(to, "    drop-in: %s\n", unit->drop_ins.words[i]);
	if (unit_is_service(unit)) {
		const char *type = unit_get(unit, "Service", "Type");
		fprintf(to, "    runs as %s:%s, Type=%s\n", unit->place.user, unit->place.group, type ? type : "simple");
		print_commands(unit, profile, to);
		if (profile->request.kind != REQUEST_NONE)
			fprintf(to, "    is up when it answers: %s at %s%s\n", request_name(profile->request.kind),
				profile->request.address, profile->proves ? ", and has run a container" : "");
	} else {
		const struct unit_setting *row;
		size_t next = 0;
		while ((row = unit_next(unit, "Socket", "ListenStream", &next)))
			print_listens(unit, row->value, to);
	}
	print_told(unit, to);
}

void up_explain(const struct up *up, FILE *to)
{
	static const struct native_plan machine = { .state = NATIVE_MACHINE };
	char names[256];
	for (size_t i = 0; i < up->set.count; i++)
		print_unit(up, i, to);
	for (size_t i = 0; i < up->profiles.own_why.count; i++)
		fprintf(to, "the cell has its own %s, because %s\n", up->profiles.own.words[2 * i], up->profiles.own_why.words[i]);
	for (size_t i = 0; i < up->outside.count; i++)
		fprintf(to, "%s runs already, in a cell of its own\n", up->outside.words[i]);
	for (size_t i = 0; i < up->set.notes.count; i++)
		fprintf(to, "%s\n", up->set.notes.words[i]);
	fputs("\nThe plan for their cell:\n", to);
	plan_print(&up->plan, &machine, NULL, to);
	if (up->needs)
		fprintf(to, "Needed by their programs: %s\n", gap_names(up->needs, names, sizeof(names)));
	if (up->unmet)
		fprintf(to, "Not here, and not filled: %s\n", gap_names(up->unmet, names, sizeof(names)));
}

static json_t *words_json(const struct word_list *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_out_text(list->words[i]));
	return array;
}

static json_t *gaps_json(u32 gaps)
{
	json_t *array = json_array();
	for (int id = 0; id < GAP_COUNT; id++)
		if (gaps & GAP_BIT(id))
			json_array_append_new(array, json_string(gap_by_id((enum gap_id)id)->name));
	return array;
}

static json_t *unit_json(const struct up *up, size_t at)
{
	const struct unit *unit = up->set.units[at];
	struct unit_told told = { 0 };
	if (unit_told(unit, &told) < 0)
		return NULL;
	json_t *object = json_pack("{s:s, s:o, s:o, s:b, s:s, s:s, s:o, s:o, s:o, s:o}", "name", unit->name.full, "path",
				   json_out_text(unit->path), "drop_ins", words_json(&unit->drop_ins), "required",
				   up->set.need[at] == UNIT_REQUIRED, "user", unit->place.user, "group", unit->place.group, "added",
				   words_json(&up->profiles.of[at].added), "added_why", words_json(&up->profiles.of[at].why),
				   "guards_not_applied", words_json(&told.guards), "not_followed", words_json(&told.lacks));
	unit_told_done(&told);
	return object;
}

json_t *up_explain_json(const struct up *up)
{
	json_t *units = json_array();
	for (size_t i = 0; i < up->set.count; i++)
		json_array_append_new(units, unit_json(up, i));
	json_t *own = json_array();
	for (size_t i = 0; i < up->profiles.own.count; i += 2)
		json_array_append_new(own, json_string(up->profiles.own.words[i]));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", LICHEN_UP_SCHEMA, "head", up->set.head->name.full,
			 "units", units, "own", own, "filled", gaps_json(up->plan.emulated), "needed", gaps_json(up->needs),
			 "unmet", gaps_json(up->unmet), "notes", words_json(&up->set.notes));
}
