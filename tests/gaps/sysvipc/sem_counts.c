/* SPDX-License-Identifier: Apache-2.0 */
/* GETNCNT and GETZCNT: a sleeper counts on the semaphore that stops it. */
#include "difftest.h"

static int id;

static void counts(const char *what)
{
	say("%s: ncnt %d %d %d zcnt %d %d %d", what, semctl(id, 0, GETNCNT), semctl(id, 1, GETNCNT), semctl(id, 2, GETNCNT),
	    semctl(id, 0, GETZCNT), semctl(id, 1, GETZCNT), semctl(id, 2, GETZCNT));
}

static pid_t sleeper(struct sembuf *ops, size_t count)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		_exit(semop(id, ops, count) ? 1 : 0);
	wait_asleep(pid);
	return pid;
}

int main(void)
{
	struct sembuf both[] = { { 0, -1, 0 }, { 1, -1, 0 } };
	struct sembuf zero_then_down[] = { { 2, 0, 0 }, { 0, -2, 0 } };
	struct sembuf up_then_down[] = { { 2, 1, 0 }, { 1, -1, 0 } };
	pid_t a, b, c;

	id = sem_new(3);
	counts("none");
	a = sleeper(both, 2);
	counts("both");
	MUST(sem_do(id, 0, 1, 0));
	counts("first there");
	MUST(sem_set(id, 2, 1));
	b = sleeper(zero_then_down, 2);
	counts("waits for zero");
	MUST(sem_set(id, 2, 0));
	counts("zero, waits for more");
	c = sleeper(up_then_down, 2);
	counts("third");
	kill(c, SIGKILL);
	reap(c);
	counts("third killed");
	kill(b, SIGKILL);
	reap(b);
	counts("second killed");
	MUST(sem_do(id, 1, 1, 0));
	reap(a);
	counts("first done");
	say_values("values", id, 3);
	sem_remove(id);
	return 0;
}
