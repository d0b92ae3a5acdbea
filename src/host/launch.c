/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan to a running guest: descriptors, filters, execve of the agent. */
#include "host/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gaps/registry.h"
#include "host/broker_host.h"
#include "host/cell_cgroup.h"
#include "host/cell_fds.h"
#include "host/cell_members.h"
#include "host/cgroup_enforcer.h"
#include "host/filter.h"
#include "host/launch_aside.h"
#include "host/launch_command.h"
#include "host/launch_gate.h"
#include "host/launch_marker.h"
#include "host/mount_scratch.h"
#include "host/native.h"
#include "host/network.h"
#include "host/root.h"
#include "host/supervise.h"
#include "host/trace_drain.h"

/* What the child tells before its execve; the pipe closes by itself when that works. */
struct report {
	int error;
	int status;
	char stage[LAUNCH_STAGE];
};

static NORETURN void child_failed(int report, const char *stage, int error, int status)
{
	struct report text = { .error = error, .status = status };

	(void)snprintf(text.stage, sizeof(text.stage), "%s", stage);
	/* past the filter: what lets a call through that would be recorded */
	while (syscall(SYS_write, report, &text, sizeof(text), 0, 0, TRACE_UNOBSERVED) < 0 && errno == EINTR)
		;
	(void)syscall(SYS_exit_group, status, 0, 0, 0, 0, TRACE_UNOBSERVED);
	_exit(status);
}

