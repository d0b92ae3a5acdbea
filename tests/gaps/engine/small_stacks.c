/* SPDX-License-Identifier: Apache-2.0 */
/* Trapped calls and signals on the smallest stacks: PTHREAD_STACK_MIN, and with little left of it. */
#include "difftest.h"

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
	semget(some_key(1), 0, 0);
}

static void *calls(void *arg)
{
	long bad = 0;
	int id = semget(IPC_PRIVATE, 1, 0600);

	(void)arg;
	for (int i = 0; i < 200; i++)
		bad += semget(some_key(1), 0, 0) != -1 || errno != ENOENT;
	bad += sem_do(id, 0, 1, 0) != 0;
	bad += sem_do(id, 0, -1, SEM_UNDO) != 0;
	bad += semctl(id, 0, GETVAL) != 0;
	bad += semctl(id, 0, IPC_RMID) != 0;
	pthread_kill(pthread_self(), SIGUSR1);
	return (void *)bad;
}

/* With about 8 KiB left below. */
static void *deep(void *arg)
{
	volatile char room[64 * 1024 - 8 * 1024 - 3000];

	room[0] = 1;
	room[sizeof(room) - 1] = 1;
	return calls(arg);
}

static void run(const char *what, void *(*body)(void *), size_t size)
{
	pthread_attr_t attr;
	pthread_t threads[8];
	void *result;
	long bad = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, size);
	pthread_attr_setguardsize(&attr, PAGE);
	for (int i = 0; i < 8; i++)
		if (pthread_create(&threads[i], &attr, body, NULL)) {
			say("pthread_create failed");
			_exit(1);
		}
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &result);
		bad += (long)result;
	}
	say("%s: wrong %ld", what, bad);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler };

	sigaction(SIGUSR1, &sa, NULL);
	run("smallest stacks", calls, (size_t)PTHREAD_STACK_MIN);
	run("8 KiB left", deep, 64 * 1024);
	say("handled %d", handled);
	return 0;
}
