// SPDX-License-Identifier: Apache-2.0
/* Runs probes, each in a scratch child of its own, all at the same time. Theory of operation: probe.h. */
#include "host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gaps/scratch.h"
#include "host/launch.h"

#define KILL_GRACE_MS 1000u /* how long a killed child may take to be gone */

/* Shared with the child. */
struct slot {
	struct gap_finding finding;
	bool done; /* set last: the finding is complete */
};

struct running {
	pid_t pid; /* 0 = reaped or never started */
	bool timed_out;
};

static u64 now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

/* The child's standard descriptors lead nowhere: a probe never writes into the table that is being printed. */
static void silence(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2; fd++)
		if (null < 0)
			close(fd);
		else if (null != fd)
			dup2(null, fd);
}

static void NORETURN run_child(const struct probe_job *job, struct slot *slot)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	silence();
	if (job->refuse) {
		int error = launch_install_refusals(job->refuse);
		if (error) {
			slot->finding = (struct gap_finding){ .presence = GAP_UNKNOWN, .error = -error };
			snprintf(slot->finding.tried, sizeof(slot->finding.tried), "a filter that refuses the feature");
			slot->done = true;
			_exit(0);
		}
	}
	job->probe(&slot->finding);
	slot->done = true;
	_exit(0);
}

static void start(const struct probe_job *job, struct slot *slot, struct running *running)
{
	slot->finding.presence = GAP_UNKNOWN;
	pid_t pid = fork();
	if (pid == 0)
		run_child(job, slot);
	if (pid < 0) {
		slot->finding.error = errno;
		snprintf(slot->finding.tried, sizeof(slot->finding.tried), "fork()");
		snprintf(slot->finding.detail, sizeof(slot->finding.detail), "no process for the probe");
		slot->done = true;
		return;
	}
	setpgid(pid, pid); /* as the child does: whoever comes first, the group is there before it is killed */
	running->pid = pid;
}

/* Kills what is left of the child's group, reaps the child, and completes a finding that it left unfinished. */
static void finish(struct running *running, struct slot *slot, unsigned timeout_ms)
{
	int status = 0;
	kill(-running->pid, SIGKILL);
	while (waitpid(running->pid, &status, 0) < 0 && errno == EINTR)
		;
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0 && slot->done;
	if (!clean) {
		struct gap_finding *finding = &slot->finding;
		scratch_remove(running->pid);
		finding->presence = GAP_UNKNOWN;
		finding->error = 0;
		if (running->timed_out) {
			finding->error = ETIMEDOUT;
			snprintf(finding->detail, sizeof(finding->detail), "no answer within %u ms", timeout_ms);
		} else if (WIFSIGNALED(status)) {
			if (WTERMSIG(status) == SIGSYS)
				finding->presence = GAP_BLOCKED;
			const char *name = sigabbrev_np(WTERMSIG(status));
			snprintf(finding->detail, sizeof(finding->detail), "the probe was killed by SIG%s", name ? name : "RT");
		} else {
			snprintf(finding->detail, sizeof(finding->detail), "the probe ended early, with status %d",
				 WEXITSTATUS(status));
		}
	}
	running->pid = 0;
}

