/* SPDX-License-Identifier: Apache-2.0 */
/* SECCOMP_FILTER_FLAG_TSYNC: all threads get it, also one with an older filter of the same chain; or none does, and the result says which cannot. */
#include "seccomp_test.h"

static struct gate go, ready;
static pid_t tid;

static void show(const char *who)
{
	say("%s: %d %d", who, syscall(SYS_setresuid, -1, -1, -1) == -1 ? errno : 0, syscall(SYS_getppid) == -1 ? errno : 0);
}

static void *follower(void *own)
{
	tid = (pid_t)syscall(SYS_gettid);
	if (own)
		MUST(install_for(SYS_sync, SECCOMP_RET_ERRNO | 1, 0));
	gate_open(&ready);
	gate_wait(&go);
	show("thread");
	CHILD(show("its child"));
	return NULL;
}

static void sync_with(bool own, unsigned flags)
{
	pthread_t thread;
	long result;

	go = gate_new();
	ready = gate_new();
	no_new_privs();
	MUST(install_for(SYS_acct, SECCOMP_RET_ERRNO | 2, 0));
	thread = thread_start(follower, own ? &go : NULL);
	gate_wait(&ready);
	result = install_for(SYS_setresuid, SECCOMP_RET_ERRNO | 61, SECCOMP_FILTER_FLAG_TSYNC | flags);
	if (result > 0)
		say("result: %s", result == tid ? "the thread" : "somebody else");
	else
		SHOW(result);
	show("caller");
	gate_open(&go);
	pthread_join(thread, NULL);
}

/* Every thread of many, each with an older filter that it inherited; then the ones made later. */
static void *late(void *unused)
{
	(void)unused;
	show("late");
	return NULL;
}

int main(void)
{
	CHILD(sync_with(false, 0));
	CHILD(sync_with(true, 0));
	CHILD(sync_with(false, SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
	CHILD({
		errno = 0;
		sync_with(true, SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
	});
	CHILD({
		no_new_privs();
		SHOW(install_for(SYS_getppid, SECCOMP_RET_ERRNO | 62, SECCOMP_FILTER_FLAG_TSYNC));
		pthread_join(thread_start(late, NULL), NULL);
		show("alone");
	});
	return 0;
}
