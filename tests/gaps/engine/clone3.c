/* SPDX-License-Identifier: Apache-2.0 */
/* clone3 as fork, as vfork and as a thread, and with sizes and flags that are refused. */
#include "difftest.h"

#include <sched.h>

/* struct clone_args of <linux/sched.h>, whose names clash with <sched.h>. */
struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static long clone3(struct args *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

static void refused(const char *what, struct args args, size_t size)
{
	long pid = clone3(&args, size);

	if (pid == 0)
		_exit(0);
	say("%s: %s", what, pid < 0 ? errno_name(errno) : "ok");
	if (pid > 0)
		reap_quietly((pid_t)pid);
}

int main(void)
{
	struct args args = { .exit_signal = SIGCHLD };
	struct {
		struct args a;
		uint64_t more[4];
	} longer = { .a = { .exit_signal = SIGCHLD } };
	int tid = 0, pidfd = -1;
	long pid;
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	SHOW(syscall(SYS_clone3, bad_pointer(), 64));
	SHOW(syscall(SYS_clone3, bad_pointer(), 3));
	pid = clone3(&args, 64);
	if (pid < 0) {
		say("clone3: %s", errno_name(errno));
		if (errno == ENOSYS) { /* then every use must say so, and threads still work */
			refused("again", args, sizeof(args));
			return 0;
		}
	}
	if (pid == 0)
		_exit(trapped_ok() ? 11 : 1);
	reap((pid_t)pid);
	pid = clone3(&args, sizeof(args));
	if (pid == 0)
		_exit(trapped_ok() ? 12 : 1);
	reap((pid_t)pid);
	args.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_PIDFD;
	args.parent_tid = args.child_tid = (uintptr_t)&tid;
	args.pidfd = (uintptr_t)&pidfd;
	pid = clone3(&args, sizeof(args));
	if (pid == 0)
		_exit(tid == getpid() ? 13 : 1);
	FACT(tid == pid && pidfd >= 0);
	reap((pid_t)pid);
	close(pidfd);
	args = (struct args){ .flags = CLONE_VFORK, .exit_signal = SIGCHLD };
	pid = clone3(&args, sizeof(args));
	if (pid == 0)
		_exit(trapped_ok() ? 14 : 1);
	reap((pid_t)pid);
	pid = clone3(&longer.a, sizeof(longer));
	if (pid == 0)
		_exit(15);
	reap((pid_t)pid);
	longer.more[3] = 1;
	refused("longer, not zero", longer.a, sizeof(struct args));
	say("longer, not zero: %s", clone3(&longer.a, sizeof(longer)) < 0 ? errno_name(errno) : "ok");
	refused("too small", args, 63);
	refused("too big", args, 8192);
	refused("unknown flag", (struct args){ .flags = UINT64_C(1) << 40, .exit_signal = SIGCHLD }, 64);
	refused("signal in flags", (struct args){ .flags = SIGCHLD }, 64);
	refused("bad signal", (struct args){ .exit_signal = 99 }, 64);
	refused("stack without size", (struct args){ .stack = (uintptr_t)stack, .exit_signal = SIGCHLD }, 64);
	refused("size without stack", (struct args){ .stack_size = 4096, .exit_signal = SIGCHLD }, 64);
	refused("thread without memory", (struct args){ .flags = CLONE_THREAD }, 64);
	refused("clear and share handlers",
		(struct args){ .flags = CLONE_SIGHAND | CLONE_VM | UINT64_C(0x100000000), .exit_signal = SIGCHLD }, 64);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))(uintptr_t)main);
	args = (struct args){ .flags = UINT64_C(0x100000000), .exit_signal = SIGCHLD }; /* CLONE_CLEAR_SIGHAND */
	pid = clone3(&args, sizeof(args));
	if (pid == 0) {
		struct sigaction one, two;

		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		_exit(one.sa_handler == SIG_IGN && two.sa_handler == SIG_DFL && trapped_ok() ? 16 : 1);
	}
	reap((pid_t)pid);
	return 0;
}
