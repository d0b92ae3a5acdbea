/* SPDX-License-Identifier: Apache-2.0 */
/* Bad pointers to every call the engine touches say what the kernel says. */
#include "difftest.h"

#include <poll.h>
#include <sys/epoll.h>

int main(void)
{
	struct timespec ts = { 0, 0 };
	char *bad = bad_pointer(), *late = tail(4);
	char *const *bad_vector = bad_pointer();
	char *half_vector[] = { (char *)"x", bad, NULL };
	sigset_t set;
	int epoll = (int)MUST(epoll_create1(0));
	struct {
		const void *mask;
		size_t size;
	} pair = { bad, 8 }, odd = { &set, 3 };
	struct epoll_event event;

	sigemptyset(&set);
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, late, NULL, 8));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad, 8));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, late, NULL, 8));
	SHOW(syscall(SYS_rt_sigpending, bad, 8));
	SHOW(syscall(SYS_rt_sigsuspend, bad, 8));
	SHOW(syscall(SYS_rt_sigtimedwait, bad, NULL, &ts, 8));
	SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, bad, 8));
	SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, &ts, 9));
	SHOW(syscall(SYS_signalfd4, -1, bad, 8, 0));
	SHOW(syscall(SYS_signalfd4, -1, &set, 4, 0));
	SHOW(syscall(SYS_ppoll, NULL, 0, &ts, bad, 8));
	SHOW(syscall(SYS_ppoll, NULL, 0, &ts, &set, 5));
	SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, bad));
	SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, &pair));
	SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, &odd));
	SHOW(syscall(SYS_epoll_pwait, epoll, &event, 1, 0, bad, 8));
	SHOW(syscall(SYS_epoll_pwait, epoll, &event, 1, 0, &set, 77));
	SHOW(syscall(SYS_sigaltstack, bad, NULL));
	SHOW(syscall(SYS_sigaltstack, NULL, bad));
	SHOW(syscall(SYS_sigaltstack, late, NULL));
	SHOW(syscall(SYS_execve, bad, NULL, NULL));
	SHOW(syscall(SYS_execve, NULL, NULL, NULL));
	SHOW(syscall(SYS_execve, "/bin/true", bad_vector, NULL));
	SHOW(syscall(SYS_execve, "/bin/true", half_vector, NULL));
	SHOW(syscall(SYS_execve, "/bin/true", NULL, bad_vector));
	SHOW(syscall(SYS_execve, "/bin/true", NULL, half_vector));
	SHOW(syscall(SYS_execve, "/nonexistent", bad_vector, NULL));
	SHOW(syscall(SYS_execveat, AT_FDCWD, bad, NULL, NULL, 0));
	SHOW(syscall(SYS_execveat, -1, "x", NULL, NULL, 0));
	SHOW(syscall(SYS_open, bad, O_RDONLY));
	SHOW(syscall(SYS_openat, AT_FDCWD, bad, O_RDONLY, 0));
	memset(late, 'x', 4);
	SHOW(syscall(SYS_open, late, O_RDONLY));
	SHOW(syscall(SYS_readlink, "/proc/self/exe", bad, 100));
	SHOW(syscall(SYS_readlink, bad, late, 4));
	SHOW(syscall(SYS_nanosleep, bad, NULL));
	SHOW(semget(some_key(1), 0, 0));
	return 0;
}
