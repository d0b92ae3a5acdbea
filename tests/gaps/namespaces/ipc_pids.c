/* SPDX-License-Identifier: Apache-2.0 */
/* What System V objects tell of pid 1, to itself and to others. */
#include "difftest.h"

static int shm, sem, msg;

static const char *number(pid_t pid)
{
	return pid == 0 ? "0" : pid == 1 ? "1" : pid == getpid() ? "own" : "other";
}

/* The pids in the last line of a file of /proc/sysvipc: two columns. */
static void file(const char *path, int first)
{
	char text[4096], *line, *save = NULL, *word;
	int column = 0;

	read_file(path, text, sizeof(text));
	line = strchr(text, '\n');
	for (word = line ? strtok_r(line, " \n", &save) : NULL; word; word = strtok_r(NULL, " \n", &save), column++)
		if (column == first || column == first + 1)
			say("  %s column %d: %s", path, column, number(atoi(word)));
}

static void told(const char *what)
{
	struct shmid_ds segment;
	struct msqid_ds queue;

	MUST(shmctl(shm, IPC_STAT, &segment));
	MUST(msgctl(msg, IPC_STAT, &queue));
	say("%s: shm made by %s, last %s; sem %s; msg sent by %s, received by %s", what, number(segment.shm_cpid),
	    number(segment.shm_lpid), number(semctl(sem, 0, GETPID)), number(queue.msg_lspid), number(queue.msg_lrpid));
	file("/proc/sysvipc/shm", 4);
	file("/proc/sysvipc/msg", 5);
}

int main(void)
{
	void *at;

	shm = shm_new(PAGE);
	sem = sem_new(1);
	msg = msg_new();
	told("made");
	at = shm_attach(shm);
	MUST(sem_do(sem, 0, 1, 0));
	MUST(msg_send(msg, 1, "one", 0));
	MUST(msg_send(msg, 1, "two", 0));
	msg_show("received", msg, 64, 0, 0);
	told("used by init");
	CHILD({
		told("seen by a child");
		MUST(shmdt(at));
		MUST(sem_do(sem, 0, 1, 0));
		MUST(msg_send(msg, 1, "three", 0));
		msg_show("received", msg, 64, 0, 0);
		told("used by it");
	});
	MUST(sem_set(sem, 0, 5));
	told("set by init");
	shm_remove(shm);
	sem_remove(sem);
	msg_remove(msg);
	return 0;
}
