/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and processes send and receive through one small queue: nothing lost, doubled, mixed up or out of order. */
#include "difftest.h"

enum { SENDERS = 4, RECEIVERS = 3, EACH = 1200 };

struct parcel {
	long type;
	unsigned int from, number, sum;
	unsigned char body[200];
};

static int id;
static volatile unsigned int *got; /* shared: messages received of each sender */

static unsigned int check(const struct parcel *p)
{
	unsigned int s = p->from * 77 + p->number;

	for (size_t i = 0; i < sizeof(p->body); i++)
		s = s * 33 + p->body[i];
	return s;
}

static void *sender(void *arg)
{
	unsigned int from = (unsigned int)(long)arg;

	for (unsigned int n = 0; n < EACH; n++) {
		struct parcel p = { .type = from + 1, .from = from, .number = n };

		for (size_t i = 0; i < sizeof(p.body); i++)
			p.body[i] = (unsigned char)(from + n * i);
		p.sum = check(&p);
		if (msgsnd(id, &p, sizeof(p) - sizeof(long), 0))
			return (void *)1;
	}
	return NULL;
}

/* Receives until the stop message; in order per sender as far as one receiver can tell. */
static void *receiver(void *arg)
{
	unsigned int last[SENDERS] = { 0 };
	long bad = 0;

	(void)arg;
	for (;;) {
		struct parcel p;
		ssize_t n = msgrcv(id, &p, sizeof(p) - sizeof(long), 0, 0);

		if (n == 0)
			return (void *)bad;
		if (n != (ssize_t)(sizeof(p) - sizeof(long)) || p.sum != check(&p) || p.type != p.from + 1 ||
		    p.number + 1 <= last[p.from])
			bad++;
		last[p.from] = p.number + 1;
		__atomic_fetch_add(&got[p.from], 1, __ATOMIC_RELAXED);
	}
}

static void receivers(void)
{
	pthread_t threads[RECEIVERS];
	void *result;
	long bad = 0;

	for (int i = 0; i < RECEIVERS; i++)
		threads[i] = thread_start(receiver, NULL);
	for (int i = 0; i < RECEIVERS; i++) {
		pthread_join(threads[i], &result);
		bad += (long)result;
	}
	_exit((int)bad);
}

int main(void)
{
	pthread_t threads[SENDERS];
	struct msqid_ds ds;
	pid_t pids[2];

	got = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	id = msg_new();
	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 1000; /* four messages: both sides must sleep */
	MUST(msgctl(id, IPC_SET, &ds));
	for (int i = 0; i < 2; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			receivers();
	}
	for (long i = 0; i < SENDERS; i++)
		threads[i] = thread_start(sender, (void *)i);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2 * RECEIVERS; i++)
		MUST(msg_send(id, 99, "", 0));
	for (int i = 0; i < 2; i++)
		reap(pids[i]);
	for (int i = 0; i < SENDERS; i++)
		say("from sender %d: %u", i, got[i]);
	say_queue("end", id);
	msg_remove(id);
	return 0;
}
