// SPDX-License-Identifier: Apache-2.0
/* Gap processes, host half: does an orphan come to its subreaper, does CLONE_PARENT make a sibling? */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/processes/processes.h"
#include "gaps/trial.h"

/* In a process of its own: a grandchild is left behind, and then waited for. */
static int adopt_step(void *arg)
{
	(void)arg;
	int gate[2];
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return errno;
	if (pipe(gate) != 0)
		return errno;
	pid_t child = fork();
	if (child < 0)
		return errno;
	if (child == 0) {
		pid_t orphan = fork();
		if (orphan == 0) {
			char byte;
			close(gate[1]);
			(void)!read(gate[0], &byte, 1);
			_exit(0);
		}
		_exit(orphan < 0);
	}
	if (waitpid(child, NULL, 0) != child)
		return ECHILD;
	close(gate[1]);
	return waitpid(-1, NULL, 0) > 0 ? 0 : errno;
}

/* Likewise: a child makes a sibling of its own. */
static int sibling_step(void *arg)
{
	(void)arg;
	pid_t child = fork();
	if (child < 0)
		return errno;
	if (child == 0) {
		long sibling = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
		_exit(sibling < 0 ? errno : 0);
	}
	int status;
	for (int i = 0; i < 2; i++) {
		if (waitpid(-1, &status, 0) < 0)
			return errno;
		if (WEXITSTATUS(status))
			return WEXITSTATUS(status);
	}
	return 0;
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "orphans come to their subreaper; setgroups");
	evidence_try(&e, "subreaper", "prctl(PR_SET_CHILD_SUBREAPER, 1)");
	evidence_answer(&e, trial_run(adopt_step, NULL));
	static const char *const names[] = { "setgroups", "loginuid", "oom_adj" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[32];
		snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
		if (i == 0) /* crun fails without */
			evidence_try(&e, names[i], "open(\"%s\", O_RDONLY)", path);
		else
			evidence_try_extra(&e, names[i], "open(\"%s\", O_RDONLY)", path);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		evidence_answer(&e, fd < 0 ? errno : 0);
		close(fd);
	}
	/* runc asks for it, and does without where there are subreapers */
	evidence_try_extra(&e, "CLONE_PARENT", "clone(CLONE_PARENT)");
	evidence_answer(&e, trial_run(sibling_step, NULL));
	evidence_end(&e);
}

static int install(void *area, const struct commons *commons)
{
	struct processes_area *processes = area;
	processes->siblings = !(commons->refused & (1u << GAP_processes)) && trial_run(sibling_step, NULL) == 0;
	return 0;
}

static const char *const limits[] = {
	"an orphan that was killed by nobody of the cell counts as killed by SIGKILL; its subreaper hears of it up to 10 ms late",
	NULL,
};

static const char *const files[] = {
	"/proc/PID/setgroups", "/proc/PID/loginuid",      "/proc/PID/sessionid",     "/proc/PID/projid_map",
	"/proc/PID/oom_adj",   "/proc/PID/oom_score_adj", "/proc/PID/timerslack_ns", NULL,
};

static const struct gap_symptom symptoms[] = {
	{ .message = "failed to start shim",
	  .call = "prctl(PR_SET_CHILD_SUBREAPER*",
	  .source = "facts/docker-in-gvisor.md 11",
	  .cause = "this kernel has no subreapers, and containerd's shim must hear how what runc leaves behind ends" },
	{ .call = "open*(*\"/proc/*/setgroups\"*",
	  .error = ENOENT,
	  .source = "facts/docker-in-gvisor.md 24",
	  .cause = "this kernel has no /proc/PID/setgroups, which crun writes to" },
	{ .message = "can't get final child's PID",
	  .source = "facts/docker-in-gvisor.md 16; runc libcontainer/nsenter/nsexec.c",
	  .cause = "this kernel refuses the NUL byte that runc writes to /proc/self/oom_score_adj behind the number" },
	{ .call = "prctl(PR_SET_CHILD_SUBREAPER*",
	  .error = EINVAL,
	  .source = "facts/docker-in-gvisor.md 11; prctl(2)",
	  .cause = "this kernel has no subreapers: a process cannot adopt what its children leave behind" },
};

const struct gap gap_processes = {
	.name = "processes",
	.summary = "subreapers, CLONE_PARENT: who waits for whom",
	.needed_by = "containerd's shim, crun, systemd --user",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.area_size = PROCESSES_AREA_SIZE,
	.install = install,
	.broker = true,
	.limits = limits,
	.files = files,
	.paths = GAP_PATHS_OPEN,
	.refuse_paths = true,
};
