/* SPDX-License-Identifier: Apache-2.0 */
/* Objects live on when their creator has ended, and are found by key by a stranger. */
#include "difftest.h"

int main(int argc, char **argv)
{
	char text[2][16];
	key_t key = some_key(1);
	int shm, sem, msq;
	pid_t pid;

	if (argc > 1) {
		key = atoi(argv[1]);
		shm = (int)OK(shmget(key, 0, 0));
		sem = (int)OK(semget(key, 0, 0));
		msq = (int)OK(msgget(key, 0));
		if (argv[2][0] == 'm') {
			say("%s", (char *)shm_attach(shm));
			say_values("values", sem, 2);
			msg_show("message", msq, 100, 0, IPC_NOWAIT);
			strcpy(shm_attach(shm), "written by a stranger");
		} else {
			SHOW(shmctl(shm, IPC_RMID, NULL));
			SHOW(semctl(sem, 0, IPC_RMID));
			SHOW(msgctl(msq, IPC_RMID, NULL));
		}
		return 0;
	}
	CHILD({
		shm = (int)MUST(shmget(key, 100, IPC_CREAT | 0600));
		sem = (int)MUST(semget(key, 2, IPC_CREAT | 0600));
		msq = (int)MUST(msgget(key, IPC_CREAT | 0600));
		strcpy(shm_attach(shm), "written by one that has ended");
		MUST(sem_do(sem, 1, 7, 0));
		MUST(msg_send(msq, 5, "sent by one that has ended", 0));
	});
	for (int i = 0; i < 2; i++) {
		snprintf(text[0], sizeof(text[0]), "%d", key);
		snprintf(text[1], sizeof(text[1]), "%s", i ? "remove" : "meet");
		pid = fork_or_die();
		if (pid == 0) {
			execl("/proc/self/exe", argv[0], text[0], text[1], NULL);
			_exit(1);
		}
		reap(pid);
		if (i == 0)
			say("%s", (char *)shm_attach(shmget(key, 0, 0)));
	}
	SHOW(shmget(key, 0, 0));
	SHOW(semget(key, 0, 0));
	SHOW(msgget(key, 0));
	return 0;
}
