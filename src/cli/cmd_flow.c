// SPDX-License-Identifier: Apache-2.0
/* lichen flow: runs workflows, and tells about their runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cage_run.h"
#include "cli/commands.h"
#include "cli/flow_cli.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "lichen.h"

static const struct option_row options[] = {
	{ .name = "directory",
	  .letter = 'C',
	  .value = "DIR",
	  .offset = offsetof(struct flow_options, directory),
	  .help = "where config.yaml is and relative paths start" },
	{ .name = "config",
	  .value = "FILE",
	  .offset = offsetof(struct flow_options, config),
	  .help = "run, validate: another file than config.yaml" },
	{ .name = "no-sandbox",
	  .offset = offsetof(struct flow_options, no_sandbox),
	  .help = "tools run without the cage: config.yaml has to agree" },
	{ .name = "allow-weaker",
	  .value = "LAYER,…",
	  .offset = offsetof(struct flow_options, weaker),
	  .parse = cage_parse_weaker,
	  .help = "run: tools go on without these layers of the cage" },
	{ .name = "resume",
	  .value = "RUN",
	  .offset = offsetof(struct flow_options, resume),
	  .help = "run: keep what was ok in this run of the same file" },
	{ .name = "step",
	  .value = "N",
	  .offset = offsetof(struct flow_options, step),
	  .help = "logs: the output of this step only" },
	{ .name = "json",
	  .offset = offsetof(struct flow_options, json),
	  .help = "run, status, list: print JSON, described in docs/flow-json.md" },
};

/* --- verbs ------------------------------------------------------------------------------------------------------------------------------ */

static int with_config(const struct flow_options *given, const char *file, int (*verb)(struct flow_cli *cli, const char *file))
{
	struct flow_cli cli = { .given = given };
	int status = flow_cli_begin(&cli);
	if (!status)
		status = verb(&cli, file);
	flow_cli_done(&cli);
	return status;
}

static int run_verb(const struct flow_options *given, const char *word)
{
	return with_config(given, word, flow_cli_run);
}

static int validate_verb(const struct flow_options *given, const char *word)
{
	return with_config(given, word, flow_cli_validate);
}

static int init_verb(const struct flow_options *given, const char *word)
{
	return flow_cli_init(word ? word : given->directory ? given->directory : ".");
}

/* The runs, of this file only when there is one. NULL without memory. */
static json_t *runs_of(const char *file)
{
	json_t *all = flow_state_list(), *runs = all ? json_array() : NULL, *one;
	char path[PATH_MAX];
	size_t i;
	json_array_foreach(all, i, one)
	{
		const char *its = json_string_value(json_object_get(one, "file"));
		if (!file || (its && strcmp(its, realpath(file, path) ? path : file) == 0))
			(void)json_array_append(runs, one);
	}
	json_decref(all);
	return runs;
}

static int list_verb(const struct flow_options *given, const char *word)
{
	json_t *runs = runs_of(word);
	if (given->json) {
		if (json_out_print(json_pack("{s:s, s:o}", "schema", LICHEN_FLOW_SCHEMA, "runs", runs), stdout) < 0)
			return LICHEN_EXIT_SOFTWARE;
		return command_flush(0);
	}
	flow_print_list(runs, stdout);
	json_decref(runs);
	return command_flush(0);
}

/* Opens the run of that id, or the latest. Returns its directory, or negative errno after saying why. */
static int open_run(const char *word, char id[FLOW_ID + 1])
{
	json_t *runs = word ? NULL : runs_of(NULL);
	size_t count = json_array_size(runs);
	const char *last = json_string_value(json_object_get(json_array_get(runs, count - 1), "id"));
	const char *which = word ? word : last;
	int dir = which ? flow_state_open(which, id) : -ENOENT;
	json_decref(runs);
	if (dir < 0 && !word)
		fputs("lichen flow: there is no run yet\n", stderr);
	else if (dir < 0)
		fprintf(stderr,
			dir == -ENOTUNIQ ? "lichen flow: several runs begin with '%s'\n" : "lichen flow: there is no run '%s'\n",
			word);
	return dir;
}

static int status_verb(const struct flow_options *given, const char *word)
{
	char id[FLOW_ID + 1];
	CLEANUP_FD int dir = open_run(word, id);
	if (dir < 0)
		return LICHEN_EXIT_NO_INPUT;
	json_t *state = flow_state_read(dir);
	if (!state) {
		fprintf(stderr, "lichen flow: the state of run %s cannot be read\n", id);
		return LICHEN_EXIT_IO;
	}
	if (given->json)
		return json_out_print(state, stdout) < 0 ? LICHEN_EXIT_SOFTWARE : command_flush(0);
	flow_print_run(state, stdout);
	json_decref(state);
	return command_flush(0);
}

