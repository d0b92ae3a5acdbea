/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of one command. */
#include "units/unit_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/users.h"
#include "units/unit_value.h"

#define FD_FIRST 3
#define FD_HIGH 200
#define LIMITS_MAX 16
#define PID_DIGITS "0000000000"

bool unit_needs_identity(const struct unit *unit)
{
	return geteuid() != 0 && unit->place.uid != geteuid();
}

/* All that the runner knows of its guest. */
struct runner {
	const struct unit_run *run;
	int report;
	char *listen_pid; /* the digits in LISTEN_PID=…, NULL = none are handed over */
	struct launch_limit limits[LIMITS_MAX];
	size_t limit_count;
};

static void tell(const struct runner *runner, const struct unit_report *report)
{
	while (write(runner->report, report, sizeof(*report)) < 0 && errno == EINTR)
		;
}

static void guest_forked(void *data, pid_t pid, const struct cell_fds *fds, struct supervisor *supervisor)
{
	struct unit_report report = { .kind = UNIT_FORKED, .pid = pid };

	(void)fds;
	(void)supervisor;
	tell(data, &report);
}

static void guest_started(void *data)
{
	struct unit_report report = { .kind = UNIT_STARTED };

	tell(data, &report);
}

static int write_score(const char *value)
{
	CLEANUP_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return -errno;
	return 0;
}

