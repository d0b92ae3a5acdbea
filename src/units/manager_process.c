/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a unit: commands that are started, and what they leave behind. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_process.h"
#include "units/manager_int.h"

#define UNIT_VARIABLE "LICHEN_UNIT"
#define ENVIRONMENT_MAX (1u << 18)

/* What is different from command to command. */
static int command_env(const struct managed *managed, const struct unit_command *command, struct word_list *env)
{
	bool main = managed->list == LIST_START;
	bool after = managed->list == LIST_STOP || managed->list == LIST_STOP_POST;
	int r = 0;

	for (size_t i = 0; i < managed->env.count && r == 0; i++)
		r = word_list_add(env, managed->env.words[i]);
	if (r == 0)
		r = word_list_printf(env, CELL_VARIABLE "=%s", managed->manager->cell.id);
	if (r == 0)
		r = word_list_printf(env, UNIT_VARIABLE "=%s", managed->unit->name.full);
	if (r == 0 && managed->notify >= 0)
		r = word_list_printf(env, "NOTIFY_SOCKET=%s", managed->notify_name);
	if (r == 0 && managed->main_pid && !main)
		r = word_list_printf(env, "MAINPID=%d", managed->main_pid);
	if (r == 0 && after)
		r = word_list_printf(env, "SERVICE_RESULT=%s", managed->result);
	if (r == 0 && managed->list == LIST_STOP_POST)
		r = word_list_printf(env, managed->status > 128 ? "EXIT_CODE=killed" : "EXIT_CODE=exited");
	if (r == 0 && managed->list == LIST_STOP_POST)
		r = word_list_printf(env, "EXIT_STATUS=%d", managed->status > 128 ? managed->status - 128 : managed->status);
	(void)command;
	return r;
}

/* The sockets that activate a service. */
static void find_sockets(const struct managed *managed, const struct unit_sockets *ret[UNIT_SET_MAX + 1])
{
	struct manager *manager = managed->manager;
	size_t count = 0;

	for (size_t i = 0; i < manager->count; i++) {
		const struct managed *other = &manager->units[i];

		if (unit_is_socket(other->unit) && other->sockets.count &&
		    unit_set_service_of(manager->start->set, other->unit) == managed->unit)
			ret[count++] = &other->sockets;
	}
	ret[count] = NULL;
}

int managed_run(struct managed *managed, struct managed_process *process, const struct unit_command *command)
{
	const struct unit_sockets *sockets[UNIT_SET_MAX + 1] = { NULL };
	struct word_list env = { 0 };
	struct unit_run run = { .unit = managed->unit,
				.command = command,
				.env = &env,
				.cell = &managed->manager->cell,
				.output = { managed->writers[0], managed->writers[1] } };
	int r = command_env(managed, command, &env);
	pid_t runner;

	if (managed->list == LIST_START) {
		find_sockets(managed, sockets);
		run.sockets = sockets;
	}
	*process = (struct managed_process){ .report = FD_NONE, .command = command };
	runner = r < 0 ? r : unit_run_start(&run, &process->report);
	word_list_done(&env);
	if (runner < 0)
		return runner;
	process->runner = runner;
	if (managed->list == LIST_START && managed->at == 1)
		managed->first_runner = runner;
	managed->manager->changed = true;
	return 0;
}

void managed_read_report(struct managed *managed, struct managed_process *process)
{
	struct unit_report report;
	ssize_t n;

	while (process->report >= 0 && (n = read(process->report, &report, sizeof(report))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(report))
			return;
		if (report.kind == UNIT_FORKED)
			process->guest = report.pid;
		else if (report.kind == UNIT_STARTED)
			process->started = true;
		else
			process->end = report;
		if (process == &managed->main && report.kind == UNIT_FORKED && !managed->main_pid) {
			managed->main_pid = report.pid;
			managed->main_started = managed_process_start(report.pid);
			managed->manager->changed = true;
		}
		if (report.kind == UNIT_STARTED && process == &managed->main && managed->state == MANAGED_START &&
		    managed->type <= SERVICE_EXEC)
			managed_up(managed);
	}
	if (process->report >= 0)
		(void)close(take_fd(&process->report));
}

u64 managed_process_start(pid_t pid)
{
	char path[32], text[1024];
	const char *at;
	unsigned long long started = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strrchr(text, ')');
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers */
	if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X' ||
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &started) != 1)
		return 0;
	return started + 1; /* never 0 */
}

bool managed_process_lives(pid_t pid, u64 started)
{
	u64 now = managed_process_start(pid);

	return now && (!started || now == started);
}

/* Whether a process's environment names the unit. */
static bool marked(pid_t pid, const char *unit, char *buffer)
{
	char path[32], wanted[UNIT_NAME_MAX + 32];
	size_t length, size = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && size < ENVIRONMENT_MAX - 1 && (n = read(fd, buffer + size, ENVIRONMENT_MAX - 1 - size)) > 0)
		size += (size_t)n;
	buffer[size] = '\0';
	length = (size_t)snprintf(wanted, sizeof(wanted), UNIT_VARIABLE "=%s", unit) + 1;
	for (const char *at = buffer; at < buffer + size; at += strlen(at) + 1)
		if (strlen(at) + 1 == length && memcmp(at, wanted, length) == 0)
			return true;
	return false;
}

