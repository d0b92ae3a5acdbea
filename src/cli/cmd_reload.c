// SPDX-License-Identifier: Apache-2.0
/* lichen reload: lets daemons read their configuration again, by what their units say (ExecReload=). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/units.h"
#include "host/cell_process.h"
#include "lichen.h"
#include "units/unit_env.h"
#include "units/unit_run.h"

#define JOIN_MS 10000

static int say(const char *name, const char *what)
{
	fprintf(stderr, "lichen reload: %s: %s\n", name, what);
	return LICHEN_EXIT_SOFTWARE;
}

/* Runs one command in the cell. Returns its exit status, or says why it could not be run. */
static int run_command(const struct unit_run *run)
{
	int report, status = 0;
	struct unit_report told;
	pid_t runner = unit_run_start(run, &report);
	if (runner < 0)
		return say(run->unit->name.full, strerror(-runner));
	while (waitpid(runner, &status, 0) < 0 && errno == EINTR)
		;
	while (read(report, &told, sizeof(told)) == (ssize_t)sizeof(told))
		if (told.kind == UNIT_ENDED && told.error)
			fprintf(stderr, "lichen reload: %s: %s: %s\n", run->command->program, told.text, strerror(told.error));
	close(report);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (status && !run->command->ignore_failure)
		fprintf(stderr, "lichen reload: %s: %s ended with status %d\n", run->unit->name.full, run->command->program,
			status);
	return run->command->ignore_failure ? 0 : status;
}

static int run_commands(const struct unit *unit, const struct unit_commands *commands, const struct unit_record *record)
{
	const json_t *main_pid = json_object_get(unit_record_unit(record, unit->name.full), "main_pid");
	struct unit_cell cell = { .dir = record->dir, .fds = CELL_FDS_NONE };
	struct word_list env = { 0 };
	CLEANUP_FREE char *why = NULL;
	int pidfd = FD_NONE, status = 0;
	memcpy(cell.id, record->id, CELL_ID_SIZE);
	int r = unit_env(unit, environ, &env, &why);
	if (r == 0)
		r = word_list_printf(&env, CELL_VARIABLE "=%s", record->id);
	if (r == 0 && json_is_integer(main_pid))
		r = word_list_printf(&env, "MAINPID=%d", (int)json_integer_value(main_pid));
	if (r == 0)
		r = cell_control_ask(record->dir, CELL_JOIN, 0, JOIN_MS, &cell.reply, &cell.fds, &pidfd);
	if (r < 0)
		status = say(unit->name.full, why ? why : strerror(-r));
	for (size_t i = 0; i < commands->count && status == 0; i++) {
		struct unit_run one = { .unit = unit,
					.command = &commands->rows[i],
					.env = &env,
					.cell = &cell,
					.output = { STDOUT_FILENO, STDERR_FILENO } };
		status = run_command(&one);
	}
	close_fd(&pidfd);
	if (r == 0)
		cell_fds_done(&cell.fds);
	word_list_done(&env);
	return status ? LICHEN_EXIT_SOFTWARE : 0;
}

static int reload_unit(struct unit *unit, const struct unit_record *record)
{
	struct unit_commands commands = { 0 };
	CLEANUP_FREE char *why = NULL;
	int r = unit->load == UNIT_LOADED ? unit_find_place(unit, &why) : -ENOENT;
	if (r == 0)
		r = unit_commands(unit, "Service", "ExecReload", &commands, &why);
	if (r < 0)
		return say(unit->name.full, why ? why : strerror(-r));
	int status = commands.count ? run_commands(unit, &commands, record)
				    : say(unit->name.full, "it has no ExecReload=; `lichen restart` starts it anew");
	unit_commands_done(&commands);
	return status;
}

static int reload_one(int store, const char *word)
{
	struct word_list directories = { 0 };
	struct unit_record record = UNIT_RECORD_NONE;
	struct unit *unit = NULL;
	int r = unit_directories(&directories);
	if (r == 0)
		r = unit_load(&directories, word, &unit);
	word_list_done(&directories);
	if (r < 0 || !unit) {
		fprintf(stderr, "lichen reload: '%.100s' is no name of a unit that can be run\n", word);
		return LICHEN_EXIT_USAGE;
	}
	int status;
	if (unit_record_find(store, unit->name.full, &record) < 0 || !record.alive ||
	    !json_is_true(json_object_get(unit_record_unit(&record, unit->name.full), "ready"))) {
		fprintf(stderr, "lichen reload: %s is not up\n", unit->name.full);
		status = LICHEN_EXIT_UNAVAILABLE;
	} else {
		status = reload_unit(unit, &record);
	}
	unit_record_done(&record);
	unit_free(unit);
	return status;
}

static int run(int argc, char **argv)
{
	int first, status = command_parse(&command_reload, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_reload, "which unit?");
	CLEANUP_FD int store = cells_open(&command_reload);
	status = store < 0 ? LICHEN_EXIT_SOFTWARE : 0;
	for (int i = first; i < argc && status == 0; i++)
		status = reload_one(store, argv[i]);
	return command_flush(status);
}

const struct command command_reload = {
	.name = "reload",
	.synopsis = "UNIT…",
	.summary = "Lets daemons read their configuration again",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
