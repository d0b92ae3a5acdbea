/* SPDX-License-Identifier: Apache-2.0 */
/* msg_stime, msg_rtime, msg_ctime, lspid and lrpid: what moves which. */
#include "difftest.h"

static int id;
static struct msqid_ds last;

static const char *way(time_t before, time_t after)
{
	return after == before ? "same" : after > before ? "later" : "earlier";
}

static void moved(const char *what, pid_t child)
{
	struct msqid_ds ds;

	MUST(msgctl(id, IPC_STAT, &ds));
	say("%s: stime %s, rtime %s, ctime %s, lspid %s, lrpid %s", what, way(last.msg_stime, ds.msg_stime),
	    way(last.msg_rtime, ds.msg_rtime), way(last.msg_ctime, ds.msg_ctime),
	    ds.msg_lspid == child ? "child" : whose_pid(ds.msg_lspid), ds.msg_lrpid == child ? "child" : whose_pid(ds.msg_lrpid));
	last = ds;
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

	id = msg_new();
	MUST(msgctl(id, IPC_STAT, &last));
	next_second();
	MUST(msg_send(id, 1, "x", 0));
	moved("msgsnd", -1);
	next_second();
	pid = fork_or_die();
	if (pid == 0) {
		msg_show("child", id, 10, 0, 0);
		_exit(0);
	}
	reap(pid);
	moved("msgrcv by child", pid);
	next_second();
	MUST(msgctl(id, IPC_SET, &last));
	moved("IPC_SET", pid);
	msg_show("empty", id, 10, 0, IPC_NOWAIT);
	moved("refused msgrcv", pid);
	next_second();
	pid = fork_or_die();
	if (pid == 0)
		_exit(msgrcv(id, &(struct message){ 0 }, 10, 0, 0) == 1 ? 0 : 1);
	wait_asleep(pid);
	MUST(msg_send(id, 1, "y", 0)); /* handed to the sleeper */
	reap(pid);
	moved("handed over", pid);
	msg_remove(id);
	return 0;
}
