/* SPDX-License-Identifier: Apache-2.0 */
/* IPC namespaces: objects, keys, ids, limits and listings of their own; what is attached stays; SEM_UNDO is done when one is left. */
#include "difftest.h"
#include <sched.h>

#define KEY 0x1d000001

static void told(const char *what)
{
	char text[8192];
	int shm = shmget(KEY, 0, 0), sem, msg;

	say("%s: shm %s", what, shm < 0 ? errno_name(errno) : "there");
	sem = semget(KEY, 0, 0);
	say("  sem %s", sem < 0 ? errno_name(errno) : "there");
	msg = msgget(KEY, 0);
	say("  msg %s", msg < 0 ? errno_name(errno) : "there");
	for (int i = 0; i < 3; i++) {
		const char *const names[] = { "/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg" };
		int lines = 0;

		read_file(names[i], text, sizeof(text));
		for (char *at = text; *at; at++)
			lines += *at == '\n';
		say("  %s: %d objects", names[i], lines - 1);
	}
}

static void make(void)
{
	OK(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	OK(semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600));
	OK(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
}

static void limits(const char *what)
{
	struct shminfo info;

	MUST(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&info));
	say("%s: shmmni %lu", what, info.shmmni);
}

static void set_limit(const char *value)
{
	write_file("/proc/sys/kernel/shmmni", value, 0644);
}

static void attached_memory(void)
{
	int id = shm_new(PAGE);
	char *at = shm_attach(id);

	strcpy(at, "before");
	CHILD({
		MUST(unshare(CLONE_NEWIPC));
		say("still there: %s", at);
		strcpy(at, "after");
		SHOW(shmctl(id, IPC_STAT, NULL));
		SHOW(shmdt(at));
		SHOW(shmdt(at));
	});
	say("seen outside: %s", at);
	SHOW(attached(id));
	MUST(shmdt(at));
	shm_remove(id);
}

static void undo(void)
{
	int id = sem_new(1);

	CHILD({
		MUST(sem_do(id, 0, 3, SEM_UNDO));
		SHOW(sem_value(id, 0));
		MUST(unshare(CLONE_NEWIPC));
		SHOW(sem_do(id, 0, 1, 0));
		pause_ms(1);
	});
	SHOW(sem_value(id, 0));
	CHILD({
		struct gate gate = gate_new(), end = gate_new();
		pid_t pid;

		MUST(sem_set(id, 0, 1));
		pid = fork_or_die();
		if (pid == 0) {
			MUST(sem_do(id, 0, 5, SEM_UNDO));
			MUST(unshare(CLONE_NEWIPC));
			gate_open(&gate);
			gate_wait(&end);
			_exit(0);
		}
		gate_wait(&gate);
		SHOW(sem_value(id, 0));
		gate_open(&end);
		reap(pid);
	});
	sem_remove(id);
}

static void child_receives(int id)
{
	CHILD(msg_show("child", id, 64, 0, IPC_NOWAIT));
}

static void messages(void)
{
	int outer = (int)MUST(msgget(KEY, 0));

	MUST(msg_send(outer, 1, "outer", 0));
	CHILD({
		int inner;

		MUST(unshare(CLONE_NEWIPC));
		inner = (int)MUST(msgget(KEY, IPC_CREAT | 0600));
		MUST(msg_send(inner, 1, "inner", 0));
		child_receives(inner);
		msg_show("itself", inner, 64, 0, IPC_NOWAIT);
	});
	msg_show("outside", outer, 64, 0, IPC_NOWAIT);
}

static int in_clone(void)
{
	told("cloned");
	make();
	told("cloned, made");
	return 0;
}

int main(int argc, char **argv)
{
	pid_t pid;

	(void)argv;
	if (argc > 1) {
		told("executed");
		return 0;
	}
	make();
	told("first");
	set_limit("77");
	CHILD({
		SHOW(unshare(CLONE_NEWIPC));
		told("unshared");
		limits("unshared");
		make();
		told("made");
		set_limit("55");
		SHOW(unshare(CLONE_NEWIPC));
		told("again");
		limits("again");
		make();
		execl("/proc/self/exe", "prog", "again", NULL);
	});
	told("parent");
	limits("parent");
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(in_clone());
	reap(pid);
	told("after clone");
	attached_memory();
	undo();
	messages();
	AS_USER(1000, 1000, SHOW(unshare(CLONE_NEWIPC)));
	for (int i = 0; i < 4; i++) /* more than there can be at once */
		CHILD(SHOW(unshare(CLONE_NEWIPC)); told("one of many"); make());
	told("at last");
	shm_remove(shmget(KEY, 0, 0));
	sem_remove(semget(KEY, 0, 0));
	msg_remove(msgget(KEY, 0));
	return 0;
}
