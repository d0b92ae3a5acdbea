// SPDX-License-Identifier: Apache-2.0
/* lichen oci state, list, ps, pause, resume, events: how containers are doing, and standing still. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/oci_cli.h"
#include "lichen.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_state.h"

struct list_options {
	bool json, quiet, stats;
	u32 interval;
};

static int parse_format(void *field, const char *value, struct option_error *error)
{
	*(bool *)field = strcmp(value, "json") == 0;
	return *(bool *)field || strcmp(value, "table") == 0 ? 0
							     : options_refuse(error, "unknown format '%s': table or json", value);
}

#define FORMAT_OPTION                                                                                              \
	{                                                                                                          \
		.name = "format", .letter = 'f', .value = "FORMAT", .offset = offsetof(struct list_options, json), \
		.parse = parse_format, .help = "table or json"                                                     \
	}

/* --- state --------------------------------------------------------------------------------------------------------------------------------- */

static int run_state(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	struct oci_error error = { 0 };
	int first, status = oci_verb_parse(verb, argc, argv, NULL, false, &first);

	if (status >= 0)
		return status;
	if (oci_container_open(global->root, argv[first], false, &container, &error) < 0)
		return oci_failed(global, "", &error);
	status = oci_print(global, oci_container_state(&container, oci_container_status(&container)), 2);
	oci_container_done(&container);
	return status;
}

/* --- list ---------------------------------------------------------------------------------------------------------------------------------- */

static const struct option_row list_rows[] = {
	FORMAT_OPTION,
	{ .name = "quiet", .letter = 'q', .offset = offsetof(struct list_options, quiet), .help = "ids only" },
};

static json_t *states(const struct oci_global *global)
{
	char **ids = oci_container_list(global->root);
	json_t *all = ids ? json_array() : NULL;

	for (char **id = ids; id && *id; id++) {
		struct oci_container container = OCI_CONTAINER_NONE;
		struct oci_error error;

		if (oci_container_open(global->root, *id, false, &container, &error) == 0)
			json_array_append_new(all, oci_container_state(&container, oci_container_status(&container)));
		oci_container_done(&container);
		free(*id);
	}
	free((void *)ids);
	return all;
}

static const char *text_of(json_t *state, const char *name)
{
	const char *text = json_string_value(json_object_get(state, name));

	return text ? text : "";
}

static size_t widest(json_t *all, const char *name, size_t least)
{
	size_t i;
	json_t *state;

	json_array_foreach(all, i, state)
	{
		size_t length = strlen(text_of(state, name));

		least = length > least ? length : least;
	}
	return least;
}

/* Columns as wide as in runc's table: twelve at least, three between them. */
static void print_table(json_t *all)
{
	int id = (int)widest(all, "id", 9), bundle = (int)widest(all, "bundle", 9), created = (int)widest(all, "created", 9);
	size_t i;
	json_t *state;

	printf("%-*s   %-9s   %-9s   %-*s   %-*s   %s\n", id, "ID", "PID", "STATUS", bundle, "BUNDLE", created, "CREATED", "OWNER");
	json_array_foreach(all, i, state)
	{
		printf("%-*s   %-9d   %-9s   %-*s   %-*s   %s\n", id, text_of(state, "id"),
		       (int)json_integer_value(json_object_get(state, "pid")), text_of(state, "status"), bundle,
		       text_of(state, "bundle"), created, text_of(state, "created"), "root");
	}
}

static int run_list(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct list_options given = { 0 };
	int first, status = command_parse(&verb->command, argc, argv, &given, &first);
	json_t *all, *state;
	size_t i;

	if (status >= 0)
		return status;
	if (first < argc)
		return command_usage(&verb->command, "what is '%s'?", argv[first]);
	all = states(global);
	if (given.json && !given.quiet)
		return oci_print(global, json_array_size(all) ? all : json_null(), 0);
	if (!given.quiet)
		print_table(all);
	json_array_foreach(all, i, state)
	{
		if (given.quiet)
			puts(text_of(state, "id"));
	}
	json_decref(all);
	return command_flush(0);
}

/* --- ps ------------------------------------------------------------------------------------------------------------------------------------ */

static const struct option_row ps_rows[] = { FORMAT_OPTION };

static json_t *pids_of(const struct oci_container *container)
{
	json_t *list = json_array();
	pid_t *pids = NULL;
	int count = oci_container_processes(container, &pids);

	for (int i = 0; i < count; i++)
		json_array_append_new(list, json_integer(pids[i]));
	free(pids);
	return list;
}

/* The lines of ps(1) that are about these processes. */
static int print_ps(json_t *pids, int argc, char **argv)
{
	static const char *const usual[] = { "ps", "-ef", NULL };
	CLEANUP_FREE const char **words = calloc((size_t)argc + 2, sizeof(*words));
	char line[8192];
	int ends[2], column = -1, status;
	FILE *from;
	pid_t pid;

	if (!words || pipe(ends) < 0)
		return -errno;
	words[0] = "ps";
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], 1);
		(void)execvp("ps", (char *const *)(argc ? words : usual));
		_exit(127);
	}
	(void)close(ends[1]);
	from = fdopen(ends[0], "r");
	while (from && fgets(line, sizeof(line), from)) {
		char copy[sizeof(line)], *save = NULL;
		bool head = column < 0, wanted = head;
		int at = 0;

		memcpy(copy, line, sizeof(copy));
		for (char *word = strtok_r(copy, " \n", &save); word; word = strtok_r(NULL, " \n", &save), at++) {
			if (head && strcmp(word, "PID") == 0)
				column = at;
			for (size_t i = 0; !head && at == column && i < json_array_size(pids); i++)
				wanted |= strtol(word, NULL, 10) == json_integer_value(json_array_get(pids, i));
		}
		if (head && column < 0)
			break;
		if (wanted)
			fputs(line, stdout);
	}
	if (from)
		(void)fclose(from);
	(void)waitpid(pid, &status, 0);
	return column < 0 ? -ENOENT : 0;
}