/* Reaps who has ended. Returns how many still run. */
static size_t collect(struct running *running, struct slot *slots, size_t count, unsigned timeout_ms)
{
	size_t left = 0;
	for (size_t i = 0; i < count; i++) {
		if (!running[i].pid)
			continue;
		siginfo_t info = { 0 };
		/* Not reaped yet (WNOWAIT): while the zombie is there its pid, which names the group to kill, cannot be reused. */
		if (waitid(P_PID, (id_t)running[i].pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid)
			finish(&running[i], &slots[i], timeout_ms);
		else
			left++;
	}
	return left;
}

static void wait_for_child(u64 deadline)
{
	sigset_t chld;
	u64 now = now_ms();
	u64 left = deadline > now ? deadline - now : 0;
	struct timespec patience = { .tv_sec = (time_t)(left / 1000), .tv_nsec = (long)(left % 1000) * 1000000 };
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigtimedwait(&chld, NULL, &patience);
}

static void supervise(struct running *running, struct slot *slots, size_t count, unsigned timeout_ms)
{
	u64 deadline = now_ms() + timeout_ms;
	while (collect(running, slots, count, timeout_ms) && now_ms() < deadline)
		wait_for_child(deadline);
	for (size_t i = 0; i < count; i++)
		if (running[i].pid) {
			running[i].timed_out = true;
			kill(-running[i].pid, SIGKILL);
		}
	deadline = now_ms() + KILL_GRACE_MS;
	while (collect(running, slots, count, timeout_ms) && now_ms() < deadline)
		wait_for_child(deadline);
	for (size_t i = 0; i < count; i++)
		if (running[i].pid) {
			struct gap_finding *finding = &slots[i].finding;
			finding->presence = GAP_UNKNOWN;
			finding->error = ETIMEDOUT;
			snprintf(finding->detail, sizeof(finding->detail), "no answer, and the probe cannot be killed");
		}
}

int probe_run(const struct probe_job *jobs, size_t count, unsigned timeout_ms, struct gap_finding *findings)
{
	if (count == 0)
		return 0;
	size_t size = count * (sizeof(struct slot) + sizeof(struct running));
	struct slot *slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		return -errno;
	struct running *running = (struct running *)(slots + count);

	static const int waits[] = { SIGCHLD, SIGHUP, SIGINT, SIGQUIT,
				     SIGTERM }; /* who ends us then waits until probes have cleared up */
	sigset_t blocked, old_mask;
	struct sigaction deflt = { .sa_handler = SIG_DFL }, old_action;
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		sigaddset(&blocked, waits[i]);
	sigprocmask(SIG_BLOCK, &blocked, &old_mask);
	sigaction(SIGCHLD, &deflt, &old_action); /* an inherited SIG_IGN would reap the children before we look */

	for (size_t i = 0; i < count; i++)
		start(&jobs[i], &slots[i], &running[i]);
	supervise(running, slots, count, timeout_ms);
	for (size_t i = 0; i < count; i++) {
		findings[i] = slots[i].finding;
		/* The child could have written anything here. */
		findings[i].tried[sizeof(findings[i].tried) - 1] = '\0';
		findings[i].detail[sizeof(findings[i].detail) - 1] = '\0';
		if ((unsigned)findings[i].presence > GAP_UNKNOWN)
			findings[i].presence = GAP_UNKNOWN;
	}

	sigaction(SIGCHLD, &old_action, NULL);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	munmap(slots, size);
	return 0;
}

int probe_gaps(u32 gaps, u32 refuse, struct gap_finding findings[GAP_COUNT])
{
	struct probe_job jobs[GAP_COUNT];
	struct gap_finding found[GAP_COUNT];
	size_t count = 0;
	for (int id = 0; id < GAP_COUNT; id++)
		if (gaps & GAP_BIT(id))
			jobs[count++] =
				(struct probe_job){ gap_by_id(id)->probe, gap_by_id(id)->refuse_calls ? refuse & GAP_BIT(id) : 0 };
	int error = probe_run(jobs, count, PROBE_TIMEOUT_MS, found);
	if (error)
		return error;
	count = 0;
	for (int id = 0; id < GAP_COUNT; id++)
		if (gaps & GAP_BIT(id))
			findings[id] = found[count++];
	for (int id = 0; id < GAP_COUNT; id++)
		if ((gaps & refuse & GAP_BIT(id)) && gap_by_id(id)->refuse_paths) {
			findings[id] = (struct gap_finding){ .presence = GAP_MISSING, .error = ENOENT };
			snprintf(findings[id].tried, sizeof(findings[id].tried), "--refuse=%s", gap_by_id(id)->name);
		}
	return 0;
}
