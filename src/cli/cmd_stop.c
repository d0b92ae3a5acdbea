// SPDX-License-Identifier: Apache-2.0
/* lichen stop and lichen kill: signals to cells. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cell_options.h"
#include "cli/cells.h"
#include "cli/words.h"
#include "host/cell_control.h"
#include "lichen.h"

#define ANSWER_MS 10000 /* a monitor answers at once */
#define KILLED_MS 10000 /* and needs little time to clear up */

struct stop_options {
	s64 time; /* seconds + 1; 0 = the cell's own */
	int sig;
};

static const struct option_row stop_rows[] = {
	{ .name = "time",
	  .letter = 't',
	  .value = "SECONDS",
	  .offset = offsetof(struct stop_options, time),
	  .parse = cell_parse_seconds,
	  .help = "wait so long before KILL, instead of what the cell was made with" },
	{ .name = "signal",
	  .letter = 's',
	  .value = "SIGNAL",
	  .offset = offsetof(struct stop_options, sig),
	  .parse = cell_parse_signal,
	  .help = "begin with this one, instead of what the cell was made with" },
};

static const struct option_row kill_rows[] = {
	{ .name = "signal",
	  .letter = 's',
	  .value = "SIGNAL",
	  .offset = offsetof(struct stop_options, sig),
	  .parse = cell_parse_signal,
	  .help = "send this one (KILL)" },
};

static int ask(int dir, enum cell_request_kind kind, int value, int milliseconds)
{
	struct cell_reply reply;
	return cell_control_ask(dir, kind, value, milliseconds, &reply, NULL, NULL);
}

static int say(const struct command *command, const char *word, int error)
{
	if (error == -ESRCH)
		return cells_say(command, word, "it does not run");
	if (error == -EPROTO)
		return cells_say(command, word, "its monitor is another version of lichen");
	return cells_say(command, word, "%s (%s)", strerror(-error), errno_name(-error));
}

static int integer(const struct cell_found *found, const char *member, int otherwise)
{
	const json_t *value = json_object_get(found->config, member);
	return value ? (int)json_integer_value(value) : otherwise;
}

/* Returns 0 when the cell is over. */
static int stop(const struct cell_found *found, const struct stop_options *given)
{
	int sig = given->sig ? given->sig : integer(found, "stop_signal", SIGTERM);
	s64 seconds = given->time ? given->time - 1 : integer(found, "stop_timeout", 10);
	int r = ask(found->dir, CELL_STOP, sig, ANSWER_MS);
	if (r == 0)
		r = seconds ? ask(found->dir, CELL_WAIT, 0, (int)(seconds < 2000000 ? seconds * 1000 : -1)) : -ETIMEDOUT;
	if (r == -ETIMEDOUT) {
		r = ask(found->dir, CELL_STOP, SIGKILL, ANSWER_MS);
		if (r == 0)
			r = ask(found->dir, CELL_WAIT, 0, KILLED_MS);
	}
	return r >= 0 || r == -ESRCH ? cell_store_wait(found->dir) : r;
}

static int stop_one(int store, const char *word, void *data)
{
	struct cell_found found;
	if (cells_find(&command_stop, store, word, &found) < 0)
		return CELLS_FAILED;
	bool over = found.state.status == CELL_EXITED || found.state.status == CELL_DEAD;
	int r = over ? 0 : stop(&found, data);
	cells_done(&found);
	if (r < 0 && r != -ENOENT) /* removed, as --rm has it */
		return say(&command_stop, word, r);
	puts(word);
	return 0;
}

static int kill_one(int store, const char *word, void *data)
{
	const struct stop_options *given = data;
	struct cell_found found;
	if (cells_find(&command_kill, store, word, &found) < 0)
		return CELLS_FAILED;
	int r = ask(found.dir, CELL_SIGNAL, given->sig ? given->sig : SIGKILL, ANSWER_MS);
	cells_done(&found);
	if (r < 0)
		return say(&command_kill, word, r);
	puts(word);
	return 0;
}

static int run_stop(int argc, char **argv)
{
	struct stop_options given = { 0 };
	int first, status = command_parse(&command_stop, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_stop, "which cell?");
	return cells_each(&command_stop, argc - first, argv + first, stop_one, &given);
}

static int run_kill(int argc, char **argv)
{
	struct stop_options given = { 0 };
	int first, status = command_parse(&command_kill, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_kill, "which cell?");
	return cells_each(&command_kill, argc - first, argv + first, kill_one, &given);
}

const struct command command_stop = {
	.name = "stop",
	.synopsis = "[OPTION…] CELL…",
	.summary = "Ends cells: a signal, and KILL after some time",
	.options = stop_rows,
	.option_count = ARRAY_SIZE(stop_rows),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run_stop,
};

const struct command command_kill = {
	.name = "kill",
	.synopsis = "[OPTION…] CELL…",
	.summary = "Sends a signal to the commands of cells",
	.options = kill_rows,
	.option_count = ARRAY_SIZE(kill_rows),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run_kill,
};
