/* SPDX-License-Identifier: Apache-2.0 */
/* shm_nattch over fork, exit, SIGKILL, exec, vfork and threads. */
#include "difftest.h"

static int id;

static void *attach_and_leave(void *arg)
{
	(void)arg;
	shm_attach(id);
	return NULL;
}

static pid_t holder(const struct gate *up, int attach)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		for (int i = 0; i < attach; i++)
			shm_attach(id);
		gate_open(up);
		for (;;)
			pause();
	}
	gate_wait(up);
	return pid;
}

int main(int argc, char **argv)
{
	struct gate up = gate_new();
	pid_t a, b;
	void *at;

	if (argc > 1) { /* executed: an execve drops every attachment */
		say("after exec: nattch %ld", attached(atoi(argv[1])));
		return 0;
	}
	id = shm_new(100);
	at = shm_attach(id);
	say("attached: %ld", attached(id));
	a = holder(&up, 0);
	say("forked: %ld", attached(id));
	b = holder(&up, 3);
	say("forked and three more: %ld", attached(id));
	kill(b, SIGKILL);
	reap(b);
	say("killed: %ld", attached(id));
	kill(a, SIGTERM);
	reap(a);
	say("terminated: %ld", attached(id));
	CHILD(shm_attach(id); shm_attach(id));
	say("exited: %ld", attached(id));
	CHILD(SHOW(shmdt(at)); say("child detached: %ld", attached(id)));
	say("child gone: %ld", attached(id));

	a = vfork();
	if (a == 0)
		_exit(attached(id) == 1 ? 0 : 1); /* shares the address space: still one */
	reap(a);
	say("vforked: %ld", attached(id));

	a = fork_or_die();
	if (a == 0) {
		char text[16];

		shm_attach(id);
		snprintf(text, sizeof(text), "%d", id);
		execl("/proc/self/exe", argv[0], text, NULL);
		_exit(1);
	}
	reap(a);
	say("executed and exited: %ld", attached(id));

	pthread_join(thread_start(attach_and_leave, NULL), NULL);
	say("thread attached and ended: %ld", attached(id));
	SHOW(shmdt(at));
	say("detached: %ld", attached(id));
	a = holder(&up, 0);
	say("grandchildren next: %ld", attached(id));
	kill(a, SIGKILL);
	reap_quietly(a);
	CHILD({
		pid_t inner = fork_or_die();

		if (inner == 0) {
			say("two deep: %ld", attached(id));
			_exit(0);
		}
		reap(inner);
	});
	say("all gone but one: %ld", attached(id));
	shm_remove(id);
	say("removed, still attached: %ld", attached(id));
	return 0;
}
