/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a cell: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/attach.h"
#include "host/cell_members.h"
#include "host/cell_monitor_int.h"
#include "host/cell_process.h"
#include "host/cell_scratch.h"
#include "host/cell_store.h"
#include "host/cell_tree.h"
#include "host/supervise.h"

#define EVENTS_AT_ONCE 64 /* then signals are looked at */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 60000
#define RAN_WELL_NS INT64_C(10000000000) /* a command that ran for ten seconds is restarted without a longer delay */

static volatile sig_atomic_t asked_to_stop;

static s64 now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_REALTIME, &time);
	return (s64)time.tv_sec * 1000000000 + time.tv_nsec;
}

int monitor_listen(struct monitor *monitor, struct monitor_source *source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(monitor->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
}

void monitor_drop(struct monitor *monitor, struct monitor_source *source)
{
	if (source->fd < 0)
		return;
	(void)epoll_ctl(monitor->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	(void)close(take_fd(&source->fd));
}

/* The state that can be told: what cannot be written down is so, all the same. */
static void write_state(struct monitor *monitor, enum cell_status status)
{
	monitor->state.status = status;
	monitor->state.pid = status == CELL_RUNNING ? monitor->guest : 0;
	monitor->state.log_lost = monitor->log.lost;
	monitor->state.log_error = monitor->log.error;
	(void)cell_state_write(monitor->state_fd, &monitor->state);
}

void monitor_write_state(struct monitor *monitor)
{
	write_state(monitor, monitor->state.status);
}

enum cell_search monitor_search(const struct monitor *monitor)
{
	return monitor->adopts && !monitor->joined ? CELL_BY_PARENT : CELL_BY_ENVIRONMENT;
}

/* One event at a time: what it does may end another's source. */
static void monitor_ready(void *data)
{
	struct monitor *monitor = data;
	struct epoll_event event;

	for (int i = 0; i < EVENTS_AT_ONCE && epoll_wait(monitor->epoll, &event, 1, 0) == 1; i++) {
		struct monitor_source *source = event.data.ptr;

		source->ready(monitor, source);
	}
}

static void tell(struct monitor *monitor, const struct launch_result *result)
{
	if (monitor->told < 0)
		return;
	while (write(monitor->told, result, sizeof(*result)) < 0 && errno == EINTR)
		;
	(void)close(take_fd(&monitor->told));
}

static void guest_forked(void *data, pid_t pid, const struct cell_fds *fds, struct supervisor *supervisor)
{
	struct monitor *monitor = data;
	struct service service = { .fd = monitor->epoll, .ready = monitor_ready, .tick = monitor_tick, .data = monitor };

	monitor->guest = pid;
	monitor->fds = fds;
	monitor->supervisor = supervisor;
	monitor->state.started = now();
	if (fds && fds->reserved[RESERVED_AGENT] >= 0)
		(void)cell_members_note(monitor->run->dir, fds->reserved[RESERVED_AGENT]); /* else fewer are found after a crash */
	write_state(monitor, CELL_RUNNING);
	if (supervise_add(supervisor, &service) < 0)
		(void)kill(pid, SIGKILL); /* nobody could reach it */
}

static void guest_started(void *data)
{
	const struct monitor *monitor = data;
	struct launch_result result = { 0 };

	tell(data, &result);
	if (monitor->run->attendant)
		monitor->run->attendant->started(monitor->run->attendant->data);
}

/* Starts the command and waits for its end, both recorded. */
static int launch_recorded(const struct cell_recorder *recorder, const struct launch *launch, struct launch_result *result)
{
	int r = recorder ? recorder->starting(recorder->data, result) : 0, end;

	if (r < 0)
		return r;
	r = launch_run(launch, result);
	end = recorder ? recorder->ended(recorder->data, result) : 0;
	return end < 0 ? end : r;
}

static int run_once(struct monitor *monitor, struct launch_result *result)
{
	const struct cell_config *config = monitor->run->config;
	struct launch_setup setup = { .stdio = { FD_NONE, FD_NONE, FD_NONE },
				      .session = config->detached || config->tty,
				      .terminal = config->tty,
				      .limits = config->limits,
				      .limit_count = config->limit_count,
				      .cgroup = &monitor->cgroup,
				      .cpuset = monitor->resources.cpuset };
	struct launch_hooks hooks = { .forked = guest_forked, .started = guest_started, .data = monitor };
	struct launch launch = monitor->run->launch;
	int r = monitor_streams_make(monitor, setup.stdio), limits = monitor_limits_begin(monitor);

	launch.setup = &setup;
	launch.hooks = &hooks;
	if (r == 0 && limits < 0) {
		r = limits;
		*result = (struct launch_result){ .status = 125, .stage = "making the cell's cgroup", .error = -limits };
	} else if (r == 0) {
		r = launch_recorded(monitor->run->recorder, &launch, result);
	} else {
		*result = (struct launch_result){ .status = 125, .stage = "making the command's streams", .error = -r };
	}
	monitor->guest = 0;
	monitor->fds = NULL;
	for (int i = 0; i < 3; i++)
		close_fd(&setup.stdio[i]);
	if (!launch.native) /* else the kernel has ended all of them with the first */
		(void)cell_processes_kill(config->id, getpid(), monitor_search(monitor));
	monitor_limits_end(monitor);
	monitor_streams_end(monitor);
	monitor->state.finished = now();
	monitor->state.exit = result->status;
	return r;
}

/* Why the command could not be started, in a line. */
static void keep_error(struct cell_state *state, const struct launch_result *result)
{
	const char *what = result->detail[0] ? result->detail : result->stage ? result->stage : "starting the command";

	if (result->error)
		(void)snprintf(state->error, sizeof(state->error), "%.200s: %.40s", what, strerrordesc_np(result->error));
	else
		(void)snprintf(state->error, sizeof(state->error), "%s", what);
}

/* Serves the socket for that long, or until the cell is to stop. */
static void pause_for(struct monitor *monitor, int milliseconds)
{
	s64 end = now() + (s64)milliseconds * 1000000;

	while (!monitor->stopping && !asked_to_stop) {
		s64 left = (end - now()) / 1000000;
		struct epoll_event event;

		if (left <= 0)
			break;
		if (epoll_wait(monitor->epoll, &event, 1, (int)left) == 1)
			monitor_ready(monitor);
	}
}

static bool again(const struct monitor *monitor, int r)
{
	if (monitor->stopping || asked_to_stop || r < 0)
		return false;
	switch (monitor->restart) {
	case CELL_RESTART_ALWAYS:
	case CELL_RESTART_UNLESS_STOPPED:
		return true;
	case CELL_RESTART_ON_FAILURE:
		return monitor->state.exit != 0 && (!monitor->restart_max || monitor->state.restarts < monitor->restart_max);
	case CELL_RESTART_NO:
		break;
	}
	return false;
}

static int run_all(struct monitor *monitor, struct launch_result *result)
{
	int r, delay = BACKOFF_FIRST_MS;

	for (;;) {
		r = run_once(monitor, result);
		if (!again(monitor, r))
			break;
		if (monitor->state.finished - monitor->state.started > RAN_WELL_NS)
			delay = BACKOFF_FIRST_MS;
		write_state(monitor, CELL_RESTARTING);
		pause_for(monitor, delay);
		if (monitor->stopping || asked_to_stop)
			break;
		delay = delay > BACKOFF_LAST_MS / 2 ? BACKOFF_LAST_MS : delay * 2;
		monitor->state.restarts++;
		cell_scratch_clear(monitor->run->dir, monitor->run->config->tree ? monitor->run->config->tree->mounts : NULL);
	}
	return r;
}

static void ask_to_stop(int sig)
{
	(void)sig;
	asked_to_stop = 1;
}

/* Between two runs these are ours; while one runs, the supervisor takes them. */
static void catch_signals(void)
{
	static const int caught[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = ask_to_stop }, old;

	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			(void)sigaction(caught[i], &action, NULL);
}

/* From here on others can reach the cell. */
static int begin(struct monitor *monitor, int client)
{
	int r = 0;

	monitor->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (monitor->epoll < 0)
		return -errno;
	monitor->state_fd = openat(monitor->run->dir, "state", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (monitor->state_fd < 0)
		return -errno;
	monitor->state.sequence = 2; /* as cell_state_create() left it */
	monitor->state.monitor = getpid();
	r = monitor_read_limits(monitor);
	if (r == 0)
		r = monitor_serve(monitor);
	if (r < 0)
		return r;
	monitor->adopts = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
	catch_signals();
	return monitor_streams_begin(monitor, client);
}

static int run_cell(const struct cell_run *run, int client, int told, struct launch_result *result)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor)); /* the log's lines are too much for a stack */
	int r;

	*result = (struct launch_result){ .status = 125, .stage = "making the cell" };
	if (!monitor)
		return -(result->error = ENOMEM);
	*monitor = (struct monitor){
		.run = run, .state_fd = FD_NONE, .epoll = FD_NONE, .listener.fd = FD_NONE, .log.fd = FD_NONE, .told = told
	};
	r = begin(monitor, client);
	if (r < 0)
		*result = (struct launch_result){ .status = 125, .stage = "making the cell's files", .error = -r };
	else
		r = run_all(monitor, result);
	if (r < 0) {
		monitor->state.exit = result->status;
		keep_error(&monitor->state, result);
	}
	cell_log_close(&monitor->log);
	if (monitor_search(monitor) == CELL_BY_PARENT || cell_members_kill_noted(run->dir) == 0)
		cell_members_forget(run->dir);
	if (monitor->state_fd >= 0)
		write_state(monitor, CELL_EXITED);
	if (run->config->remove)
		(void)cell_store_remove(run->store, run->config->id, true);
	(void)close(run->monitor); /* who is told that it is over, may remove it */
	monitor_serve_end(monitor);
	console_end(monitor->console, result->status);
	close_fd(&monitor->state_fd);
	close_fd(&monitor->epoll);
	tell(monitor, result);
	free(monitor);
	return r;
}

