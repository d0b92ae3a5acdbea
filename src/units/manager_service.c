/* SPDX-License-Identifier: Apache-2.0 */
/* How a unit comes up: conditions, directories, commands in their order, and what Type= waits for (systemd.service(5)). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "units/manager_int.h"
#include "units/unit_condition.h"
#include "units/unit_dirs.h"
#include "units/unit_env.h"
#include "units/unit_value.h"
#include "units/unit_word.h"

#define LOOK_MS 50         /* how often a pid file, or a daemon that did not answer yet, is looked at */
#define LOOK_SLOWLY_MS 500 /* … and a process that is no child of ours */
#define START_MS 90000     /* systemd's DefaultTimeoutStartSec= */
#define BURST 5            /* systemd's StartLimitBurst= */
#define BURST_MS 10000     /* systemd's StartLimitIntervalSec= */

static const char *const list_names[LISTS] = {
	[LIST_START_PRE] = "ExecStartPre", [LIST_START] = "ExecStart",        [LIST_START_POST] = "ExecStartPost",
	[LIST_STOP] = "ExecStop",          [LIST_STOP_POST] = "ExecStopPost",
};

void managed_set(struct managed *managed, enum managed_state state)
{
	managed->state = state;
	managed->since = manager_now_ns();
	managed->deadline = managed->next_look = managed->extended = 0;
	managed->manager->changed = true;
}

bool managed_is_up(const struct managed *managed)
{
	return managed->state == MANAGED_RUNNING || managed->state == MANAGED_ACTIVE_EXITED;
}

bool managed_is_over(const struct managed *managed)
{
	return managed->state == MANAGED_WAITING || managed->state >= MANAGED_DEAD;
}

void managed_fail(struct managed *managed, const char *result, const char *format, ...)
{
	va_list args;

	if (strcmp(managed->result, "success") == 0) { /* the first reason counts */
		(void)snprintf(managed->result, sizeof(managed->result), "%s", result);
		va_start(args, format);
		(void)vsnprintf(managed->why, sizeof(managed->why), format, args);
		va_end(args);
		managed_note(managed, "%s", managed->why);
	}
	managed_stop(managed);
}

static void set_deadline(struct managed *managed, s64 span)
{
	managed->deadline = span == UNIT_FOREVER ? 0 : manager_now_ms() + span;
}

/* TimeoutStartSec=, where 0 is forever; and what `lichen up --timeout` says. */
static s64 start_span(const struct managed *managed)
{
	s64 both = unit_get_span(managed->unit, "Service", "TimeoutSec", managed->type == SERVICE_ONESHOT ? 0 : START_MS);
	s64 span = unit_get_span(managed->unit, "Service", "TimeoutStartSec", both);

	if (managed->manager->start->timeout)
		return managed->manager->start->timeout;
	return span == 0 ? UNIT_FOREVER : span;
}

static enum service_type type_of(const struct unit *unit)
{
	const char *type = unit_get(unit, "Service", "Type");

	if (!type)
		return unit_get(unit, "Service", "ExecStart") ? SERVICE_SIMPLE : SERVICE_ONESHOT;
	if (strcmp(type, "exec") == 0 || strcmp(type, "dbus") == 0)
		return SERVICE_EXEC;
	if (strcmp(type, "forking") == 0)
		return SERVICE_FORKING;
	if (strcmp(type, "oneshot") == 0)
		return SERVICE_ONESHOT;
	if (strncmp(type, "notify", 6) == 0)
		return SERVICE_NOTIFY;
	return SERVICE_SIMPLE;
}

/* Adds the words of the unit's profile to the daemon's command line. */
static int add_flags(struct managed *managed)
{
	struct unit_commands *start = &managed->lists[LIST_START];
	const struct word_list *added = &managed->profile->added;
	int r = 0;

	for (size_t i = 0; i < added->count && start->count && r == 0; i++)
		r = word_list_add(&start->rows[start->count - 1].argv, added->words[i]);
	return r;
}

/* Reads what the unit says. */
static int load(struct managed *managed, char **ret_why)
{
	int r = 0;

	managed->type = type_of(managed->unit);
	for (int i = 0; i < LISTS && r == 0; i++)
		r = unit_commands(managed->unit, "Service", list_names[i], &managed->lists[i], ret_why);
	if (r == 0)
		r = add_flags(managed);
	if (r == 0 && !managed->lists[LIST_START].count && !managed->lists[LIST_STOP].count) {
		if (asprintf(ret_why, "it has no ExecStart=") < 0)
			*ret_why = NULL;
		r = -EINVAL;
	}
	if (r == 0)
		r = unit_env(managed->unit, managed->manager->start->env, &managed->env, ret_why);
	return r == 0 ? unit_dirs_make(managed->unit, &managed->env, ret_why) : r;
}

