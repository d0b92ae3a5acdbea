/* SPDX-License-Identifier: Apache-2.0 */
/* semtimedop: zero, short and absent time-outs; IPC_NOWAIT wins; values never change on failure. */
#include "difftest.h"

int main(void)
{
	int id = sem_new(2);
	struct timespec zero = { 0, 0 }, some = { 0, 30000000 }, huge = { INT64_MAX, 999999999 }, odd = { 0, 999999999 };
	struct sembuf down = { 0, -1, 0 }, up = { 0, 1, 0 }, wait_zero = { 1, 0, 0 }, nowait = { 0, -1, IPC_NOWAIT };
	struct sembuf both[2] = { { 1, 5, 0 }, { 0, -1, 0 } };
	double start;
	pid_t pid;

	SHOW(semtimedop(id, &down, 1, &zero));
	start = now();
	SHOW(semtimedop(id, &down, 1, &some));
	FACT(now() - start >= 0.03);
	start = now();
	SHOW(semtimedop(id, both, 2, &some));
	FACT(now() - start >= 0.03);
	say_values("values", id, 2);
	start = now();
	SHOW(semtimedop(id, &nowait, 1, &odd));
	FACT(now() - start < 0.9);
	SHOW(semtimedop(id, &up, 1, &zero));
	SHOW(semtimedop(id, &down, 1, &zero));
	SHOW(semtimedop(id, &up, 1, NULL));
	SHOW(semtimedop(id, &down, 1, NULL));
	SHOW(semtimedop(id, &wait_zero, 1, &zero));
	SHOW(sem_set(id, 1, 1));
	SHOW(semtimedop(id, &wait_zero, 1, &zero));
	start = now();
	SHOW(semtimedop(id, &wait_zero, 1, &some));
	FACT(now() - start >= 0.03);
	pid = fork_or_die();
	if (pid == 0) {
		SHOW(semtimedop(id, &down, 1, &huge)); /* woken, not timed out */
		_exit(0);
	}
	wait_sem_sleepers(id, 0, GETNCNT, 1);
	MUST(sem_do(id, 0, 1, 0));
	reap(pid);
	pid = fork_or_die();
	if (pid == 0) {
		SHOW(semtimedop(id, &down, 1, &some));
		say("ncnt after time-out %d", semctl(id, 0, GETNCNT));
		_exit(0);
	}
	reap(pid);
	SHOW(sem_do(id, 0, 1, 0)); /* nobody is left in the queue to take it */
	say_values("values", id, 2);
	sem_remove(id);
	return 0;
}