/* In the guest's process, before it becomes who it is to be. What a machine refuses of these is no reason not to start (it is told by --explain). */
static int prepare(void *data)
{
	const struct runner *runner = data;
	const struct unit *unit = runner->run->unit;
	const char *value = unit_get(unit, "Service", "OOMScoreAdjust");
	s64 number;

	if (runner->listen_pid)
		(void)snprintf(runner->listen_pid, sizeof(PID_DIGITS), "%-10d", getpid());
	if (runner->listen_pid)
		runner->listen_pid[strcspn(runner->listen_pid, " ")] = '\0';
	if (value)
		(void)write_score(value);
	value = unit_get(unit, "Service", "Nice");
	if (value && unit_integer(value, -20, 19, &number) == 0)
		(void)setpriority(PRIO_PROCESS, 0, (int)number);
	if (unit_get_bool(unit, "Service", "NoNewPrivileges", false) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (unit_get_bool(unit, "Service", "IgnoreSIGPIPE", true))
		(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(unit_get_mode(unit, "Service", "UMask", 0022));
	return 0;
}

/* Whether a hard limit can be raised, which root itself may not where it lacks CAP_SYS_RESOURCE: by doing. */
static bool may_raise(int resource, const struct rlimit *wanted, const struct rlimit *now)
{
	struct rlimit raised = { .rlim_cur = now->rlim_cur, .rlim_max = wanted->rlim_max };

	return setrlimit((__rlimit_resource_t)resource, &raised) == 0 && setrlimit((__rlimit_resource_t)resource, now) == 0;
}

static void find_limits(struct runner *runner)
{
	const struct unit_settings *all = &runner->run->unit->settings;

	for (size_t i = 0; i < all->count; i++) {
		struct launch_limit limit;
		struct rlimit now;
		size_t at = 0;

		if (strncmp(all->rows[i].name, "Limit", 5) != 0 ||
		    unit_limit(all->rows[i].name, all->rows[i].value, &limit.resource, &limit.limit) < 0 ||
		    getrlimit((__rlimit_resource_t)limit.resource, &now) < 0)
			continue;
		if (limit.limit.rlim_max > now.rlim_max && !may_raise(limit.resource, &limit.limit, &now))
			limit.limit.rlim_max = now.rlim_max; /* what we may have of it */
		if (limit.limit.rlim_cur > limit.limit.rlim_max)
			limit.limit.rlim_cur = limit.limit.rlim_max;
		while (at < runner->limit_count && runner->limits[at].resource != limit.resource)
			at++;
		if (at < LIMITS_MAX)
			runner->limits[at] = limit;
		runner->limit_count += at == runner->limit_count && at < LIMITS_MAX;
	}
}

/* Whom the command becomes. 0; or negative errno. */
static int find_user(const struct unit *unit, struct identity_start *ret)
{
	static const char *const root[] = { "/" };
	struct word_list groups = { 0 };
	const struct unit_setting *row;
	struct user_found found;
	int r = unit_list(unit, "Service", "SupplementaryGroups", &groups, &row);

	if (r == 0)
		r = users_find(root, 1, unit->place.user, (const char *const *)groups.words, &found);
	word_list_done(&groups);
	if (r < 0)
		return r;
	*ret = found.identity;
	ret->gid = unit->place.gid;
	return 0;
}

/* Where it runs: `-`: where that is not there, it does not matter; ~: at home. */
static char *find_workdir(const struct unit *unit)
{
	CLEANUP_FREE char *given = unit_get_text(unit, "Service", "WorkingDirectory");
	const char *path = given ? given : unit->place.system ? "/" : unit->place.home;
	bool optional = *path == '-';

	path += optional;
	if (strcmp(path, "~") == 0)
		path = unit->place.home;
	return strdup((optional || !given) && access(path, X_OK) < 0 ? "/" : path);
}

/* The environment with the sockets that are handed over, as an array whose strings stay the lists'. */
static int add_listen(struct runner *runner, struct word_list *env)
{
	CLEANUP_FREE char *names = NULL;
	size_t size, pid;
	u32 count = 0;
	FILE *to = open_memstream(&names, &size);
	int r;

	if (!to)
		return -ENOMEM;
	for (const struct unit_sockets *const *at = runner->run->sockets; at && *at; at++)
		for (u32 i = 0; i < (*at)->count; i++)
			(void)fprintf(to, "%s%s", count++ ? ":" : "", (*at)->name);
	if (fclose(to) != 0)
		return -ENOMEM;
	if (!count)
		return 0;
	r = word_list_printf(env, "LISTEN_FDS=%u", count);
	if (r == 0)
		r = word_list_printf(env, "LISTEN_FDNAMES=%s", names);
	pid = env->count;
	if (r == 0)
		r = word_list_add(env, "LISTEN_PID=" PID_DIGITS);
	if (r == 0)
		runner->listen_pid = env->words[pid] + strlen("LISTEN_PID=");
	return r;
}

static void close_others(const int *kept, size_t count)
{
	DIR *stream = opendir("/proc/self/fd");
	const struct dirent *entry;
	int list[4096];
	size_t open_count = 0;

	if (!stream)
		return;
	while ((entry = readdir(stream)) && open_count < ARRAY_SIZE(list)) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (*entry->d_name != '.' && fd >= FD_FIRST && fd != dirfd(stream))
			list[open_count++] = fd;
	}
	(void)closedir(stream);
	for (size_t i = 0; i < open_count; i++) {
		bool keep = false;

		for (size_t j = 0; j < count; j++)
			keep |= kept[j] == list[i];
		if (!keep)
			(void)close(list[i]);
	}
}

/*
 * Leaves open what the runner needs, moved up, and puts the sockets at 3 and on, where the guest wants them: whatever is opened from here on lies above.
 */
static int arrange(struct runner *runner, struct unit_cell *cell, int output[2])
{
	int *movable[] = { &runner->report, &cell->dir, &output[0], &output[1] };
	int sockets[UNIT_SOCKETS_MAX], kept[UNIT_SOCKETS_MAX + RESERVED_COUNT + ARRAY_SIZE(movable)];
	size_t count = 0, socket_count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(movable); i++) {
		*movable[i] = fcntl(*movable[i], F_DUPFD_CLOEXEC, FD_HIGH);
		if (*movable[i] < 0)
			return -errno;
		kept[count++] = *movable[i];
	}
	for (u32 i = 0; i < RESERVED_COUNT; i++)
		kept[count++] = cell->fds.reserved[i];
	for (const struct unit_sockets *const *at = runner->run->sockets; at && *at; at++)
		for (u32 i = 0; i < (*at)->count && socket_count < UNIT_SOCKETS_MAX; i++) {
			sockets[socket_count] = fcntl((*at)->fds[i], F_DUPFD_CLOEXEC, FD_HIGH);
			if (sockets[socket_count] < 0)
				return -errno;
			kept[count++] = sockets[socket_count++];
		}
	close_others(kept, count);
	for (size_t i = 0; i < socket_count; i++) {
		if (dup2(sockets[i], FD_FIRST + (int)i) < 0)
			return -errno;
		(void)close(sockets[i]);
	}
	return 0;
}

