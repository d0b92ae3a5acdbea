/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a further command in a cell. */
#include "host/cell_join.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_cgroup.h"
#include "host/cell_control.h"
#include "host/cell_store.h"
#include "host/native.h"
#include "host/supervise.h"
#include "host/terminal.h"

#define ANSWER_MS 10000

struct joining {
	struct terminal *terminal; /* NULL = ours */
	int end;                   /* hung up, or answered, when the cell is over */
	int told;
	pid_t guest;
	bool held; /* stops of the guest are the cell's, not a terminal's */
};

/* The cell is over: so are we, as soon as the guest is. */
static void cell_ended(void *data)
{
	struct joining *joining = data;

	(void)kill(joining->guest, SIGKILL);
}

static void guest_forked(void *data, pid_t pid, const struct cell_fds *fds, struct supervisor *supervisor)
{
	struct joining *joining = data;
	struct service service = { .fd = joining->end, .ready = cell_ended, .data = joining };

	(void)fds;
	joining->guest = pid;
	supervisor->held |= joining->held;
	if (supervise_add(supervisor, &service) < 0 || (joining->terminal && terminal_begin(joining->terminal, supervisor) < 0))
		(void)kill(pid, SIGKILL);
}

static void tell(struct joining *joining, const struct launch_result *result)
{
	if (joining->told < 0)
		return;
	while (write(joining->told, result, sizeof(*result)) < 0 && errno == EINTR)
		;
	(void)close(take_fd(&joining->told));
}

static void guest_started(void *data)
{
	struct launch_result result = { 0 };

	tell(data, &result);
}

static int run_joined(const struct cell_join *join, const struct cell_reply *reply, struct cell_fds *fds, int pidfd, int told,
		      struct launch_result *result)
{
	struct cell_resources resources;
	struct cell_enforcement by;
	struct cell_cgroup cgroup;
	json_t *config = NULL;
	struct joining joining = { .end = cell_control_send(join->dir, CELL_WAIT, 0), .told = told };
	struct launch_setup setup = { .stdio = { join->input, join->output, FD_NONE },
				      .session = join->detached || join->terminal,
				      .terminal = join->terminal,
				      .limits = join->limits,
				      .limit_count = join->limit_count,
				      .cgroup = &cgroup,
				      .cpuset = resources.cpuset };
	struct launch_hooks hooks = { .forked = guest_forked, .started = guest_started, .data = &joining };
	struct launch launch = join->launch;
	CLEANUP_FREE char *workdir = strdup(launch.workdir);
	struct native_root native = {
		.member = pidfd, .identity = reply->identity, .capabilities = reply->capabilities, .workdir = workdir
	};
	int r = workdir ? cell_store_config(join->dir, &config) : -ENOMEM;

	CLEANUP_FD int slave = FD_NONE;

	cell_cgroup_load(join->dir, &cgroup);
	cell_resources_read(config, &resources, &by);
	json_decref(config);
	joining.held = by.by[CELL_CPUS] == CELL_SAMPLED || !isatty(STDIN_FILENO);
	if (joining.end < 0)
		r = joining.end;
	if (r == 0 && join->terminal) {
		r = terminal_new(join->interactive, pidfd < 0 ? 0 : join->launch.join_pid, &joining.terminal, &slave);
		for (int i = 0; i < 3; i++)
			setup.stdio[i] = slave;
	}
	if (r < 0) {
		*result = (struct launch_result){ .status = 125, .stage = "joining the cell", .error = -r };
		tell(&joining, result);
		return r;
	}
	launch.emulate = reply->emulate;
	launch.refuse = reply->refuse;
	launch.join = fds;
	launch.tree = fds->map && fds->map->fs.table.count ? &fds->map->fs : NULL;
	launch.native = pidfd < 0 ? NULL : &native;
	if (launch.become)
		native.identity = launch.identity;
	launch.placed = join->placed;
	launch.setup = &setup;
	launch.hooks = &hooks;
	r = launch_run(&launch, result);
	terminal_end(joining.terminal);
	tell(&joining, result);
	(void)close(joining.end);
	return r;
}

/* As cell_monitor_detach(), for a further command. */
static int run_detached(const struct cell_join *join, const struct cell_reply *reply, struct cell_fds *fds, int pidfd,
			struct launch_result *result)
{
	int pair[2], null;
	ssize_t n = 0;
	pid_t pid;

	*result = (struct launch_result){ .status = 125, .stage = "starting a process in the background" };
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -(result->error = errno);
	pid = fork();
	if (pid == 0) {
		(void)setsid();
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int i = 0; i < 3; i++)
			(void)dup2(null, i);
		(void)close(pair[0]);
		_exit(run_joined(join, reply, fds, pidfd, pair[1], result) < 0);
	}
	(void)close(pair[1]);
	if (pid < 0)
		result->error = errno;
	else
		do
			n = read(pair[0], result, sizeof(*result)); /* what it points to is static in this very program */
		while (n < 0 && errno == EINTR);
	(void)close(pair[0]);
	if (n == (ssize_t)sizeof(*result) && !result->stage)
		return 0;
	return result->error ? -result->error : -ECHILD;
}

int cell_join_run(const struct cell_join *join, struct launch_result *result)
{
	struct cell_reply reply;
	struct cell_fds fds = CELL_FDS_NONE;
	CLEANUP_FD int pidfd = FD_NONE;
	int r = cell_control_ask(join->dir, CELL_JOIN, 0, ANSWER_MS, &reply, &fds, &pidfd);

	if (r < 0) {
		*result = (struct launch_result){ .status = 125, .stage = "joining the cell", .error = -r };
		return r;
	}
	r = join->detached ? run_detached(join, &reply, &fds, pidfd, result)
			   : run_joined(join, &reply, &fds, pidfd, FD_NONE, result);
	cell_fds_done(&fds);
	return r;
}
