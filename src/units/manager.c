/* SPDX-License-Identifier: Apache-2.0 */
/* The unit manager: see the header. One thread, one poll; what takes time is done by children. */
#include "units/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_process.h"
#include "units/manager_int.h"
#include "units/unit_leaves.h"

#define JOIN_MS 10000
#define POLLED_MAX (2 + UNIT_SET_MAX * 6)

static volatile sig_atomic_t asked_to_stop;

s64 manager_now_ms(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

s64 manager_now_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_REALTIME, &time);
	return (s64)time.tv_sec * 1000000000 + time.tv_nsec;
}

void manager_tell(struct manager *manager, enum manager_progress progress, const struct managed *managed, const char *format, ...)
{
	struct manager_event event = { .progress = progress };
	va_list args;

	if (manager->events < 0)
		return;
	(void)snprintf(event.unit, sizeof(event.unit), "%s", managed ? managed->unit->name.full : "");
	va_start(args, format);
	(void)vsnprintf(event.text, sizeof(event.text), format, args);
	va_end(args);
	if (progress != MANAGER_SAYS)
		manager_write(manager); /* who is told may look */
	while (write(manager->events, &event, sizeof(event)) < 0 && errno == EINTR)
		;
	if (progress != MANAGER_SAYS)
		(void)close(take_fd(&manager->events));
}

static struct managed *manager_unit(struct manager *manager, const struct unit *unit)
{
	for (size_t i = 0; i < manager->count; i++)
		if (manager->units[i].unit == unit)
			return &manager->units[i];
	return NULL;
}

/* Stops everything, in the order. */
static void manager_stop(struct manager *manager)
{
	manager->stopping = true;
}

/* Whether a unit may start: what it comes after is up, or will not be. */
static bool may_start(const struct manager *manager, const struct managed *managed)
{
	for (size_t i = 0; i < manager->count; i++) {
		const struct managed *other = &manager->units[i];
		bool starting = !managed_is_up(other) && other->state < MANAGED_DEAD;

		if (other < managed && starting && unit_set_after(managed->unit, other->unit)) /* what is behind was a circle */
			return false;
	}
	return true;
}

/* What it needs and does not have; NULL: nothing. */
static const struct managed *lacks(const struct manager *manager, const struct managed *managed)
{
	for (size_t i = 0; i < manager->count; i++) {
		const struct managed *other = &manager->units[i];

		if (other->state == MANAGED_FAILED && unit_set_requires(managed->unit, other->unit))
			return other;
	}
	return NULL;
}

static void start_some(struct manager *manager)
{
	for (size_t i = 0; i < manager->count; i++) {
		struct managed *managed = &manager->units[i];
		const struct managed *lacking;

		if (managed->state != MANAGED_WAITING || !may_start(manager, managed))
			continue;
		lacking = lacks(manager, managed);
		if (!lacking) {
			managed_begin(managed);
			continue;
		}
		(void)snprintf(managed->result, sizeof(managed->result), "dependency");
		(void)snprintf(managed->why, sizeof(managed->why), "it needs %s, which has failed", lacking->unit->name.full);
		managed_set(managed, MANAGED_FAILED);
	}
}

/* Stops those that nobody needs any more: everything that comes after them is over. */
static void stop_some(struct manager *manager)
{
	for (size_t i = manager->count; i-- > 0;) {
		struct managed *managed = &manager->units[i];
		bool needed = false;

		if (managed->state >= MANAGED_STOP && managed->state != MANAGED_AUTO_RESTART)
			continue;
		for (size_t j = i + 1; j < manager->count; j++)
			needed |= manager->units[j].state < MANAGED_DEAD && manager->units[j].state != MANAGED_WAITING &&
				  unit_set_after(manager->units[j].unit, managed->unit);
		if (!needed)
			managed_stop(managed);
	}
}

