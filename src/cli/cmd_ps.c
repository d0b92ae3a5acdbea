// SPDX-License-Identifier: Apache-2.0
/* lichen ps: the cells of this user. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "lichen.h"

#define FILTERS_MAX 32

struct ps_filters {
	const char *conditions[FILTERS_MAX];
	size_t count;
};

struct ps_options {
	bool all, quiet, json;
	struct ps_filters filters;
};

static int parse_filter(void *field, const char *value, struct option_error *error)
{
	static const char *const known[] = { "name=", "id=", "status=", "label=", "exited=" };
	struct ps_filters *filters = field;
	bool valid = filters->count < FILTERS_MAX;
	size_t kind = 0;
	while (kind < ARRAY_SIZE(known) && strncmp(value, known[kind], strlen(known[kind])) != 0)
		kind++;
	if (!valid || kind == ARRAY_SIZE(known)) {
		snprintf(error->text, sizeof(error->text),
			 "option '--filter' needs name=, id=, status=, label= or exited=, not '%.100s'", value);
		return -EINVAL;
	}
	filters->conditions[filters->count++] = value;
	return 0;
}

static const struct option_row options[] = {
	{ .name = "all", .letter = 'a', .offset = offsetof(struct ps_options, all), .help = "cells that have ended, too" },
	{ .name = "quiet", .letter = 'q', .offset = offsetof(struct ps_options, quiet), .help = "only the ids" },
	{ .name = "json", .offset = offsetof(struct ps_options, json), .help = "print JSON, described in docs/cell-json.md" },
	{ .name = "filter",
	  .letter = 'f',
	  .value = "KEY=VALUE",
	  .offset = offsetof(struct ps_options, filters),
	  .parse = parse_filter,
	  .help = "name=PART, id=BEGINNING, status=WORD, label=KEY[=VALUE], exited=STATUS; of one key any, of all keys each must fit" },
};

static const char *name_of(const struct cell_found *found)
{
	const char *name = json_string_value(json_object_get(found->config, "name"));
	return name ? name : "";
}

static bool label_fits(const struct cell_found *found, const char *wanted)
{
	char key[256];
	size_t length = strcspn(wanted, "=");
	snprintf(key, sizeof(key), "%.*s", (int)(length < 255 ? length : 255), wanted);
	const char *value = json_string_value(json_object_get(json_object_get(found->config, "labels"), key));
	return value && (!wanted[length] || strcmp(value, wanted + length + 1) == 0);
}

static bool condition_fits(const struct cell_found *found, const char *condition)
{
	const char *value = strchr(condition, '=') + 1;
	char status[16];
	switch (condition[0]) {
	case 'n':
		return strstr(name_of(found), value) != NULL;
	case 'i':
		return strncmp(found->id, value, strlen(value)) == 0;
	case 's':
		return strcmp(cell_status_name(found->state.status), value) == 0;
	case 'l':
		return label_fits(found, value);
	default:
		snprintf(status, sizeof(status), "%d", found->state.exit);
		return found->state.status == CELL_EXITED && strcmp(status, value) == 0;
	}
}

/* Of conditions with one key any must hold, of keys each. */
static bool fits(const struct cell_found *found, const struct ps_options *given)
{
	const struct ps_filters *filters = &given->filters;
	bool by_state = false;
	for (size_t i = 0; i < filters->count; i++) {
		bool any = false;
		by_state |= filters->conditions[i][0] == 's' || filters->conditions[i][0] == 'e';
		for (size_t j = 0; j < filters->count && !any; j++)
			any = filters->conditions[i][0] == filters->conditions[j][0] &&
			      condition_fits(found, filters->conditions[j]);
		if (!any)
			return false;
	}
	return given->all || by_state || found->state.status == CELL_RUNNING || found->state.status == CELL_RESTARTING;
}

/* The command in a few characters. */
static const char *command_of(const struct cell_found *found, char *text, size_t size)
{
	const json_t *words = json_object_get(found->config, "command");
	size_t used = 0, i;
	const json_t *word;
	*text = '\0';
	json_array_foreach(words, i, word)
	{
		if (used + 1 >= size)
			break;
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "", json_string_value(word));
	}
	if (used >= size)
		memcpy(text + size - 4, "...", 4);
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
			*at = '?';
	return text;
}

static void print_line(const struct cell_found *found)
{
	char command[24], made[64], age[64], status[96];
	s64 created = json_integer_value(json_object_get(found->config, "created"));
	snprintf(age, sizeof(age), "%s ago", found->config ? cells_duration(cells_now() - created, made, sizeof(made)) : "?");
	printf("%-14s%-26s%-18s%-32s%s\n", found->id, command_of(found, command, sizeof(command)), age,
	       cells_status(found, status, sizeof(status)), name_of(found));
}

/* Prints a cell, or adds it to the array. False without memory. */
static bool show(const struct cell_found *found, const struct ps_options *given, json_t *array)
{
	if (array)
		return json_array_append_new(array, cells_json(found)) == 0;
	if (given->quiet)
		puts(found->id);
	else
		print_line(found);
	return true;
}

static int list(int store, const struct ps_options *given, json_t *array)
{
	char(*ids)[CELL_ID_SIZE];
	int count = cell_store_list(store, &ids), r = count < 0 ? count : 0;
	if (r < 0)
		return r;
	for (int i = count - 1; i >= 0 && r == 0; i--) { /* the youngest first */
		struct cell_found found;
		if (cells_get(store, ids[i], &found) < 0)
			continue; /* removed meanwhile */
		if (fits(&found, given) && !show(&found, given, array))
			r = -ENOMEM;
		cells_done(&found);
	}
	free((void *)ids);
	return r;
}

static int run(int argc, char **argv)
{
	struct ps_options given = { 0 };
	int first, status = command_parse(&command_ps, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first < argc)
		return command_usage(&command_ps, "unexpected argument '%s'", argv[first]);
	CLEANUP_FD int store = cells_open(&command_ps);
	if (store < 0)
		return CELLS_FAILED;
	json_t *array = given.json ? json_array() : NULL;
	if (!given.json && !given.quiet)
		printf("%-14s%-26s%-18s%-32s%s\n", "CELL ID", "COMMAND", "CREATED", "STATUS", "NAME");
	int r = list(store, &given, array);
	if (r == 0 && given.json)
		r = json_out_print(json_pack("{s:s, s:o}", "schema", LICHEN_CELLS_SCHEMA, "cells", array), stdout);
	if (r < 0)
		fprintf(stderr, "lichen ps: cannot list cells: %s (%s)\n", strerror(-r), errno_name(-r));
	return command_flush(r < 0 ? CELLS_FAILED : 0);
}

const struct command command_ps = {
	.name = "ps",
	.synopsis = "[OPTION…]",
	.summary = "Lists cells",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
