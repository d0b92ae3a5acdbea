/* SPDX-License-Identifier: Apache-2.0 */
/* SEM_STAT, SHM_STAT and MSG_STAT need read permission, the _ANY forms do not. */
#include "difftest.h"

static int shm, sem, msq;

static void look(const char *who)
{
	struct shm_info shm_info;
	struct seminfo sem_info;
	struct msginfo msg_info;
	struct shmid_ds shm_ds;
	struct semid_ds sem_ds;
	struct msqid_ds msq_ds;
	int top, seen = 0, any = 0;

	top = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&shm_info);
	for (int i = 0; i <= top; i++) {
		seen += shmctl(i, SHM_STAT, &shm_ds) == shm;
		any += shmctl(i, SHM_STAT_ANY, &shm_ds) == shm;
	}
	say("%s: shm seen %d, any %d", who, seen, any);
	top = semctl(0, 0, SEM_INFO, (union semun){ .info = &sem_info });
	seen = any = 0;
	for (int i = 0; i <= top; i++) {
		seen += semctl(i, 0, SEM_STAT, (union semun){ .buf = &sem_ds }) == sem;
		any += semctl(i, 0, SEM_STAT_ANY, (union semun){ .buf = &sem_ds }) == sem;
	}
	say("%s: sem seen %d, any %d", who, seen, any);
	top = msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&msg_info);
	seen = any = 0;
	for (int i = 0; i <= top; i++) {
		seen += msgctl(i, MSG_STAT, &msq_ds) == msq;
		any += msgctl(i, MSG_STAT_ANY, &msq_ds) == msq;
	}
	say("%s: msg seen %d, any %d", who, seen, any);
}

int main(void)
{
	shm = shm_new(1);
	sem = sem_new(1);
	msq = msg_new();
	look("creator");
	if (geteuid() == 0)
		AS_USER(1000, 1000, look("somebody"));
	else
		say("skip: not root");
	shm_remove(shm);
	sem_remove(sem);
	msg_remove(msq);
	return 0;
}
