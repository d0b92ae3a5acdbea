// SPDX-License-Identifier: Apache-2.0
/* lichen status: what became of units. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/json_out.h"
#include "cli/units.h"
#include "lichen.h"

#define LAST_LINES 5

struct status_options {
	bool json;
};

static const struct option_row options[] = {
	{ .name = "json", .offset = offsetof(struct status_options, json), .help = "print JSON, described in docs/unit-json.md" },
};

static const char *text(const json_t *unit, const char *member)
{
	const char *value = json_string_value(json_object_get(unit, member));
	return value ? value : "";
}

static void print_heading(void)
{
	const struct cell row[] = {
		{ "UNIT", 28, COLOUR_BOLD }, { "STATE", 24, COLOUR_BOLD }, { "PID", 8, COLOUR_BOLD }, { "SINCE", 20, COLOUR_BOLD }
	};
	print_row(row, ARRAY_SIZE(row), stdout);
}

static void print_unit(const json_t *unit)
{
	char state[64], pid[16] = "", since[64] = "";
	s64 then = json_integer_value(json_object_get(unit, "since"));
	const json_t *main_pid = json_object_get(unit, "main_pid");
	const char *active = text(unit, "active");
	snprintf(state, sizeof(state), "%s (%s)", active, text(unit, "sub"));
	if (json_is_integer(main_pid))
		snprintf(pid, sizeof(pid), "%d", (int)json_integer_value(main_pid));
	if (then)
		cells_duration(cells_now() - then, since, sizeof(since));
	const struct cell row[] = { { text(unit, "name"), 28, COLOUR_NONE },
				    { state, 24,
				      strcmp(active, "active") == 0   ? COLOUR_GREEN
				      : strcmp(active, "failed") == 0 ? COLOUR_RED
								      : COLOUR_YELLOW },
				    { pid, 8, COLOUR_NONE },
				    { since, 20, COLOUR_NONE } };
	print_row(row, ARRAY_SIZE(row), stdout);
	if (*text(unit, "why"))
		printf("  %s\n", text(unit, "why"));
	if (*text(unit, "status"))
		printf("  it says: %s\n", text(unit, "status"));
	const json_t *asked = json_object_get(unit, "asked");
	if (json_is_true(json_object_get(unit, "ready")) && strcmp(text(asked, "request"), "GET /_ping") == 0)
		units_say_docker_host("  ", text(asked, "at"));
	if (json_integer_value(json_object_get(unit, "restarts")))
		printf("  restarted %d times%s%s\n", (int)json_integer_value(json_object_get(unit, "restarts")),
		       *text(unit, "restart_why") ? ", last because it " : "", text(unit, "restart_why"));
}

static void print_details(const struct unit_record *record, const json_t *unit)
{
	const json_t *note;
	size_t i;
	json_array_foreach(json_object_get(unit, "notes"), i, note)
	{
		printf("  %s\n", json_string_value(note));
	}
	if (strcmp(text(unit, "active"), "failed") == 0) {
		printf("  The last lines of its log (`lichen logs %s`):\n", text(unit, "name"));
		units_last_lines(record->dir, text(unit, "name"), LAST_LINES, stdout);
	}
}

static int status_of(const json_t *unit)
{
	const char *active = text(unit, "active");
	if (strcmp(active, "failed") == 0)
		return json_is_true(json_object_get(unit, "was_ready")) ? LICHEN_UP_LOST : LICHEN_STATUS_FAILED;
	return strcmp(active, "active") == 0 || strcmp(active, "reloading") == 0 ? 0 : LICHEN_STATUS_INACTIVE;
}

/* The cell that a unit is in goes with it, in JSON. */
static void add_json(json_t *units, const struct unit_record *record, json_t *unit)
{
	json_object_set_new(unit, "cell", json_string(record->id));
	json_object_set(unit, "head", json_object_get(record->json, "head"));
	json_array_append(units, unit);
}

/* A unit that no cell has: it was not started. Returns the exit status. */
static int print_unstarted(const char *name, json_t *units, bool json)
{
	struct word_list directories = { 0 };
	struct unit *unit = NULL;
	int status = LICHEN_STATUS_UNKNOWN;
	if (unit_directories(&directories) == 0 && unit_load(&directories, name, &unit) == 0 && unit->load != UNIT_NOT_FOUND)
		status = LICHEN_STATUS_INACTIVE;
	word_list_done(&directories);
	if (status == LICHEN_STATUS_UNKNOWN && !json)
		fprintf(stderr, "lichen status: there is no unit file %s\n", name);
	json_t *row = status == LICHEN_STATUS_UNKNOWN
			    ? NULL
			    : json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", name, "active", "inactive", "sub",
					unit->load == UNIT_MASKED ? "masked" : "dead", "ready", 0, "was_ready", 0);
	if (row && !json)
		print_unit(row);
	if (row)
		json_array_append_new(units, row);
	unit_free(unit);
	return status;
}

static int show_one(int store, const char *word, json_t *units, bool json)
{
	struct unit_record record;
	char name[UNIT_NAME_MAX + 1];
	int status = units_name(&command_status, word, name);
	if (status)
		return status;
	if (unit_record_find(store, name, &record) < 0)
		return print_unstarted(name, units, json);
	json_t *unit = unit_record_unit(&record, name);
	status = status_of(unit);
	if (json) {
		add_json(units, &record, unit);
	} else {
		print_unit(unit);
		print_details(&record, unit);
	}
	unit_record_done(&record);
	return status;
}

/* All units of all cells. */
static int show_all(int store, json_t *units, bool json)
{
	char(*ids)[CELL_ID_SIZE] = NULL;
	int count = cell_store_list(store, &ids);
	for (int i = 0; i < count; i++) {
		struct unit_record record;
		json_t *unit;
		size_t at;
		if (unit_record_read(store, ids[i], &record) < 0)
			continue;
		json_array_foreach(json_object_get(record.json, "units"), at, unit)
		{
			if (json)
				add_json(units, &record, unit);
			else
				print_unit(unit);
		}
		unit_record_done(&record);
	}
	free(ids);
	return 0;
}

static int run(int argc, char **argv)
{
	struct status_options given = { 0 };
	int first, status = command_parse(&command_status, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	CLEANUP_FD int store = cells_open(&command_status);
	if (store < 0)
		return LICHEN_EXIT_SOFTWARE;
	json_t *units = json_array();
	status = 0;
	if (!given.json)
		print_heading();
	if (first == argc)
		status = show_all(store, units, given.json);
	for (int i = first; i < argc; i++) {
		int one = show_one(store, argv[i], units, given.json);
		status = status ? status : one;
	}
	if (given.json) {
		if (json_out_print(json_pack("{s:s, s:O}", "schema", LICHEN_UNITS_SCHEMA, "units", units), stdout) < 0)
			status = LICHEN_EXIT_SOFTWARE;
	}
	json_decref(units);
	return command_flush(status);
}

static const char *const notes[] = {
	"Exit status: 0 all of them are up; 1 failed; 3 not running; 4 no such unit; 82 was ready, then lost.",
	NULL,
};

const struct command command_status = {
	.name = "status",
	.synopsis = "[OPTION…] [UNIT…]",
	.summary = "Shows what became of daemons that were started",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
