// SPDX-License-Identifier: Apache-2.0
/* lichen stats: what cells use, from /proc of their processes. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/image_words.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "host/cell_process.h"
#include "host/cell_resources.h"
#include "host/cell_sampler.h"
#include "lichen.h"

#define FIRST_MS 500 /* between the two looks that the first figures need */
#define PERIOD_MS 1000

struct stats_options {
	bool all, json, once;
};

static const struct option_row options[] = {
	{ .name = "all", .letter = 'a', .offset = offsetof(struct stats_options, all), .help = "cells that do not run, too" },
	{ .name = "no-stream", .offset = offsetof(struct stats_options, once), .help = "print once, and end" },
	{ .name = "json", .offset = offsetof(struct stats_options, json), .help = "print JSON, described in docs/cell-json.md" },
};

/* One cell at one time. */
struct usage {
	char id[CELL_ID_SIZE], name[CELL_NAME_MAX + 1];
	bool runs;
	s64 time; /* of the look, ns */
	u64 ticks, memory, limit, threads, read, written;
	int processes;
	bool io; /* read and written are known */
};

struct table {
	struct usage *rows;
	size_t count;
};

static bool read_io(pid_t pid, u64 *read, u64 *written)
{
	char path[64], line[128];
	unsigned long long value;
	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "read_bytes: %llu", &value) == 1)
			*read += value;
		if (sscanf(line, "write_bytes: %llu", &value) == 1)
			*written += value;
	}
	fclose(file);
	return true;
}

static void look(const struct cell_found *found, struct usage *ret)
{
	const char *name = json_string_value(json_object_get(found->config, "name"));
	struct cell_process *all = NULL;
	struct cell_resources limits;
	struct cell_enforcement by;
	struct sysinfo machine;
	cell_resources_read(found->config, &limits, &by);
	*ret = (struct usage){ .time = cells_now(), .runs = found->state.status == CELL_RUNNING, .limit = limits.memory };
	if (!ret->limit && sysinfo(&machine) == 0)
		ret->limit = (u64)machine.totalram * machine.mem_unit;
	memcpy(ret->id, found->id, sizeof(ret->id));
	snprintf(ret->name, sizeof(ret->name), "%s", name ? name : "");
	int count = ret->runs ? cell_processes(found->id, found->state.monitor, CELL_BY_ENVIRONMENT, &all, NULL) : 0;
	for (int i = 0; all && i < count; i++) {
		ret->ticks += all[i].ticks + all[i].waited;
		ret->threads += all[i].threads;
		ret->memory += cell_process_memory(cell_process_thread(&all[i]), true);
		ret->io |= read_io(all[i].pid, &ret->read, &ret->written);
	}
	ret->processes = count > 0 ? count : 0;
	free(all);
}

static int add_row(struct table *table, const struct cell_found *found)
{
	struct usage *more = reallocarray(table->rows, table->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	table->rows = more;
	look(found, &more[table->count++]);
	return 0;
}

/* The cells that are asked for; all of them, or those that run. */
static int look_at_all(int store, char **words, const struct stats_options *given, struct table *table)
{
	struct cell_found found;
	char(*ids)[CELL_ID_SIZE] = NULL;
	int r = 0;
	for (char **word = words; *word; word++) {
		if (cells_find(&command_stats, store, *word, &found) < 0)
			return -ENOENT;
		r = add_row(table, &found);
		cells_done(&found);
		if (r < 0)
			return r;
	}
	int count = *words ? 0 : cell_store_list(store, &ids);
	for (int i = count - 1; i >= 0 && r == 0; i--) {
		if (cells_get(store, ids[i], &found) < 0)
			continue;
		if (given->all || found.state.status == CELL_RUNNING)
			r = add_row(table, &found);
		cells_done(&found);
	}
	free((void *)ids);
	return count < 0 ? count : r;
}

/* Percent of one processor since the look before, of the same cell; negative: there was none. */
static double cpu_percent(const struct usage *now, const struct table *before)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct usage *then = &before->rows[i];
		if (strcmp(then->id, now->id) != 0 || now->time <= then->time)
			continue;
		double seconds = (double)(now->time - then->time) / 1e9;
		u64 ticks = now->ticks > then->ticks ? now->ticks - then->ticks : 0;
		return 100.0 * (double)ticks / (double)sysconf(_SC_CLK_TCK) / seconds;
	}
	return -1;
}

