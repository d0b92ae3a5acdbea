/* SPDX-License-Identifier: Apache-2.0 */
/* A static program for a root with nothing in it: uses shared memory, executes itself, and ends with its child's status + 1. */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status;
	pid_t child;

	(void)argv;
	puts(argc > 1 ? "child" : "hello");
	(void)fflush(stdout);
	if (argc > 1)
		return 5;
	if (shmget(IPC_PRIVATE, 4096, 0600) < 0)
		return 1;
	child = fork();
	if (child == 0) {
		execl("/hello", "hello", "x", (char *)NULL);
		_exit(9);
	}
	return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) + 1 : 2;
}
