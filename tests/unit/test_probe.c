// SPDX-License-Identifier: Apache-2.0
/* The probe runner against probes that misbehave. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/scratch.h"
#include "host/launch.h"
#include "host/probe.h"
#include "unit.h"

/* The double of the filter: probe.c is linked without launch.c. */
static int refusals_result;
static u32 *refused; /* shared with the children */

int launch_install_refusals(u32 gaps)
{
	*refused = gaps;
	return refusals_result;
}

static pid_t *straggler; /* shared with the children */

static void probe_fine(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "everything");
	evidence_try(&e, "step", "step()");
	evidence_answer(&e, 0);
	evidence_end(&e);
}

static void probe_missing(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "everything");
	evidence_try(&e, "step", "step()");
	evidence_answer(&e, ENOSYS);
	evidence_end(&e);
}

static void probe_hangs(struct gap_finding *finding)
{
	struct evidence e;
	char dir[SCRATCH_PATH_MAX];
	sigset_t all;
	evidence_begin(&e, finding, "everything");
	evidence_try(&e, "wait", "pause()");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (scratch_make(dir) == 0)
		*straggler = getpid();
	while (true)
		pause();
}

static void probe_leaves_a_child(struct gap_finding *finding)
{
	pid_t pid = fork();
	if (pid == 0)
		while (true)
			pause();
	*straggler = pid;
	probe_fine(finding);
}

static void die_by(struct gap_finding *finding, int number)
{
	struct evidence e;
	evidence_begin(&e, finding, "everything");
	evidence_try(&e, "die", "raise(%d)", number);
	raise(number);
}

static void probe_segv(struct gap_finding *finding)
{
	die_by(finding, SIGSEGV);
}

static void probe_sigsys(struct gap_finding *finding)
{
	die_by(finding, SIGSYS);
}

static void probe_exits(struct gap_finding *finding)
{
	finding->presence = GAP_PRESENT;
	_exit(7);
}

static void probe_scribbles(struct gap_finding *finding)
{
	memset(finding, 0xff, sizeof(*finding));
}

static struct gap_finding run_one(void (*probe)(struct gap_finding *), u32 refuse)
{
	struct gap_finding finding = { 0 };
	struct probe_job job = { probe, refuse };
	assert_int_equal(probe_run(&job, 1, 300, &finding), 0);
	return finding;
}

static void tidy_probes_report(void **state)
{
	(void)state;
	struct gap_finding finding = run_one(probe_fine, 0);
	assert_int_equal(finding.presence, GAP_PRESENT);
	assert_string_equal(finding.tried, "everything");
	finding = run_one(probe_missing, 0);
	assert_int_equal(finding.presence, GAP_MISSING);
	assert_int_equal(finding.error, ENOSYS);
	assert_string_equal(finding.tried, "step()");
}

static void a_probe_that_hangs_is_killed(void **state)
{
	(void)state;
	char path[64];
	struct stat st;
	*straggler = 0;
	struct gap_finding finding = run_one(probe_hangs, 0);
	assert_int_equal(finding.presence, GAP_UNKNOWN);
	assert_int_equal(finding.error, ETIMEDOUT);
	assert_string_equal(finding.tried, "pause()");
	assert_string_equal(finding.detail, "no answer within 300 ms");
	assert_int_not_equal(*straggler, 0);
	assert_int_equal(kill(*straggler, 0), -1);
	/* and its scratch directory is gone */
	const char *tmp = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/lichen-probe-%d", tmp ? tmp : "/tmp", (int)*straggler);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(errno, ENOENT);
}

static void what_a_probe_leaves_behind_is_killed(void **state)
{
	(void)state;
	struct gap_finding finding = run_one(probe_leaves_a_child, 0);
	assert_int_equal(finding.presence, GAP_PRESENT);
	/* Killed is not yet gone: whoever inherits it must reap it first. */
	bool gone = false;
	for (int tries = 0; tries < 100 && !gone; tries++) {
		char path[64], line[256] = "";
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)*straggler);
		FILE *file = fopen(path, "r");
		gone = !file || !fgets(line, sizeof(line), file) || strstr(line, ") Z");
		if (file)
			fclose(file);
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	assert_true(gone);
}

