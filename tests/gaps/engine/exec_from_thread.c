/* SPDX-License-Identifier: Apache-2.0 */
/* execve from a thread that is not the leader, with others running, blocked, or none left. */
#include "difftest.h"

static char *program;
static int sem;

static void *busy(void *arg)
{
	(void)arg;
	for (;;)
		trapped_ok();
	return NULL;
}

static void *blocked(void *arg)
{
	(void)arg;
	sem_do(sem, 0, -1, 0);
	return NULL;
}

static void *execute(void *arg)
{
	char *argv[] = { program, arg, NULL }, *environment[] = { (char *)"A=1", NULL };

	wait_sem_sleepers(sem, 0, GETNCNT, 1);
	execve(program, argv, environment); /* not /proc/self/exe: a zombie leader has none */
	_exit(1);
}

static void *leave(void *arg)
{
	for (int i = 0; i < 5000 && task_state(getpid(), getpid()) != 'Z'; i++)
		pause_ms(1);
	return execute(arg);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		char text[64];

		say("%s: tid is pid %d, trapped %d, environment %s", argv[1], (int)syscall(SYS_gettid) == getpid(), trapped_ok(),
		    getenv("A"));
		snprintf(text, sizeof(text), "/proc/self/task/%d", getpid());
		FACT(access(text, F_OK) == 0);
		return 0;
	}
	program = realpath("/proc/self/exe", NULL);
	sem = sem_new(2);
	CHILD({
		thread_start(blocked, NULL);
		thread_start(busy, NULL);
		thread_start(execute, (void *)"threads running");
		sem_do(sem, 1, -1, 0);
	});
	CHILD({
		thread_start(blocked, NULL);
		thread_start(leave, (void *)"leader gone");
		pthread_exit(NULL);
	});
	CHILD({
		thread_start(blocked, NULL);
		wait_sem_sleepers(sem, 0, GETNCNT, 1);
		execute((void *)"leader, others blocked");
	});
	say("ncnt %d", semctl(sem, 0, GETNCNT));
	sem_remove(sem);
	return 0;
}
