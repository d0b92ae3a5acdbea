/* SPDX-License-Identifier: Apache-2.0 */
/* IPC_RMID of a segment in use: marked, without a key, still usable, destroyed with the last detach. */
#include "difftest.h"

static void say_segment(int id)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds) != 0) {
		say("IPC_STAT: %s", errno_name(errno));
		return;
	}
	say_perm("segment", &ds.shm_perm);
	say("nattch %lu size %lu", (unsigned long)ds.shm_nattch, (unsigned long)ds.shm_segsz);
}

int main(void)
{
	key_t key = some_key(1);
	int id = (int)MUST(shmget(key, 4096, IPC_CREAT | 0600)), second;
	char *at = shm_attach(id), *more;
	struct gate up = gate_new(), go = gate_new();
	pid_t pid;

	strcpy(at, "kept");
	say_segment(id);
	SHOW(shmctl(id, IPC_RMID, NULL));
	say_segment(id);
	SHOW(shmget(key, 4096, 0));
	more = shmat(id, NULL, 0);
	MUST((long)more);
	say("attached again after removal: %s", more);
	SHOW(shmctl(id, IPC_RMID, NULL));
	second = (int)OK(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
	FACT(second != id);
	SHOW(shmdt(more));
	pid = fork_or_die();
	if (pid == 0) {
		gate_open(&up);
		gate_wait(&go);
		say("child still reads: %s", at);
		_exit(0);
	}
	gate_wait(&up);
	SHOW(shmdt(at));
	say_segment(id);
	gate_open(&go);
	reap(pid);
	say("settled: %ld", attached_settles(id, -1));
	say_segment(id);
	OK(shmat(id, NULL, 0));
	SHOW(shmctl(id, IPC_RMID, NULL));

	at = shm_attach(second);
	CHILD(SHOW(shmctl(second, IPC_RMID, NULL)));
	pid = fork_or_die();
	if (pid == 0)
		for (;;)
			pause();
	SHOW(shmdt(at));
	say("only a child holds it: nattch %ld", attached(second));
	kill(pid, SIGKILL);
	reap(pid);
	say("killed, settled: %ld", attached_settles(second, -1));
	OK(shmget(key, 4096, 0));
	return 0;
}