/* Tells once that all are up. */
/* Whether the head is up, and everything else that is to be; tells it once. */
static void manager_check_ready(struct manager *manager)
{
	const struct managed *head = manager_unit(manager, manager->start->set->head);

	if (manager->announced || manager->stopping || !head)
		return;
	for (size_t i = 0; i < manager->count; i++)
		if (!managed_is_up(&manager->units[i]) && manager->units[i].state < MANAGED_DEAD)
			return;
	manager->announced = true;
	if (head->state == MANAGED_SKIPPED) {
		manager_tell(manager, MANAGER_REFUSED, head, "%s", head->why);
		manager_stop(manager);
	} else {
		manager_tell(manager, MANAGER_READY, head, "is up");
	}
}

/* A unit has come to its end: what that means for the others. */
static void look_at_end(struct manager *manager, struct managed *managed)
{
	bool head = managed->unit == manager->start->set->head, failed = managed->state == MANAGED_FAILED;
	enum manager_progress progress = managed->was_ready                      ? MANAGER_LOST
				       : strcmp(managed->result, "timeout") == 0 ? MANAGER_TIMEOUT
				       : strcmp(managed->result, "proof") == 0   ? MANAGER_UNPROVEN
										 : MANAGER_FAILED;

	if (manager->stopping || managed_is_up(managed) || managed->state < MANAGED_DEAD || managed->state == MANAGED_SKIPPED)
		return;
	if (!manager->announced && failed && (head || managed->required)) {
		manager->announced = true;
		manager_tell(manager, progress, managed, "%s", managed->why);
		manager_stop(manager);
	} else if (head && (failed || manager->announced)) {
		manager_stop(manager);
	}
}

static void mark_ready(struct managed *managed)
{
	if (managed->was_ready || !managed_is_up(managed))
		return;
	managed->was_ready = true;
	managed->manager->changed = true;
	manager_tell(managed->manager, MANAGER_SAYS, managed,
		     unit_is_socket(managed->unit)             ? "listens"
		     : managed->state == MANAGED_ACTIVE_EXITED ? "is done"
							       : "is ready");
}

/* One process of ours has ended; status as waitpid(2) has it. */
static void child_ended(struct manager *manager, pid_t pid, int status)
{
	int shell = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	for (size_t i = 0; i < manager->count; i++) {
		struct managed *managed = &manager->units[i];

		if (pid == managed->asker) {
			managed_asker_ended(managed, shell == 0);
		} else if (pid == managed->main.runner) {
			managed_read_report(managed, &managed->main);
			managed_command_ended(managed, &managed->main);
		} else if (pid == managed->control.runner) {
			managed_read_report(managed, &managed->control);
			managed_command_ended(managed, &managed->control);
		} else if (pid == managed->main_pid) {
			managed_main_ended(managed, shell);
		}
	}
}

static void reap(struct manager *manager)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(manager, pid, status);
}

static void note_child(int sig)
{
	(void)sig;
}

static void ask_to_stop(int sig)
{
	(void)sig;
	asked_to_stop = 1;
}

/* One descriptor and what to do when it can be read. */
struct source {
	struct managed *managed; /* NULL: the holder's, or the monitor's */
	enum { SOURCE_STOP, SOURCE_NOTIFY, SOURCE_OUT, SOURCE_ERR, SOURCE_MAIN, SOURCE_CONTROL } what;
};

static size_t add_source(struct pollfd *polled, struct source *sources, size_t count, struct managed *managed, int what, int fd)
{
	if (fd < 0)
		return count;
	polled[count] = (struct pollfd){ .fd = fd, .events = POLLIN };
	sources[count].managed = managed;
	sources[count].what = what;
	return count + 1;
}

static void serve(struct manager *manager, const struct source *source)
{
	struct managed *managed = source->managed;

	switch (source->what) {
	case SOURCE_STOP:
		manager_stop(manager);
		break;
	case SOURCE_NOTIFY:
		managed_notified(managed);
		break;
	case SOURCE_OUT:
	case SOURCE_ERR:
		managed_output(managed, source->what == SOURCE_ERR);
		break;
	case SOURCE_MAIN:
		managed_read_report(managed, &managed->main);
		break;
	case SOURCE_CONTROL:
		managed_read_report(managed, &managed->control);
		break;
	}
}