static void unload(struct managed *managed)
{
	for (int i = 0; i < LISTS; i++)
		unit_commands_done(&managed->lists[i]);
	word_list_done(&managed->env);
}

/* Starts the next command of the list, or goes on where the list is at its end. */
static void next_command(struct managed *managed);

static void begin_list(struct managed *managed, enum managed_state state, enum managed_list list)
{
	s64 deadline = managed->deadline;

	managed_set(managed, state);
	managed->deadline = deadline;
	managed->list = list;
	managed->at = 0;
	next_command(managed);
}

static void begin_asking(struct managed *managed)
{
	s64 deadline = managed->deadline;

	if (managed->profile->request.kind == REQUEST_NONE) {
		managed_set(managed, MANAGED_RUNNING);
	} else {
		managed_set(managed, MANAGED_ASKED);
		managed->deadline =
			deadline ? deadline : manager_now_ms() + START_MS; /* TimeoutStartSec=infinity is not for this */
		managed->next_look = 1;
	}
}

static void list_is_over(struct managed *managed)
{
	switch (managed->list) {
	case LIST_START_PRE:
		begin_list(managed, MANAGED_START, LIST_START);
		break;
	case LIST_START: /* of a oneshot */
		managed->main_pid = 0;
		managed_up(managed);
		break;
	case LIST_START_POST:
		if (managed->type != SERVICE_ONESHOT)
			begin_asking(managed);
		else if (unit_get_bool(managed->unit, "Service", "RemainAfterExit", false))
			managed_set(managed, MANAGED_ACTIVE_EXITED);
		else
			managed_stop(managed);
		break;
	case LIST_STOP:
	case LIST_STOP_POST:
		managed_stop_step(managed);
		break;
	case LISTS:
		break;
	}
}

static void next_command(struct managed *managed)
{
	struct unit_commands *commands = &managed->lists[managed->list];
	bool main = managed->list == LIST_START && managed->type != SERVICE_FORKING;
	struct managed_process *process = main ? &managed->main : &managed->control;
	int r;

	if (managed->at >= commands->count) {
		list_is_over(managed);
		return;
	}
	r = managed_run(managed, process, &commands->rows[managed->at++]);
	if (r < 0)
		managed_fail(managed, "resources", "cannot start a command: %s", strerrordesc_np(-r));
	else if (managed->list == LIST_START && managed->type == SERVICE_SIMPLE)
		managed->deadline = manager_now_ms() + START_MS; /* until its execve */
}

void managed_up(struct managed *managed)
{
	begin_list(managed, MANAGED_START_POST, LIST_START_POST);
}

/* StartLimitBurst= within StartLimitIntervalSec=. */
static bool too_often(struct managed *managed)
{
	const char *old = unit_get(managed->unit, "Service", "StartLimitInterval");
	s64 interval = unit_get_span(managed->unit, "Unit", "StartLimitIntervalSec",
				     unit_get_span(managed->unit, "Unit", "StartLimitInterval", BURST_MS));
	const char *given = unit_get(managed->unit, "Unit", "StartLimitBurst");
	s64 burst = BURST, now = manager_now_ms(), within = 0;

	if (old && unit_span(old, &interval) < 0)
		interval = BURST_MS;
	if (!given)
		given = unit_get(managed->unit, "Service", "StartLimitBurst");
	if (given && unit_integer(given, 0, ARRAY_SIZE(managed->starts) - 1, &burst) < 0)
		burst = ARRAY_SIZE(managed->starts) - 1;
	if (interval == 0 || burst == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(managed->starts); i++)
		within += managed->starts[i] && now - managed->starts[i] < interval;
	managed->starts[managed->start_count++ % ARRAY_SIZE(managed->starts)] = now;
	return within >= burst;
}

static void begin_socket(struct managed *managed)
{
	CLEANUP_FREE char *why = NULL;

	if (managed->sockets.count || unit_sockets_open(managed->unit, &managed->sockets, &why) == 0)
		managed_set(managed, MANAGED_RUNNING);
	else
		managed_fail(managed, "resources", "%s", why ? why : "out of memory");
}

