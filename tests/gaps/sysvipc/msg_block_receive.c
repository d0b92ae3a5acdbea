/* SPDX-License-Identifier: Apache-2.0 */
/* Receivers on an empty queue: each message goes to the first that wants it; E2BIG and removal wake too. */
#include "difftest.h"

static struct wakes wakes;
static int id;

static pid_t start(char letter, size_t size, long type, int flags)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		struct message m;
		ssize_t n = msgrcv(id, &m, size, type, flags);

		wakes_note(&wakes, letter, (int)n);
		_exit(n >= 0 ? (int)m.type : 0);
	}
	return pid;
}

static pid_t receiver(char letter, size_t size, long type, int flags)
{
	pid_t pid = start(letter, size, type, flags);

	wait_asleep(pid);
	return pid;
}

static void took(pid_t pid, const char *who)
{
	int status;

	waitpid(pid, &status, 0);
	say("%s took type %d", who, WEXITSTATUS(status));
}

int main(void)
{
	pid_t a, b, c, d;

	wakes = wakes_new();
	id = msg_new();
	a = receiver('A', 100, 0, 0);
	b = receiver('B', 100, 0, 0);
	MUST(msg_send(id, 1, "x", 0));
	wakes_say(&wakes, "first message", 1);
	MUST(msg_send(id, 2, "y", 0));
	wakes_say(&wakes, "second message", 1);
	took(a, "A");
	took(b, "B");

	a = receiver('A', 100, 7, 0);
	b = receiver('B', 100, -5, 0);
	c = receiver('C', 100, 7, MSG_EXCEPT);
	d = receiver('D', 100, 0, 0);
	say_queue("four wait", id);
	MUST(msg_send(id, 6, "six", 0));
	wakes_say(&wakes, "type 6", 1);
	MUST(msg_send(id, 5, "five", 0));
	wakes_say(&wakes, "type 5", 1);
	MUST(msg_send(id, 7, "seven", 0));
	wakes_say(&wakes, "type 7", 1);
	MUST(msg_send(id, 8, "eight", 0));
	wakes_say(&wakes, "type 8", 1);
	took(a, "A");
	took(b, "B");
	took(c, "C");
	took(d, "D");
	say_queue("handed over", id);

	a = receiver('A', 2, 0, 0);
	b = receiver('B', 100, 0, 0);
	MUST(msg_send(id, 3, "too long", 0));
	wakes_say(&wakes, "too long for A", 2);
	took(a, "A");
	took(b, "B");
	a = receiver('A', 2, 0, MSG_NOERROR);
	MUST(msg_send(id, 4, "too long", 0));
	wakes_say(&wakes, "cut for A", 1);
	took(a, "A");
	a = receiver('A', 2, 0, 0);
	MUST(msg_send(id, 3, "too long", 0));
	wakes_say(&wakes, "too long for the only one", 1);
	took(a, "A");
	say_queue("message kept", id);
	msg_show("it is there", id, 100, 0, IPC_NOWAIT);

	a = receiver('A', 100, 9, 0);
	MUST(msg_send(id, 1, "unwanted", 0));
	wait_asleep(a);
	say_queue("unwanted stays", id);
	b = start('B', 100, 1, 0);
	wakes_say(&wakes, "it was for B", 1);
	took(b, "B");
	b = receiver('B', 100, -1, 0);
	SHOW(msgctl(id, IPC_RMID, NULL));
	wakes_say(&wakes, "removed", 2);
	reap(a);
	reap(b);
	return 0;
}
