/* SPDX-License-Identifier: Apache-2.0 */
/* An id of a removed object never names a newer one; ids of the three kinds do not mix. */
#include "difftest.h"

int main(void)
{
	int shm[40], sem[40], msq[40];
	int reused = 0;

	for (int i = 0; i < 40; i++) {
		shm[i] = shm_new(1);
		sem[i] = sem_new(1);
		msq[i] = msg_new();
		shm_remove(shm[i]);
		sem_remove(sem[i]);
		msg_remove(msq[i]);
	}
	for (int i = 0; i < 40; i++)
		for (int j = 0; j < i; j++)
			reused += (shm[i] == shm[j]) + (sem[i] == sem[j]) + (msq[i] == msq[j]);
	say("ids reused at once: %d", reused);
	FACT(shm[0] >= 0 && sem[0] >= 0 && msq[0] >= 0);
	SHOW(attached(shm[0]));
	OK(shmat(shm[0], NULL, 0));
	SHOW(sem_value(sem[0], 0));
	SHOW(sem_do(sem[0], 0, 1, 0));
	SHOW(msg_send(msq[0], 1, "x", 0));
	msg_show("msgrcv", msq[0], 10, 0, IPC_NOWAIT);
	shm[1] = shm_new(1);
	SHOW(attached(shm[0]));
	SHOW(attached(shm[1]));
	SHOW(shmctl(shm[0], IPC_RMID, NULL));
	SHOW(shmctl(shm[1], IPC_RMID, NULL));
	sem[1] = sem_new(2);
	SHOW(sem_value(sem[0], 0));
	SHOW(sem_value(sem[1], 1));
	SHOW(semctl(sem[0], 0, IPC_RMID));
	SHOW(semctl(sem[1], 0, IPC_RMID));
	SHOW(semctl(sem[1], 0, IPC_RMID));
	return 0;
}
