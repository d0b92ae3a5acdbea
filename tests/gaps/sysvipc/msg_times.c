/* SPDX-License-Identifier: Apache-2.0 */
/* msg_stime, msg_rtime, msg_ctime, lspid and lrpid: what moves which. Each on a queue of its own, so that one second must pass. */
#include "difftest.h"

enum { SEND, RECEIVE, SET, REFUSED, HANDED, QUEUES };

static struct queue {
	int id;
	struct msqid_ds last;
} queues[QUEUES];

static const char *way(time_t before, time_t after)
{
	return after == before ? "same" : after > before ? "later" : "earlier";
}

static void moved(const char *what, struct queue *queue, pid_t child)
{
	const struct msqid_ds last = queue->last;
	struct msqid_ds ds;

	MUST(msgctl(queue->id, IPC_STAT, &ds));
	say("%s: stime %s, rtime %s, ctime %s, lspid %s, lrpid %s", what, way(last.msg_stime, ds.msg_stime),
	    way(last.msg_rtime, ds.msg_rtime), way(last.msg_ctime, ds.msg_ctime),
	    ds.msg_lspid == child ? "child" : whose_pid(ds.msg_lspid), ds.msg_lrpid == child ? "child" : whose_pid(ds.msg_lrpid));
	queue->last = ds;
}

static void next_second(void)
{
	time_t start = time(NULL);

	while (time(NULL) < start + 1)
		pause_ms(5);
	pause_ms(20);
}

int main(void)
{
	pid_t pid;

	for (int i = 0; i < QUEUES; i++) {
		queues[i].id = msg_new();
		MUST(msgctl(queues[i].id, IPC_STAT, &queues[i].last));
	}
	MUST(msg_send(queues[RECEIVE].id, 1, "x", 0));
	moved("msgsnd at once", &queues[RECEIVE], -1);
	next_second();
	MUST(msg_send(queues[SEND].id, 1, "x", 0));
	moved("msgsnd", &queues[SEND], -1);
	pid = fork_or_die();
	if (pid == 0) {
		msg_show("child", queues[RECEIVE].id, 10, 0, 0);
		_exit(0);
	}
	reap(pid);
	moved("msgrcv by child", &queues[RECEIVE], pid);
	MUST(msgctl(queues[SET].id, IPC_SET, &queues[SET].last));
	moved("IPC_SET", &queues[SET], -1);
	msg_show("empty", queues[REFUSED].id, 10, 0, IPC_NOWAIT);
	moved("refused msgrcv", &queues[REFUSED], -1);
	pid = fork_or_die();
	if (pid == 0)
		_exit(msgrcv(queues[HANDED].id, &(struct message){ 0 }, 10, 0, 0) == 1 ? 0 : 1);
	wait_asleep(pid);
	MUST(msg_send(queues[HANDED].id, 1, "y", 0)); /* handed to the sleeper */
	reap(pid);
	moved("handed over", &queues[HANDED], pid);
	for (int i = 0; i < QUEUES; i++)
		msg_remove(queues[i].id);
	return 0;
}