/* Sleeps until something happens, at most until `next`, and serves it. */
static void wait_for_something(struct manager *manager, s64 next, const sigset_t *mask)
{
	struct pollfd polled[POLLED_MAX];
	struct source sources[POLLED_MAX];
	size_t count = 0;
	s64 left = next - manager_now_ms();
	struct timespec time = { .tv_sec = left > 0 ? left / 1000 : 0, .tv_nsec = left > 0 ? left % 1000 * 1000000 : 0 };

	if (!manager->stopping) {
		count = add_source(polled, sources, count, NULL, SOURCE_STOP, manager->start->link);
		count = add_source(polled, sources, count, NULL, SOURCE_STOP, manager->end);
	}
	for (size_t i = 0; i < manager->count; i++) {
		struct managed *managed = &manager->units[i];

		count = add_source(polled, sources, count, managed, SOURCE_NOTIFY, managed->notify);
		count = add_source(polled, sources, count, managed, SOURCE_OUT, managed->outputs[0]);
		count = add_source(polled, sources, count, managed, SOURCE_ERR, managed->outputs[1]);
		count = add_source(polled, sources, count, managed, SOURCE_MAIN, managed->main.runner ? managed->main.report : -1);
		count = add_source(polled, sources, count, managed, SOURCE_CONTROL,
				   managed->control.runner ? managed->control.report : -1);
	}
	if (ppoll(polled, count, next ? &time : NULL, mask) <= 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (polled[i].revents)
			serve(manager, &sources[i]);
}

/* Lets the units go on. Returns when something is due, 0 = nothing is. */
static s64 step(struct manager *manager)
{
	s64 next = 0, now = manager_now_ms();

	reap(manager);
	if (asked_to_stop)
		manager_stop(manager);
	for (size_t i = 0; i < manager->count; i++) {
		s64 wish = managed_tick(&manager->units[i], now);

		if (wish && (!next || wish < next))
			next = wish;
		mark_ready(&manager->units[i]);
		look_at_end(manager, &manager->units[i]);
	}
	if (manager->stopping)
		stop_some(manager);
	else
		start_some(manager);
	manager_check_ready(manager);
	return next;
}

/* Nothing runs, and nothing will. */
static bool is_over(const struct manager *manager)
{
	for (size_t i = 0; i < manager->count; i++)
		if (manager->units[i].state < MANAGED_DEAD && (!manager->stopping || manager->units[i].state != MANAGED_WAITING))
			return false;
	return true;
}

static void run_loop(struct manager *manager, const sigset_t *mask)
{
	while (!is_over(manager)) {
		s64 next = step(manager);

		if (manager->changed) { /* by what was served before, too; there may be more to do at once */
			manager->changed = false;
			manager_write(manager);
		} else {
			wait_for_something(manager, next, mask);
		}
	}
}

static int make_pipes(struct managed *managed)
{
	for (int i = 0; i < 2; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0)
			return -errno;
		managed->outputs[i] = pair[0];
		managed->writers[i] = pair[1];
	}
	return 0;
}

