/* SPDX-License-Identifier: Apache-2.0 */
/* Several filters: the strictest action counts, of equals the newest; each pair of actions, installed in both orders. */
#include "seccomp_test.h"

static const struct {
	const char *name;
	unsigned action;
} actions[] = {
	{ "kill_process", SECCOMP_RET_KILL_PROCESS },
	{ "kill_thread", SECCOMP_RET_KILL_THREAD },
	{ "trap", SECCOMP_RET_TRAP | 7 },
	{ "errno", SECCOMP_RET_ERRNO | 40 },
	{ "trace", SECCOMP_RET_TRACE | 3 },
	{ "log", SECCOMP_RET_LOG },
	{ "allow", SECCOMP_RET_ALLOW },
	{ "unknown", 0x00040000 },
};

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	say("  SIGSYS %d", info->si_errno);
}

static void pair(long nr, size_t first, size_t second)
{
	int status;
	pid_t pid = fork_or_die();

	if (pid == 0) {
		struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

		MUST(sigaction(SIGSYS, &action, NULL));
		filter_call(nr, actions[first].action);
		MUST(install_for(nr, actions[second].action, 0));
		errno = 0;
		syscall(nr, -1, -1, -1);
		_exit(errno == 40 ? 40 : errno == ENOSYS ? 38 : 0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		say("%s, %s: SIG%s", actions[first].name, actions[second].name, sigabbrev_np(WTERMSIG(status)));
	else
		say("%s, %s: %d", actions[first].name, actions[second].name, WEXITSTATUS(status));
}

static void equals(long nr)
{
	filter_call(nr, SECCOMP_RET_ERRNO | 41);
	MUST(install_for(nr, SECCOMP_RET_ERRNO | 42, 0));
	MUST(install_for(nr, SECCOMP_RET_ALLOW, 0));
	SHOW(syscall(nr, -1, -1, -1));
	say("errno %d", errno);
}

int main(void)
{
	static const long calls[] = { SYS_setresuid, SYS_getppid };

	for (size_t call = 0; call < COUNT(calls); call++) {
		for (size_t first = 0; first < COUNT(actions); first++)
			for (size_t second = 0; second < COUNT(actions); second++)
				pair(calls[call], first, second);
		CHILD(equals(calls[call]));
	}
	return 0;
}