static int run_ps(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	struct list_options given = { 0 };
	struct oci_error error = { 0 };
	int first, status = oci_verb_parse(verb, argc, argv, &given, true, &first), r;
	json_t *pids;

	if (status >= 0)
		return status;
	if (oci_container_open(global->root, argv[first], false, &container, &error) < 0)
		return oci_failed(global, "", &error);
	pids = pids_of(&container);
	oci_container_done(&container);
	if (given.json)
		return oci_print(global, pids, 0);
	r = print_ps(pids, argc - first - 1, argv + first + 1);
	json_decref(pids);
	if (r < 0)
		return oci_failed(global, "", &(struct oci_error){ "ps(1) tells no pids, or is not there: use --format=json" });
	return command_flush(0);
}

/* --- pause and resume ---------------------------------------------------------------------------------------------------------------------- */

static int freeze(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv, bool on)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	struct oci_error error = { 0 };
	int first, parsed = oci_verb_parse(verb, argc, argv, NULL, false, &first), r;
	enum oci_status status;

	if (parsed >= 0)
		return parsed;
	r = oci_container_open(global->root, argv[first], true, &container, &error);
	if (r == 0) {
		status = oci_container_status(&container);
		if (on && status != OCI_RUNNING && status != OCI_CREATED)
			r = oci_fail(&error, -EBUSY, "container not running or created: %s", oci_status_name(status));
		else if (!on && status != OCI_PAUSED)
			r = oci_fail(&error, -EBUSY, "container not paused");
		else
			r = oci_cgroup_freeze(json_object_get(container.data, "cgroup"), on, &error);
	}
	oci_container_done(&container);
	return r < 0 ? oci_failed(global, "", &error) : 0;
}

static int run_pause(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	return freeze(verb, global, argc, argv, true);
}

static int run_resume(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	return freeze(verb, global, argc, argv, false);
}

/* --- events -------------------------------------------------------------------------------------------------------------------------------- */

/* Go's: "5s", "1m30s". */
static int parse_interval(void *field, const char *value, struct option_error *error)
{
	u32 seconds = 0;
	char *end = NULL;

	for (const char *at = value; *at; at = end + 1) {
		unsigned long number = strtoul(at, &end, 10);

		if (end == at || number > 86400 || !strchr("smh", *end) || !*end)
			return options_refuse(error, "'%s' is no interval: 5s, 1m30s", value);
		seconds += (u32)number * (*end == 'h' ? 3600 : *end == 'm' ? 60 : 1);
	}
	*(u32 *)field = seconds;
	return seconds ? 0 : options_refuse(error, "duration interval must be greater than 0");
}

static const struct option_row events_rows[] = {
	{ .name = "stats", .offset = offsetof(struct list_options, stats), .help = "print the figures once, and end" },
	{ .name = "interval",
	  .value = "TIME",
	  .offset = offsetof(struct list_options, interval),
	  .parse = parse_interval,
	  .help = "how often to print them: 5s, 1m; otherwise every five seconds" },
};

static int run_events(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	struct list_options given = { .interval = 5 };
	struct oci_error error = { 0 };
	int first, status = oci_verb_parse(verb, argc, argv, &given, false, &first);

	if (status >= 0)
		return status;
	if (oci_container_open(global->root, argv[first], false, &container, &error) < 0)
		return oci_failed(global, "", &error);
	if (!oci_container_alive(&container))
		status = oci_failed(global, "", &(struct oci_error){ "container with id is not running" });
	while (status < 0 && oci_container_alive(&container)) {
		status = oci_print(global,
				   json_pack("{s:s, s:s, s:o}", "type", "stats", "id", container.id, "data",
					     oci_cgroup_stats(json_object_get(container.data, "cgroup"))),
				   0);
		if (given.stats || status)
			break;
		status = -1;
		(void)sleep(given.interval);
	}
	oci_container_done(&container);
	return status < 0 ? 0 : status;
}

#define VERB(id, words, text, rows, count, f)                                          \
	const struct oci_verb oci_verb_##id = { { .name = "oci " #id,                  \
						  .synopsis = (words),                 \
						  .summary = (text),                   \
						  .options = (rows),                   \
						  .option_count = (count),             \
						  .usage_status = LICHEN_EXIT_USAGE }, \
						f }

VERB(state, "CONTAINER", "Prints the state of a container", NULL, 0, run_state);
VERB(list, "[OPTION…]", "Lists containers", list_rows, ARRAY_SIZE(list_rows), run_list);
VERB(ps, "[OPTION…] CONTAINER [OPTION of ps(1)…]", "Lists the processes of a container", ps_rows, ARRAY_SIZE(ps_rows), run_ps);
VERB(pause, "CONTAINER", "Stops all processes of a container", NULL, 0, run_pause);
VERB(resume, "CONTAINER", "Lets a paused container go on", NULL, 0, run_resume);
VERB(events, "[OPTION…] CONTAINER", "Prints figures of a container", events_rows, ARRAY_SIZE(events_rows), run_events);