/* Prints one output. Whether there was one. */
static bool print_output(int dir, unsigned step, bool named)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	if (flow_state_get_output(dir, step, &text, &size) < 0)
		return false;
	if (named)
		printf("--- step %u\n", step);
	fwrite(text, 1, size, stdout);
	if (named && size > 0 && text[size - 1] != '\n')
		putchar('\n');
	return true;
}

static int logs_verb(const struct flow_options *given, const char *word)
{
	char id[FLOW_ID + 1], *end = NULL;
	CLEANUP_FD int dir = open_run(word, id);
	if (dir < 0)
		return LICHEN_EXIT_NO_INPUT;
	unsigned long only = given->step ? strtoul(given->step, &end, 10) : 0;
	if (given->step && (given->step[0] < '1' || given->step[0] > '9' || *end || only > UINT32_MAX))
		return command_usage(&command_flow, "--step: '%.40s' is no number of a step", given->step);
	if (only && !print_output(dir, (unsigned)only, false)) {
		fprintf(stderr, "lichen flow: step %lu of run %s has no output\n", only, id);
		return LICHEN_EXIT_NO_INPUT;
	}
	json_t *state = only ? NULL : flow_state_read(dir), *step;
	size_t i;
	json_array_foreach(json_object_get(state, "steps"), i, step)
	{
		(void)print_output(dir, (unsigned)json_integer_value(json_object_get(step, "step")), true);
	}
	json_decref(state);
	return command_flush(0);
}

enum { RUN = 1, INIT = 2, VALIDATE = 4, STATUS = 8, LOGS = 16, LIST = 32 };

static const struct verb {
	const char *name, *word; /* word: what it takes, in words */
	u32 bit;
	int least, most;
	int (*run)(const struct flow_options *given, const char *word);
} verbs[] = {
	{ "run", "the file of a flow", RUN, 1, 1, run_verb },
	{ "init", "a directory", INIT, 0, 1, init_verb },
	{ "validate", "the file of a flow", VALIDATE, 1, 1, validate_verb },
	{ "status", "the id of a run", STATUS, 0, 1, status_verb },
	{ "logs", "the id of a run", LOGS, 0, 1, logs_verb },
	{ "list", "the file of a flow", LIST, 0, 1, list_verb },
};

/* An option that would have no effect; NULL: there is none. */
static const char *find_idle(const struct flow_options *given, const struct verb *verb)
{
	const struct {
		const char *name;
		bool given;
		u32 verbs; /* that take it */
	} rows[] = {
		{ "directory", given->directory != NULL, RUN | INIT | VALIDATE },
		{ "config", given->config != NULL, RUN | VALIDATE },
		{ "no-sandbox", given->no_sandbox, RUN | VALIDATE },
		{ "allow-weaker", given->weaker != 0, RUN },
		{ "resume", given->resume != NULL, RUN },
		{ "step", given->step != NULL, LOGS },
		{ "json", given->json, RUN | STATUS | LIST },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].given && !(rows[i].verbs & verb->bit))
			return rows[i].name;
	return NULL;
}

/* --- the command line ------------------------------------------------------------------------------------------------------------------- */

#define VERBS "run, validate, init, status, logs or list"

static int run(int argc, char **argv)
{
	struct flow_options given = { 0 };
	int first, status = command_parse(&command_flow, argc, argv, &given, &first);
	const struct verb *verb = NULL;
	if (status >= 0)
		return status;
	if (first == argc)
		return command_no_action(&command_flow, NULL, VERBS);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, argv[first]) == 0)
			verb = &verbs[i];
	if (!verb)
		return command_no_action(&command_flow, argv[first], VERBS);
	int count = argc - first - 1;
	if (count < verb->least || count > verb->most)
		return command_usage(&command_flow, "%s takes %s%s", verb->name, verb->least ? "" : "at most ", verb->word);
	const char *idle = find_idle(&given, verb);
	if (idle)
		return command_usage(&command_flow, "%s takes no --%s", verb->name, idle);
	return verb->run(&given, count ? argv[first + 1] : NULL);
}

static const char *const notes[] = {
	"VERB: run FILE; validate FILE: reads it only; init [DIR]: writes config.yaml and three examples; status [RUN] and logs [RUN], the latest without; list [FILE].",
	"Exit status of run: 0; 1 a step failed, 65 or 74 the audit log, 66 no such file, 69 the cage lacks a layer, 75 budget exhausted, 77 denied, 78 flow or config.yaml "
	"wrong, 124 time or steps, 125 lichen failed, 128+n a signal.",
	NULL,
};

const struct command command_flow = {
	.name = "flow",
	.synopsis = "VERB [OPTION…] [FILE|RUN|DIR]",
	.summary = "Runs workflows of tools, files and models",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
