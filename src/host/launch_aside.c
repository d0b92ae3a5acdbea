/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that the supervisor starts in its cell: each has a process of its own between them that waits for it, as that of `lichen exec`. */
#include "host/launch_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gaps/registry.h"
#include "host/supervise.h"

static NORETURN void run(const struct aside *aside, char *const argv[], char *const envp[])
{
	const struct launch *cell = aside->cell;
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct launch_setup setup = { .stdio = { null, null, null }, .session = true };
	struct launch launch = { .argv = argv,
				 .envp = envp,
				 .emulate = cell->emulate,
				 .refuse = cell->refuse,
				 .workdir = "/",
				 .placed = true,
				 .become = cell->emulate & GAP_BIT(GAP_identity) || geteuid() == 0,
				 .network = cell->network,
				 .join_pid = aside->guest,
				 .setup = &setup,
				 .join = aside->fds };
	struct launch_result result;

	if (cell->setup) {
		setup.limits = cell->setup->limits;
		setup.limit_count = cell->setup->limit_count;
		setup.cgroup = cell->setup->cgroup;
		setup.cpuset = cell->setup->cpuset;
	}
	launch.tree = aside->fds->map->fs.table.count ? &aside->fds->map->fs : NULL;
	supervise_reset_signals(aside->supervisor);
	(void)sigprocmask(SIG_SETMASK, &aside->supervisor->guest_mask, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	_exit(null < 0 ? 125 : launch_run(&launch, &result) < 0 ? 125 : result.status);
}

int launch_aside(const struct aside *aside, char *const argv[], char *const envp[])
{
	pid_t supervisor = getpid(), pid;

	if (!aside->fds->map || aside->cell->trace)
		return -EOPNOTSUPP;
	pid = fork();
	if (pid == 0) {
		(void)setsid();
		if (getppid() != supervisor)
			_exit(125);
		run(aside, argv, envp);
	}
	return pid < 0 ? -errno : 0;
}
