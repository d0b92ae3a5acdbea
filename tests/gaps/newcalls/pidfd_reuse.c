/* SPDX-License-Identifier: Apache-2.0 */
/* A pidfd of a process that has been reaped is not one of the process that has its pid now. Where the next pid can be set, one is used
 * again for sure; the facts are the same where it cannot. */
#include "difftest.h"

#include <poll.h>

static pid_t sleeper(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* A child with the pid of one that has been reaped, if that can be had. */
static pid_t again(pid_t pid)
{
	for (int i = 0; i < 20; i++) {
		char text[16];
		int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC),
		    n = snprintf(text, sizeof(text), "%d", pid - 1);
		pid_t other;

		if (fd >= 0) {
			(void)!write(fd, text, (size_t)n);
			close(fd);
		}
		other = sleeper();
		if (other == pid || fd < 0)
			return other;
		kill(other, SIGKILL);
		reap_quietly(other);
	}
	return sleeper();
}

int main(void)
{
	pid_t pid = sleeper(), other;
	int fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0)), new;
	struct pollfd p = { fd, POLLIN, 0 };

	kill(pid, SIGKILL);
	reap_quietly(pid);
	other = again(pid);
	new = (int)MUST(syscall(SYS_pidfd_open, other, 0));
	SHOW(poll(&p, 1, -1));
	SHOW(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
	SHOW(syscall(SYS_pidfd_getfd, fd, 0, 0));
	SHOW(waitid(P_PIDFD, (id_t)fd, NULL, WEXITED | WNOHANG));
	p.fd = new;
	SHOW(poll(&p, 1, 20));
	FACT(task_state(other, other) != 'Z');
	SHOW(syscall(SYS_pidfd_send_signal, new, SIGKILL, NULL, 0));
	SHOW(waitid(P_PIDFD, (id_t) new, NULL, WEXITED));
	return 0;
}
