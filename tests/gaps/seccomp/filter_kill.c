/* SPDX-License-Identifier: Apache-2.0 */
/* SECCOMP_RET_KILL_PROCESS and SECCOMP_RET_KILL_THREAD, of a process with one thread and of one with several. */
#include "seccomp_test.h"

static const struct plain_call *victim;

static void *calls(void *unused)
{
	(void)unused;
	make(victim);
	return NULL;
}

/* A thread makes the call; the first one looks on, and ends the process with status 5 if it can. */
static void in_a_thread(const struct plain_call *call, unsigned action)
{
	int status;
	pid_t pid = fork_or_die();

	if (pid == 0) {
		pthread_t thread;

		filter_call(call->nr, action);
		victim = call;
		thread = thread_start(calls, NULL);
		pthread_join(thread, NULL); /* the kernel clears the tid of one that it kills */
		_exit(5);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		say("%s: SIG%s", call->name, sigabbrev_np(WTERMSIG(status)));
	else
		say("%s: status %d", call->name, WEXITSTATUS(status));
}

int main(void)
{
	static const unsigned actions[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, 0x00010000 };

	for (size_t action = 0; action < COUNT(actions); action++)
		for (size_t i = 0; i < COUNT(plain_calls); i++)
			CHILD({
				if (plain_calls[i].nr != SYS_clone3)
					filter_call(plain_calls[i].nr, actions[action]);
				show_end(&plain_calls[i]);
			});
	for (size_t action = 0; action < COUNT(actions); action++)
		for (size_t i = 0; i < 4; i++)
			in_a_thread(&plain_calls[i], actions[action]);
	return 0;
}