void managed_begin(struct managed *managed)
{
	CLEANUP_FREE char *why = NULL, *load_why = NULL;
	enum unit_met met;

	(void)snprintf(managed->result, sizeof(managed->result), "success");
	managed->why[0] = '\0';
	managed->announced = managed->wants_restart = managed->reloading = false;
	managed->main_pid = 0;
	managed->status = 0;
	met = unit_conditions(managed->unit, &managed->notes, &why);
	if (met == UNIT_CONDITION_FAILED) {
		(void)snprintf(managed->why, sizeof(managed->why), "%s", why ? why : "a condition is not met");
		managed_set(managed, MANAGED_SKIPPED);
		return;
	}
	if (met == UNIT_ASSERT_FAILED) {
		managed_set(managed, MANAGED_START_PRE);
		managed_fail(managed, "assert", "%s", why ? why : "an assertion is not met");
		return;
	}
	if (unit_is_socket(managed->unit)) {
		begin_socket(managed);
		return;
	}
	unload(managed);
	managed_set(managed, MANAGED_START_PRE);
	if (too_often(managed)) {
		managed_fail(managed, "start-limit-hit", "it was started too often (StartLimitBurst=)");
		return;
	}
	if (load(managed, &load_why) < 0 || managed_notify_open(managed) < 0) {
		managed_fail(managed, "resources", "%s", load_why ? load_why : "out of memory");
		return;
	}
	manager_tell(managed->manager, MANAGER_SAYS, managed, "is started");
	set_deadline(managed, start_span(managed));
	begin_list(managed, MANAGED_START_PRE, LIST_START_PRE);
}

/* Whether a status is success by SuccessExitStatus= (or a like list): numbers and signals. */
static bool listed(const struct managed *managed, const char *directive, int status)
{
	struct word_list words = { 0 };
	const struct unit_setting *row;
	bool found = false;

	if (unit_list(managed->unit, "Service", directive, &words, &row) == 0)
		for (size_t i = 0; i < words.count && !found; i++) {
			s64 number;

			found = unit_integer(words.words[i], 0, 255, &number) == 0
				      ? number == status
				      : unit_signal(words.words[i]) && 128 + unit_signal(words.words[i]) == status;
		}
	word_list_done(&words);
	return found;
}

static bool clean_end(const struct managed *managed, int status)
{
	bool clean_signal = status == 128 + 1 || status == 128 + 2 || status == 128 + 13 || status == 128 + 15;

	return status == 0 || (managed->type != SERVICE_ONESHOT && clean_signal) || listed(managed, "SuccessExitStatus", status);
}

static void say_status(int status, char *text, size_t size)
{
	const char *name = status > 128 ? sigabbrev_np(status - 128) : NULL;

	if (name)
		(void)snprintf(text, size, "was ended by SIG%s", name);
	else
		(void)snprintf(text, size, "ended with status %d", status);
}

/* Whether Restart= asks for another start when it is no exit status of the main process that counts: a time is up, or another command has failed. */
static bool restarts_after(const struct managed *managed, bool abnormal)
{
	const char *restart = unit_get(managed->unit, "Service", "Restart");

	if (!restart || !managed->was_ready || managed->manager->stopping)
		return false;
	return strcmp(restart, "always") == 0 || strcmp(restart, "on-failure") == 0 ||
	       (abnormal && strcmp(restart, "on-abnormal") == 0);
}

/* Whether Restart= asks for another start. */
static bool restarts(const struct managed *managed, int status)
{
	const char *restart = unit_get(managed->unit, "Service", "Restart");
	bool clean = clean_end(managed, status), signalled = status > 128 && !clean;

	if (!managed->was_ready || managed->manager->stopping || listed(managed, "RestartPreventExitStatus", status))
		return false;
	if (listed(managed, "RestartForceExitStatus", status))
		return true;
	if (!restart || strcmp(restart, "no") == 0)
		return false;
	if (strcmp(restart, "always") == 0)
		return true;
	if (strcmp(restart, "on-success") == 0)
		return clean;
	if (strcmp(restart, "on-failure") == 0)
		return !clean;
	return (strcmp(restart, "on-abnormal") == 0 || strcmp(restart, "on-abort") == 0) && signalled;
}

