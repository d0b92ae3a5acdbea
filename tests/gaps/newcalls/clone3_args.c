/* SPDX-License-Identifier: Apache-2.0 */
/* clone3: the struct's sizes, each field that is checked, and processes and threads made with it. */
#include "difftest.h"

#include <sched.h>

struct args { /* struct clone_args of <linux/sched.h>, whose names clash with <sched.h> */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
#define CLEAR_SIGHAND UINT64_C(0x100000000)
#define INTO_CGROUP UINT64_C(0x200000000)

static void try(const char *what, struct args args, size_t size)
{
	long pid = syscall(SYS_clone3, &args, size);

	if (pid == 0)
		_exit(0);
	say("%s: %s", what, pid < 0 ? errno_name(errno) : "ok");
	if (pid > 0)
		MUST(waitpid((pid_t)pid, NULL, __WALL));
}

static void sizes(void)
{
	struct {
		struct args a;
		uint8_t more[4096];
	} *big = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct args args = { .exit_signal = SIGCHLD }, *end = tail_copy(&args, sizeof(args));
	const size_t good[] = { 64, 65, 72, 80, 87, 88, 89, 96, 4096 };

	big->a = args;
	for (size_t i = 0; i < COUNT(good); i++) {
		long pid = syscall(SYS_clone3, big, good[i]);

		if (pid == 0)
			_exit(0);
		say("size %zu: %s", good[i], pid < 0 ? errno_name(errno) : "ok");
		if (pid > 0)
			reap((pid_t)pid);
	}
	SHOW(syscall(SYS_clone3, big, 0));
	SHOW(syscall(SYS_clone3, big, 63));
	SHOW(syscall(SYS_clone3, big, 4097));
	SHOW(syscall(SYS_clone3, end, 96));
	SHOW(syscall(SYS_clone3, bad_pointer(), 88));
	SHOW(syscall(SYS_clone3, bad_pointer(), 4097));
	big->more[0] = 1;
	SHOW(syscall(SYS_clone3, big, 89));
	SHOW(syscall(SYS_clone3, big, 4096));
	big->more[0] = 0;
	big->more[4000] = 1;
	SHOW(syscall(SYS_clone3, big, 4096));
}

static void fields(uintptr_t stack)
{
	try("a signal in flags", (struct args){ .flags = SIGCHLD }, 64);
	try("CLONE_DETACHED", (struct args){ .flags = 0x400000, .exit_signal = SIGCHLD }, 64);
	try("an unknown flag", (struct args){ .flags = UINT64_C(1) << 50, .exit_signal = SIGCHLD }, 64);
	try("signal 0", (struct args){ .flags = CLONE_VFORK }, 64);
	signal(64, SIG_IGN);
	try("signal 64", (struct args){ .exit_signal = 64 }, 64);
	try("signal 65", (struct args){ .exit_signal = 65 }, 64);
	try("signal 256", (struct args){ .exit_signal = 256 }, 64);
	try("signal 1<<32", (struct args){ .exit_signal = UINT64_C(1) << 32 | SIGCHLD }, 64);
	try("stack without size", (struct args){ .stack = stack, .exit_signal = SIGCHLD }, 64);
	try("size without stack", (struct args){ .stack_size = 4096, .exit_signal = SIGCHLD }, 64);
	try("stack beyond memory", (struct args){ .stack = stack, .stack_size = UINT64_MAX - 4096, .exit_signal = SIGCHLD }, 64);
	try("CLONE_THREAD alone", (struct args){ .flags = CLONE_THREAD }, 64);
	try("a thread with a signal", (struct args){ .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD },
	    64);
	try("CLONE_PARENT with a signal", (struct args){ .flags = CLONE_PARENT, .exit_signal = SIGCHLD }, 64);
	try("CLONE_SIGHAND alone", (struct args){ .flags = CLONE_SIGHAND, .exit_signal = SIGCHLD }, 64);
	try("CLONE_CLEAR_SIGHAND and CLONE_SIGHAND",
	    (struct args){ .flags = CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD }, 64);
	try("set_tid without its size", (struct args){ .set_tid = stack, .exit_signal = SIGCHLD }, 88);
	try("size of set_tid alone", (struct args){ .set_tid_size = 1, .exit_signal = SIGCHLD }, 88);
	try("33 set_tid", (struct args){ .set_tid = stack, .set_tid_size = 33, .exit_signal = SIGCHLD }, 88);
	try("cgroup without flag", (struct args){ .cgroup = 77, .exit_signal = SIGCHLD }, 88);
	try("a large cgroup", (struct args){ .flags = INTO_CGROUP, .cgroup = UINT64_C(1) << 31, .exit_signal = SIGCHLD }, 88);
	try("CLONE_INTO_CGROUP, a small struct", (struct args){ .flags = INTO_CGROUP, .exit_signal = SIGCHLD }, 80);
}

static void tids(void)
{
	static volatile pid_t parent, child;
	struct args args = { .flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, .exit_signal = SIGUSR1 };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int status = 0;
	long pid;

	sigaction(SIGUSR1, &ignore, NULL);
	args.parent_tid = (uintptr_t)&parent;
	args.child_tid = (uintptr_t)&child;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(child == getpid() ? 21 : 22);
	FACT(parent == pid && child == 0);
	SHOW(waitpid((pid_t)pid, &status, 0));
	SHOW(waitpid((pid_t)pid, &status, __WCLONE) == pid && WEXITSTATUS(status));
}

static void own_stack(char *stack, size_t size)
{
	struct args args = { .exit_signal = SIGCHLD, .stack = (uintptr_t)stack, .stack_size = size };
	uintptr_t seen;
	long pid;

	__asm__ volatile("syscall\n\t"
			 "mov %%rsp, %1"
			 : "=a"(pid), "=r"(seen)
			 : "a"(SYS_clone3), "D"(&args), "S"(sizeof(args))
			 : "rcx", "r11", "memory");
	if (pid == 0)
		syscall(SYS_exit_group, seen == (uintptr_t)stack + size ? 31 : 32);
	reap((pid_t)pid);
}

static void handlers(uint64_t flags)
{
	struct args args = { .flags = flags | CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	long pid;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))(uintptr_t)handlers);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		struct sigaction one, two;

		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		_exit(one.sa_handler == SIG_IGN && two.sa_handler == SIG_DFL ? 41 : 42);
	}
	reap((pid_t)pid);
	signal(SIGUSR2, SIG_DFL);
}

static void *body(void *arg)
{
	return (char *)arg + 1;
}

int main(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *result = NULL;

	sizes();
	fields((uintptr_t)stack);
	tids();
	own_stack(stack, 65536);
	handlers(0);
	handlers(CLONE_VFORK);
	for (int i = 0; i < scaled(100); i++) /* glibc's threads are made with clone3 */
		pthread_join(thread_start(body, stack + i), &result);
	FACT(result != NULL);
	return 0;
}
