/* SPDX-License-Identifier: Apache-2.0 */
/* Signals and a sleeping msgsnd or msgrcv: EINTR whatever SA_RESTART says; ignored ones do not wake. */
#include "difftest.h"

static volatile sig_atomic_t handled;
static struct message m;
static int id, full;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

/* Gives the sleeper what it waits for. Silent: it may print before us. */
static void release(bool sends)
{
	struct message out;

	if (sends)
		MUST(msgrcv(full, &out, 10, 0, 0));
	else
		MUST(msgsnd(id, &m, 3, 0));
}

static pid_t sleeper(bool sends, int flags, void (*handler)(int))
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
		long result;

		sigaction(SIGUSR1, &sa, NULL);
		m.type = 5;
		result = sends ? msgsnd(full, &m, 10, 0) : msgrcv(id, &m, 10, 0, 0);
		say("%s = %ld %s, handled %d", sends ? "msgsnd" : "msgrcv", result, result < 0 ? errno_name(errno) : "",
		    (int)handled);
		_exit(0);
	}
	wait_asleep(pid);
	return pid;
}

int main(void)
{
	struct msqid_ds ds;
	pid_t pid;

	id = msg_new();
	full = msg_new();
	MUST(msgctl(full, IPC_STAT, &ds));
	ds.msg_qbytes = 10;
	MUST(msgctl(full, IPC_SET, &ds));
	m.type = 1;
	MUST(msgsnd(full, &m, 10, 0));
	for (int sends = 0; sends < 2; sends++) {
		pid = sleeper(sends, 0, on_signal);
		kill(pid, SIGUSR1);
		reap(pid);
		pid = sleeper(sends, SA_RESTART, on_signal);
		kill(pid, SIGUSR1);
		reap(pid);
		pid = sleeper(sends, 0, SIG_IGN);
		for (int i = 0; i < 10; i++) {
			kill(pid, SIGUSR1);
			kill(pid, SIGURG);
		}
		wait_asleep(pid);
		kill(pid, SIGSTOP);
		wait_state(pid, pid, 'T');
		kill(pid, SIGCONT);
		wait_asleep(pid);
		say("still asleep");
		release(sends);
		reap(pid);
		say("while stopped:");
		pid = sleeper(sends, 0, SIG_IGN);
		kill(pid, SIGSTOP);
		wait_state(pid, pid, 'T');
		release(sends);
		kill(pid, SIGCONT);
		reap(pid);
		say("killed:");
		pid = sleeper(sends, 0, SIG_DFL);
		kill(pid, SIGKILL);
		reap(pid);
	}
	MUST(msgsnd(id, &m, 4, 0)); /* a dead receiver takes nothing */
	say_queue("dead receiver", id);
	msg_show("dead sender left nothing more", full, 10, 0, IPC_NOWAIT);
	say_queue("emptied", full);
	msg_remove(id);
	msg_remove(full);
	return 0;
}