int launch_install_refusals(u32 gaps)
{
	if (!gaps)
		return 0;
	if (filter_install_refusals(gaps) == 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return filter_install_refusals(gaps);
}

static const char *program_of(const struct launch *spec)
{
	return spec->program ? spec->program : spec->argv[0];
}

static int exec_status(int error)
{
	return error == ENOENT || error == ENOTDIR ? 127 : 126;
}

static NORETURN void child_native(const struct launch *spec, const char *path, const sigset_t *mask, int report)
{
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	(void)execve(path, spec->argv, spec->envp);
	child_failed(report, "execve", errno, exec_status(errno));
}

static bool needs_engine(const struct launch *spec)
{
	return spec->emulate || spec->trace || spec->tree;
}

/* Streams, session, terminal, limits. The streams are none of 0, 1, 2, or already where they belong. */
static void child_setup(const struct launch_setup *setup, int report)
{
	int r = cell_cgroup_enter(setup->cgroup, setup->cpuset);

	if (r < 0)
		child_failed(report, "entering the cell's cgroup, or choosing processors", -r, 125);
	if (setup->session && setsid() < 0)
		child_failed(report, "making a session", errno, 125);
	for (int i = 0; i < 3; i++)
		if (setup->stdio[i] >= 0 && dup2(setup->stdio[i], i) < 0)
			child_failed(report, "connecting the standard streams", errno, 125);
	if (setup->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
		child_failed(report, "taking the terminal", errno, 125);
	for (size_t i = 0; i < setup->limit_count; i++)
		if (setrlimit(setup->limits[i].resource, &setup->limits[i].limit) < 0)
			child_failed(report, "setting a resource limit (--ulimit)", errno, 125);
	r = setup->prepare ? setup->prepare(setup->data) : 0;
	if (r < 0)
		child_failed(report, "preparing the command", -r, 125);
}

/* A step of a native root failed. */
static NORETURN void native_step_failed(int report, const struct native_failure *failure, int error)
{
	char text[sizeof(failure->step) + 64];

	(void)snprintf(text, sizeof(text), "%s; --emulate=overlay does without", failure->step);
	child_failed(report, text, error, 125);
}

/* The kernel's way to a root and namespaces of its own. Then finds the program there. */
static void child_native_root(const struct launch *spec, char path[PATH_MAX], int report)
{
	const struct native_root *root = spec->native;
	struct native_failure failure;
	int r;

	if (root->member >= 0) {
		r = native_join_rest(root->member);
		if (r < 0)
			child_failed(report, "entering the cell's namespaces (setns)", -r, 125);
		if (chdir(root->workdir) < 0)
			child_failed(report, "changing to the working directory", errno, 125);
	} else {
		r = native_groups_begin(root->namespaces, &failure);
		if (r == 0)
			r = native_root_enter(root, &native_kernel, &failure);
		if (r < 0)
			native_step_failed(report, &failure, -r);
	}
	r = native_become(&root->identity, root->capabilities, &failure);
	if (r < 0)
		native_step_failed(report, &failure, -r);
	supervise_end_with(report); /* another user's has been forgotten */
	r = launch_find_command(program_of(spec), spec->envp, path);
	if (r < 0)
		child_failed(report, "execve", -r, exec_status(-r));
}

/* One step of taking the network away; last: that after which there is no way into other namespaces. */
static void child_network(const struct launch *spec, bool last, bool *separate, int report)
{
	bool joins = spec->native && spec->native->member >= 0;
	int r = 0;

	if (spec->network != LAUNCH_NETWORK_NONE)
		return;
	if (!last)
		*separate = network_none_begin(spec->join_pid);
	if (last == joins)
		r = network_none_end(*separate);
	if (r < 0)
		child_failed(report, "taking the network away (--network none)", -r, 125);
}

/* Becomes another user, for good. */
static void child_become(const struct identity_start *who, int report)
{
	gid_t groups[IDENTITY_GROUPS_MAX];

	for (u32 i = 0; i < who->group_count; i++)
		groups[i] = who->groups[i];
	if (setgroups(who->group_count, groups) < 0 || setresgid(who->gid, who->gid, who->gid) < 0 ||
	    setresuid(who->uid, who->uid, who->uid) < 0)
		child_failed(report, "becoming another user (--user); lichen can do without privilege: --emulate=identity", errno,
			     125);
	supervise_end_with(report); /* a new identity takes it away */
}

/* Lets the guest be confined, before or after who and where it is has been settled. */
static void child_confine(const struct launch *spec, const struct cell_fds *fds, bool last, int report)
{
	const struct launch_confinement *by = spec->confinement;
	char stage[LAUNCH_STAGE] = "confining the command";
	int r = !by ? 0 : last ? by->confine(by->data, fds->reserved, RESERVED_COUNT, stage) : by->enter(by->data, stage);

	if (r < 0)
		child_failed(report, stage, -r, 125);
}

static NORETURN void child_main(const struct launch *spec, struct cell_fds *fds, char path[PATH_MAX], pid_t parent,
				const struct supervisor *supervisor, struct gate *gate, int report)
{
	const sigset_t *mask = &supervisor->guest_mask;
	struct filter_spec filter = { .emulate = spec->emulate,
				      .sealed = fds->map && (fds->map->features & COMMONS_MSEAL),
				      .text_size = fds->text_size,
				      .pids = fds->map && fds->map->namespaces.pids,
				      .tree = fds->map && fds->map->fs.table.count,
				      .trace = fds->map && fds->map->trace, /* of a cell that is joined, too */
				      .trace_mode = fds->map ? fds->map->trace_mode : TRACE_EVERYTHING,
				      .trace_numbers = fds->map ? fds->map->trace_numbers : NULL };
	bool separate = false;
	sigset_t all;
	char **env;
	int r;

	memcpy(filter.reserved_fds, fds->reserved, sizeof(filter.reserved_fds));
	supervise_reset_signals(supervisor);
	supervise_end_with(report); /* the first of a pid namespace sees no parent: getppid(2) is 0 */
	if (getppid() != parent && getppid() != 0)
		_exit(125);
	if (spec->setup)
		child_setup(spec->setup, report);
	child_confine(spec, fds, false, report);
	child_network(spec, false, &separate, report);
	if (spec->native)
		child_native_root(spec, path, report);
	child_network(spec, true, &separate, report);
	if (spec->become && !spec->native && !(spec->emulate & GAP_BIT(GAP_identity)))
		child_become(&spec->identity, report);
	if (spec->workdir && !spec->tree && !spec->native && chdir(spec->workdir) < 0)
		child_failed(report, "changing to the working directory", errno, 125);
	r = gate_pass(gate); /* before a policy has a word on which calls there are */
	if (r < 0)
		child_failed(report, "waiting to be let go", -r, 125);
	child_confine(spec, fds, true, report);
	r = launch_install_refusals(spec->refuse);
	if (r < 0)
		child_failed(report, "refusing system calls (seccomp)", -r, 125);
	if (!needs_engine(spec)) {
		int sig = spec->native && spec->native->member < 0 ? native_signal_pending(mask) : 0;

		if (sig)
			_exit(128 + sig);
		child_native(spec, path, mask, report);
	}

	if (!spec->join && !filter.pids && (spec->emulate & GAP_BIT(GAP_namespaces)))
		fds->map->pids_filter_length = filter_write_pids(&filter, fds->map->pids_filter, PIDS_FILTER_MAX);
	env = launch_marked_env(spec, fds, path, mask);
	if (!env)
		child_failed(report, "making the environment", ENOMEM, 125);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		child_failed(report, "setting no_new_privs", errno, 125);
	/* From the filter on a trapped call is death until the agent runs: nothing but execveat of the agent's descriptor, which the
	 * filter lets through, and write() of a report. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	r = filter_install(&filter);
	if (r < 0)
		child_failed(report, "installing the system-call filter (seccomp)", -r, 125);
	(void)syscall(SYS_execveat, fds->reserved[RESERVED_AGENT], "", spec->argv, env, AT_EMPTY_PATH, TRACE_UNOBSERVED);
	child_failed(report, "starting the agent", errno, 125);
}

/* Takes over what the agent found out about the program after the child's execve had worked. The guest can write there: its word
 * counts only together with the status that the agent ended with. */
static int first_program_failed(const struct commons *commons, struct launch_result *result)
{
	int error = -commons->start_error;

	if (error <= 0 || error > 4095 || result->status != exec_status(error))
		return 0;
	result->stage = "execve";
	result->error = error;
	return -error;
}

/* Whether this process is itself a guest: an agent lives in it. */
static bool inside_cell(void)
{
	return msync((void *)LAYOUT_COMMONS, LAYOUT_PAGE, MS_ASYNC) == 0; /* NOLINT(performance-no-int-to-ptr) */
}

static int read_report(int fd, struct report *report)
{
	ssize_t n;

	do
		n = read(fd, report, sizeof(*report));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*report);
}

/* Looks until it is known that the program runs: what it reads from is closed by the execve; of a program that the agent starts, the commons
 * tell (start_error). */
struct start_watch {
	const struct launch_hooks *hooks;
	const struct commons *commons; /* NULL = no agent */
	int report;                    /* non-blocking; negative when the execve has worked */
	bool done;
	struct report text;
	bool failed; /* text tells why */
};

static int start_watch_tick(void *data)
{
	struct start_watch *watch = data;
	ssize_t n;

	if (watch->done)
		return -1;
	if (watch->report >= 0) {
		n = read(watch->report, &watch->text, sizeof(watch->text));
		if (n < 0)
			return 1;
		watch->report = FD_NONE;
		watch->done = watch->failed = n == (ssize_t)sizeof(watch->text);
	}
	if (!watch->failed && watch->commons && __atomic_load_n(&watch->commons->start_error, __ATOMIC_ACQUIRE) <= 0)
		return 1;
	watch->done = true;
	if (!watch->failed)
		watch->hooks->started(watch->hooks->data);
	return -1;
}

static int fail(struct launch_result *result, const char *stage, int error, int status)
{
	result->stage = stage;
	result->error = error;
	result->status = status;
	return -error;
}

/* A broker that cannot be had closes its socket: who asks is refused (-ECONNREFUSED), the guest runs on. */
static void serve_broker(struct supervisor *supervisor, struct cell_fds *fds, u32 emulate, struct broker **ret)
{
	struct service service;

	if (fds->broker < 0)
		return;
	if (broker_new(fds->broker, emulate, ret) == 0) {
		broker_knows_members(*ret, (struct view_state *)(void *)((u8 *)fds->map + fds->map->views),
				     fds->reserved[RESERVED_AGENT]);
		broker_knows_network(*ret, &fds->map->network);
		service = broker_service(*ret);
		if (supervise_add(supervisor, &service) == 0)
			return;
		broker_free(*ret);
		*ret = NULL;
	}
	(void)close(take_fd(&fds->broker));
}

/* Limits of control groups that the cell makes itself; without memory for it, or room, they are not enforced. */
static struct cgroup_enforcer *serve_groups(struct supervisor *supervisor, const struct aside *aside, struct broker *broker)
{
	struct commons *map = aside->fds->map;
	struct cgroup_enforcer *enforcer;
	struct service service;

	if (!(aside->cell->emulate & GAP_BIT(GAP_cgroup)) || !map)
		return NULL;
	enforcer =
		cgroup_enforcer_new((struct cgroup_state *)(void *)((u8 *)map + map->areas[GAP_cgroup].offset), supervisor, aside);
	if (!enforcer)
		return NULL;
	service = cgroup_enforcer_service(enforcer);
	if (supervise_add(supervisor, &service) == 0) {
		if (broker)
			broker_knows_groups(broker, cgroup_enforcer_event, enforcer);
		return enforcer;
	}
	cgroup_enforcer_free(enforcer);
	return NULL;
}

/* What takes the records of this run; NULL: none, or no memory. */
static struct trace_drain *new_drain(const struct launch *spec, const struct cell_fds *fds)
{
	struct trace_drain *drain = spec->trace && fds->map ? malloc(sizeof(*drain)) : NULL;

	if (drain) {
		trace_drain_init(drain, (struct trace_ring *)(void *)((u8 *)fds->map + fds->map->trace_offset), spec->trace);
		drain->other_pids = spec->confinement && spec->confinement->namespaces;
	}
	return drain;
}

/* Supervises the guest to its end and takes its records, if they are wanted: a guest that cannot be recorded is killed, and the negative errno
 * returned. drain is freed. */
static int wait_for_guest(struct supervisor *supervisor, const struct launch *spec, struct trace_drain *drain, pid_t pid,
			  int *ret_status)
{
	int r = !spec->trace ? 0 : drain ? trace_drain_start(drain, spec->argv, pid) : -ENOMEM;

	if (r < 0)
		(void)kill(pid, SIGKILL);
	*ret_status = supervise_wait(supervisor, pid);
	if (spec->trace && r == 0)
		trace_drain_finish(drain, *ret_status);
	free(drain);
	return r;
}

/* Descriptors of the cell that the guest becomes a member of: those of a running one, or new ones; whole: with the agent's image in them. */
static int get_fds(const struct launch *spec, bool whole, struct cell_fds *fds, struct mount_scratch *scratch,
		   const char **ret_stage)
{
	int r;

	if (!needs_engine(spec))
		return 0;
	if (spec->join) {
		*fds = *spec->join;
		fds->map->start_error = 1;
		return 0;
	}
	r = cell_fds_make(spec, fds, ret_stage);
	if (r < 0)
		return r;
	r = whole ? cell_fds_fill(fds) : 0;
	if (r < 0) {
		*ret_stage = "writing the agent's image";
		cell_fds_done(fds);
		return r;
	}
	fds->map->forced = spec->forced;
	if (spec->tree) {
		root_copy(&fds->map->fs, spec->tree);
	} else if ((spec->emulate & (GAP_BIT(GAP_identity) | GAP_BIT(GAP_mounts))) ||
		   fds->map->namespaces.pids) { /* asked path by path */
		*ret_stage = "laying out the file tree";
		r = root_stage_machine(spec->workdir, spec->emulate & GAP_BIT(GAP_mounts), !(spec->emulate & GAP_BIT(GAP_cgroup)),
				       &fds->map->fs);
		if (r < 0)
			cell_fds_done(fds);
	}
	if (r == 0 && fds->map->fs.table.count)
		root_begin(&fds->map->fs, (struct fs_spaces *)(void *)((u8 *)fds->map + fds->map->spaces));
	if (r == 0 && fds->map->fs.table.count && (spec->emulate & GAP_BIT(GAP_namespaces)))
		fds->map->network_filter_length = network_write_filter(fds->map->network_filter, NETWORK_FILTER_MAX);
	if (r == 0 && (spec->emulate & GAP_BIT(GAP_mounts))) {
		*ret_stage = "making a directory for what is mounted";
		r = mount_scratch_stage(scratch, fds->map);
		if (r < 0)
			cell_fds_done(fds);
	}
	return r;
}

/* Tells whoever wants to know that the guest is there, and soon, that it has been started. */
static void tell_hooks(const struct launch *spec, struct start_watch *watch, struct supervisor *supervisor, pid_t pid,
		       const struct cell_fds *fds, int report)
{
	struct service service = { .fd = FD_NONE, .tick = start_watch_tick, .data = watch };

	*watch = (struct start_watch){ .hooks = spec->hooks, .commons = fds->map, .report = report };
	supervisor->apart = spec->setup && spec->setup->session;
	supervisor->relay = spec->setup && spec->setup->relay;
	supervisor->init = spec->native && spec->native->member < 0;
	if (!spec->hooks)
		return;
	if (spec->hooks->forked)
		spec->hooks->forked(spec->hooks->data, pid, fds, supervisor);
	if (!spec->hooks->started)
		return;
	if (fcntl(report, F_SETFL, O_NONBLOCK) < 0 || supervise_add(supervisor, &service) < 0)
		watch->done = true; /* it is told nobody */
}

/* What is done while the guest's process prepares itself. 0, or negative errno with the result filled. */
static int permit(const struct launch *spec, const struct cell_fds *fds, const struct gate *gate, struct launch_result *result)
{
	int r = gate->in >= 0 && fds->map && !spec->join ? cell_fds_fill(fds) : 0;

	if (r < 0)
		return fail(result, "writing the agent's image", -r, 125);
	return gate->in >= 0 ? spec->hooks->permit(spec->hooks->data, result) : 0;
}

/* What became of a guest that ended with this status. */
static int judge_end(const struct launch *spec, const struct start_watch *watch, int report_fd, const struct commons *commons,
		     int status, struct launch_result *result)
{
	struct report report = watch->text;
	int r;

	result->status = status;
	if (watch->failed || (watch->report >= 0 && read_report(report_fd, &report))) {
		r = fail(result, "execve", report.error, report.status);
		if (report.status == 125)
			(void)snprintf(result->detail, sizeof(result->detail), "%s", report.stage);
		return r;
	}
	if (watch->done) /* it was started: what is in the commons now is about others */
		return 0;
	return needs_engine(spec) ? first_program_failed(commons, result) : 0;
}

static void done_with(const struct launch *spec, struct cell_fds *fds, struct mount_scratch *scratch)
{
	if (!spec->join)
		cell_fds_done(fds);
	mount_scratch_end(scratch);
}

static pid_t fork_guest(const struct launch *spec)
{
	int r;

	if (!spec->native)
		return spec->confinement && spec->confinement->namespaces ? native_fork(spec->confinement->namespaces) : fork();
	if (spec->native->member < 0)
		return native_fork(spec->native->namespaces);
	r = native_join_pid(spec->native->member);
	if (r == 0)
		return fork();
	errno = -r;
	return -1;
}

int launch_run(const struct launch *spec, struct launch_result *result)
{
	struct cell_fds fds = CELL_FDS_NONE;
	struct mount_scratch scratch = MOUNT_SCRATCH_NONE;
	CLEANUP_FD int report_read = FD_NONE, report_write = FD_NONE;
	char path[PATH_MAX];
	struct supervisor supervisor;
	struct broker *broker = NULL;
	struct cgroup_enforcer *groups = NULL;
	struct aside aside;
	struct start_watch watch;
	struct trace_drain *drain;
	CLEANUP_GATE struct gate gate = GATE_NONE;
	const char *stage;
	int pipe_fds[2], status, permitted, r;
	pid_t parent = getpid(), pid;

	*result = (struct launch_result){ 0 };
	r = spec->tree || spec->native ? launch_copy_command(program_of(spec), path)
				       : launch_find_command(program_of(spec), spec->envp, path);
	if (r < 0)
		return fail(result, "finding the program", -r, exec_status(-r));
	if (needs_engine(spec) && inside_cell()) {
		(void)fail(result,
			   spec->trace ? "this is inside a cell of lichen, and cells do not nest: ask why outside of it"
				       : "this is inside a cell of lichen, and cells do not nest; leave out --emulate",
			   0, 125);
		return -EBUSY;
	}
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail(result, "making a pipe", errno, 125);
	report_read = pipe_fds[0];
	report_write = pipe_fds[1];
	stage = "making a pipe";
	r = spec->hooks && spec->hooks->permit ? gate_make(&gate) : 0;
	if (r == 0)
		r = get_fds(spec, gate.in < 0, &fds, &scratch, &stage);
	if (r < 0)
		return fail(result, stage, -r, 125);
	drain = new_drain(spec, &fds);
	supervise_begin(&supervisor);
	pid = fork_guest(spec);
	if (pid == 0) {
		(void)close(take_fd(&report_read));
		child_main(spec, &fds, path, parent, &supervisor, &gate, report_write);
	}
	if (pid < 0) {
		r = fail(result, spec->native ? "starting a process in the namespaces" : "fork", errno, 125);
		supervise_end(&supervisor);
		free(drain);
		done_with(spec, &fds, &scratch);
		return r;
	}
	(void)close(take_fd(&report_write));
	if (!spec->join) {
		serve_broker(&supervisor, &fds, spec->emulate, &broker);
		aside = (struct aside){ .cell = spec, .fds = &fds, .supervisor = &supervisor, .guest = pid };
		groups = serve_groups(&supervisor, &aside, broker);
	}
	permitted = permit(spec, &fds, &gate, result);
	tell_hooks(spec, &watch, &supervisor, pid, &fds, report_read);
	if (permitted == 0 && (r = gate_open(&gate)) < 0)
		permitted = fail(result, "letting the command go", -r, 125);
	if (permitted < 0)
		(void)kill(pid, SIGKILL);
	else if (spec->hooks && spec->hooks->released)
		spec->hooks->released(spec->hooks->data);
	r = wait_for_guest(&supervisor, spec, drain, pid, &status);
	if (!spec->join && spec->namespaces.pids && (spec->emulate & GAP_BIT(GAP_namespaces)))
		(void)cell_members_kill(fds.reserved[RESERVED_AGENT]);
	supervise_end(&supervisor);
	broker_free(broker);
	cgroup_enforcer_free(groups);
	if (permitted < 0)
		r = permitted;
	else if (r < 0)
		r = fail(result, "starting to record", -r, 125);
	else
		r = judge_end(spec, &watch, report_read, fds.map, status, result);
	done_with(spec, &fds, &scratch);
	return r;
}
