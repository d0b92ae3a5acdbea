// SPDX-License-Identifier: Apache-2.0
/* The init of a pid namespace adopts orphans of it, and takes all members with it when it ends, however it ends. */
#include "../fs/fs_test.h"

#include <sched.h>
#include <sys/prctl.h>

/* A process of the namespace that waits; everybody who has the pipe's other end sees it end. */
static void idle(void)
{
	for (;;)
		(void)pause();
}

/* Where init has been killed a member may live for an instant longer, and cannot fork any more. */
static pid_t fork_or_end(void)
{
	pid_t pid = fork();

	if (pid < 0)
		idle();
	return pid;
}

/* Whether everybody who could write is gone. */
static void all_gone(int fd, const char *what)
{
	char byte;

	say("%s: %s", what, read(fd, &byte, 1) == 0 ? "all gone" : "still there");
}

static void orphan(const struct gate *known)
{
	pid_t before = getpid();

	if (fork_or_die() == 0) {
		while (getppid() == before)
			(void)sched_yield();
		say("an orphan's parent: %s", getppid() == 1 ? "1" : "other");
		gate_open(known);
		_exit(9);
	}
	_exit(0);
}

static void init_that_reaps(void)
{
	struct gate known = gate_new();
	int status, ended = 0;
	pid_t pid = fork_or_die();

	if (pid == 0)
		orphan(&known);
	gate_wait(&known);
	while (wait(&status) > 0)
		ended += WEXITSTATUS(status) == 9;
	say("orphans that init waited for: %d, then %s", ended, errno_name(errno));
	_exit(0);
}

enum way { EXITS, EXITS_THREAD, KILLED, FAULTS };

static void init_that_ends(enum way way, const struct gate *ready)
{
	for (int i = 0; i < 3; i++)
		if (fork_or_die() == 0) {
			if (i == 1 && setsid() > 0 && fork_or_end())
				_exit(0);
			gate_open(ready);
			idle();
		}
	for (int i = 0; i < 3; i++)
		gate_wait(ready);
	if (way == EXITS)
		_exit(11);
	if (way == EXITS_THREAD)
		syscall(SYS_exit, 12);
	if (way == FAULTS)
		*(volatile char *)bad_pointer() = 1;
	gate_open(ready);
	idle();
}

static void ends(enum way way, const char *what)
{
	struct gate ready = gate_new();
	int pipe_ends[2], status;
	pid_t pid;

	MUST(pipe(pipe_ends));
	pid = (pid_t)MUST(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));
	if (pid == 0)
		init_that_ends(way, &ready);
	MUST(close(pipe_ends[1]));
	if (way == KILLED) {
		gate_wait(&ready);
		MUST(kill(pid, SIGKILL));
	}
	MUST(waitpid(pid, &status, 0));
	say("%s: %s %d", what, WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	all_gone(pipe_ends[0], what);
	MUST(close(pipe_ends[0]));
}

int main(void)
{
	int status;
	pid_t pid = (pid_t)MUST(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));

	if (pid == 0)
		init_that_reaps();
	MUST(waitpid(pid, &status, 0));
	ends(EXITS, "init exits");
	ends(EXITS_THREAD, "its only thread exits");
	ends(KILLED, "init is killed");
	ends(FAULTS, "init faults");
	return 0;
}
