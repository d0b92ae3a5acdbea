/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and processes use one semaphore as a mutex and count together; nothing is lost. */
#include "difftest.h"

enum { PROCESSES = 3, THREADS = 3 };

static int id, rounds;
static volatile long *counter;

static void *work(void *arg)
{
	(void)arg;
	for (int i = 0; i < rounds; i++) {
		if (sem_do(id, 0, -1, i % 2 ? SEM_UNDO : 0))
			return (void *)1;
		counter[0]++;
		counter[1] += counter[0] & 1;
		if (sem_do(id, 0, 1, i % 2 ? SEM_UNDO : 0))
			return (void *)2;
	}
	return NULL;
}

static void process(void)
{
	pthread_t threads[THREADS];
	void *result;
	long bad = 0;

	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(work, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		bad += (long)result;
	}
	_exit((int)bad);
}

int main(void)
{
	pid_t pids[PROCESSES];

	counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	rounds = scaled(1500);
	id = sem_new(1);
	MUST(sem_set(id, 0, 1));
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			process();
	}
	for (int i = 0; i < PROCESSES; i++)
		reap(pids[i]);
	say("counted %ld, odd %ld", counter[0], counter[1]);
	say("value %d ncnt %d zcnt %d", sem_value(id, 0), semctl(id, 0, GETNCNT), semctl(id, 0, GETZCNT));
	sem_remove(id);
	return 0;
}
