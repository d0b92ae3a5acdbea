/* SPDX-License-Identifier: Apache-2.0 */
/* How a unit goes down: ExecStop=, KillSignal= by KillMode=, SIGKILL, ExecStopPost= (systemd.service(5), systemd.kill(5)); then it is over, or restarted. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "units/manager_int.h"
#include "units/unit_dirs.h"
#include "units/unit_value.h"

#define STOP_MS 90000 /* systemd's DefaultTimeoutStopSec=; also for TimeoutStopSec=0 and infinity: `lichen down` comes to an end */
#define KILL_MS 10000 /* what is left after SIGKILL is in the kernel's hands */
#define LOOK_MS 20
#define RESTART_MS 100 /* systemd's RestartSec= */

static s64 stop_span(const struct managed *managed)
{
	s64 both = unit_get_span(managed->unit, "Service", "TimeoutSec", STOP_MS);
	s64 span = unit_get_span(managed->unit, "Service", "TimeoutStopSec", both);

	return span == 0 || span == UNIT_FOREVER ? STOP_MS : span;
}

static int signal_of(const struct managed *managed, const char *directive, int otherwise)
{
	const char *given = unit_get(managed->unit, "Service", directive);
	int sig = given ? unit_signal(given) : 0;

	return sig ? sig : otherwise;
}

static bool kill_mode(const struct managed *managed, const char *mode)
{
	const char *given = unit_get(managed->unit, "Service", "KillMode");

	return strcmp(given ? given : "control-group", mode) == 0;
}

/* Begins the list, at its first command. */
static void begin_list(struct managed *managed, enum managed_state state, enum managed_list list)
{
	managed_set(managed, state);
	managed->deadline = manager_now_ms() + stop_span(managed);
	managed->list = list;
	managed->at = 0;
}

/* Starts the next command of a stop list. False: there is none. */
static bool next_command(struct managed *managed)
{
	const struct unit_commands *commands = &managed->lists[managed->list];

	while (managed->at < commands->count)
		if (managed_run(managed, &managed->control, &commands->rows[managed->at++]) == 0)
			return true;
	return false;
}

static bool main_lives(const struct managed *managed)
{
	return managed->main_pid && managed_process_lives(managed->main_pid, managed->main_started);
}

/* Whether anything is left that this stop waits for. */
static bool anything_left(struct managed *managed)
{
	if (managed->main.runner || managed->control.runner || main_lives(managed))
		return true;
	if (kill_mode(managed, "process") || kill_mode(managed, "none"))
		return false;
	return managed_signal(managed, 0, true) > 0;
}

static void begin_kill(struct managed *managed)
{
	managed_set(managed, MANAGED_STOP_KILL);
	managed->deadline = manager_now_ms() + KILL_MS;
	managed->next_look = manager_now_ms() + LOOK_MS;
	(void)managed_signal(managed, signal_of(managed, "FinalKillSignal", SIGKILL), !kill_mode(managed, "process"));
	managed_stop_step(managed);
}

static void begin_term(struct managed *managed)
{
	int sig = signal_of(managed, "KillSignal", SIGTERM);
	bool all = kill_mode(managed, "control-group");

	managed_set(managed, MANAGED_STOP_TERM);
	managed->deadline = manager_now_ms() + stop_span(managed);
	managed->next_look = manager_now_ms() + LOOK_MS;
	if (!kill_mode(managed, "none")) {
		(void)managed_signal(managed, sig, all);
		if (unit_get_bool(managed->unit, "Service", "SendSIGHUP", false))
			(void)managed_signal(managed, SIGHUP, all);
		(void)managed_signal(managed, SIGCONT, all);
	}
	managed_stop_step(managed);
}

/* All of it has ended: it is down, or will be started again. */
static void managed_stopped(struct managed *managed)
{
	s64 pause = unit_get_span(managed->unit, "Service", "RestartSec", RESTART_MS);

	managed->main_pid = 0;
	if (managed->wants_restart && !managed->manager->stopping && strcmp(managed->result, "start-limit-hit") != 0) {
		managed_set(managed, MANAGED_AUTO_RESTART);
		managed->next_look = manager_now_ms() + (pause == UNIT_FOREVER ? RESTART_MS : pause);
		return;
	}
	unit_dirs_remove(managed->unit);
	if (managed->log)
		cell_log_flush(managed->log);
	managed_set(managed, strcmp(managed->result, "success") == 0 ? MANAGED_DEAD : MANAGED_FAILED);
}

static void begin_post(struct managed *managed)
{
	begin_list(managed, MANAGED_STOP_POST, LIST_STOP_POST);
	if (!next_command(managed))
		managed_stopped(managed);
}

void managed_stop(struct managed *managed)
{
	bool was_up = managed->state == MANAGED_RUNNING || managed->state == MANAGED_ACTIVE_EXITED ||
		      managed->state == MANAGED_ASKED || managed->state == MANAGED_PROVING || managed->state == MANAGED_START_POST;

	if (managed->state == MANAGED_WAITING || managed->state == MANAGED_AUTO_RESTART) {
		managed_set(managed, MANAGED_DEAD);
		return;
	}
	if (managed->state >= MANAGED_STOP)
		return;
	if (managed->asker) {
		(void)kill(managed->asker, SIGKILL);
		close_fd(&managed->asker_pipe);
		managed->asker = 0;
	}
	if (unit_is_socket(managed->unit)) {
		unit_sockets_close(managed->unit, &managed->sockets, managed->manager->stopping);
		managed_set(managed, strcmp(managed->result, "success") == 0 ? MANAGED_DEAD : MANAGED_FAILED);
		return;
	}
	managed->next_look = 0;
	if (was_up && managed->lists[LIST_STOP].count && !managed->control.runner) {
		begin_list(managed, MANAGED_STOP, LIST_STOP);
		if (next_command(managed))
			return;
	}
	begin_term(managed);
}

void managed_stop_step(struct managed *managed)
{
	switch (managed->state) {
	case MANAGED_STOP:
		if (!managed->control.runner && !next_command(managed))
			begin_term(managed);
		break;
	case MANAGED_STOP_TERM:
		if (!anything_left(managed))
			begin_post(managed);
		else if (!main_lives(managed) && !managed->main.runner && kill_mode(managed, "mixed"))
			begin_kill(managed); /* the others get SIGKILL as soon as it has ended */
		else
			managed->next_look = manager_now_ms() + LOOK_MS;
		break;
	case MANAGED_STOP_KILL:
		if (!anything_left(managed))
			begin_post(managed);
		else
			managed->next_look = manager_now_ms() + LOOK_MS;
		break;
	case MANAGED_STOP_POST:
		if (!managed->control.runner && !next_command(managed))
			managed_stopped(managed);
		break;
	default:
		break;
	}
}

void managed_kill(struct managed *managed)
{
	if (managed->state == MANAGED_STOP) {
		begin_term(managed);
	} else if (managed->state == MANAGED_STOP_TERM && unit_get_bool(managed->unit, "Service", "SendSIGKILL", true)) {
		if (strcmp(managed->result, "success") == 0) {
			(void)snprintf(managed->result, sizeof(managed->result), "timeout");
			(void)snprintf(managed->why, sizeof(managed->why), "it had to be killed: it did not stop in time");
		}
		begin_kill(managed);
	} else if (managed->state == MANAGED_STOP_POST) {
		(void)managed_signal(managed, SIGKILL, true);
		managed_stopped(managed);
	} else {
		begin_post(managed);
	}
}
