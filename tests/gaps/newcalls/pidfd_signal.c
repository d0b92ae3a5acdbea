/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_send_signal: who gets what, with siginfo and without, and what it refuses. */
#include "difftest.h"

static volatile int got, code, value;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got = sig;
	code = info->si_code;
	value = info->si_value.sival_int;
}

static long send_signal(int fd, int sig, siginfo_t *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static void info_of(siginfo_t *info, int sig, int si_code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	info->si_code = si_code;
	info->si_pid = getpid();
	info->si_uid = getuid();
	info->si_value.sival_int = 1234;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	int self = (int)MUST(syscall(SYS_pidfd_open, getpid(), 0)), fd, status = 0;
	siginfo_t info;
	pid_t pid;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGRTMIN, &action, NULL);
	SHOW(send_signal(self, 0, NULL, 0));
	SHOW(send_signal(self, SIGUSR1, NULL, 0));
	FACT(got == SIGUSR1 && code == SI_USER);
	info_of(&info, SIGRTMIN, SI_QUEUE);
	SHOW(send_signal(self, SIGRTMIN, &info, 0));
	FACT(got == SIGRTMIN && code == SI_QUEUE && value == 1234);
	info_of(&info, SIGUSR1, SI_USER);
	SHOW(send_signal(self, SIGUSR1, &info, 0));
	FACT(got == SIGUSR1 && code == SI_USER);
	SHOW(send_signal(self, SIGUSR2, &info, 0));
	SHOW(send_signal(self, SIGUSR1, bad_pointer(), 0));
	SHOW(send_signal(self, 65, NULL, 0));
	SHOW(send_signal(self, -1, NULL, 0));
	SHOW(send_signal(self, 0, NULL, 0x80000000));
	SHOW(send_signal(-1, 0, NULL, 0));
	SHOW(send_signal(STDOUT_FILENO, 0, NULL, 0));
	SHOW(send_signal(1000, 0, NULL, 0x80000000));

	pid = fork_or_die();
	if (pid == 0)
		for (;;)
			pause();
	fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	info_of(&info, SIGUSR1, SI_USER);
	SHOW(send_signal(fd, SIGUSR1, &info, 0));
	info_of(&info, SIGUSR1, SI_TKILL);
	SHOW(send_signal(fd, SIGUSR1, &info, 0));
	SHOW(send_signal(fd, SIGSTOP, NULL, 0));
	SHOW(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	info_of(&info, SIGTERM, SI_QUEUE);
	SHOW(send_signal(fd, SIGTERM, &info, 0));
	SHOW(send_signal(fd, SIGKILL, NULL, 0));
	wait_state(pid, pid, 'Z');
	SHOW(send_signal(fd, SIGTERM, NULL, 0)); /* a zombie takes signals */
	reap(pid);
	SHOW(send_signal(fd, 0, NULL, 0));
	SHOW(send_signal(fd, SIGKILL, NULL, 0));
	SHOW(send_signal(fd, 65, NULL, 0));
	for (int i = 0; i < scaled(200); i++) { /* no later process is taken for it */
		pid_t other = fork_or_die();

		if (other == 0)
			_exit(0);
		if (send_signal(fd, SIGKILL, NULL, 0) != -1 || errno != ESRCH)
			say("round %d", i);
		reap(other);
	}
	return 0;
}
