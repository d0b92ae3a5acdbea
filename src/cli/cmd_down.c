// SPDX-License-Identifier: Apache-2.0
/* lichen down: stops daemons that lichen up has started. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cell_options.h"
#include "cli/units.h"
#include "lichen.h"

struct down_options {
	s64 time; /* seconds + 1; 0 = as the units say */
};

static const struct option_row options[] = {
	{ .name = "time",
	  .letter = 't',
	  .value = "SECONDS",
	  .offset = offsetof(struct down_options, time),
	  .parse = cell_parse_seconds,
	  .help = "how long all may take to stop before they are killed, instead of what they say themselves (TimeoutStopSec=)" },
};

static int down_one(int store, const char *word, const struct down_options *given)
{
	struct unit_record record = UNIT_RECORD_NONE;
	char name[UNIT_NAME_MAX + 1];
	int status = units_name(&command_down, word, name);
	if (status)
		return status;
	int r = unit_record_find(store, name, &record);
	if (r < 0 || (!record.alive && !record.lost)) {
		printf("%s is not up\n", name);
		unit_record_done(&record);
		return 0;
	}
	const char *head = json_string_value(json_object_get(record.json, "head"));
	if (head && strcmp(head, name) != 0) {
		fprintf(stderr, "lichen down: %s is in the cell of %s; `lichen down %s` stops both\n", name, head, head);
		unit_record_done(&record);
		return LICHEN_EXIT_UNAVAILABLE;
	}
	if (record.alive) {
		status = units_stop(&command_down, store, &record, given->time ? (int)(given->time - 1) * 1000 : 0);
	} else {
		status = units_clear_up(store, &record) == 0 ? 0 : LICHEN_EXIT_SOFTWARE;
		if (status == 0)
			(void)cell_store_remove(store, record.id, false);
	}
	if (status == 0)
		printf("%s is down\n", name);
	unit_record_done(&record);
	return status;
}

static int run(int argc, char **argv)
{
	struct down_options given = { 0 };
	int first, status = command_parse(&command_down, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_down, "which unit?");
	CLEANUP_FD int store = cells_open(&command_down);
	status = store < 0 ? LICHEN_EXIT_SOFTWARE : 0;
	for (int i = first; i < argc && store >= 0; i++) {
		int one = down_one(store, argv[i], &given);
		status = status ? status : one;
	}
	return command_flush(status);
}

const struct command command_down = {
	.name = "down",
	.synopsis = "[OPTION…] UNIT…",
	.summary = "Stops daemons, and all that they have started",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
