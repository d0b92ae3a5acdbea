/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_getfd of the caller's own descriptors, and what it refuses. Those of other processes are a limit of the gap. */
#include "difftest.h"

static long get(int pidfd, int fd, unsigned flags)
{
	return syscall(SYS_pidfd_getfd, pidfd, fd, flags);
}

int main(void)
{
	int self = (int)MUST(syscall(SYS_pidfd_open, getpid(), 0)), fds[2], dead, fd;
	pid_t pid = fork_or_die();
	char byte = 0;

	if (pid == 0)
		_exit(0);
	dead = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	MUST(pipe(fds));
	fd = (int)get(self, fds[1], 0);
	FACT(fd > fds[1]);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(write(fd, "x", 1));
	SHOW(read(fds[0], &byte, 1));
	SHOW(get(self, fds[1], 1));
	SHOW(get(self, 1000, 0));
	SHOW(get(self, -1, 0));
	SHOW(get(-1, fds[1], 0));
	SHOW(get(STDOUT_FILENO, fds[1], 0));
	SHOW(get(STDOUT_FILENO, fds[1], 1));
	reap(pid);
	SHOW(get(dead, 0, 0));
	return 0;
}
