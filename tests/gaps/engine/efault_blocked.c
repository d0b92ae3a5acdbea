/* SPDX-License-Identifier: Apache-2.0 */
/* A bad pointer given to a trapped call says EFAULT also while SIGSEGV is blocked, ignored or handled. */
#include "difftest.h"

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void calls(const char *what, int sem, int msq)
{
	say("%s:", what);
	SHOW(semop(sem, bad_pointer(), 1));
	SHOW(semctl(sem, 0, IPC_STAT, (union semun){ .buf = bad_pointer() }));
	SHOW(msgsnd(msq, bad_pointer(), 1, 0));
	SHOW(msgsnd(msq, (void *)(UINT64_C(1) << 63), 1, 0));
	SHOW(msgctl(msq, IPC_STAT, (void *)~UINT64_C(0)));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad_pointer(), NULL, 8));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad_pointer(), 8));
	say("handled %d", handled);
}

static void *thread(void *arg)
{
	int *ids = arg;

	calls("in a thread", ids[0], ids[1]);
	return NULL;
}

int main(void)
{
	int ids[2] = { sem_new(1), msg_new() };
	sigset_t all, none;

	calls("default", ids[0], ids[1]);
	sigfillset(&all);
	sigemptyset(&none);
	MUST(sigprocmask(SIG_SETMASK, &all, NULL));
	calls("blocked", ids[0], ids[1]);
	pthread_join(thread_start(thread, ids), NULL);
	MUST(sigprocmask(SIG_SETMASK, &none, NULL));
	signal(SIGSEGV, SIG_IGN);
	calls("ignored", ids[0], ids[1]);
	signal(SIGSEGV, handler);
	calls("handled", ids[0], ids[1]);
	raise(SIGSEGV);
	say("raised: handled %d", handled);
	CHILD(calls("forked", ids[0], ids[1]));
	sem_remove(ids[0]);
	msg_remove(ids[1]);
	return 0;
}
