/* SPDX-License-Identifier: Apache-2.0 */
/* SEM_UNDO: given back at exit, at SIGKILL, over exec, not by a forked child; cleared by SETVAL and SETALL. */
#include "difftest.h"

static int id;

static void worker(const char *what, int how)
{
	struct gate up = gate_new();
	pid_t pid = fork_or_die();

	if (pid == 0) {
		MUST(sem_do(id, 0, -3, SEM_UNDO));
		MUST(sem_do(id, 1, 4, SEM_UNDO));
		MUST(sem_do(id, 0, 1, SEM_UNDO));
		MUST(sem_do(id, 1, 2, 0));
		gate_open(&up);
		if (how == 0)
			_exit(0);
		if (how == 1)
			exit(0);
		for (;;)
			pause();
	}
	gate_wait(&up);
	if (how >= 2) {
		say_values("held", id, 2);
		kill(pid, how);
	}
	reap(pid);
	say_values(what, id, 2);
	FACT(semctl(id, 0, GETPID) == pid && semctl(id, 1, GETPID) == pid);
	MUST(semctl(id, 0, SETALL, (union semun){ .array = (unsigned short[]){ 10, 0 } }));
}

int main(int argc, char **argv)
{
	struct gate up = gate_new(), go = gate_new();
	char text[16];
	pid_t pid;

	if (argc > 1) {
		id = atoi(argv[1]);
		say_values("after exec", id, 2);
		MUST(sem_do(id, 0, -1, SEM_UNDO));
		say_values("one more", id, 2);
		return 0;
	}
	id = sem_new(2);
	MUST(sem_set(id, 0, 10));
	worker("_exit", 0);
	worker("exit", 1);
	worker("SIGKILL", SIGKILL);
	worker("SIGTERM", SIGTERM);

	pid = fork_or_die();
	if (pid == 0) {
		MUST(sem_do(id, 0, -2, SEM_UNDO));
		snprintf(text, sizeof(text), "%d", id);
		execl("/proc/self/exe", argv[0], text, NULL);
		_exit(1);
	}
	reap(pid);
	say_values("exec'd program ended", id, 2);

	pid = fork_or_die();
	if (pid == 0) {
		pid_t inner;

		MUST(sem_do(id, 0, -2, SEM_UNDO));
		inner = fork_or_die();
		if (inner == 0)
			_exit(0); /* owes nothing */
		reap(inner);
		say_values("forked child ended", id, 2);
		_exit(0);
	}
	reap(pid);
	say_values("its parent ended", id, 2);

	pid = fork_or_die();
	if (pid == 0) {
		MUST(sem_do(id, 0, -4, SEM_UNDO));
		MUST(sem_do(id, 1, 1, SEM_UNDO));
		gate_open(&up);
		gate_wait(&go);
		_exit(0);
	}
	gate_wait(&up);
	SHOW(sem_set(id, 0, 20));
	gate_open(&go);
	reap(pid);
	say_values("SETVAL dropped the first", id, 2);

	pid = fork_or_die();
	if (pid == 0) {
		MUST(sem_do(id, 0, -4, SEM_UNDO));
		MUST(semctl(id, 0, SETALL, (union semun){ .array = (unsigned short[]){ 1, 1 } }));
		MUST(sem_do(id, 1, -1, SEM_UNDO));
		_exit(0);
	}
	reap(pid);
	say_values("SETALL dropped all before it", id, 2);

	pid = vfork();
	if (pid == 0) {
		sem_do(id, 0, 7, SEM_UNDO);
		_exit(0);
	}
	reap(pid);
	say_values("vforked child ended", id, 2);
	sem_remove(id);
	return 0;
}