/* StandardOutput= and the like, where they lead to a file. Returns a descriptor, or FD_NONE: to the log. */
static int open_stream(const struct unit *unit, const char *directive)
{
	CLEANUP_FREE char *value = unit_get_text(unit, "Service", directive);

	if (!value)
		return FD_NONE;
	if (strcmp(value, "null") == 0)
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (strncmp(value, "file:", 5) == 0)
		return open(value + 5, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (strncmp(value, "append:", 7) == 0)
		return open(value + 7, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
	if (strncmp(value, "truncate:", 9) == 0)
		return open(value + 9, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	return FD_NONE;
}

static void open_streams(const struct unit *unit, const int output[2], int stdio[3])
{
	const char *error = unit_get(unit, "Service", "StandardError");

	stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	stdio[1] = open_stream(unit, "StandardOutput");
	stdio[2] = !error || strcmp(error, "inherit") == 0 ? stdio[1] : open_stream(unit, "StandardError");
	for (int i = 1; i < 3; i++)
		if (stdio[i] < 0)
			stdio[i] = output[i - 1];
}

/* Runs the guest to its end. Returns the exit status. */
static int run_guest(struct runner *runner, struct unit_cell *cell, int output[2])
{
	const struct unit_run *run = runner->run;
	struct launch_setup setup = { .session = true, .limits = runner->limits, .prepare = prepare, .data = runner };
	struct launch_hooks hooks = { .forked = guest_forked, .started = guest_started, .data = runner };
	struct launch launch = { .emulate = cell->reply.emulate, .refuse = cell->reply.refuse, .setup = &setup, .hooks = &hooks };
	struct launch_result result = { .status = 125, .stage = "preparing the command", .error = ENOMEM };
	struct word_list env = { 0 }, argv = { 0 };
	char *workdir = find_workdir(run->unit);
	int r = workdir ? 0 : -ENOMEM;

	open_streams(run->unit, output, setup.stdio);
	for (size_t i = 0; i < run->env->count && r == 0; i++)
		r = word_list_add(&env, run->env->words[i]);
	if (r == 0)
		r = add_listen(runner, &env);
	if (r == 0)
		r = unit_command_expand(run->command, run->env, &argv);
	launch.become = !run->command->privileged && (run->unit->place.uid != geteuid() || run->unit->place.gid != getegid());
	if (r == 0 && launch.become)
		r = find_user(run->unit, &launch.identity);
	find_limits(runner);
	if (r == 0) {
		setup.limit_count = runner->limit_count; /* cppcheck-suppress unreadVariable ; launch_run() reads it */
		launch.program = run->command->program;
		launch.argv = argv.words;
		launch.envp = env.words;
		launch.workdir = workdir;
		launch.join = &cell->fds;
		launch.placed = true;
		launch.tree = cell->fds.map && cell->fds.map->fs.table.count ? &cell->fds.map->fs : NULL;
		r = launch_run(&launch, &result);
	}
	struct unit_report report = { .kind = UNIT_ENDED, .status = result.status, .error = r < 0 ? -r : 0 };
	(void)snprintf(report.text, sizeof(report.text), "%s", result.detail[0] ? result.detail : result.stage ? result.stage : "");
	tell(runner, &report);
	return result.status;
}

pid_t unit_run_start(const struct unit_run *run, int *ret_report)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		struct runner runner = { .run = run, .report = pair[1] };
		struct unit_cell cell = *run->cell;
		int output[2] = { run->output[0], run->output[1] };
		sigset_t none;

		sigemptyset(&none);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (int sig = 1; sig < SIGRTMIN; sig++)
			if (sig != SIGKILL && sig != SIGSTOP)
				(void)signal(sig, SIG_DFL);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(arrange(&runner, &cell, output) < 0 ? 125 : run_guest(&runner, &cell, output));
	}
	(void)close(pair[1]);
	if (pid < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0) {
		int error = errno;

		(void)close(pair[0]);
		return -error;
	}
	*ret_report = pair[0];
	return pid;
}
