// SPDX-License-Identifier: Apache-2.0
/* Events of a run: see the header, and docs/audit-json.md. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit_run.h"
#include "audit/audit_tree.h"
#include "base/cleanup.h"
#include "host/cell_config.h"
#include "lichen.h"

#define SPARE ".spare"     /* in AUDIT_RUNS: no run's */
#define COMMAND_MAX 32768u /* bytes of the words of a command; those beyond are counted, not kept */

static u64 monotonic(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static void set_text(json_t *event, const char *name, const char *text)
{
	if (text)
		(void)json_object_set_new(event, name, cell_text_json(text));
}

/* Bytes that a word takes in an event. */
static size_t cost(const json_t *word)
{
	CLEANUP_FREE char *text = json_dumps(word, JSON_COMPACT | JSON_ENCODE_ANY);

	return text ? strlen(text) + 1 : COMMAND_MAX + 1;
}

static json_t *start_event(const struct audit_run *run, const struct audit_command *command)
{
	json_t *words = json_array(), *event = json_pack("{s:s, s:s, s:O}", "type", "run.start", "run", run->id, "command", words);
	CLEANUP_FREE char *here = command->workdir && *command->workdir == '/' ? NULL : getcwd(NULL, 0);
	size_t used = 0, omitted = 0;
	struct utsname names;

	for (char *const *word = command->argv; *word; word++) {
		json_t *text = cell_text_json(*word);

		used += cost(text);
		if (used > COMMAND_MAX)
			omitted++;
		else
			(void)json_array_append(words, text);
		json_decref(text);
	}
	json_decref(words);
	if (omitted)
		(void)json_object_set_new(event, "omitted_words", json_integer((json_int_t)omitted));
	set_text(event, "workdir", command->workdir ? command->workdir : here);
	(void)json_object_set_new(event, "uid", json_integer(getuid()));
	(void)json_object_set_new(event, "pid", json_integer(getpid()));
	set_text(event, "host", command->host ? command->host : uname(&names) == 0 ? names.nodename : NULL);
	set_text(event, "lichen", LICHEN_VERSION);
	set_text(event, "cell", command->cell);
	set_text(event, "cell_name", command->cell_name);
	set_text(event, "image", command->image);
	set_text(event, "root", command->root);
	set_text(event, "user", command->user);
	return event;
}

static json_t *plan_event(const struct audit_run *run, const struct audit_command *command)
{
	json_t *filled = json_array(), *refused = json_array();

	for (int id = 0; id < GAP_COUNT; id++) {
		const struct plan_row *row = &command->plan->rows[id];

		if (row->state != PLAN_NATIVE)
			(void)json_array_append_new(row->state == PLAN_EMULATED ? filled : refused,
						    json_pack("{s:s, s:s}", "gap", gap_by_id(id)->name, "reason", row->reason));
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "type", "run.plan", "run", run->id, "tree", command->tree, "filled", filled,
			 "refused", refused);
}

/* Files of runs that are over and could not say so. */
static void clean(int runs)
{
	int again = openat(runs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		CLEANUP_FD int fd =
			*entry->d_name == '.' ? FD_NONE : openat(runs, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(runs, entry->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
}

/* The file of an earlier run, under a new name: to make and to remove one each time costs more. A descriptor, locked, or negative. */
static int take_spare(int runs, const char *id)
{
	CLEANUP_FD int fd = openat(runs, SPARE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && renameat(runs, SPARE, runs, id) == 0 ? take_fd(&fd) : -ENOENT;
}

/* Makes the file of a run and locks it. The log is open: nobody else cleans, or takes the spare one. */
static int lock_run(int log, struct audit_run *run, struct audit_error *error)
{
	CLEANUP_FD int runs = openat(log, AUDIT_RUNS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u64 random;

	if (runs < 0 && errno == ENOENT && mkdirat(log, AUDIT_RUNS, 0755) == 0)
		runs = openat(log, AUDIT_RUNS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (runs < 0 || getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return audit_fail_errno(error, -errno, "cannot begin a run");
	clean(runs);
	(void)snprintf(run->id, sizeof(run->id), "%016llx", (unsigned long long)random);
	run->lock = take_spare(runs, run->id);
	if (run->lock < 0)
		run->lock = openat(runs, run->id, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (run->lock < 0 || flock(run->lock, LOCK_EX | LOCK_NB) < 0)
		return audit_fail_errno(error, -errno, "cannot begin a run");
	return 0;
}

/* What begins a run: the log open and locked, the run with its id. On failure nothing is left open. */
static int begin(const char *path, struct audit_log **ret_log, struct audit_run *run, struct audit_error *error)
{
	int r = audit_log_open(path, NULL, ret_log, error);

	if (r < 0)
		return r;
	r = lock_run(audit_log_dir(*ret_log), run, error);
	if (r < 0) {
		audit_log_close(*ret_log);
		close_fd(&run->lock);
	}
	return r;
}

/* Makes durable what was appended, when that went well, and closes the log, or pauses it. The run begins, or its file is left for the next one to remove. */
static int begun(struct audit_log *log, int r, const char *pauses, struct audit_run *run, struct audit_run *ret_run,
		 struct audit_error *error)
{
	if (r == 0)
		r = audit_log_commit(log, error);
	if (r == 0 && pauses && audit_log_pause(log, pauses) == 0)
		run->paused = log;
	else
		audit_log_close(log);
	if (r < 0) {
		close_fd(&run->lock);
		return r;
	}
	*ret_run = *run;
	ret_run->started = monotonic();
	return 0;
}

/* The event of a run, with the members behind its type and id. */
static json_t *event_of(const struct audit_run *run, const char *type, json_t *members)
{
	json_t *event = json_pack("{s:s, s:s}", "type", type, "run", run->id);

	if (event && json_object_update(event, members) < 0) {
		json_decref(event);
		event = NULL;
	}
	json_decref(members);
	return event;
}

int audit_run_begin(const char *path, const struct audit_command *command, struct audit_run *ret_run, struct audit_error *error)
{
	struct audit_run run = AUDIT_RUN_NONE;
	struct audit_log *log;
	int r = begin(path, &log, &run, error);

	if (r < 0)
		return r;
	r = audit_log_append(log, start_event(&run, command), error);
	if (r == 0)
		r = audit_log_append(log, plan_event(&run, command), error);
	if (r == 0 && command->policy)
		r = audit_log_append(log, event_of(&run, "run.policy", json_incref(command->policy)), error);
	return begun(log, r, path, &run, ret_run, error);
}

int audit_run_open(const char *path, const char *type, json_t *members, struct audit_run *ret_run, struct audit_error *error)
{
	struct audit_run run = AUDIT_RUN_NONE;
	struct audit_log *log;
	int r = begin(path, &log, &run, error);

	if (r < 0) {
		json_decref(members);
		return r;
	}
	return begun(log, audit_log_append(log, event_of(&run, type, members), error), NULL, &run, ret_run, error);
}

/* The log, open for an event of a run: as it was read when the run began, if nobody has written since and it is the last. */
static int open_again(const char *path, struct audit_run *last, struct audit_log **ret_log, struct audit_error *error)
{
	struct audit_log *paused = last ? last->paused : NULL;
	int r;

	if (last)
		last->paused = NULL;
	if (paused && audit_log_resume(paused, path, error) == 0) {
		*ret_log = paused;
		return 0;
	}
	r = audit_log_open(path, NULL, ret_log, error);
	if (r == 0 && paused) {
		r = audit_log_continues(*ret_log, paused, error);
		if (r < 0)
			audit_log_close(*ret_log);
	}
	audit_log_close(paused);
	return r;
}

/* Opens the log for one more event of a run; `last`: the same run, with its last one. Takes the event. */
static int add(const char *path, const struct audit_run *run, json_t *event, struct audit_run *last, struct audit_error *error)
{
	char file[sizeof(AUDIT_RUNS) + AUDIT_RUN_ID + 2];
	struct audit_log *log;
	int r = open_again(path, last, &log, error);

	if (r < 0) {
		json_decref(event);
		return r;
	}
	r = audit_log_append(log, event, error);
	if (r == 0)
		r = audit_log_commit(log, error);
	(void)snprintf(file, sizeof(file), AUDIT_RUNS "/%s", run->id);
	if (r == 0 && last && renameat(audit_log_dir(log), file, audit_log_dir(log), AUDIT_RUNS "/" SPARE) < 0)
		(void)unlinkat(audit_log_dir(log), file, 0);
	audit_log_close(log);
	return r;
}

int audit_run_note(const char *path, const struct audit_run *run, const char *type, json_t *members, struct audit_error *error)
{
	return add(path, run, event_of(run, type, members), NULL, error);
}

int audit_run_close(const char *path, struct audit_run *run, const char *type, json_t *members, struct audit_error *error)
{
	int r;

	(void)json_object_set_new(members, "duration_ms", json_integer((json_int_t)((monotonic() - run->started) / 1000000)));
	r = add(path, run, event_of(run, type, members), run, error);
	close_fd(&run->lock);
	run->lock = FD_NONE;
	return r;
}

int audit_run_end(const char *path, struct audit_run *run, int status, const char *failure, struct audit_error *error)
{
	json_t *members = json_pack("{s:i}", "status", status);

	(void)json_object_set_new(members, "duration_ms", json_null()); /* its place */
	set_text(members, "failure", failure);
	return audit_run_close(path, run, "run.end", members, error);
}
