/* SPDX-License-Identifier: Apache-2.0 */
/* Supplementary groups count as the object's group; IPC follows the effective ids, also right after setuid(). */
#include "difftest.h"

static void look(const char *who, int shm, int sem, int msq)
{
	struct message m = { .type = 1 };

	say("%s: shmat %s, semop %s, msgsnd %s", who, shmat(shm, NULL, 0) == (void *)-1 ? errno_name(errno) : "ok",
	    sem_do(sem, 0, 1, 0) ? errno_name(errno) : "ok", msgsnd(msq, &m, 0, 0) ? errno_name(errno) : "ok");
}

int main(void)
{
	gid_t groups[] = { 5, 3000, 7 };
	int shm = shm_new(1), sem = sem_new(1), msq = msg_new();
	struct shmid_ds shm_ds = { .shm_perm = { .uid = 1000, .gid = 3000, .mode = 0660 } };
	struct semid_ds sem_ds = { .sem_perm = { .uid = 1000, .gid = 3000, .mode = 0660 } };
	struct msqid_ds msq_ds = { .msg_perm = { .uid = 1000, .gid = 3000, .mode = 0660 }, .msg_qbytes = 1000 };

	if (geteuid() != 0) {
		say("skip: not root");
		return 0;
	}
	MUST(shmctl(shm, IPC_SET, &shm_ds));
	MUST(semctl(sem, 0, IPC_SET, &sem_ds));
	MUST(msgctl(msq, IPC_SET, &msq_ds));
	CHILD({
		MUST(setgroups(3, groups));
		MUST(setresgid(2000, 2000, 2000));
		MUST(setresuid(2000, 2000, 2000));
		look("supplementary group", shm, sem, msq);
	});
	AS_USER(2000, 2000, look("nobody's", shm, sem, msq));
	CHILD({
		MUST(setgroups(0, NULL));
		MUST(setresgid(2000, 3000, 2000));
		MUST(setresuid(2000, 2000, 2000));
		look("effective group", shm, sem, msq);
	});
	CHILD({
		MUST(setgroups(0, NULL));
		MUST(setresgid(2000, 2000, 2000));
		MUST(setresuid(1000, 2000, 1000));
		look("real user only", shm, sem, msq);
		MUST(setresuid(-1, 1000, -1));
		look("effective user", shm, sem, msq);
	});
	CHILD({
		look("root", shm, sem, msq);
		MUST(setuid(2000));
		look("after setuid", shm, sem, msq);
	});
	CHILD({
		MUST(seteuid(2000));
		look("effective user without rights", shm, sem, msq);
		MUST(seteuid(0));
		look("back to root", shm, sem, msq);
	});
	shm_remove(shm);
	sem_remove(sem);
	msg_remove(msq);
	return 0;
}
