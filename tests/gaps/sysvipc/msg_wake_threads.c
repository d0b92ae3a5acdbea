/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of one process wait for messages and for room: who is served, with time for removal and signals. */
#include "difftest.h"

static struct wakes wakes;
static int id;
static volatile pid_t tid;

struct waiter {
	char letter;
	long type; /* to receive; 0: sends 60 bytes instead */
};

static void *waits(void *arg)
{
	struct waiter *w = arg;
	struct message m = { .type = w->letter };

	tid = (pid_t)syscall(SYS_gettid);
	if (w->type)
		wakes_note(&wakes, w->letter, (int)msgrcv(id, &m, 100, w->type, 0));
	else
		wakes_note(&wakes, w->letter, msgsnd(id, &m, 60, 0));
	return NULL;
}

static void start(pthread_t *thread, struct waiter *w)
{
	tid = 0;
	*thread = thread_start(waits, w);
	while (tid == 0)
		pause_ms(1);
	pause_ms(1);
	wait_state(getpid(), tid, 'S');
}

static void handler(int sig)
{
	(void)sig;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct waiter w[] = { { 'A', 5 }, { 'B', -3 }, { 'C', 5 }, { 'D', 9 }, { 'E', 8 }, { 'F', 0 }, { 'G', 0 } };
	pthread_t threads[COUNT(w)];
	struct msqid_ds ds;
	struct message m;

	wakes = wakes_new();
	id = msg_new();
	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 100;
	MUST(msgctl(id, IPC_SET, &ds));
	sigaction(SIGUSR1, &sa, NULL);
	for (size_t i = 0; i < 5; i++)
		start(&threads[i], &w[i]);
	MUST(msg_send(id, 5, "five", 0));
	wakes_say(&wakes, "type 5", 1);
	MUST(msg_send(id, 2, "two", 0));
	wakes_say(&wakes, "type 2", 1);
	MUST(msg_send(id, 5, "five", 0));
	wakes_say(&wakes, "type 5", 1);
	pthread_kill(threads[3], SIGUSR1);
	wakes_say(&wakes, "signal to D", 1);
	MUST(msg_send(id, 1, "0123456789012345678901234567890123456789012345678901234567890", 0));
	start(&threads[5], &w[5]);
	say_queue("F waits for room", id);
	SHOW(msgrcv(id, &m, 100, 1, 0));
	wakes_say(&wakes, "room", 1);
	say_queue("F is in", id);
	start(&threads[6], &w[6]);
	msg_remove(id);
	wakes_say(&wakes, "removed", 2);
	for (size_t i = 0; i < COUNT(w); i++)
		pthread_join(threads[i], NULL);
	return 0;
}
