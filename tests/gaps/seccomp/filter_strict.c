/* SPDX-License-Identifier: Apache-2.0 */
/* Strict mode: read, write, exit and rt_sigreturn; all else is SIGKILL. Not for who has a filter. */
#include "seccomp_test.h"

static void ends(const char *what, int status)
{
	if (WIFSIGNALED(status))
		say("%s: SIG%s", what, sigabbrev_np(WTERMSIG(status)));
	else
		say("%s: status %d", what, WEXITSTATUS(status));
}

static int wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	(void)signal;
	handled = 1;
}

static void try(const struct plain_call *call, bool by_prctl)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		char byte;
		int fd[2];

		MUST(pipe(fd));
		MUST(by_prctl ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0)
			      : syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
		if (write(fd[1], "x", 1) != 1 || read(fd[0], &byte, 1) != 1)
			syscall(SYS_exit, 3);
		if (call)
			make(call);
		syscall(SYS_exit, 4);
	}
	ends(call ? call->name : "exit", wait_for(pid));
}

/* A handler that is entered in strict mode returns. */
static void with_signal(void)
{
	pid_t pid;
	int ready[2];

	MUST(pipe(ready));
	pid = fork_or_die();
	if (pid == 0) {
		char byte;

		signal(SIGUSR1, handler);
		MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		(void)!write(ready[1], "x", 1);
		while (!handled)
			;
		(void)!read(ready[0], &byte, 0);
		syscall(SYS_exit, 6);
	}
	char byte;
	MUST(read(ready[0], &byte, 1));
	MUST(kill(pid, SIGUSR1));
	ends("signal", wait_for(pid));
}

static void *strict_thread(void *unused)
{
	(void)unused;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0)
		syscall(SYS_getppid);
	return NULL;
}

/* Only the thread that does what it may not ends. */
static void in_a_thread(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		pthread_t thread = thread_start(strict_thread, NULL);

		pthread_join(thread, NULL);
		_exit(syscall(SYS_setresuid, -1, -1, -1) == 0 ? 7 : 8);
	}
	ends("thread", wait_for(pid));
}

int main(void)
{
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, &handled));
	SHOW(prctl(PR_SET_SECCOMP, 3, 0));
	if (prctl(PR_GET_SECCOMP)) { /* this environment has a filter already */
		SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
		return 0;
	}
	try(NULL, true);
	try(NULL, false);
	for (size_t i = 0; i < COUNT(plain_calls); i++)
		try(&plain_calls[i], i % 2);
	with_signal();
	in_a_thread();
	CHILD({
		filter_call(SYS_sync, SECCOMP_RET_ALLOW);
		SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	});
	return 0;
}
