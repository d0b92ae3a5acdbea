/* SPDX-License-Identifier: Apache-2.0 */
/* IPC_RMID of a set with sleepers: each wakes with EIDRM, later calls get EINVAL. */
#include "difftest.h"

static struct wakes wakes;
static int id;

static void *sleeping_thread(void *arg)
{
	struct sembuf down = { 0, -1, 0 };

	(void)arg;
	wakes_note(&wakes, 'T', semop(id, &down, 1));
	return NULL;
}

int main(void)
{
	struct sembuf ops[][2] = { { { 0, -1, 0 }, { 0, 0, 0 } },
				   { { 1, 0, 0 }, { 0, 0, 0 } },
				   { { 0, -1, SEM_UNDO }, { 1, -1, 0 } } };
	size_t counts[] = { 1, 1, 2 };
	pthread_t thread;
	pid_t pids[3];

	wakes = wakes_new();
	id = sem_new(2);
	MUST(sem_set(id, 1, 1));
	for (int i = 0; i < 3; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0) {
			wakes_note(&wakes, (char)('A' + i), semop(id, ops[i], counts[i]));
			_exit(0);
		}
	}
	wait_sem_sleepers(id, 0, GETNCNT, 2);
	wait_sem_sleepers(id, 1, GETZCNT, 1);
	thread = thread_start(sleeping_thread, NULL);
	wait_sem_sleepers(id, 0, GETNCNT, 3);
	SHOW(semctl(id, 0, IPC_RMID));
	wakes_say(&wakes, "removed", 4);
	pthread_join(thread, NULL);
	for (int i = 0; i < 3; i++)
		reap(pids[i]);
	SHOW(sem_value(id, 0));
	SHOW(sem_do(id, 0, 1, 0));
	SHOW(semctl(id, 0, IPC_RMID));

	id = sem_new(1); /* the slot is used again: the new set has nothing of the old one */
	say("values %d ncnt %d zcnt %d pid %d", sem_value(id, 0), semctl(id, 0, GETNCNT), semctl(id, 0, GETZCNT),
	    semctl(id, 0, GETPID));
	sem_remove(id);
	return 0;
}
