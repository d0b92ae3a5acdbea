/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of one process queue for a semaphore: order, time-outs, removal and signals as among processes. */
#include "difftest.h"

static struct wakes wakes;
static int id;

struct sleeper {
	char letter;
	struct sembuf op;
	struct timespec timeout; /* 0: none */
};

static void *sleeps(void *arg)
{
	struct sleeper *s = arg;

	wakes_note(&wakes, s->letter, semtimedop(id, &s->op, 1, s->timeout.tv_nsec ? &s->timeout : NULL));
	return NULL;
}

static void start(pthread_t *thread, struct sleeper *s)
{
	int command = s->op.sem_op ? GETNCNT : GETZCNT, before = semctl(id, s->op.sem_num, command);

	*thread = thread_start(sleeps, s);
	wait_sem_sleepers(id, s->op.sem_num, command, before + 1);
}

static void handler(int sig)
{
	(void)sig;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler };
	struct sleeper s[] = { { 'A', { 0, -2, 0 }, { 0, 0 } },        { 'B', { 0, -1, 0 }, { 0, 0 } },
			       { 'C', { 0, -1, SEM_UNDO }, { 0, 0 } }, { 'D', { 1, 0, 0 }, { 0, 0 } },
			       { 'E', { 1, -5, 0 }, { 0, 20000000 } }, { 'F', { 1, -5, 0 }, { 0, 0 } },
			       { 'G', { 1, -6, 0 }, { 0, 0 } } };
	pthread_t threads[COUNT(s)];

	wakes = wakes_new();
	id = sem_new(2);
	sigaction(SIGUSR1, &sa, NULL);
	MUST(sem_set(id, 1, 1));
	for (size_t i = 0; i < 4; i++)
		start(&threads[i], &s[i]);
	MUST(sem_do(id, 0, 1, 0));
	wakes_say(&wakes, "A needs 2, B and C 1, D zero; +1", 1);
	MUST(sem_do(id, 0, 1, 0));
	wakes_say(&wakes, "+1", 1);
	MUST(sem_do(id, 0, 2, 0));
	wakes_say(&wakes, "+2", 1);
	MUST(sem_do(id, 1, -1, 0));
	wakes_say(&wakes, "zero", 1);
	threads[4] = thread_start(sleeps, &s[4]);
	wakes_say(&wakes, "time-out", 1);
	for (size_t i = 5; i < COUNT(s); i++)
		start(&threads[i], &s[i]);
	pthread_kill(threads[6], SIGUSR1);
	wakes_say(&wakes, "signal", 1);
	say("ncnt %d", semctl(id, 1, GETNCNT));
	sem_remove(id);
	wakes_say(&wakes, "removed", 1);
	for (size_t i = 0; i < COUNT(s); i++)
		pthread_join(threads[i], NULL);
	return 0;
}