void managed_main_ended(struct managed *managed, int status)
{
	char how[64];
	bool clean = clean_end(managed, status);

	managed->main_pid = 0;
	managed->status = status;
	managed->manager->changed = true;
	say_status(status, how, sizeof(how));
	switch (managed->state) {
	case MANAGED_START:
	case MANAGED_START_POST:
	case MANAGED_ASKED:
	case MANAGED_PROVING:
		managed->wants_restart = restarts(managed, status);
		managed_fail(managed, clean ? "protocol" : status > 128 ? "signal" : "exit-code", "%s before it was ready", how);
		break;
	case MANAGED_RUNNING:
		managed->wants_restart = restarts(managed, status);
		if (clean && unit_get_bool(managed->unit, "Service", "RemainAfterExit", false))
			managed_set(managed, MANAGED_ACTIVE_EXITED);
		else if (clean)
			managed_stop(managed);
		else
			managed_fail(managed, status > 128 ? "signal" : "exit-code", "%s", how);
		break;
	case MANAGED_STOP:
	case MANAGED_STOP_TERM:
	case MANAGED_STOP_KILL:
		managed_stop_step(managed);
		break;
	default:
		break;
	}
}

/* A daemon's own process, by its pid file or as the only one that is left. */
static bool find_main(struct managed *managed)
{
	CLEANUP_FREE char *path = unit_get_text(managed->unit, "Service", "PIDFile");
	char absolute[4096];
	size_t size;
	int error;
	pid_t pid = 0;

	if (path) {
		(void)snprintf(absolute, sizeof(absolute), "%s%s%s", *path == '/' ? "" : managed->unit->place.runtime,
			       *path == '/' ? "" : "/", path);
		CLEANUP_FREE char *text = unit_file_read(absolute, 64, &size, &error);
		pid = text ? (pid_t)strtol(text, NULL, 10) : 0;
		if (pid > 1 && !(managed->manager->adopts ? managed_has(managed, pid) : pid > managed->first_runner))
			pid = 0; /* of an earlier run; where no orphans are adopted, its ancestors cannot tell */
	} else if (unit_get_bool(managed->unit, "Service", "GuessMainPID", true)) {
		pid = managed_only_process(managed);
	}
	if (pid <= 1 || !managed_process_lives(pid, 0))
		return false;
	managed->main_pid = pid;
	managed->main_started = managed_process_start(pid);
	managed->manager->changed = true;
	return true;
}

/* ExecStart= of a forking service has ended: the daemon goes on. */
static void forking_started(struct managed *managed, int status)
{
	if (status != 0 && !managed->control.command->ignore_failure) {
		char how[64];

		say_status(status, how, sizeof(how));
		managed->status = status;
		managed_fail(managed, status > 128 ? "signal" : "exit-code", "its command %s", how);
	} else if (find_main(managed)) {
		managed_up(managed);
	} else if (unit_get(managed->unit, "Service", "PIDFile")) {
		managed->next_look = manager_now_ms() + LOOK_MS;
	} else if (managed_signal(managed, 0, true) > 0) {
		managed_up(managed); /* several: which one is the main one, nobody tells */
	} else {
		managed_fail(managed, "protocol", "its command has left no process behind");
	}
}

/* A command of a list that has to work. Returns whether it goes on. */
static bool command_worked(struct managed *managed, const struct managed_process *process, int status)
{
	char how[64];

	if (status == 0 || process->command->ignore_failure)
		return true;
	if (managed->list == LIST_STOP || managed->list == LIST_STOP_POST)
		return true; /* it is stopped all the same */
	if (process->end.error || (status == 125 && process->end.text[0])) {
		managed_fail(managed, "exec", "%s: %s%s%s", process->command->program,
			     process->end.text[0] ? process->end.text : "cannot be started", process->end.error ? ": " : "",
			     process->end.error ? strerrordesc_np(process->end.error) : "");
		return false;
	}
	say_status(status, how, sizeof(how));
	managed->status = status;
	managed->wants_restart |= restarts_after(managed, status > 128);
	managed_fail(managed, status > 128 ? "signal" : "exit-code", "%s=%s %s", list_names[managed->list],
		     process->command->program, how);
	return false;
}

