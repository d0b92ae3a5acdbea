/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes hand a token back and forth ten thousand times (a thousand in gVisor); waiting for zero works as a barrier. */
#include "difftest.h"

enum { CREW = 4, BARRIERS = 300 };

static void barrier(int id, int n)
{
	struct sembuf arrive = { (unsigned short)n, -1, 0 }, wait = { (unsigned short)n, 0, 0 };

	if (semop(id, &arrive, 1) || semop(id, &wait, 1))
		_exit(1);
}

int main(void)
{
	const int rounds = scaled(10000);
	int id = sem_new(2), gates = sem_new(BARRIERS);
	volatile int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid, pids[CREW];

	pid = fork_or_die();
	if (pid == 0) {
		for (int i = 0; i < rounds; i++) {
			if (sem_do(id, 0, -1, 0) || shared[0] != 2 * i + 1)
				_exit(1);
			shared[0]++;
			if (sem_do(id, 1, 1, 0))
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < rounds; i++) {
		shared[0]++;
		MUST(sem_do(id, 0, 1, 0));
		MUST(sem_do(id, 1, -1, 0));
	}
	reap(pid);
	say("token passed %d times", shared[0]);
	say_values("values", id, 2);

	for (int i = 0; i < BARRIERS; i++)
		MUST(sem_set(gates, i, CREW));
	for (int k = 0; k < CREW; k++) {
		pids[k] = fork_or_die();
		if (pids[k] == 0) {
			for (int i = 0; i < BARRIERS; i++) {
				__atomic_fetch_add(&shared[1], 1, __ATOMIC_SEQ_CST);
				barrier(gates, i);
				if (__atomic_load_n(&shared[1], __ATOMIC_SEQ_CST) < (i + 1) * CREW)
					_exit(3); /* somebody passed before all had come */
			}
			_exit(0);
		}
	}
	for (int k = 0; k < CREW; k++)
		reap(pids[k]);
	say("barriers passed: %d", shared[1]);
	sem_remove(id);
	sem_remove(gates);
	return 0;
}
