// SPDX-License-Identifier: Apache-2.0
/* lichen up and lichen restart: start the daemons of packages by their unit files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cell_options.h"
#include "cli/json_out.h"
#include "cli/units.h"
#include "lichen.h"

static int parse_seconds(void *field, const char *value, struct option_error *error)
{
	s64 *seconds = field;
	char *end;
	errno = 0;
	*seconds = strtoll(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && !errno && *seconds > 0 && *seconds < 1000000)
		return 0;
	return options_refuse(error, "option '--timeout' needs a number of seconds, not '%.100s'", value);
}

static const struct option_row up_rows[] = {
	{ .name = "explain",
	  .offset = offsetof(struct up_options, explain),
	  .help = "only print the unit, the plan, what is added to its command line and why, and what of it is not done" },
	{ .name = "json", .offset = offsetof(struct up_options, json), .help = "let --explain print JSON (docs/unit-json.md)" },
	{ .name = "timeout",
	  .value = "SECONDS",
	  .offset = offsetof(struct up_options, timeout),
	  .parse = parse_seconds,
	  .help = "how long a unit may take until it is ready, instead of what it says itself (TimeoutStartSec=)" },
	{ .name = "force",
	  .offset = offsetof(struct up_options, force),
	  .help = "start it although this machine lacks what its program needs" },
	{ .name = "runtime",
	  .value = "NAME",
	  .offset = offsetof(struct up_options, runtime),
	  .help = "of docker: its default runtime, runc or lichen" },
	{ .name = "no-proof",
	  .offset = offsetof(struct up_options, no_proof),
	  .help = "of docker: do not run a container to prove it" },
	GUEST_GAP_OPTIONS(struct up_options, guest),
};

/* The unit runs already. Returns -1: it does not; or the exit status. */
static int look_at_running(const struct command *command, int store, const char *name)
{
	struct unit_record record = UNIT_RECORD_NONE;
	int status = -1;
	if (unit_record_find(store, name, &record) == 0 && record.alive) {
		const json_t *unit = unit_record_unit(&record, name);
		const char *active = json_string_value(json_object_get(unit, "active"));
		bool up = json_is_true(json_object_get(unit, "ready"));
		const char *head = json_string_value(json_object_get(record.json, "head"));
		if (up)
			printf("%s is up already\n", name);
		else
			fprintf(stderr, "lichen %s: %s is %s; `lichen down %s` ends it\n", command->name, name,
				active ? active : "in an unknown state", head ? head : name);
		status = up ? 0 : LICHEN_EXIT_SOFTWARE;
	}
	unit_record_done(&record);
	return status;
}

static int say_cannot(const struct up *up)
{
	char names[256];
	fprintf(stderr, "lichen %s: %s needs what is neither here nor filled: %s\n", up->command->name, up->set.head->name.full,
		gap_names(up->unmet, names, sizeof(names)));
	for (int id = 0; id < GAP_COUNT; id++)
		if (up->unmet & GAP_BIT(id))
			fprintf(stderr, "  %s: %s\n", gap_by_id((enum gap_id)id)->name, up->plan.rows[id].reason);
	fputs("`lichen doctor` tells more; --force starts it all the same\n", stderr);
	return LICHEN_UP_CANNOT;
}

static int explain(const struct up *up)
{
	if (!up->given->json) {
		up_explain(up, stdout);
		return 0;
	}
	if (json_out_print(up_explain_json(up), stdout) == 0)
		return 0;
	fprintf(stderr, "lichen %s: out of memory\n", up->command->name);
	return LICHEN_EXIT_SOFTWARE;
}

static int up_one(const struct command *command, int store, const char *word, const struct up_options *given)
{
	char name[UNIT_NAME_MAX + 1];
	struct up up;
	int status = units_name(command, word, name);
	if (status)
		return status;
	status = given->explain ? -1 : look_at_running(command, store, name);
	if (status >= 0)
		return status;
	status = up_prepare(command, given, store, word, &up);
	if (status < 0 && given->explain)
		status = explain(&up);
	else if (status < 0 && up.unmet && !given->force)
		status = say_cannot(&up);
	else if (status < 0)
		status = up_start(&up, store);
	up_done(&up);
	return status;
}

/* Runs `act` for each word, until one fails. Returns its exit status. */
static int each(const struct command *command, int argc, char **argv,
		int (*act)(const struct command *command, int store, const char *word, const struct up_options *given))
{
	struct up_options given = { 0 };
	int first, status = command_parse(command, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(command, "which unit?");
	if (given.json && !given.explain)
		return command_usage(command, "--json needs --explain");
	CLEANUP_FD int store = cells_open(command);
	status = store < 0 ? LICHEN_EXIT_SOFTWARE : 0;
	for (int i = first; i < argc && status == 0; i++)
		status = act(command, store, argv[i], &given);
	free((void *)given.guest.env.words);
	return command_flush(status);
}

static int run_up(int argc, char **argv)
{
	return each(&command_up, argc, argv, up_one);
}

/* Stops the unit's cell, and starts the unit that it was made for. */
static int restart_one(const struct command *command, int store, const char *word, const struct up_options *given)
{
	struct unit_record record = UNIT_RECORD_NONE;
	char name[UNIT_NAME_MAX + 1], head[UNIT_NAME_MAX + 1];
	int status = units_name(command, word, name);
	if (status)
		return status;
	snprintf(head, sizeof(head), "%s", name);
	if (!given->explain && unit_record_find(store, name, &record) == 0 && record.alive) {
		const char *of = json_string_value(json_object_get(record.json, "head"));
		if (of)
			snprintf(head, sizeof(head), "%s", of);
		if (strcmp(head, name) != 0)
			printf("%s is restarted with %s, whose cell it is in\n", name, head);
		status = units_stop(command, store, &record, 0);
	}
	unit_record_done(&record);
	return status ? status : up_one(command, store, head, given);
}

static int run_restart(int argc, char **argv)
{
	return each(&command_restart, argc, argv, restart_one);
}

static const char *const notes[] = {
	"A unit is what a package installs for systemd: redis-server, postgresql@15-main, docker. Drop-ins go into "
	"/etc/lichen/units/NAME.service.d or ~/.config/lichen/units/NAME.service.d.",
	"Exit status: 0 all are up; 66 not installed; 69 this machine cannot; 80 died; 81 timed out; 82 was ready, then lost; 83 a condition is "
	"not met; 84 it answers, but does not work; 64 wrong usage; 65 the unit is wrong or masked; 70 lichen failed.",
	NULL,
};

const struct command command_up = {
	.name = "up",
	.synopsis = "[OPTION…] UNIT…",
	.summary = "Starts daemons by the unit files of their packages",
	.options = up_rows,
	.option_count = ARRAY_SIZE(up_rows),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run_up,
};

const struct command command_restart = {
	.name = "restart",
	.synopsis = "[OPTION…] UNIT…",
	.summary = "Stops daemons and starts them again",
	.options = up_rows,
	.option_count = ARRAY_SIZE(up_rows),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run_restart,
};