void managed_command_ended(struct managed *managed, struct managed_process *process)
{
	int status = process->end.kind == UNIT_ENDED ? process->end.status : 128 + 9;
	bool failed_to_start = process->end.error || (process->end.kind == UNIT_ENDED && !process->started && process->end.text[0]);
	bool main = process == &managed->main;

	process->runner = process->guest = 0;
	if (process->report >= 0)
		(void)close(take_fd(&process->report));
	if (main && managed->type != SERVICE_ONESHOT) {
		if (failed_to_start && managed->state < MANAGED_STOP)
			(void)command_worked(managed, process, status ? status : 125);
		else if (managed->main_pid && process->started && managed_process_lives(managed->main_pid, managed->main_started))
			return; /* MAINPID= named another one */
		else
			managed_main_ended(managed, process->command->ignore_failure ? 0 : status);
		return;
	}
	if (main)
		managed->main_pid = 0;
	if (managed->state >= MANAGED_STOP_TERM && managed->state <= MANAGED_STOP_KILL) {
		managed_stop_step(managed);
		return;
	}
	if (managed->state >= MANAGED_DEAD)
		return;
	if (managed->list == LIST_START && managed->type == SERVICE_FORKING && managed->state == MANAGED_START) {
		if (!failed_to_start || managed->control.command->ignore_failure)
			forking_started(managed, status);
		else
			(void)command_worked(managed, process, status);
		return;
	}
	if (command_worked(managed, process, status))
		next_command(managed);
}

/* What needs a look now and then. */
static void look(struct managed *managed, s64 now)
{
	managed->next_look = 0;
	if (managed->state == MANAGED_START && managed->type == SERVICE_FORKING) {
		if (find_main(managed))
			managed_up(managed);
		else
			managed->next_look = now + LOOK_MS;
	} else if (managed->state == MANAGED_ASKED && !managed->asker) {
		managed_ask(managed, false);
		managed->next_look = now + LOOK_MS;
	} else if (managed->state == MANAGED_PROVING && !managed->asker) {
		managed_ask(managed, true);
		managed->next_look = managed->asker ? 0 : now + LOOK_MS;
	} else if (managed->state == MANAGED_AUTO_RESTART) {
		managed->restarts++;
		(void)snprintf(managed->restart_why, sizeof(managed->restart_why), "%s", managed->why);
		managed_note(managed, "is started again (Restart=%s)", unit_get(managed->unit, "Service", "Restart"));
		managed_begin(managed);
	} else if (managed->state == MANAGED_STOP_TERM || managed->state == MANAGED_STOP_KILL) {
		managed_stop_step(managed);
	}
}

/* A main process that is no child of ours, and not under a runner: nobody tells its end. */
static void look_at_main(struct managed *managed, s64 *next, s64 now)
{
	u64 started;

	if (!managed->main_pid || (managed->main.runner && managed->main_pid == managed->main.guest))
		return;
	started = managed_process_start(managed->main_pid);
	if ((kill(managed->main_pid, 0) < 0 && errno == ESRCH) || (started && started != managed->main_started))
		managed_main_ended(managed, 0); /* of a child that is a zombie, waitpid(2) tells */
	else if (!*next || now + LOOK_SLOWLY_MS < *next)
		*next = now + LOOK_SLOWLY_MS;
}

static void time_is_up(struct managed *managed)
{
	managed->deadline = 0;
	managed->wants_restart |= managed->state < MANAGED_STOP && restarts_after(managed, true);
	if (managed->state >= MANAGED_STOP)
		managed_kill(managed);
	else if (managed->state == MANAGED_PROVING)
		managed_fail(managed, "timeout", "it answers, but has not run a container in time");
	else if (managed->state == MANAGED_ASKED)
		managed_fail(managed, "timeout", "it does not answer (%s at %s)%s%s", request_name(managed->profile->request.kind),
			     managed->profile->request.address, managed->asked_text[0] ? ": " : "", managed->asked_text);
	else
		managed_fail(managed, "timeout", "it was not ready in time%s%s", managed->status_text[0] ? ": " : "",
			     managed->status_text);
}

s64 managed_tick(struct managed *managed, s64 now)
{
	s64 next = 0;

	if (managed->deadline && now >= managed->deadline && now >= managed->extended)
		time_is_up(managed);
	if (managed->next_look && now >= managed->next_look)
		look(managed, now);
	look_at_main(managed, &next, now);
	if (managed->next_look && (!next || managed->next_look < next))
		next = managed->next_look;
	if (managed->deadline && (!next || managed->deadline < next))
		next = managed->deadline > managed->extended ? managed->deadline : managed->extended;
	return next;
}