/* The unit's own directory below the cell's: its log. */
static int make_log(struct managed *managed)
{
	const char *name = managed->unit->name.full;

	if (mkdirat(managed->manager->units_dir, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	managed->log_dir = openat(managed->manager->units_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (managed->log_dir < 0)
		return -errno;
	managed->log = calloc(1, sizeof(*managed->log));
	if (!managed->log)
		return -ENOMEM;
	cell_log_open(managed->log, managed->log_dir, CELL_LOG_SIZE_DEFAULT);
	return 0;
}

/* Until the holder has made the cell's own directories. */
static int await_holder(int link)
{
	struct pollfd polled = { .fd = link, .events = POLLIN };
	char byte = 0;

	if (poll(&polled, 1, JOIN_MS) == 0)
		return -ETIMEDOUT;
	return read(link, &byte, 1) == 1 && byte == MANAGER_HELD ? 0 : -ECANCELED;
}

static int begin(struct manager *manager, const struct manager_start *start)
{
	int r = 0;

	if (mkdirat(manager->cell.dir, "units", 0700) < 0 && errno != EEXIST)
		return -errno;
	manager->units_dir = openat(manager->cell.dir, "units", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (manager->units_dir < 0)
		return -errno;
	for (size_t i = 0; i < start->set->count && r == 0; i++) {
		struct managed *managed = &manager->units[i];

		*managed = (struct managed){ .manager = manager,
					     .unit = start->set->units[i],
					     .profile = &start->profiles.of[i],
					     .required = start->set->need[i] == UNIT_REQUIRED,
					     .notify = FD_NONE,
					     .asker_pipe = FD_NONE,
					     .main.report = FD_NONE,
					     .control.report = FD_NONE,
					     .log_dir = FD_NONE,
					     .result = "success" };
		manager->count++;
		r = make_pipes(managed);
		if (r == 0)
			r = make_log(managed);
		if (r == 0)
			r = unit_leaves_note(&managed->profile->leaves, &managed->leaves);
	}
	manager->end = cell_control_send(manager->cell.dir, CELL_WAIT, 0);
	if (r == 0 && manager->end < 0)
		r = manager->end;
	if (r == 0) {
		int pidfd = FD_NONE;

		r = cell_control_ask(manager->cell.dir, CELL_JOIN, 0, JOIN_MS, &manager->cell.reply, &manager->cell.fds, &pidfd);
		close_fd(&pidfd);
	}
	return r == 0 ? await_holder(start->link) : r;
}

/* What is left when all units are over: processes that KillMode=process spared, and files in /run. */
static void clear_up(struct manager *manager)
{
	if (manager->adopts) /* else the monitor does it in a moment */
		(void)cell_processes_kill(manager->cell.id, getpid(), CELL_BY_PARENT);
	for (size_t i = manager->count; i-- > 0;)
		unit_leaves_remove(&manager->units[i].leaves);
}

/* What came as copies from the monitor is closed, but for what is ours. */
static void close_others(const struct manager_start *start, int dir)
{
	long most = sysconf(_SC_OPEN_MAX);

	for (int fd = 3; fd < (most > 0 && most < 4096 ? most : 4096); fd++)
		if (fd != start->link && fd != start->events && fd != dir)
			(void)close(fd);
}

static void prepare_signals(sigset_t *ret_mask)
{
	struct sigaction child = { .sa_handler = note_child }, stop = { .sa_handler = ask_to_stop };
	sigset_t all;

	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigaction(SIGCHLD, &child, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGINT, &stop, NULL);
	sigemptyset(ret_mask);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGINT);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

void manager_run(const struct manager_start *start, int dir, const char *id)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	sigset_t mask;
	int r;

	if (!manager)
		_exit(125);
	prepare_signals(&mask);
	close_others(start, dir);
	(void)umask(0022);
	(void)chdir("/");
	(void)prctl(PR_SET_NAME, "lichen-units", 0, 0, 0);
	*manager = (struct manager){ .start = start,
				     .events = start->events,
				     .end = FD_NONE,
				     .units_dir = FD_NONE,
				     .cell = { .dir = dir, .fds = CELL_FDS_NONE },
				     .adopts = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 };
	(void)snprintf(manager->cell.id, sizeof(manager->cell.id), "%s", id);
	r = begin(manager, start);
	if (r < 0) {
		manager_tell(manager, MANAGER_FAILED, NULL, "cannot manage the units: %s", strerrordesc_np(-r));
		_exit(125);
	}
	manager_write(manager);
	run_loop(manager, &mask);
	clear_up(manager);
	for (size_t i = 0; i < manager->count; i++)
		if (manager->units[i].log) {
			managed_output(&manager->units[i], 0);
			managed_output(&manager->units[i], 1);
			cell_log_close(manager->units[i].log);
		}
	manager_write(manager);
	_exit(0);
}
