/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a further command in a cell. */
#include "host/cell_join.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/attach.h"
#include "host/cell_cgroup.h"
#include "host/cell_control.h"
#include "host/cell_store.h"
#include "host/console.h"
#include "host/native.h"
#include "host/pty.h"
#include "host/supervise.h"

#define ANSWER_MS 10000

struct joining {
	struct console *console; /* NULL: no terminal of its own */
	int end;                 /* hung up, or answered, when the cell is over */
	int told;
	pid_t guest;
	struct supervisor *supervisor; /* valid with `guest` */
	bool held;                     /* stops of the guest are the cell's, not a terminal's */
};

/* The cell is over, or whoever waits for the command was killed: so are we, as soon as the guest is. */
static void cell_ended(void *data)
{
	struct joining *joining = data;

	if (joining->guest)
		(void)kill(joining->guest, SIGKILL);
}

static void take_signal(void *data, int sig)
{
	struct joining *joining = data;

	if (joining->guest)
		(void)supervise_signal(joining->supervisor, joining->guest, sig);
}

static void guest_forked(void *data, pid_t pid, const struct cell_fds *fds, struct supervisor *supervisor)
{
	struct joining *joining = data;
	struct service service = { .fd = joining->end, .ready = cell_ended, .data = joining };
	struct service streams = { .ready = console_ready, .data = joining->console };

	(void)fds;
	joining->guest = pid;
	joining->supervisor = supervisor;
	supervisor->held |= joining->held;
	if (joining->console)
		streams.fd = console_fd(joining->console);
	if (supervise_add(supervisor, &service) < 0 || (joining->console && supervise_add(supervisor, &streams) < 0))
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

/* A terminal for the command, which whoever has the other end of `client` is attached to. */
static int make_terminal(struct joining *joining, const struct cell_join *join, pid_t member, int client, int *ret_slave)
{
	const struct console_owner owner = { NULL, take_signal, cell_ended, joining };
	int master, r;

	joining->console = console_new(&owner);
	if (!joining->console)
		return -ENOMEM;
	console_attach(joining->console, client, CONSOLE_STARTER);
	r = pty_new(member, &master, ret_slave);
	return r < 0 ? r : console_terminal(joining->console, master, join->interactive);
}

/* What run_joined() is told besides. */
struct joined_by {
	int pidfd;  /* of a native cell's first process, negative = it is none */
	int told;   /* gets the result as soon as the command has started or cannot be; negative = nobody waits */
	int client; /* who is attached to its terminal; negative = it has none */
};

static int run_joined(const struct cell_join *join, const struct cell_reply *reply, struct cell_fds *fds,
		      const struct joined_by *by_whom, struct launch_result *result)
{
	int pidfd = by_whom->pidfd;
	struct cell_resources resources;
	struct cell_enforcement by;
	struct cell_cgroup cgroup;
	json_t *config = NULL;
	struct joining joining = { .end = cell_control_send(join->dir, CELL_WAIT, 0), .told = by_whom->told };
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
		r = make_terminal(&joining, join, pidfd < 0 ? 0 : join->launch.join_pid, by_whom->client, &slave);
		for (int i = 0; i < 3; i++)
			setup.stdio[i] = slave;
	}
	if (r < 0) {
		*result = (struct launch_result){ .status = 125, .stage = "joining the cell", .error = -r };
		tell(&joining, result);
		console_end(joining.console, result->status);
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
	joining.guest = 0;
	tell(&joining, result);
	close_fd(&slave);
	slave = FD_NONE;
	console_end(joining.console, result->status);
	(void)close(joining.end);
	return r;
}

static NORETURN void background(const struct cell_join *join, const struct cell_reply *reply, struct cell_fds *fds,
				const struct joined_by *by_whom)
{
	struct launch_result result;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int i = 0; i < 3; i++)
		(void)dup2(null, i);
	_exit(run_joined(join, reply, fds, by_whom, &result) < 0);
}

/* As cell_monitor_detach(), for a further command. client: the end of an attachment that is its, negative = none. */
static int run_detached(const struct cell_join *join, const struct cell_reply *reply, struct cell_fds *fds, int pidfd,
			const int ends[2], struct launch_result *result)
{
	int pair[2];
	ssize_t n = 0;
	pid_t pid;

	*result = (struct launch_result){ .status = 125, .stage = "starting a process in the background" };
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -(result->error = errno);
	pid = fork();
	if (pid == 0) {
		const struct joined_by by_whom = { pidfd, pair[1], ends[1] };

		(void)close(pair[0]);
		close_fd(&ends[0]);
		background(join, reply, fds, &by_whom);
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

/* With a terminal: it is run in the background, and we are attached to it until it ends or we detach. */
static int run_attached(const struct cell_join *join, const struct cell_reply *reply, struct cell_fds *fds, int pidfd,
			bool *ret_detached, struct launch_result *result)
{
	struct attach attach = { .terminal = true, .input = join->interactive, .ours = true, .keys = join->detach_keys };
	int ends[2], r = attach_pair(ends);

	if (r < 0) {
		*result = (struct launch_result){ .status = 125, .stage = "making a connection", .error = -r };
		return r;
	}
	r = run_detached(join, reply, fds, pidfd, ends, result);
	(void)close(ends[1]);
	attach.connection = ends[0];
	if (r == 0)
		r = attach_run(&attach, &result->status);
	(void)close(ends[0]);
	if (r == ATTACH_LOST || (r < 0 && !result->stage)) {
		*result = (struct launch_result){ .status = 125, .stage = "the process that looked after the command was killed" };
		return r < 0 ? r : -ESRCH;
	}
	*ret_detached = r == ATTACH_DETACHED;
	return r < 0 ? r : 0;
}

int cell_join_run(const struct cell_join *join, bool *ret_detached, struct launch_result *result)
{
	static const int none[2] = { FD_NONE, FD_NONE };
	struct cell_reply reply;
	struct cell_fds fds = CELL_FDS_NONE;
	CLEANUP_FD int pidfd = FD_NONE;
	int r = cell_control_ask(join->dir, CELL_JOIN, 0, ANSWER_MS, &reply, &fds, &pidfd);

	if (r < 0) {
		*result = (struct launch_result){ .status = 125, .stage = "joining the cell", .error = -r };
		return r;
	}
	*ret_detached = join->detached;
	if (join->detached)
		r = run_detached(join, &reply, &fds, pidfd, none, result);
	else if (join->terminal)
		r = run_attached(join, &reply, &fds, pidfd, ret_detached, result);
	else
		r = run_joined(join, &reply, &fds, &(struct joined_by){ pidfd, FD_NONE, FD_NONE }, result);
	cell_fds_done(&fds);
	return r;
}
