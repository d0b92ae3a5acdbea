// SPDX-License-Identifier: Apache-2.0
/* Gap seccomp, host half: do filters install, and do their verdicts happen? */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/trial.h"

static volatile sig_atomic_t trapped;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	trapped = info->si_syscall == SYS_getpgrp;
}

/* Installs a filter that gives `verdict` for call `number` and allows the rest. Returns 0, a descriptor, or negative errno. */
static int install(u32 number, u32 verdict, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return result < 0 ? -errno : (int)result;
}

static int listen_step(void *arg)
{
	(void)arg;
	int fd = install(SYS_getpgrp, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	return fd < 0 ? -fd : 0;
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "filters: allow, errno, trap");
	evidence_try(&e, "no_new_privs", "prctl(PR_SET_NO_NEW_PRIVS, 1)");
	evidence_answer(&e, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno : 0);

	evidence_try(&e, "filter", "seccomp(SECCOMP_SET_MODE_FILTER, 0, {allow})");
	bool filters = evidence_answer(&e, -install(SYS_getppid, SECCOMP_RET_ALLOW, 0));
	if (filters) {
		evidence_try_extra(&e, "user notification", "seccomp(…, SECCOMP_FILTER_FLAG_NEW_LISTENER, …)");
		evidence_answer(&e, trial_run(listen_step, NULL));

		evidence_try(&e, "errno", "a filter that gives getppid() ERRNO E2BIG");
		if (evidence_answer(&e, -install(SYS_getppid, SECCOMP_RET_ERRNO | E2BIG, 0)) &&
		    (syscall(SYS_getppid) != -1 || errno != E2BIG))
			evidence_wrong(&e, "has no effect");

		struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
		evidence_try(&e, "trap", "a filter that gives getpgrp() TRAP");
		if (evidence_answer(&e, sigaction(SIGSYS, &action, NULL) ? errno : -install(SYS_getpgrp, SECCOMP_RET_TRAP, 0))) {
			syscall(SYS_getpgrp);
			if (!trapped)
				evidence_wrong(&e, "brings no SIGSYS");
		}
	}
	evidence_end(&e);
}

static const struct gap_symptom symptoms[] = {
	{ .call = "seccomp(SECCOMP_SET_MODE_FILTER*",
	  .source = "seccomp(2); facts/gvisor.md",
	  .cause = "the kernel takes no filter of this kind (user notification is not there in gVisor), or has no filters" },
	{ .call = "prctl(PR_SET_SECCOMP*",
	  .source = "seccomp(2)",
	  .cause = "the kernel has no system-call filters, or no_new_privs is not set" },
	{ .message = "seccomp: unknown action",
	  .cause = "the kernel lacks an action that the profile uses",
	  .source = "libseccomp; runc libcontainer/seccomp" },
	{ .message = "error adding seccomp filter rule for syscall",
	  .cause = "the kernel lacks an action that the profile uses: gVisor has KILL_THREAD (SCMP_ACT_KILL), no KILL_PROCESS",
	  .source = "measured: runc 1.1 in gVisor of 2024 with SCMP_ACT_KILL_PROCESS" },
};

const struct gap gap_seccomp = {
	.name = "seccomp",
	.summary = "system-call filters of the guest's own",
	.needed_by = "runc, Chromium, OpenSSH, lichen itself",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", "flow", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
};
