// SPDX-License-Identifier: Apache-2.0
/*
 * init: pid 1 of a container, as `docker run --init` gives one.
 *
 * A process that is pid 1 ignores every signal it has no handler for, its own abort() included, so a command that runs as
 * pid 1 reports other statuses than elsewhere.  This program is pid 1 in its place: it runs the command as a child, reaps
 * orphans, and ends with the command's status (128+n for signal n, 127 not found, 126 not executable).
 *
 * init [--ready] [--] COMMAND [ARG…]: with --ready one byte is written to descriptor 3 first, to say that the environment
 * stands (see enter.c).  Linked statically, since it is started inside every environment.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3, STATUS_BROKEN = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

int main(int argc, char **argv)
{
	int status;
	pid_t child, got;

	(void)argc;
	argv++;
	if (*argv && strcmp(*argv, "--ready") == 0) {
		if (write(READY_FD, "!", 1) != 1)
			return STATUS_BROKEN;
		close(READY_FD);
		argv++;
	}
	if (*argv && strcmp(*argv, "--") == 0)
		argv++;
	if (!*argv)
		return STATUS_BROKEN;
	child = fork();
	if (child < 0) {
		fprintf(stderr, "tests/envs: init: fork: %s\n", strerror(errno));
		return STATUS_BROKEN;
	}
	if (child == 0) {
		execvp(argv[0], argv);
		status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
		fprintf(stderr, "tests/envs: %s: %s\n", argv[0], strerror(errno));
		_exit(status);
	}
	do
		got = wait(&status);
	while (got != child && (got >= 0 || errno == EINTR));
	if (got < 0)
		return STATUS_BROKEN;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
