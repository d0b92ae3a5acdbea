/* SPDX-License-Identifier: Apache-2.0 */
/* CLONE_PIDFD of clone and clone3: as fork, as vfork, as a thread; the child does not have it; what is refused. */
#include "difftest.h"

#include <poll.h>
#include <sched.h>

struct args { /* struct clone_args of <linux/sched.h>, whose names clash with <sched.h> */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static char *stack;
static volatile int ran;

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static long raw_clone(unsigned long flags, void *tid)
{
	return syscall(SYS_clone, flags, NULL, tid, NULL, 0);
}

static void check(const char *what, long pid, int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	siginfo_t info;

	say("%s: %s, descriptor %s", what, pid > 0 ? "ok" : errno_name(errno), fd >= 3 ? "made" : "not made");
	if (pid <= 0)
		return;
	SHOW(fcntl(fd, F_GETFD));
	SHOW(poll(&p, 1, -1));
	SHOW(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | __WALL));
	FACT(info.si_pid == pid);
	say("  status %d", info.si_status);
	close(fd);
}

static void by_clone3(const char *what, uint64_t flags)
{
	int fd = -1, before = descriptors();
	struct args args = { .flags = flags | CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(descriptors() - before);
	check(what, pid, fd);
}

static int vforked(void *before)
{
	ran = 1;
	return descriptors() - *(int *)before;
}

static int executes(void *path)
{
	execl(path, "child", "exec", NULL);
	return 1;
}

int main(int argc, char **argv)
{
	int fd = -1, before;
	long pid;
	pid_t tid = 0;

	(void)argv;
	if (argc > 1)
		return 9;
	stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	before = descriptors();
	pid = raw_clone(CLONE_PIDFD | SIGCHLD, &fd);
	if (pid == 0)
		_exit(fd == -1 ? descriptors() - before : 99);
	check("clone", pid, fd);
	pid = clone(vforked, stack + 65536, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &before, &fd);
	check("clone, vfork", pid, fd);
	FACT(ran == 1);
	pid = clone(executes, stack + 65536, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, (void *)"/proc/self/exe", &fd);
	check("clone, vfork, execve", pid, fd);
	pid = clone(vforked, stack + 65536, CLONE_VM | CLONE_FILES | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &before, &fd);
	say("child shares files: %s", pid > 0 ? "ok" : errno_name(errno));
	reap_quietly((pid_t)pid);
	close(fd);
	by_clone3("clone3", 0);
	by_clone3("clone3, vfork", CLONE_VFORK);
	by_clone3("clone3, handlers cleared", UINT64_C(0x100000000));
	before = descriptors();
	SHOW(raw_clone(CLONE_PIDFD | SIGCHLD, bad_pointer()));
	SHOW(raw_clone(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, &tid));
	SHOW(raw_clone(CLONE_PIDFD | CLONE_SIGHAND | SIGCHLD, &fd));
	{
		struct args args = { .flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD };

		args.pidfd = args.parent_tid = (uintptr_t)&fd;
		SHOW(syscall(SYS_clone3, &args, sizeof(args)));
		args.pidfd = (uintptr_t)bad_pointer();
		SHOW(syscall(SYS_clone3, &args, sizeof(args)));
		args.pidfd = (uintptr_t)read_only_copy(&fd, sizeof(fd));
		SHOW(syscall(SYS_clone3, &args, sizeof(args)));
	}
	FACT(descriptors() == before);
	SHOW(waitpid(-1, NULL, __WALL));
	signal(SIGCHLD, SIG_IGN); /* nobody has to reap it */
	pid = clone(vforked, stack + 65536, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &before, &fd);
	FACT(pid > 0 && fd >= 3);
	{
		struct pollfd p = { fd, POLLIN, 0 };

		SHOW(poll(&p, 1, -1));
		while (kill((pid_t)pid, 0) == 0)
			pause_ms(1);
		SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
		SHOW(waitid(P_PIDFD, (id_t)fd, NULL, WEXITED));
	}
	return 0;
}
