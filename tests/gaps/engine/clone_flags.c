/* SPDX-License-Identifier: Apache-2.0 */
/* Raw clone: with a stack of its own and the parent's memory, with CLONE_VFORK, as fork, with bad flags. */
#include "difftest.h"

#include <sched.h>

static volatile int seen;
static char *stack;

static int child(void *arg)
{
	(void)arg;
	seen = trapped_ok() ? 1 : 2;
	return 5;
}

static int child_forks(void *arg)
{
	pid_t pid = fork();
	int status = 0;

	(void)arg;
	if (pid == 0)
		_exit(trapped_ok() ? 3 : 4);
	waitpid(pid, &status, 0);
	seen = WEXITSTATUS(status);
	return 6;
}

static int child_executes(void *arg)
{
	execl("/proc/self/exe", (char *)arg, "child", NULL);
	return 7;
}

static void run(const char *what, int (*body)(void *), int flags, void *arg)
{
	int status = 0;
	pid_t pid;

	seen = 0;
	pid = clone(body, stack + 64 * 1024, flags, arg);
	if (pid < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	waitpid(pid, &status, __WALL);
	say("%s: seen %d, exited %d with %d", what, seen, WIFEXITED(status), WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	pid_t tid = 0, pid;

	if (argc > 1)
		return trapped_ok() ? 8 : 9;
	stack = mmap(NULL, 64 * 1024, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	run("CLONE_VM|CLONE_VFORK", child, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	run("CLONE_VM", child, CLONE_VM | SIGCHLD, NULL);
	run("CLONE_VFORK", child, CLONE_VFORK | SIGCHLD, NULL);
	run("own stack only", child, SIGCHLD, NULL);
	run("no exit signal", child, CLONE_VM, NULL);
	run("CLONE_VM|CLONE_VFORK, forks", child_forks, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	run("CLONE_VM|CLONE_VFORK, executes", child_executes, CLONE_VM | CLONE_VFORK | SIGCHLD, argv[0]);
	run("CLONE_VM, executes", child_executes, CLONE_VM | SIGCHLD, argv[0]);
	run("CLONE_SIGHAND without CLONE_VM", child, CLONE_SIGHAND | SIGCHLD, NULL);
	run("CLONE_THREAD without CLONE_SIGHAND", child, CLONE_THREAD | CLONE_VM | SIGCHLD, NULL);
	run("CLONE_FS|CLONE_NEWNS", child, CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL);
	for (int i = 0; i < 300; i++) {
		seen = 0;
		pid = clone(child, stack + 64 * 1024, CLONE_VM | (i % 2 ? CLONE_VFORK : 0) | SIGCHLD, NULL);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid || seen != 1)
			say("round %d failed", i);
	}
	pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, 0, &tid, &tid, 0);
	if (pid == 0)
		_exit(tid == getpid() && trapped_ok() ? 0 : 1);
	FACT(tid == pid);
	reap(pid);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID, 0, bad_pointer(), NULL, 0);
	if (pid == 0)
		_exit(0);
	say("bad parent tid pointer: %s", pid > 0 ? "ok" : errno_name(errno));
	reap(pid);
	pid = (pid_t)syscall(SYS_fork);
	if (pid == 0)
		_exit(trapped_ok() ? 0 : 1);
	reap(pid);
	return 0;
}
