// SPDX-License-Identifier: Apache-2.0
/* A probe's step in a process of its own. */
#include "gaps/trial.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

int trial_run(int (*step)(void *arg), void *arg)
{
	pid_t pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(step(arg));
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}