int cell_monitor_run(const struct cell_run *run, struct launch_result *result)
{
	return run_cell(run, FD_NONE, FD_NONE, result);
}

/* The monitor of a cell in the background: nothing of whoever started it stays open, but for the connection to it. */
static NORETURN void background(const struct cell_run *run, int client, int told)
{
	struct launch_result result;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int i = 0; i < 3; i++)
		(void)dup2(null, i);
	_exit(run_cell(run, client, told, &result) < 0);
}

int cell_monitor_detach(const struct cell_run *run, int *ret_client, struct launch_result *result)
{
	int pair[2], ends[2] = { FD_NONE, FD_NONE }, r = ret_client ? attach_pair(ends) : 0;
	ssize_t n;
	pid_t pid;

	*result = (struct launch_result){ .status = 125, .stage = "starting the cell's monitor" };
	if (r < 0 || pipe2(pair, O_CLOEXEC) < 0) {
		result->error = r < 0 ? -r : errno;
		close_fd(&ends[0]);
		close_fd(&ends[1]);
		return -result->error;
	}
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		close_fd(&ends[0]);
		background(run, ends[1], pair[1]);
	}
	if (pid < 0)
		result->error = errno;
	(void)close(pair[1]);
	close_fd(&ends[1]);
	(void)close(run->monitor);
	do
		n = pid < 0 ? 0 : read(pair[0], result, sizeof(*result));
	while (n < 0 && errno == EINTR);
	(void)close(pair[0]);
	if (n != (ssize_t)sizeof(*result))
		*result = (struct launch_result){ .status = 125,
						  .stage = "the cell's monitor has ended",
						  .error = pid < 0 ? result->error : 0 };
	if (!result->error && !result->stage) { /* what it points to is static in this very program */
		if (ret_client)
			*ret_client = ends[0];
		return 0;
	}
	close_fd(&ends[0]);
	if (n == (ssize_t)sizeof(*result))
		return result->error ? -result->error : -EINVAL;
	return pid < 0 ? -result->error : -ESRCH;
}
