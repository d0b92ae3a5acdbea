/* SPDX-License-Identifier: Apache-2.0 */
/* GETPID: the last process that operated on a semaphore, also one that was let go or has ended. */
#include "difftest.h"

static int id;

static void who(const char *what, pid_t child)
{
	for (int i = 0; i < 2; i++) {
		int pid = semctl(id, i, GETPID);

		say("%s: semaphore %d by %s", what, i,
		    pid == 0          ? "nobody"
		    : pid == getpid() ? "self"
		    : pid == child    ? "child"
				      : "other");
	}
}

int main(void)
{
	struct sembuf zero_both[] = { { 0, 0, 0 }, { 1, 0, 0 } };
	pid_t pid;

	id = sem_new(2);
	who("fresh", -1);
	MUST(semop(id, zero_both, 1));
	who("waited for zero", -1);
	MUST(sem_do(id, 1, 1, 0));
	who("increased", -1);
	pid = fork_or_die();
	if (pid == 0)
		_exit(sem_do(id, 1, -2, 0) ? 1 : 0);
	wait_sem_sleepers(id, 1, GETNCNT, 1);
	who("child sleeps", pid);
	MUST(sem_do(id, 1, 1, 0));
	reap(pid);
	who("child let go", pid);
	MUST(sem_set(id, 0, 3));
	who("SETVAL", pid);
	pid = fork_or_die();
	if (pid == 0) {
		MUST(semctl(id, 0, SETALL, (union semun){ .array = (unsigned short[]){ 0, 0 } }));
		_exit(0);
	}
	reap(pid);
	who("SETALL by child", pid);
	pid = fork_or_die();
	if (pid == 0) {
		MUST(sem_do(id, 0, 1, SEM_UNDO));
		MUST(semctl(id, 1, SETVAL, (union semun){ .val = 0 }));
		_exit(0);
	}
	reap(pid);
	who("undo by child", pid);
	SHOW(sem_do(id, 1, -1, IPC_NOWAIT));
	who("refused operation", pid);
	SHOW(semop(id, zero_both, 2));
	who("waited for zero on both", pid);
	sem_remove(id);
	return 0;
}
