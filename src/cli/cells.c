// SPDX-License-Identifier: Apache-2.0
/* What the commands about cells share. */
#include "cli/cells.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "host/cell_cgroup.h"
#include "host/cell_members.h"
#include "host/cell_process.h"
#include "host/mount_scratch.h"

int cells_open(const struct command *command)
{
	char path[PATH_MAX];
	int store = cell_store_open(path);
	if (store >= 0)
		return store;
	if (!*path)
		fprintf(stderr, "lichen %s: there is no place for cells: set LICHEN_STATE to a directory that can be written\n",
			command->name);
	else
		fprintf(stderr,
			"lichen %s: cannot keep cells in '%s': %s (%s); set LICHEN_STATE to a directory that can be written\n",
			command->name, path, strerror(-store), errno_name(-store));
	return store;
}

int cells_say(const struct command *command, const char *word, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "lichen %s: cell '%s': ", command->name, word);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CELLS_FAILED;
}

int cells_get(int store, const char *id, struct cell_found *ret)
{
	struct cell_found found = CELL_FOUND_NONE;
	memcpy(found.id, id, CELL_ID_SIZE);
	found.dir = cell_store_dir(store, id);
	if (found.dir < 0)
		return found.dir;
	int r = cell_store_state(found.dir, &found.state);
	if (r == 0)
		r = cell_store_config(found.dir, &found.config);
	if (r < 0 && r != -EBADMSG) {
		cells_done(&found);
		return r;
	}
	*ret = found;
	return 0;
}

int cells_find(const struct command *command, int store, const char *word, struct cell_found *ret)
{
	char id[CELL_ID_SIZE];
	int r = cell_store_find(store, word, id);
	if (r == 0)
		r = cells_get(store, id, ret);
	if (r == -ENOENT)
		fprintf(stderr, "lichen %s: no such cell: '%s'; `lichen ps -a` lists them\n", command->name, word);
	else if (r == -ENOTUNIQ)
		cells_say(command, word, "the ids of several cells begin so");
	else if (r < 0)
		cells_say(command, word, "%s (%s)", strerror(-r), errno_name(-r));
	return r;
}

void cells_done(struct cell_found *found)
{
	close_fd(&found->dir);
	json_decref(found->config);
	*found = CELL_FOUND_NONE;
}

int cells_clear_up(const struct cell_found *found)
{
	struct cell_cgroup cgroup;
	if (cell_processes_kill(found->id, 0, CELL_BY_ENVIRONMENT) < 0 || cell_members_kill_noted(found->dir) < 0)
		return -EBUSY;
	cell_cgroup_load(found->dir, &cgroup);
	cell_cgroup_remove(&cgroup);
	mount_scratch_sweep();
	return 0;
}

int cells_each(const struct command *command, int count, char **words, int (*act)(int store, const char *word, void *data),
	       void *data)
{
	int status = 0;
	CLEANUP_FD int store = cells_open(command);
	if (store < 0)
		return CELLS_FAILED;
	for (int i = 0; i < count; i++)
		if (act(store, words[i], data))
			status = CELLS_FAILED;
	return command_flush(status);
}

s64 cells_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (s64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* "2026-11-22T23:16:37.123456789Z", as RFC 3339 has it. Returns `text`. */
static const char *cells_time(s64 nanoseconds, char *text, size_t size)
{
	time_t seconds = (time_t)(nanoseconds / 1000000000);
	struct tm tm;
	char day[32];
	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, size, "%s.%09dZ", day, (int)(nanoseconds % 1000000000));
	return text;
}

const char *cells_duration(s64 nanoseconds, char *text, size_t size)
{
	static const struct {
		s64 seconds;
		const char *name;
	} units[] = { { 86400 * 7, "week" }, { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	s64 seconds = nanoseconds / 1000000000;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		s64 count = seconds / units[i].seconds;
		if (count < (i < 4 ? 2 : 1)) /* 90 minutes rather than an hour */
			continue;
		snprintf(text, size, "%lld %s%s", (long long)count, units[i].name, count == 1 ? "" : "s");
		return text;
	}
	snprintf(text, size, "0 seconds");
	return text;
}

const char *cells_status(const struct cell_found *found, char *text, size_t size)
{
	const struct cell_state *state = &found->state;
	char since[64];
	switch (state->status) {
	case CELL_CREATED:
		snprintf(text, size, "Created");
		break;
	case CELL_RUNNING:
		snprintf(text, size, "Up %s%s", cells_duration(cells_now() - state->started, since, sizeof(since)),
			 state->flags & CELL_PAUSED ? " (Paused)" : "");
		break;
	case CELL_RESTARTING:
		snprintf(text, size, "Restarting (%d)", state->exit);
		break;
	case CELL_EXITED:
		snprintf(text, size, "Exited (%d) %s ago", state->exit,
			 cells_duration(cells_now() - state->finished, since, sizeof(since)));
		break;
	default:
		snprintf(text, size, "Dead (its monitor was killed)");
	}
	return text;
}

static json_t *time_json(s64 nanoseconds)
{
	char text[64];
	return nanoseconds ? json_string(cells_time(nanoseconds, text, sizeof(text))) : json_null();
}

static json_t *state_json(const struct cell_state *state)
{
	bool over = state->status == CELL_EXITED;
	bool paused = state->status == CELL_RUNNING && state->flags & CELL_PAUSED;
	return json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:I, s:o}", "status", cell_status_name(state->status),
			 "paused", paused, "oom_killed", (state->flags & CELL_OOM_KILLED) != 0, "pid",
			 state->status == CELL_RUNNING ? json_integer(state->pid) : json_null(), "monitor",
			 state->status < CELL_EXITED && state->monitor ? json_integer(state->monitor) : json_null(), "exit",
			 over || state->status == CELL_RESTARTING ? json_integer(state->exit) : json_null(), "started",
			 time_json(state->started), "finished",
			 time_json(over || state->status == CELL_RESTARTING ? state->finished : 0), "restarts",
			 (int)state->restarts, "error", state->error[0] ? json_out_text(state->error) : json_null(), "log_lost",
			 (json_int_t)state->log_lost, "log_error",
			 state->log_error ? json_string(errno_name(state->log_error)) : json_null());
}

/* config.json as it is, but for what is told in words here. */
json_t *cells_json(const struct cell_found *found)
{
	json_t *object = found->config ? json_deep_copy(found->config) : json_pack("{s:s}", "id", found->id);
	if (found->config) {
		const char *name = sigabbrev_np((int)json_integer_value(json_object_get(object, "stop_signal")));
		json_object_set_new(object, "created", time_json(json_integer_value(json_object_get(object, "created"))));
		if (name)
			json_object_set_new(object, "stop_signal", json_string(name));
	}
	if (json_object_set_new(object, "state", state_json(&found->state)) == 0)
		return object;
	json_decref(object);
	return NULL;
}

char **cells_env(char *const *envp, const char *id)
{
	size_t count = 0, kept = 0;
	while (envp[count])
		count++;
	char **env = calloc(count + 2, sizeof(*env)), *mark = NULL;
	if (!env || asprintf(&mark, CELL_VARIABLE "=%s", id) < 0) {
		free((void *)env);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (strncmp(envp[i], CELL_VARIABLE "=", sizeof(CELL_VARIABLE)) != 0)
			env[kept++] = envp[i];
	env[kept] = mark;
	return env;
}

void cells_env_free(char **env)
{
	size_t count = 0;
	while (env[count])
		count++;
	if (count)
		free(env[count - 1]); /* the mark; the others are not ours */
	free((void *)env);
}
