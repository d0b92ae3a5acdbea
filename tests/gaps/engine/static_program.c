/* SPDX-License-Identifier: Apache-2.0 */
/* A statically linked program: thread-local storage, threads, fork, exec, signals, IPC. */
#include "difftest.h"

#include <sys/auxv.h>

static __thread int mine = 5;
static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
	trapped_ok();
}

static void *thread(void *arg)
{
	mine += (int)(long)arg;
	raise(SIGUSR1);
	return (void *)(long)(mine + 100 * trapped_ok());
}

int main(int argc, char **argv)
{
	void *result;
	int id;

	FACT(getauxval(AT_BASE) == 0);
	FACT(getauxval(AT_PHDR) != 0 && getauxval(AT_ENTRY) != 0);
	say("tls %d", mine);
	signal(SIGUSR1, handler);
	for (long i = 1; i <= 3; i++) {
		pthread_join(thread_start(thread, (void *)i), &result);
		say("thread: %ld", (long)result);
	}
	say("handled %d", handled);
	id = sem_new(1);
	CHILD(SHOW(sem_do(id, 0, 5, SEM_UNDO)));
	SHOW(sem_value(id, 0));
	sem_remove(id);
	if (argc == 1) {
		CHILD(execl("/proc/self/exe", argv[0], "again", NULL));
		CHILD(execl("/bin/sh", "sh", "-c", "echo dynamic; exit 9", NULL));
	}
	return 0;
}
