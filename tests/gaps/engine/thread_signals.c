/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to threads in blocked calls: each its own; cancellation of threads that sleep in msgrcv and semop. */
#include "difftest.h"

static int sem, msq;
static volatile pid_t tids[4];
static volatile int results[4];

static void handler(int sig)
{
	(void)sig;
}

static void *sleeps(void *arg)
{
	long n = (long)arg;

	tids[n] = (pid_t)syscall(SYS_gettid);
	results[n] = sem_do(sem, (int)n, -1, 0) == 0 ? 1 : -errno;
	return NULL;
}

static void cleanup(void *arg)
{
	say("cleaning up: %s", (char *)arg);
}

static void *cancelled(void *arg)
{
	struct message m;

	tids[0] = (pid_t)syscall(SYS_gettid);
	pthread_cleanup_push(cleanup, arg);
	msgrcv(msq, &m, 10, 0, 0);
	say("not reached");
	pthread_cleanup_pop(0);
	return NULL;
}

static void *keeps_calling(void *arg)
{
	volatile int *stop = arg;
	long bad = 0;

	while (!*stop)
		bad += !trapped_ok();
	return (void *)bad;
}

static void *asynchronous(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		trapped_ok();
	return arg;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pthread_t threads[4];
	volatile int stop = 0;
	void *result;

	sem = sem_new(4);
	msq = msg_new();
	sigaction(SIGUSR1, &sa, NULL);
	for (long i = 0; i < 4; i++)
		threads[i] = thread_start(sleeps, (void *)i);
	for (int i = 0; i < 4; i++)
		wait_sem_sleepers(sem, i, GETNCNT, 1);
	for (int i = 0; i < 4; i++)
		wait_state(getpid(), tids[i], 'S');
	pthread_kill(threads[2], SIGUSR1);
	pthread_join(threads[2], NULL);
	say("thread 2: %s", results[2] == -EINTR ? "EINTR" : "other");
	for (int i = 0; i < 4; i++)
		say("ncnt %d: %d", i, semctl(sem, i, GETNCNT));
	for (int i = 0; i < 4; i++)
		MUST(sem_do(sem, i, 1, 0));
	for (int i = 0; i < 4; i++)
		if (i != 2) {
			pthread_join(threads[i], NULL);
			say("thread %d: %d", i, results[i]);
		}
	say_values("values", sem, 4);

	tids[0] = 0;
	threads[0] = thread_start(cancelled, (void *)"sleeping in msgrcv");
	while (tids[0] == 0)
		pause_ms(1);
	pause_ms(1);
	wait_state(getpid(), tids[0], 'S');
	pthread_cancel(threads[0]);
	pthread_join(threads[0], &result);
	FACT(result == PTHREAD_CANCELED);
	MUST(msg_send(msq, 1, "x", 0));
	say_queue("nobody takes it", msq);

	threads[1] = thread_start(keeps_calling, (void *)(uintptr_t)&stop);
	for (int i = 0; i < scaled(1000); i++)
		pthread_kill(threads[1], SIGUSR1);
	stop = 1;
	pthread_join(threads[1], &result);
	say("calls gone wrong: %ld", (long)result);
	for (int i = 0; i < 20; i++) {
		threads[0] = thread_start(asynchronous, NULL);
		pause_ms(1);
		pthread_cancel(threads[0]);
		pthread_join(threads[0], &result);
		if (result != PTHREAD_CANCELED)
			say("not cancelled");
	}
	SHOW(trapped_ok());
	sem_remove(sem);
	msg_remove(msq);
	return 0;
}
