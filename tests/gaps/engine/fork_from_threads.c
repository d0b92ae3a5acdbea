/* SPDX-License-Identifier: Apache-2.0 */
/* Threads fork, vfork and execute while others make trapped calls; children see a sound process. */
#include "difftest.h"

enum { FORKERS = 3, CALLERS = 3 };

static volatile int stop;
static volatile long calls_bad;
static int sem, rounds;
static char *program;

static void *caller(void *arg)
{
	long bad = 0, id = (long)arg;

	while (!stop) {
		bad += sem_do(sem, (int)id, 1, SEM_UNDO) != 0;
		bad += !trapped_ok();
		bad += sem_do(sem, (int)id, -1, SEM_UNDO) != 0;
	}
	__atomic_fetch_add(&calls_bad, bad, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *forker(void *arg)
{
	volatile long good = 0;

	(void)arg;
	for (volatile int i = 0; i < rounds; i++) {
		pid_t pid = i % 3 == 1 ? vfork() : fork();
		int status = -1;

		if (pid == 0) {
			if (i % 3)
				execl("/proc/self/exe", program, "child", NULL);
			_exit(trapped_ok() ? 21 : 22);
		}
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		good += pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 21;
	}
	return (void *)good;
}

int main(int argc, char **argv)
{
	pthread_t forkers[FORKERS], callers[CALLERS];
	void *good;

	if (argc > 1)
		return trapped_ok() ? 21 : 23;
	program = argv[0];
	rounds = scaled(300);
	sem = sem_new(CALLERS);
	for (long i = 0; i < CALLERS; i++)
		callers[i] = thread_start(caller, (void *)i);
	for (int i = 0; i < FORKERS; i++)
		forkers[i] = thread_start(forker, NULL);
	for (int i = 0; i < FORKERS; i++) {
		pthread_join(forkers[i], &good);
		say("forker %d: %ld of %d", i, (long)good, rounds);
	}
	stop = 1;
	for (int i = 0; i < CALLERS; i++)
		pthread_join(callers[i], NULL);
	say("trapped calls gone wrong: %ld", calls_bad);
	say_values("values", sem, CALLERS);
	sem_remove(sem);
	return 0;
}
