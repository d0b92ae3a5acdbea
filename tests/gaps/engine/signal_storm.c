/* SPDX-License-Identifier: Apache-2.0 */
/* A storm of timer signals over trapped calls that do not block: no call fails, no signal is lost for good. */
#include "difftest.h"

static volatile sig_atomic_t alarms, nested;
static int sem, rounds;

static void handler(int sig)
{
	(void)sig;
	alarms++;
	if (alarms % 3 == 0 && trapped_ok())
		nested++;
	if (alarms % 5 == 0) {
		sem_do(sem, 1, 1, 0);
		sem_do(sem, 1, -1, IPC_NOWAIT);
	}
}

static void *caller(void *arg)
{
	long bad = 0;

	for (int i = 0; i < rounds; i++) {
		int number = (int)(long)arg;

		bad += sem_do(sem, number, 1, i % 2 ? SEM_UNDO : 0) != 0;
		bad += !trapped_ok();
		bad += sem_do(sem, number, -1, (i % 2 ? SEM_UNDO : 0) | IPC_NOWAIT) != 0;
	}
	return (void *)bad;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 150 }, { 0, 150 } }, off = { { 0, 0 }, { 0, 0 } };
	pthread_t threads[3];
	void *bad;

	rounds = scaled(20000);
	sem = sem_new(6);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (long i = 0; i < 3; i++)
		threads[i] = thread_start(caller, (void *)(i + 2));
	say("main: wrong %ld", (long)caller((void *)5));
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &bad);
		say("thread %d: wrong %ld", i, (long)bad);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	FACT(alarms > 20 && nested > 5);
	say_values("values", sem, 6);
	sem_remove(sem);
	return 0;
}
