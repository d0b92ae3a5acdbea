/* SPDX-License-Identifier: Apache-2.0 */
/* semop: what is refused, with which errno, and which of two errors wins. */
#include "difftest.h"

static struct sembuf many[600];

int main(void)
{
	int id = sem_new(3);
	struct sembuf one = { 0, 1, 0 }, far = { 3, 1, 0 }, mixed[3] = { { 0, 1, 0 }, { 7, 1, 0 }, { 1, -1, IPC_NOWAIT } };
	struct sembuf *late = tail(sizeof(one));
	struct timespec bad = { 0, 1000000000 }, negative = { 0, -1 }, past = { -1, 0 }, zero = { 0, 0 };

	*late = one;
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct sembuf){ (unsigned short)(i % 3), i % 2 ? 1 : 2, 0 };
	SHOW(semop(id, &one, 0));
	SHOW(semop(-1, &one, 0));
	SHOW(semop(-1, &one, 1));
	SHOW(semop(0x7fffffff, &one, 1));
	SHOW(semop(id, NULL, 1));
	SHOW(semop(id, NULL, 0));
	SHOW(semop(id, bad_pointer(), 1));
	SHOW(semop(0x7fffffff, bad_pointer(), 1));
	SHOW(semop(id, late, 1));
	SHOW(semop(id, late, 2));
	SHOW(semop(id, (struct sembuf *)(void *)((char *)late + 1), 1));
	SHOW(semop(id, &far, 1));
	SHOW(semop(0x7fffffff, &far, 1));
	SHOW(semop(id, mixed, 3));
	SHOW(semop(id, mixed, (size_t)1 << 40));
	SHOW(semop(id, many, 501));
	SHOW(semop(id, bad_pointer(), 501));
	SHOW(semop(id, many, 500));
	say_values("after 500", id, 3);
	SHOW(sem_set(id, 0, 32767));
	SHOW(sem_do(id, 0, 1, 0));
	SHOW(sem_do(id, 0, 32767, 0));
	SHOW(sem_do(id, 0, 1, IPC_NOWAIT));
	SHOW(sem_set(id, 0, 0));
	SHOW(sem_do(id, 0, 32767, 0));
	SHOW(sem_do(id, 0, -32768, IPC_NOWAIT));
	SHOW(sem_do(id, 0, -32767, 0));
	SHOW(sem_do(id, 0, -1, IPC_NOWAIT));
	SHOW(sem_do(id, 0, 0, IPC_NOWAIT));
	SHOW(sem_do(id, 0, 1, 077000)); /* unknown flags are ignored */
	SHOW(sem_do(id, 0, 0, IPC_NOWAIT));
	SHOW(semtimedop(id, &one, 1, &bad));
	SHOW(semtimedop(id, &one, 1, &negative));
	SHOW(semtimedop(id, &one, 1, &past));
	SHOW(semtimedop(id, &one, 1, bad_pointer()));
	SHOW(semtimedop(id, &one, 0, bad_pointer()));
	SHOW(semtimedop(0x7fffffff, &one, 1, &bad));
	SHOW(semtimedop(id, &far, 1, &bad));
	SHOW(semtimedop(id, &one, 1, &zero));
	say_values("end", id, 3);
	sem_remove(id);
	SHOW(semop(id, &one, 1));
	SHOW(semop(id, &far, 1));
	return 0;
}
