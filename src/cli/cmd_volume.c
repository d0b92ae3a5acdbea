// SPDX-License-Identifier: Apache-2.0
/* lichen volume: the named volumes that `lichen run -v NAME:/PATH` makes. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "host/volumes.h"
#include "lichen.h"

struct volume_options {
	bool quiet, force;
};

static const struct option_row options[] = {
	{ .name = "quiet", .letter = 'q', .offset = offsetof(struct volume_options, quiet), .help = "ls: names only" },
	{ .name = "force",
	  .letter = 'f',
	  .offset = offsetof(struct volume_options, force),
	  .help = "rm: that there is no such volume is no failure" },
};

/* What the actions work on. */
struct at {
	int dir; /* of the volumes */
	char path[PATH_MAX];
	const struct volume_options *given;
	json_t *users; /* of each volume, the ids of cells: {"NAME": ["ID"]} */
};

static int say(const char *name, int error)
{
	fprintf(stderr, "lichen volume: '%s': %s (%s)\n", name, strerror(-error), errno_name(-error));
	return CELLS_FAILED;
}

/* --- who uses what -------------------------------------------------------------------------------------------------------------------- */

static void note_users(json_t *users, const json_t *config, const char *id)
{
	const json_t *row, *rows = json_object_get(json_object_get(config, "tree"), "volumes");
	size_t i;
	json_array_foreach(rows, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		json_t *cells = name ? json_object_get(users, name) : NULL;
		if (name && !cells) {
			cells = json_array();
			json_object_set_new(users, name, cells);
		}
		if (name)
			json_array_append_new(cells, json_string(id));
	}
}

json_t *volume_users(const struct command *command)
{
	char(*ids)[CELL_ID_SIZE];
	CLEANUP_FD int store = cells_open(command);
	int count = store < 0 ? store : cell_store_list(store, &ids);
	json_t *users = json_object();
	if (count < 0) {
		json_decref(users);
		return NULL;
	}
	for (int i = 0; i < count; i++) {
		struct cell_found found;
		if (cells_get(store, ids[i], &found) < 0)
			continue;
		note_users(users, found.config, found.id);
		cells_done(&found);
	}
	free(ids);
	return users;
}

/* --- what it does --------------------------------------------------------------------------------------------------------------------- */

static int list(const struct at *at, int count, char **names)
{
	char(*all)[VOLUME_NAME_MAX + 1];
	int found = volumes_list(at->dir, &all);
	(void)count, (void)names;
	if (found < 0)
		return say(at->path, found);
	if (!at->given->quiet)
		printf("%-30s  CELLS\n", "NAME");
	for (int i = 0; i < found; i++)
		if (at->given->quiet)
			puts(all[i]);
		else
			printf("%-30s  %zu\n", all[i], json_array_size(json_object_get(at->users, all[i])));
	free(all);
	return command_flush(0);
}

static int create(const struct at *at, int count, char **names)
{
	(void)count;
	int made = volumes_name_valid(*names) ? volume_make(at->dir, *names) : -EINVAL;
	if (made == -EINVAL)
		return command_usage(&command_volume,
				     "'%.100s' is no name of a volume: letters, digits and _.-, a letter or digit first", *names);
	if (made < 0)
		return say(*names, made);
	puts(*names);
	return command_flush(0);
}

static int remove_one(const struct at *at, const char *name)
{
	const json_t *cells = json_object_get(at->users, name);
	if (json_array_size(cells)) {
		fprintf(stderr, "lichen volume: '%s': cell %s uses it; `lichen rm` removes that\n", name,
			json_string_value(json_array_get(cells, 0)));
		return CELLS_FAILED;
	}
	int error = volumes_name_valid(name) ? volume_remove(at->dir, name) : -ENOENT;
	if (error == -ENOENT && at->given->force)
		return 0;
	if (error == -ENOENT)
		fprintf(stderr, "lichen volume: there is no volume '%s'; `lichen volume ls` lists them\n", name);
	else if (error == -EBUSY)
		fprintf(stderr, "lichen volume: '%s': a command that runs uses it\n", name);
	else if (error)
		return say(name, error);
	if (error)
		return CELLS_FAILED;
	puts(name);
	return 0;
}

static int remove_all(const struct at *at, int count, char **names)
{
	int status = 0;
	for (int i = 0; i < count; i++)
		status |= remove_one(at, names[i]);
	return command_flush(status);
}

static int inspect(const struct at *at, int count, char **names)
{
	json_t *rows = json_array();
	int status = 0;
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX + VOLUME_NAME_MAX + 16];
		snprintf(path, sizeof(path), "%s/%s/_data", at->path, names[i]);
		if (!volumes_name_valid(names[i]) || access(path, F_OK) < 0) {
			fprintf(stderr, "lichen volume: there is no volume '%s'; `lichen volume ls` lists them\n", names[i]);
			status = CELLS_FAILED;
			continue;
		}
		json_t *cells = json_object_get(at->users, names[i]);
		json_array_append_new(rows, json_pack("{s:s, s:o, s:o}", "name", names[i], "path", cell_text_json(path), "cells",
						      cells ? json_incref(cells) : json_array()));
	}
	if (json_out_print(json_pack("{s:s, s:o}", "schema", LICHEN_VOLUMES_SCHEMA, "volumes", rows), stdout) < 0) {
		fputs("lichen volume: out of memory\n", stderr);
		status = CELLS_FAILED;
	}
	return command_flush(status);
}

static const struct action {
	const char *name;
	int least, most; /* names */
	int (*run)(const struct at *at, int count, char **names);
} actions[] = {
	{ "ls", 0, 0, list },
	{ "create", 1, 1, create },
	{ "rm", 1, INT_MAX, remove_all },
	{ "inspect", 1, INT_MAX, inspect },
};

static int act(const struct action *action, const struct volume_options *given, int count, char **names)
{
	struct at at = { .given = given };
	CLEANUP_FD int dir = volumes_open(at.path);
	if (dir < 0)
		return say(at.path, dir);
	at.dir = dir;
	at.users = volume_users(&command_volume);
	if (!at.users)
		return CELLS_FAILED;
	int status = action->run(&at, count, names);
	json_decref(at.users);
	return status;
}

#define ACTIONS "ls, create, rm or inspect"

static int run(int argc, char **argv)
{
	struct volume_options given = { 0 };
	int first, status = command_parse(&command_volume, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_no_action(&command_volume, NULL, ACTIONS);
	int count = argc - first - 1;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, argv[first]) != 0)
			continue;
		if (count < actions[i].least || count > actions[i].most)
			return command_usage(&command_volume, "%s takes %s", actions[i].name,
					     actions[i].most == 0   ? "no names"
					     : actions[i].most == 1 ? "one name"
								    : "names of volumes");
		return act(&actions[i], &given, count, argv + first + 1);
	}
	return command_no_action(&command_volume, argv[first], ACTIONS);
}

static const char *const notes[] = {
	"ls: lists volumes, and how many cells use each. create NAME: makes one. rm NAME…: removes some that nobody uses, with all that is in them. "
	"inspect NAME…: tells where they are, as JSON (docs/cell-json.md).",
	"Exit status: 0; 1 it could not be done, 64 wrong words.",
	NULL,
};

const struct command command_volume = {
	.name = "volume",
	.synopsis = "ls | create | rm | inspect [OPTION…] [NAME…]",
	.summary = "Lists, makes and removes named volumes",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
