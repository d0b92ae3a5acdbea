/* SPDX-License-Identifier: Apache-2.0 */
/* A robust mutex whose owner dies, as a thread and as a process killed, is found with EOWNERDEAD. */
#include "difftest.h"

static pthread_mutex_t *mutex;

static void *locks_and_ends(void *arg)
{
	(void)arg;
	pthread_mutex_lock(mutex);
	return NULL;
}

static void init(int shared)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, shared);
	pthread_mutex_init(mutex, &attr);
}

static void recover(const char *what)
{
	int error = pthread_mutex_lock(mutex);

	say("%s: %s", what, error ? errno_name(error) : "ok");
	if (error == EOWNERDEAD)
		pthread_mutex_consistent(mutex);
	pthread_mutex_unlock(mutex);
	error = pthread_mutex_lock(mutex);
	say("again: %s", error ? errno_name(error) : "ok");
	pthread_mutex_unlock(mutex);
}

int main(int argc, char **argv)
{
	struct gate up = gate_new();
	pid_t pid;

	(void)argv;
	if (argc > 1)
		return 0;
	mutex = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	init(PTHREAD_PROCESS_PRIVATE);
	pthread_join(thread_start(locks_and_ends, NULL), NULL);
	recover("thread ended");
	init(PTHREAD_PROCESS_SHARED);
	pid = fork_or_die();
	if (pid == 0) {
		pthread_mutex_lock(mutex);
		trapped_ok();
		gate_open(&up);
		for (;;)
			trapped_ok();
	}
	gate_wait(&up);
	kill(pid, SIGKILL);
	reap(pid);
	recover("process killed");
	CHILD(pthread_mutex_lock(mutex));
	recover("process exited");
	pid = fork_or_die();
	if (pid == 0) {
		pthread_mutex_lock(mutex);
		execl("/proc/self/exe", "again", "x", NULL);
		_exit(1);
	}
	reap(pid);
	recover("process executed another program");
	return 0;
}
