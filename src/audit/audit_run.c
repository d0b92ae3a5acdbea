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
	set_text(event, "host", uname(&names) == 0 ? names.nodename : NULL);
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

/* Makes the file of a run and locks it. The log is open: nobody else cleans. */
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
	run->lock = openat(runs, run->id, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (run->lock < 0 || flock(run->lock, LOCK_EX | LOCK_NB) < 0)
		return audit_fail_errno(error, -errno, "cannot begin a run");
	return 0;
}

int audit_run_begin(const char *path, const struct audit_command *command, struct audit_run *ret_run, struct audit_error *error)
{
	struct audit_run run = AUDIT_RUN_NONE;
	struct audit_log *log = NULL;
	int r = audit_log_open(path, NULL, &log, error);

	if (r == 0)
		r = lock_run(audit_log_dir(log), &run, error);
	if (r == 0)
		r = audit_log_append(log, start_event(&run, command), error);
	if (r == 0)
		r = audit_log_append(log, plan_event(&run, command), error);
	if (r == 0)
		r = audit_log_commit(log, error);
	audit_log_close(log);
	if (r < 0) {
		close_fd(&run.lock); /* the next one removes it */
		return r;
	}
	run.started = monotonic();
	*ret_run = run;
	return 0;
}

int audit_run_end(const char *path, struct audit_run *run, int status, const char *failure, struct audit_error *error)
{
	json_t *event = json_pack("{s:s, s:s, s:i, s:I}", "type", "run.end", "run", run->id, "status", status, "duration_ms",
				  (json_int_t)((monotonic() - run->started) / 1000000));
	char file[sizeof(AUDIT_RUNS) + AUDIT_RUN_ID + 2];
	struct audit_log *log = NULL;
	int r = audit_log_open(path, NULL, &log, error);

	set_text(event, "failure", failure);
	if (r == 0) {
		r = audit_log_append(log, event, error);
		if (r == 0)
			r = audit_log_commit(log, error);
		(void)snprintf(file, sizeof(file), AUDIT_RUNS "/%s", run->id);
		if (r == 0)
			(void)unlinkat(audit_log_dir(log), file, 0);
		audit_log_close(log);
	} else {
		json_decref(event);
	}
	close_fd(&run->lock);
	run->lock = FD_NONE;
	return r;
}