static bool is_runner(const struct manager *manager, pid_t pid)
{
	for (size_t i = 0; i < manager->count; i++)
		if (manager->units[i].main.runner == pid || manager->units[i].control.runner == pid ||
		    manager->units[i].asker == pid)
			return true;
	return false;
}

/* The root that a process descends from: a runner of ours, or a process whose parent is no member. */
static pid_t root_of(const struct cell_process *all, int count, pid_t pid)
{
	for (int depth = 0; depth < count; depth++) {
		int at = 0;

		while (at < count && all[at].pid != pid)
			at++;
		if (at == count)
			return pid;
		for (int i = 0; i < count; i++)
			if (all[i].pid == all[at].parent) {
				pid = all[i].pid;
				break;
			} else if (i == count - 1) {
				return pid;
			}
	}
	return pid;
}

/*
 * Marks those of a unit in an array of the cell's processes: descendants of its runners and of its main process, those whose environment names it, and
 * when it is the only one that runs, all.
 */
static bool belongs(struct managed *managed, const struct cell_process *all, int count, int at, char *buffer, bool alone)
{
	pid_t root = root_of(all, count, all[at].pid);

	if (is_runner(managed->manager, all[at].pid))
		return false;
	if (alone || root == managed->main.runner || root == managed->control.runner || root == managed->main_pid ||
	    all[at].pid == managed->main_pid)
		return true;
	return marked(root, managed->unit->name.full, buffer) || marked(all[at].pid, managed->unit->name.full, buffer);
}

static bool is_alone(const struct managed *managed)
{
	for (size_t i = 0; i < managed->manager->count; i++) {
		const struct managed *other = &managed->manager->units[i];

		if (other != managed && unit_is_service(other->unit) && !managed_is_over(other))
			return false;
	}
	return true;
}

/* Calls `each` for the processes of a unit. Returns how many there are. */
static int each_process(struct managed *managed, void (*each)(pid_t pid, void *data), void *data)
{
	struct cell_process *all = NULL;
	int count = cell_processes(managed->manager->cell.id, getpid(),
				   managed->manager->adopts ? CELL_BY_PARENT : CELL_BY_ENVIRONMENT, &all, NULL),
	    found = 0;
	CLEANUP_FREE char *buffer = malloc(ENVIRONMENT_MAX);
	bool alone = managed->manager->adopts && is_alone(managed); /* then no other's are among them */

	for (int i = 0; buffer && i < count; i++) {
		if (all[i].kernel)
			continue;
		if (!belongs(managed, all, count, i, buffer, alone))
			continue;
		found++;
		each(all[i].pid, data);
	}
	free(all);
	return found;
}

static void send_signal(pid_t pid, void *data)
{
	const int *sig = data;

	(void)kill(pid, *sig);
}

int managed_signal(struct managed *managed, int sig, bool all)
{
	if (all)
		return each_process(managed, send_signal, &sig);
	if (!managed->main_pid || !managed_process_lives(managed->main_pid, managed->main_started))
		return 0;
	return kill(managed->main_pid, sig) == 0;
}

struct wanted {
	pid_t pid;
	bool found;
};

static void compare(pid_t pid, void *data)
{
	struct wanted *wanted = data;

	wanted->found |= wanted->pid == pid;
}

bool managed_has(struct managed *managed, pid_t pid)
{
	struct wanted wanted = { .pid = pid };

	(void)each_process(managed, compare, &wanted);
	return wanted.found;
}

static void remember(pid_t pid, void *data)
{
	*(pid_t *)data = pid;
}

pid_t managed_only_process(struct managed *managed)
{
	pid_t pid = 0;

	return each_process(managed, remember, &pid) == 1 ? pid : 0;
}

void managed_output(struct managed *managed, int stream)
{
	char bytes[16384];
	ssize_t n;

	for (int i = 0; i < 16 && (n = read(managed->outputs[stream], bytes, sizeof(bytes))) > 0; i++)
		if (managed->log)
			cell_log_add(managed->log, stream ? CELL_STDERR : CELL_STDOUT, bytes, (size_t)n);
}

void managed_note(struct managed *managed, const char *format, ...)
{
	char text[MANAGER_TEXT + UNIT_NAME_MAX + 16];
	va_list args;
	int n;

	if (!managed->log)
		return;
	for (int stream = 0; stream < 2; stream++)
		managed_output(managed, stream); /* what it said before */
	n = snprintf(text, sizeof(text), "lichen: %s ", managed->unit->name.full);
	va_start(args, format);
	(void)vsnprintf(text + n, sizeof(text) - (size_t)n - 1, format, args);
	va_end(args);
	n = (int)strlen(text);
	text[n] = '\n';
	cell_log_add(managed->log, CELL_STDERR, text, (size_t)n + 1);
}
