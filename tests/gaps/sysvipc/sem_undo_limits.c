/* SPDX-License-Identifier: Apache-2.0 */
/* SEM_UNDO at its edges: ERANGE of the adjustment, clamping at exit, sleepers woken, sets that are gone. */
#include "difftest.h"

static int id;

int main(void)
{
	struct wakes wakes = wakes_new();
	struct gate up = gate_new(), go = gate_new();
	int sets[20];
	pid_t pid, waiter;

	id = sem_new(2);
	CHILD({
		MUST(sem_do(id, 0, 32767, SEM_UNDO));
		MUST(sem_do(id, 0, -32767, 0));
		SHOW(sem_do(id, 0, 1, SEM_UNDO));
		SHOW(sem_do(id, 0, 2, SEM_UNDO));
		say_values("adjustment full", id, 2);
		SHOW(sem_do(id, 0, 1, 0));
	});
	say_values("owed more than there was", id, 2);
	MUST(sem_set(id, 0, 32767));
	CHILD({
		MUST(sem_do(id, 0, -32767, SEM_UNDO));
		MUST(sem_do(id, 0, 32767, 0));
		SHOW(sem_do(id, 0, -1, SEM_UNDO | IPC_NOWAIT));
		SHOW(sem_do(id, 0, -1, SEM_UNDO | IPC_NOWAIT));
		SHOW(sem_do(id, 1, -1, SEM_UNDO | IPC_NOWAIT));
	});
	say_values("given back above SEMVMX", id, 2);
	MUST(sem_set(id, 0, 0));

	pid = fork_or_die();
	if (pid == 0) {
		MUST(sem_do(id, 0, 2, SEM_UNDO));
		MUST(sem_do(id, 0, -2, 0));
		MUST(sem_do(id, 1, 3, 0));
		MUST(sem_do(id, 1, -3, SEM_UNDO));
		gate_open(&up);
		gate_wait(&go);
		raise(SIGKILL);
	}
	gate_wait(&up);
	waiter = fork_or_die();
	if (waiter == 0) {
		wakes_note(&wakes, 'W', sem_do(id, 1, -3, 0));
		_exit(0);
	}
	wait_sem_sleepers(id, 1, GETNCNT, 1);
	gate_open(&go);
	reap(pid);
	wakes_say(&wakes, "undo", 1);
	reap(waiter);
	say_values("values", id, 2);

	for (int i = 0; i < 20; i++) {
		sets[i] = sem_new(3);
		MUST(semctl(sets[i], 0, SETALL, (union semun){ .array = (unsigned short[]){ 5, 5, 5 } }));
	}
	pid = fork_or_die();
	if (pid == 0) {
		for (int i = 0; i < 20; i++) {
			struct sembuf ops[] = { { 0, -1, SEM_UNDO }, { 2, (short)(i + 1), SEM_UNDO } };

			MUST(semop(sets[i], ops, 2));
		}
		gate_open(&up);
		gate_wait(&go);
		_exit(0);
	}
	gate_wait(&up);
	for (int i = 0; i < 20; i += 3) {
		sem_remove(sets[i]);
		sets[i] = sem_new(3);
		MUST(sem_set(sets[i], 2, 9));
	}
	gate_open(&go);
	reap(pid);
	for (int i = 0; i < 20; i++) {
		say_values(i % 3 ? "kept set" : "new set", sets[i], 3);
		sem_remove(sets[i]);
	}
	sem_remove(id);
	return 0;
}
