// SPDX-License-Identifier: Apache-2.0
/* lichen logs: what the command of a detached cell has written. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/units.h"
#include "cli/words.h"
#include "host/cell_log_read.h"
#include "lichen.h"

#define LOOK_NS 50000000 /* how often --follow looks */

struct logs_tail {
	bool given;
	u64 lines;
};

struct logs_options {
	bool follow, timestamps;
	struct logs_tail tail;
	s64 since; /* nanoseconds since 1970; 0 = all */
};

static int parse_tail(void *field, const char *value, struct option_error *error)
{
	struct logs_tail *tail = field;
	char *end = NULL;
	errno = 0;
	unsigned long long lines = isdigit((unsigned char)*value) ? strtoull(value, &end, 10) : 0;
	*tail = (struct logs_tail){ .given = strcmp(value, "all") != 0, .lines = lines };
	if (!tail->given || (end && !*end && !errno))
		return 0;
	snprintf(error->text, sizeof(error->text), "option '--tail' needs a number of lines, or all, not '%.100s'", value);
	return -EINVAL;
}

/* 90s, 15m, 2h, 1d before now; seconds since 1970; 2026-11-22 or 2026-11-22T23:16:37 (Z: in UTC). */
static bool parse_time(const char *value, s64 *ret)
{
	static const struct {
		char letter;
		s64 seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	struct tm tm = { .tm_isdst = -1 };
	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (!isdigit((unsigned char)*value) || errno || number > 100000000000)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (*end == units[i].letter && !end[1]) {
			*ret = cells_now() - number * units[i].seconds * 1000000000;
			return true;
		}
	if (!*end) {
		*ret = number * 1000000000;
		return number < 9000000000;
	}
	const char *rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		rest = strptime(value, "%Y-%m-%d", &tm);
	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	bool utc = rest && strcmp(rest, "Z") == 0;
	if (!rest || (*rest && !utc))
		return false;
	*ret = (s64)(utc ? timegm(&tm) : mktime(&tm)) * 1000000000;
	return true;
}

static int parse_since(void *field, const char *value, struct option_error *error)
{
	if (parse_time(value, field))
		return 0;
	snprintf(error->text, sizeof(error->text),
		 "option '--since' needs a time such as 10m, 2026-11-22T23:16:37 or seconds since 1970, not '%.100s'", value);
	return -EINVAL;
}

static const struct option_row options[] = {
	{ .name = "follow",
	  .letter = 'f',
	  .offset = offsetof(struct logs_options, follow),
	  .help = "go on until the cell has ended" },
	{ .name = "tail",
	  .letter = 'n',
	  .value = "LINES",
	  .offset = offsetof(struct logs_options, tail),
	  .parse = parse_tail,
	  .help = "begin so many lines before the end" },
	{ .name = "since",
	  .value = "TIME",
	  .offset = offsetof(struct logs_options, since),
	  .parse = parse_since,
	  .help = "only what is younger: 10m, 2026-11-22T23:16:37, seconds since 1970" },
	{ .name = "timestamps",
	  .letter = 't',
	  .offset = offsetof(struct logs_options, timestamps),
	  .help = "say before each line when it was written" },
};

/* The state of one printing. */
struct printing {
	struct cell_log_reader *reader;
	const struct logs_options *given;
	bool within[CELL_STREAMS]; /* a line was begun */
	u64 skip;                  /* lines */
	FILE *last;
};

static void print(struct printing *printing, const struct cell_log_entry *entry)
{
	FILE *to = entry->stream == CELL_STDERR ? stderr : stdout;
	bool *within = &printing->within[entry->stream];
	if (printing->last && printing->last != to) /* in their order, where both go to one place */
		fflush(printing->last);
	printing->last = to;
	if (printing->given->timestamps && !*within)
		fprintf(to, "%.*s ", (int)CELL_LOG_STAMP, entry->stamp);
	fwrite(entry->text, 1, entry->size, to);
	if (!entry->partial)
		fputc('\n', to);
	*within = entry->partial;
}

static bool wanted(const struct printing *printing, const struct cell_log_entry *entry)
{
	return entry->time >= printing->given->since;
}

/* How many lines are there now. Negative errno. */
static s64 count_lines(struct printing *printing)
{
	struct cell_log_entry entry;
	s64 count = 0;
	int r;
	while ((r = cell_log_reader_next(printing->reader, &entry)) > 0)
		count += wanted(printing, &entry) && !entry.partial;
	return r < 0 ? r : count;
}

/* Prints what is there. 0 or negative errno. */
static int print_all(struct printing *printing)
{
	struct cell_log_entry entry;
	int r;
	while ((r = cell_log_reader_next(printing->reader, &entry)) > 0) {
		if (!wanted(printing, &entry))
			continue;
		if (printing->skip)
			printing->skip -= !entry.partial;
		else
			print(printing, &entry);
		if (ferror(stdout))
			return 0;
	}
	return r;
}

static int follow(struct printing *printing, int cell)
{
	static const struct timespec look = { 0, LOOK_NS };
	for (;;) {
		bool alive = cell_store_alive(cell);
		int r = print_all(printing);
		if (r < 0 || !alive || fflush(stdout) || ferror(stdout))
			return r;
		nanosleep(&look, NULL);
	}
}

/* The log in `dir`, which is the cell's own directory or that of one of its units. */
static int show(int cell, int dir, const struct logs_options *given)
{
	struct printing printing = { .given = given, .reader = malloc(sizeof(*printing.reader)) };
	int r = printing.reader ? cell_log_reader_open(printing.reader, dir) : -ENOMEM;
	if (r == 0 && given->tail.given) {
		s64 lines = count_lines(&printing);
		printing.skip = lines > 0 && (u64)lines > given->tail.lines ? (u64)lines - given->tail.lines : 0;
		cell_log_reader_close(printing.reader);
		r = lines < 0 ? (int)lines : cell_log_reader_open(printing.reader, dir);
	}
	if (r == 0) {
		r = given->follow ? follow(&printing, cell) : print_all(&printing);
		cell_log_reader_close(printing.reader);
	}
	free(printing.reader);
	return r;
}

/* What is not in the log, and why. */
static void say_lost(const struct cell_found *found, const char *word)
{
	struct cell_state state;
	if (cell_store_state(found->dir, &state) == 0 && state.log_lost)
		cells_say(&command_logs, word, "%llu bytes of its output could not be kept: %s (%s)",
			  (unsigned long long)state.log_lost, strerror(state.log_error), errno_name(state.log_error));
}

/* A unit's log, if there is a unit of that name. Returns -1: there is none; or the exit status. */
static int show_unit(int store, const char *word, const struct logs_options *given)
{
	struct unit_record record = UNIT_RECORD_NONE;
	char name[UNIT_NAME_MAX + 1];
	int status = -1;
	if (units_find(store, word, name, &record) < 0)
		return -1;
	CLEANUP_FD int dir = units_log_dir(record.dir, name);
	int r = dir < 0 ? dir : show(record.dir, dir, given);
	status = command_flush(0);
	if (r < 0 && r != -ENOENT)
		status = cells_say(&command_logs, word, "cannot read its log: %s (%s)", strerror(-r), errno_name(-r));
	unit_record_done(&record);
	return status;
}

static int run(int argc, char **argv)
{
	struct logs_options given = { 0 };
	struct cell_found found;
	int first, status = command_parse(&command_logs, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first != 1)
		return command_usage(&command_logs, first == argc ? "which cell?" : "of one at a time");
	CLEANUP_FD int store = cells_open(&command_logs);
	status = store < 0 ? CELLS_FAILED : show_unit(store, argv[first], &given);
	if (status >= 0)
		return status;
	if (cells_find(&command_logs, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	int r = show(found.dir, found.dir, &given);
	status = command_flush(0);
	if (r == -ENOENT && !json_is_true(json_object_get(found.config, "detached")))
		status = cells_say(&command_logs, argv[first],
				   "it has no log: it does not run in the background (--detach), and has no terminal (--tty)");
	else if (r < 0 && r != -ENOENT)
		status = cells_say(&command_logs, argv[first], "cannot read its log: %s (%s)", strerror(-r), errno_name(-r));
	say_lost(&found, argv[first]);
	cells_done(&found);
	return status;
}

const struct command command_logs = {
	.name = "logs",
	.synopsis = "[OPTION…] CELL|UNIT",
	.summary = "Prints what a cell in the background or a daemon wrote",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
