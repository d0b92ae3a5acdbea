/* SPDX-License-Identifier: Apache-2.0 */
/* A full queue holds senders back: who goes when room appears, what IPC_NOWAIT says, IPC_SET makes room. */
#include "difftest.h"

static struct wakes wakes;
static struct message m;
static int id;

static pid_t sender(char letter, size_t size)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		m.type = letter;
		wakes_note(&wakes, letter, msgsnd(id, &m, size, 0));
		_exit(0);
	}
	wait_asleep(pid);
	return pid;
}

/* Empties the queue; in the types' order, as two senders let go at once race to be first. */
static void drain(void)
{
	static const long types[] = { 1, 'A', 'B' };

	for (size_t i = 0; i < COUNT(types); i++)
		while (msgrcv(id, &m, 1000, types[i], IPC_NOWAIT) >= 0)
			say("taken type %ld", m.type);
}

static void qbytes(unsigned long size)
{
	struct msqid_ds ds;

	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = size;
	SHOW(msgctl(id, IPC_SET, &ds));
}

int main(void)
{
	wakes = wakes_new();
	id = msg_new();
	qbytes(1000);
	m.type = 1;
	SHOW(msgsnd(id, &m, 900, 0));
	SHOW(msgsnd(id, &m, 101, IPC_NOWAIT));
	SHOW(msgsnd(id, &m, 100, IPC_NOWAIT));
	sender('A', 500);
	sender('B', 100);
	say_queue("two wait", id);
	msg_show("take 900", id, 1000, 0, 0);
	wakes_say(&wakes, "900 free", 2);
	say_queue("both in", id);
	drain();

	m.type = 1;
	MUST(msgsnd(id, &m, 600, 0));
	MUST(msgsnd(id, &m, 400, 0));
	sender('A', 700);
	sender('B', 300);
	say_queue("two wait", id);
	msg_show("take 600", id, 1000, 0, 0);
	wakes_say(&wakes, "600 free", 1);
	say_queue("A still waits", id);
	m.type = 2;
	SHOW(msgsnd(id, &m, 1, IPC_NOWAIT)); /* what fits may overtake a sender that waits */
	msg_show("take 1", id, 1000, 2, 0);
	msg_show("take 400", id, 1000, 0, 0);
	wakes_say(&wakes, "700 free", 1);
	drain();

	m.type = 1;
	MUST(msgsnd(id, &m, 1000, 0));
	sender('A', 1000);
	qbytes(2000);
	wakes_say(&wakes, "qbytes doubled", 1);
	say_queue("both in", id);
	sender('B', 1000);
	qbytes(500);
	SHOW(msgsnd(id, &m, 501, IPC_NOWAIT)); /* greater than the queue will ever hold */
	msg_show("take", id, 1000, 0, 0);
	msg_show("take", id, 1000, 0, 0);
	qbytes(1000);
	wakes_say(&wakes, "qbytes back", 1);
	msg_show("take", id, 1000, 'B', IPC_NOWAIT);

	MUST(msgsnd(id, &m, 1000, 0));
	sender('A', 1);
	sender('B', 2);
	msg_remove(id);
	wakes_say(&wakes, "removed", 2);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}
