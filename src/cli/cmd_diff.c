// SPDX-License-Identifier: Apache-2.0
/* lichen diff: what a cell has changed in its tree. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cell_layers.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "lichen.h"

struct diff_options {
	bool json;
};

static const struct option_row options[] = {
	{ .name = "json", .offset = offsetof(struct diff_options, json), .help = "print JSON, described in docs/cell-json.md" },
};

/* A line each; bytes that would be control characters of a terminal become '?'. */
static int print_change(void *arg, const struct change *change)
{
	(void)arg;
	printf("%c /", change->kind);
	for (const char *at = change->path; *at; at++)
		putchar((unsigned char)*at < ' ' || *at == 127 ? '?' : *at);
	putchar('\n');
	return ferror(stdout) ? -EIO : 0;
}

static int add_change(void *arg, const struct change *change)
{
	const char kind[] = { change->kind, '\0' };
	char path[PATH_MAX + 1];
	snprintf(path, sizeof(path), "/%s", change->path);
	json_t *row = json_pack("{s:s, s:o}", "kind", kind, "path", cell_text_json(path));
	return json_array_append_new(arg, row) ? -ENOMEM : 0;
}

static int diff(const char *word, const struct cell_found *found, bool json)
{
	struct cell_layers layers;
	char where[PATH_MAX];
	int status = cell_layers_open(&command_diff, word, found, &layers);
	if (status)
		return status;
	json_t *array = json ? json_array() : NULL;
	const struct changes changes = { .upper = layers.upper,
					 .lower = layers.lower,
					 .skip = layers.skip,
					 .each = json ? add_change : print_change,
					 .arg = array };
	int error = changes_walk(&changes, where);
	if (error)
		status = cell_layers_say(&command_diff, word, error, where);
	if (json &&
	    json_out_print(json_pack("{s:s, s:s, s:o}", "schema", LICHEN_CELLS_SCHEMA, "id", found->id, "changes", array), stdout))
		status = cells_say(&command_diff, word, "out of memory");
	cell_layers_close(&layers);
	return status;
}

static int run(int argc, char **argv)
{
	struct diff_options given = { 0 };
	struct cell_found found;
	int first, status = command_parse(&command_diff, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first != 1)
		return command_usage(&command_diff, first == argc ? "which cell?" : "of one cell at a time");
	CLEANUP_FD int store = cells_open(&command_diff);
	if (store < 0 || cells_find(&command_diff, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	status = diff(argv[first], &found, given.json);
	cells_done(&found);
	return command_flush(status);
}

static const char *const notes[] = {
	"A path that was added begins with A, one that was changed with C, one that was deleted with D.",
	NULL,
};

const struct command command_diff = {
	.name = "diff",
	.synopsis = "[OPTION…] CELL",
	.summary = "Lists what a cell has changed in its file tree",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
