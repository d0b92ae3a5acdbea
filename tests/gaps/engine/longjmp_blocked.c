/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that siglongjmp out of blocked calls, a thousand times each (a hundred in gVisor), under an interval timer. */
#include "difftest.h"

#include <setjmp.h>
#include <sys/select.h>

static sigjmp_buf escape;
static volatile sig_atomic_t armed;

static void handler(int sig)
{
	(void)sig;
	if (armed) {
		armed = 0;
		siglongjmp(escape, 1);
	}
}

static void timer(long us)
{
	struct itimerval it = { { 0, us }, { 0, us } };

	MUST(setitimer(ITIMER_REAL, &it, NULL));
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler };
	const volatile int times = scaled(1000);
	int sem, msq, pipe_fd[2];
	volatile int jumps;
	struct message m;
	sigset_t set;

	sem = sem_new(1);
	msq = msg_new();
	MUST(pipe(pipe_fd));
	sigaction(SIGALRM, &sa, NULL);
	timer(getenv("DIFFTEST_SLOW") ? 700 : 300);
	for (volatile int kind = 0; kind < 5; kind++) {
		static const char *const names[] = { "semop", "semop with undo", "msgrcv", "pselect", "read" };

		for (jumps = 0; jumps < times; jumps++) {
			if (sigsetjmp(escape, 1))
				continue;
			armed = 1;
			if (kind == 0)
				while (sem_do(sem, 0, -1, 0) && errno == EINTR)
					;
			else if (kind == 1)
				while (sem_do(sem, 0, -1, SEM_UNDO) && errno == EINTR)
					;
			else if (kind == 2)
				while (msgrcv(msq, &m, 10, 0, 0) < 0 && errno == EINTR)
					;
			else if (kind == 3)
				while (pselect(0, NULL, NULL, NULL, NULL, NULL) < 0 && errno == EINTR)
					;
			else
				while (read(pipe_fd[0], &m, 1) < 0 && errno == EINTR)
					;
			say("a blocked %s returned", names[kind]);
			armed = 0;
			break;
		}
		say("%s: %d jumps", names[kind], jumps);
	}
	timer(0);
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("mask afterwards: ALRM %d, SYS %d", sigismember(&set, SIGALRM), sigismember(&set, SIGSYS));
	say("sem: value %d ncnt %d", sem_value(sem, 0), semctl(sem, 0, GETNCNT));
	SHOW(sem_do(sem, 0, 1, 0));
	SHOW(sem_do(sem, 0, -1, IPC_NOWAIT));
	SHOW(msg_send(msq, 1, "x", 0));
	msg_show("msgrcv", msq, 10, 0, IPC_NOWAIT);
	sem_remove(sem);
	msg_remove(msq);
	return 0;
}
