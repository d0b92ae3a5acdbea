/* SPDX-License-Identifier: Apache-2.0 */
/* Processes fork, attach and die at random; once they are gone the count is exact and the segment can go. */
#include "difftest.h"

enum { WORKERS = 4, ROUNDS = 25 };

static void worker(int id, unsigned int seed)
{
	for (int i = 0; i < ROUNDS; i++) {
		unsigned int *at = shmat(id, NULL, 0);
		pid_t pid;

		if (at == (void *)-1)
			_exit(1);
		pid = fork();
		if (pid < 0)
			_exit(2);
		if (pid == 0) {
			__atomic_fetch_add(&at[0], 1, __ATOMIC_RELAXED);
			seed = seed * 1103515245 + (unsigned int)i;
			if (seed & 0x10000)
				raise(SIGKILL);
			if ((seed & 0x20000) && shmdt(at))
				_exit(3);
			_exit(0);
		}
		if (shmdt(at))
			_exit(4);
		reap_quietly(pid);
	}
	_exit(0);
}

int main(void)
{
	int id = shm_new(4096);
	unsigned int *at = shm_attach(id);
	pid_t pids[WORKERS];

	for (unsigned int i = 0; i < WORKERS; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			worker(id, i + 1);
	}
	for (int i = 0; i < WORKERS; i++)
		reap(pids[i]);
	say("children counted: %u", at[0]);
	say("nattch %ld", attached_settles(id, 1));
	SHOW(shmdt(at));
	say("nattch %ld", attached(id));
	shm_remove(id);
	say("gone: %ld", attached(id));
	return 0;
}
