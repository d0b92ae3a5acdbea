/* SPDX-License-Identifier: Apache-2.0 */
/* A sleeping semop that is stopped and continued: the kernel ends it with EINTR even without a handler (signal(7)). */
#include "difftest.h"

static int id;

static pid_t sleeper(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		int result = sem_do(id, 0, -1, 0);

		say("semop = %s, ncnt %d", result ? errno_name(errno) : "ok", semctl(id, 0, GETNCNT));
		_exit(0);
	}
	wait_sem_sleepers(id, 0, GETNCNT, 1);
	wait_asleep(pid);
	return pid;
}

/* True when the process has ended, false when it sleeps on. */
static bool ends(pid_t pid)
{
	int calm = 0;

	while (calm < 20) {
		char state = task_state(pid, pid);

		if (state == 'Z')
			return true;
		calm = state == 'S' ? calm + 1 : 0;
		pause_ms(2);
	}
	return false;
}

int main(void)
{
	pid_t pid;

	id = sem_new(1);
	pid = sleeper();
	kill(pid, SIGSTOP);
	wait_state(pid, pid, 'T');
	kill(pid, SIGCONT);
	if (!ends(pid))
		MUST(sem_do(id, 0, 1, 0));
	reap(pid);

	MUST(sem_set(id, 0, 0));
	pid = sleeper();
	kill(pid, SIGSTOP);
	wait_state(pid, pid, 'T');
	MUST(sem_do(id, 0, 1, 0));
	say("increased while stopped: value %d", sem_value(id, 0));
	kill(pid, SIGCONT);
	reap(pid);
	say("end: value %d", sem_value(id, 0));
	sem_remove(id);
	return 0;
}
