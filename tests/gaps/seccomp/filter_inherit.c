/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a filter: children of every kind, threads made afterwards, the next program; not the parent, not the other threads. */
#include "seccomp_test.h"

#include <sched.h>
#include <spawn.h>

#define REFUSED SYS_setresuid
#define REFUSED_TOO SYS_getppid

static void show(const char *who)
{
	say("%s: %d %d", who, syscall(REFUSED, -1, -1, -1) == -1 ? errno : 0, syscall(REFUSED_TOO) == -1 ? errno : 0);
}

static void *thread(void *who)
{
	show(who);
	return NULL;
}

static void *filtering_thread(void *unused)
{
	(void)unused;
	filter_call(REFUSED, SECCOMP_RET_ERRNO | 45);
	show("the thread that installs");
	pthread_join(thread_start(thread, (void *)"its thread"), NULL);
	CHILD(show("its child"));
	return NULL;
}

static void vfork_child(const char *self)
{
	pid_t pid = vfork();

	if (pid == 0) {
		MUST(install_for(REFUSED_TOO, SECCOMP_RET_ERRNO | 44, 0));
		show("vfork child with one more");
		execl(self, self, "program of the vfork child", (char *)NULL);
		_exit(1);
	}
	reap(pid);
	show("its parent");
}

static void spawned(const char *self)
{
	char *argv[] = { (char *)self, (char *)"spawned program", NULL };
	pid_t pid;

	MUST(posix_spawn(&pid, self, NULL, NULL, argv, (char *[]){ NULL }) ? -1 : 0);
	reap(pid);
}

static void in_other_thread(void)
{
	pthread_join(thread_start(filtering_thread, NULL), NULL);
	show("the first thread");
	pthread_join(thread_start(thread, (void *)"a later thread"), NULL);
	CHILD(show("a child"));
}

static void grandchild(const char *self)
{
	MUST(install_for(REFUSED_TOO, SECCOMP_RET_ERRNO | 47, 0));
	CHILD(show("grandchild"));
	execl(self, self, "again", (char *)NULL);
}

static void with_filter(const char *self)
{
	filter_call(REFUSED, SECCOMP_RET_ERRNO | 43);
	CHILD(show("fork child"));
	pthread_join(thread_start(thread, (void *)"thread"), NULL);
	vfork_child(self);
	spawned(self);
}

static void chain(const char *self)
{
	filter_call(REFUSED, SECCOMP_RET_ERRNO | 46);
	for (int i = 0; i < 20; i++)
		MUST(install_for(SYS_sync, SECCOMP_RET_ERRNO | (unsigned)i, 0));
	CHILD(grandchild(self));
	show("child of a child: its parent");
	SHOW(syscall(SYS_sync));
	execl(self, self, "program", (char *)NULL);
}

int main(int argc, char **argv)
{
	const char *self = argv[0];

	if (argc > 1) {
		show(argv[1]);
		if (!strcmp(argv[1], "again"))
			execl(self, self, "and again", (char *)NULL);
		return 0;
	}
	show("before");
	CHILD(in_other_thread());
	CHILD(with_filter(self));
	CHILD(chain(self));
	show("after");
	return 0;
}
