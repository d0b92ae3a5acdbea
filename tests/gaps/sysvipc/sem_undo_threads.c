/* SPDX-License-Identifier: Apache-2.0 */
/* Threads share one list of adjustments: it is applied when the process ends, not when a thread does. */
#include "difftest.h"

static int id;

static void *take_one(void *arg)
{
	(void)arg;
	sem_do(id, 0, -1, SEM_UNDO);
	return NULL;
}

static void *leave_while_main_sleeps(void *arg)
{
	(void)arg;
	take_one(NULL);
	wait_sem_sleepers(id, 1, GETNCNT, 1);
	_exit(0);
}

static void *execute(void *arg)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", id);
	execl("/proc/self/exe", arg, text, NULL);
	_exit(1);
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc > 1) {
		say_values("executed from a thread", atoi(argv[1]), 2);
		return 0;
	}
	id = sem_new(2);
	MUST(sem_set(id, 0, 100));
	CHILD({
		pthread_t threads[8];

		for (int i = 0; i < 8; i++)
			threads[i] = thread_start(take_one, NULL);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		say_values("threads ended", id, 2);
		take_one(NULL);
		say_values("main took one", id, 2);
	});
	say_values("process ended", id, 2);
	CHILD({
		thread_start(leave_while_main_sleeps, NULL);
		sem_do(id, 1, -1, 0);
	});
	say_values("another thread ended the process", id, 2);
	pid = fork_or_die();
	if (pid == 0) {
		pthread_t thread = thread_start(take_one, NULL);

		pthread_join(thread, NULL);
		pthread_join(thread_start(execute, argv[0]), NULL);
		_exit(1);
	}
	reap(pid);
	say_values("executed program ended", id, 2);
	pid = fork_or_die();
	if (pid == 0) {
		thread_start(take_one, NULL);
		pthread_exit(NULL); /* the leader is a zombie until the last thread ends */
	}
	reap(pid);
	say_values("leader left first", id, 2);
	sem_remove(id);
	return 0;
}