static void death_by_signal_is_told(void **state)
{
	(void)state;
	struct gap_finding finding = run_one(probe_segv, 0);
	assert_int_equal(finding.presence, GAP_UNKNOWN);
	assert_string_equal(finding.tried, "raise(11)");
	assert_string_equal(finding.detail, "the probe was killed by SIGSEGV");
	finding = run_one(probe_sigsys, 0);
	assert_int_equal(finding.presence, GAP_BLOCKED);
	assert_string_equal(finding.detail, "the probe was killed by SIGSYS");
}

static void a_finding_counts_only_after_a_tidy_end(void **state)
{
	(void)state;
	struct gap_finding finding = run_one(probe_exits, 0);
	assert_int_equal(finding.presence, GAP_UNKNOWN);
	assert_string_equal(finding.detail, "the probe ended early, with status 7");
	finding = run_one(probe_scribbles, 0);
	assert_int_equal(finding.presence, GAP_UNKNOWN);
	assert_int_equal(strnlen(finding.tried, sizeof(finding.tried)), sizeof(finding.tried) - 1);
}

static void refusals_come_first(void **state)
{
	(void)state;
	*refused = 0;
	struct gap_finding finding = run_one(probe_fine, 5);
	assert_int_equal(*refused, 5);
	assert_int_equal(finding.presence, GAP_PRESENT);
	refusals_result = -EINVAL;
	finding = run_one(probe_fine, 1);
	refusals_result = 0;
	assert_int_equal(finding.presence, GAP_UNKNOWN);
	assert_int_equal(finding.error, EINVAL);
}

static void one_bad_probe_does_not_disturb_the_others(void **state)
{
	(void)state;
	struct probe_job jobs[] = {
		{ probe_hangs, 0 }, { probe_fine, 0 }, { probe_segv, 0 }, { probe_missing, 0 }, { probe_hangs, 0 }
	};
	struct gap_finding findings[ARRAY_SIZE(jobs)];
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(probe_run(jobs, ARRAY_SIZE(jobs), 300, findings), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(findings[0].presence, GAP_UNKNOWN);
	assert_int_equal(findings[1].presence, GAP_PRESENT);
	assert_int_equal(findings[2].presence, GAP_UNKNOWN);
	assert_int_equal(findings[3].presence, GAP_MISSING);
	assert_int_equal(findings[4].error, ETIMEDOUT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	assert_int_equal(errno, ECHILD);
}

static void an_ignored_sigchld_is_no_obstacle(void **state)
{
	(void)state;
	struct sigaction action;
	sigset_t mask;
	signal(SIGCHLD, SIG_IGN);
	struct gap_finding finding = run_one(probe_missing, 0);
	assert_int_equal(finding.presence, GAP_MISSING);
	sigaction(SIGCHLD, NULL, &action);
	assert_ptr_equal(action.sa_handler, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_int_equal(sigismember(&mask, SIGCHLD), 0);
}

static void all_real_probes_come_to_an_end(void **state)
{
	(void)state;
	struct gap_finding findings[GAP_COUNT];
	assert_int_equal(probe_gaps(GAPS_ALL, 0, findings), 0);
	for (int id = 0; id < GAP_COUNT; id++) {
		assert_int_not_equal(findings[id].tried[0], '\0');
		assert_int_not_equal(findings[id].error, ETIMEDOUT);
		assert_null(strstr(findings[id].detail, "killed by"));
		if (findings[id].presence == GAP_PRESENT)
			assert_int_equal(findings[id].error, 0);
	}
}

static int set_up(void **state)
{
	(void)state;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -1;
	refused = page;
	straggler = (pid_t *)page + 8;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tidy_probes_report),
		cmocka_unit_test(a_probe_that_hangs_is_killed),
		cmocka_unit_test(what_a_probe_leaves_behind_is_killed),
		cmocka_unit_test(death_by_signal_is_told),
		cmocka_unit_test(a_finding_counts_only_after_a_tidy_end),
		cmocka_unit_test(refusals_come_first),
		cmocka_unit_test(one_bad_probe_does_not_disturb_the_others),
		cmocka_unit_test(an_ignored_sigchld_is_no_obstacle),
		cmocka_unit_test(all_real_probes_come_to_an_end),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
