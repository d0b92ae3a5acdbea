/* SPDX-License-Identifier: Apache-2.0 */
/* Signals and a sleeping semop: EINTR whatever SA_RESTART says; ignored ones do not wake. */
#include "difftest.h"

static int id;
static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static pid_t sleeper(int flags, void (*handler)(int), const struct timespec *timeout)
{
	struct sembuf down = { 0, -1, 0 };
	pid_t pid = fork_or_die();

	if (pid == 0) {
		struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
		int result;

		sigaction(SIGUSR1, &sa, NULL);
		result = semtimedop(id, &down, 1, timeout);
		say("semop = %s, handled %d, ncnt %d", result ? errno_name(errno) : "ok", (int)handled, semctl(id, 0, GETNCNT));
		_exit(0);
	}
	wait_sem_sleepers(id, 0, GETNCNT, 1);
	wait_asleep(pid);
	return pid;
}

int main(void)
{
	struct timespec day = { 86400, 0 };
	pid_t pid;

	id = sem_new(1);
	pid = sleeper(0, on_signal, NULL);
	kill(pid, SIGUSR1);
	reap(pid);
	pid = sleeper(SA_RESTART, on_signal, NULL);
	kill(pid, SIGUSR1);
	reap(pid);
	pid = sleeper(SA_RESTART, on_signal, &day);
	kill(pid, SIGUSR1);
	reap(pid);

	say("ignored signal, then an increase:");
	pid = sleeper(0, SIG_IGN, NULL);
	for (int i = 0; i < 20; i++) {
		kill(pid, SIGUSR1);
		kill(pid, SIGURG);
		kill(pid, SIGCONT);
	}
	wait_asleep(pid);
	say("ncnt %d", semctl(id, 0, GETNCNT));
	MUST(sem_do(id, 0, 1, 0));
	reap(pid);

	say("killed while asleep:");
	pid = sleeper(0, SIG_DFL, NULL);
	kill(pid, SIGUSR1);
	reap(pid);
	say("ncnt %d", semctl(id, 0, GETNCNT));
	MUST(sem_do(id, 0, 1, 0));
	say_values("value", id, 1);
	sem_remove(id);
	return 0;
}
