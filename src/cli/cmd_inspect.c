// SPDX-License-Identifier: Apache-2.0
/* lichen inspect: all that is known of cells, as JSON. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/json_out.h"
#include "lichen.h"

static int inspect_one(int store, const char *word, void *data)
{
	struct cell_found found;
	if (cells_find(&command_inspect, store, word, &found) < 0)
		return CELLS_FAILED;
	int r = json_array_append_new(data, cells_json(&found));
	cells_done(&found);
	return r < 0 ? cells_say(&command_inspect, word, "out of memory") : 0;
}

static int run(int argc, char **argv)
{
	int first, status = command_parse(&command_inspect, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_inspect, "which cell?");
	json_t *array = json_array();
	status = cells_each(&command_inspect, argc - first, argv + first, inspect_one, array);
	if (json_out_print(json_pack("{s:s, s:o}", "schema", LICHEN_CELLS_SCHEMA, "cells", array), stdout) < 0) {
		fputs("lichen inspect: out of memory\n", stderr);
		status = CELLS_FAILED;
	}
	return command_flush(status);
}

const struct command command_inspect = {
	.name = "inspect",
	.synopsis = "CELL…",
	.summary = "Prints what is known of cells, as JSON (docs/cell-json.md)",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
