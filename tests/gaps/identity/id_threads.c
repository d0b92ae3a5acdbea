/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: the kernel's calls change one, libc's all; who makes what inherits what; a vfork child's change is its own. */
#include "identity.h"
#include <sched.h>

static struct gate begun, over;

static void *sleeper(void *arg)
{
	(void)arg;
	gate_open(&begun);
	gate_wait(&over);
	say_ids("thread in the end");
	return NULL;
}

static void *tell(void *what)
{
	say_ids(what);
	return NULL;
}

static void *changes_itself(void *arg)
{
	(void)arg;
	MUST(syscall(SYS_setresgid, -1, 1000, -1));
	MUST(syscall(SYS_setresuid, -1, 1000, -1));
	say_ids("changed thread");
	pthread_join(thread_start(tell, (char[]){ "its thread" }), NULL);
	CHILD(say_ids("its child"); pthread_join(thread_start(tell, (char[]){ "a thread of it" }), NULL));
	for (int i = 0; i < scaled(300); i++) {
		pid_t pid = vfork();

		if (pid == 0)
			_exit(syscall(SYS_geteuid) == 1000 && syscall(SYS_setresuid, 1000, 1000, 1000) == 0 &&
					      syscall(SYS_getuid) == 1000
				      ? 0
				      : 1);
		reap(pid);
	}
	say_ids("after its vfork children");
	return NULL;
}

static void *checks(void *arg)
{
	for (int i = 0; i < 20; i++)
		if ((unsigned)syscall(SYS_geteuid) != (unsigned)(uintptr_t)arg)
			say("a thread born of %u is %ld", (unsigned)(uintptr_t)arg, syscall(SYS_geteuid));
	return NULL;
}

/* Threads of different identities bear threads at once: each is its mother's. */
static void *bears(void *arg)
{
	MUST(syscall(SYS_setresuid, -1, (unsigned)(uintptr_t)arg, -1));
	for (int i = 0; i < scaled(200); i++)
		pthread_join(thread_start(checks, arg), NULL);
	return NULL;
}

int main(void)
{
	pthread_t threads[4];
	pid_t pid;

	begun = gate_new();
	over = gate_new();
	MUST(setgroups(0, NULL));
	pid = vfork();
	if (pid == 0)
		_exit(syscall(SYS_setresuid, 1000, 1000, 1000) == 0 && syscall(SYS_setuid, 0) == -1 ? 0 : 1);
	reap(pid);
	say_ids("after a vfork child changed");
	pthread_join(thread_start(changes_itself, NULL), NULL);
	say_ids("main");
	CHILD({
		for (unsigned i = 0; i < COUNT(threads); i++)
			threads[i] = thread_start(bears, (void *)(uintptr_t)(2000 + i)); /* NOLINT */
		for (unsigned i = 0; i < COUNT(threads); i++)
			pthread_join(threads[i], NULL);
	});
	CHILD({
		pthread_t thread = thread_start(sleeper, NULL);

		gate_wait(&begun);
		MUST(setresgid(1000, 1001, 1002));
		MUST(setresuid(1000, 1001, 1002));
		SHOW(setuid(0));
		say_ids("all changed");
		pthread_join(thread_start(tell, (char[]){ "a new thread" }), NULL);
		gate_open(&over);
		pthread_join(thread, NULL);
		pid = fork_or_die();
		if (pid == 0) {
			say_ids("a child");
			_exit(0);
		}
		reap(pid);
	});
	return 0;
}