static void print_usage(const struct usage *row, const struct table *before)
{
	char used[16], limit[16], memory[48], read[16], written[16], io[48] = "--", cpu[32] = "--", share[32] = "--";
	double percent = cpu_percent(row, before);
	if (row->runs && percent >= 0)
		snprintf(cpu, sizeof(cpu), "%.2f%%", percent);
	if (row->runs && row->limit)
		snprintf(share, sizeof(share), "%.2f%%", 100.0 * (double)row->memory / (double)row->limit);
	snprintf(memory, sizeof(memory), "%s / %s", size_words(row->memory, used), size_words(row->limit, limit));
	if (row->io)
		snprintf(io, sizeof(io), "%s / %s", size_words(row->read, read), size_words(row->written, written));
	printf("%-14s%-22s%-10s%-22s%-9s%-19s%llu\n", row->id, row->name, cpu, row->runs ? memory : "--", share, io,
	       (unsigned long long)row->threads);
}

static json_t *usage_json(const struct usage *row, const struct table *before)
{
	double percent = cpu_percent(row, before);
	return json_pack("{s:s, s:s, s:b, s:o, s:I, s:I, s:i, s:I, s:o, s:o}", "id", row->id, "name", row->name, "running",
			 row->runs, "cpu_percent", row->runs && percent >= 0 ? json_real(percent) : json_null(), "memory",
			 (json_int_t)row->memory, "memory_limit", (json_int_t)row->limit, "processes", row->processes, "pids",
			 (json_int_t)row->threads, "read_bytes", row->io ? json_integer((json_int_t)row->read) : json_null(),
			 "write_bytes", row->io ? json_integer((json_int_t)row->written) : json_null());
}

static int print_table(const struct table *table, const struct table *before, const struct stats_options *given)
{
	if (given->json) {
		json_t *rows = json_array();
		for (size_t i = 0; i < table->count; i++)
			json_array_append_new(rows, usage_json(&table->rows[i], before));
		return json_out_print(json_pack("{s:s, s:o}", "schema", LICHEN_CELLS_SCHEMA, "stats", rows), stdout);
	}
	if (!given->once && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	printf("%-14s%-22s%-10s%-22s%-9s%-19s%s\n", "CELL ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "BLOCK I/O", "PIDS");
	for (size_t i = 0; i < table->count; i++)
		print_usage(&table->rows[i], before);
	return 0;
}

static void sleep_ms(int milliseconds)
{
	const struct timespec time = { milliseconds / 1000, (milliseconds % 1000) * 1000000L };
	(void)nanosleep(&time, NULL);
}

static int show(int store, char **words, const struct stats_options *given)
{
	struct table before = { 0 };
	int error = look_at_all(store, words, given, &before), status = 0;
	for (int pause = FIRST_MS; !error && !status; pause = PERIOD_MS) {
		sleep_ms(pause);
		struct table now = { 0 };
		error = look_at_all(store, words, given, &now);
		if (!error)
			error = print_table(&now, &before, given);
		free(before.rows);
		before = now;
		status = command_flush(0);
		if (given->once)
			break;
	}
	free(before.rows);
	if (error && error != -ENOENT)
		fprintf(stderr, "lichen stats: %s\n", strerror(-error));
	return error ? CELLS_FAILED : status;
}

static int run(int argc, char **argv)
{
	struct stats_options given = { 0 };
	int first, status = command_parse(&command_stats, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	CLEANUP_FD int store = cells_open(&command_stats);
	return store < 0 ? CELLS_FAILED : show(store, argv + first, &given);
}

const struct command command_stats = {
	.name = "stats",
	.synopsis = "[OPTION…] [CELL…]",
	.summary = "Shows what cells use",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
