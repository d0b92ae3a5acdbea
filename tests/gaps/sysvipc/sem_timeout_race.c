/* SPDX-License-Identifier: Apache-2.0 */
/* Time-outs race with increases thousands of times: no unit is lost and none is invented. */
#include "difftest.h"

#include <sched.h>

enum { TAKERS = 3, UNITS = 4000 };

int main(void)
{
	int id = sem_new(1);
	volatile int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[TAKERS];
	int got = 0, left;

	for (int k = 0; k < TAKERS; k++) {
		pids[k] = fork_or_die();
		if (pids[k] == 0) {
			struct sembuf down = { 0, -1, 0 };

			for (unsigned int i = 0; !shared[8]; i++) {
				struct timespec ts = { 0, (long)(i * 7919 % 60000) };

				if (semtimedop(id, &down, 1, &ts) == 0)
					shared[k]++;
				else if (errno != EAGAIN)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < UNITS; i++) {
		MUST(sem_do(id, 0, 1, 0));
		if (i % 7 == 0)
			sched_yield();
	}
	shared[8] = 1;
	for (int k = 0; k < TAKERS; k++) {
		reap(pids[k]);
		got += shared[k];
	}
	left = sem_value(id, 0);
	say("taken and left: %d", got + left);
	say("ncnt %d", semctl(id, 0, GETNCNT));
	sem_remove(id);
	return 0;
}
