/* SPDX-License-Identifier: Apache-2.0 */
/* A thread changes an overlay while another one forks children that live on: it goes on, whatever they have inherited. */
#include "overlay_test.h"

#include <pthread.h>

#define ROUNDS 200
#define PATIENCE_MS 10000

static unsigned steps, over;

static void *work(void *unused)
{
	for (int i = 0; !__atomic_load_n(&over, __ATOMIC_ACQUIRE); i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "/a/many/n%d", i % 700);
		(void)!unlink(name);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
		__atomic_add_fetch(&steps, 1, __ATOMIC_RELEASE);
	}
	return unused;
}

/* Whether two more steps are made while a child lives. */
static bool goes_on(void)
{
	unsigned before = __atomic_load_n(&steps, __ATOMIC_ACQUIRE);
	pid_t pid = fork_or_die();
	bool on = false;

	if (pid == 0)
		for (;;)
			pause();
	for (int i = 0; !on && i < PATIENCE_MS; i++) {
		usleep(1000);
		on = __atomic_load_n(&steps, __ATOMIC_ACQUIRE) > before + 2;
	}
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
	return on;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int stuck = 0;

	DUMP_IF_ASKED();
	MUST(pthread_create(&thread, NULL, work, NULL) == 0 ? 0 : -1);
	for (int i = 0, rounds = scaled(ROUNDS); i < rounds && stuck < 2; i++)
		stuck += !goes_on();
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	say("stuck: %d", stuck);
	for (int i = 0; i < 700; i++) { /* the same tree, however far it came */
		char name[32];

		snprintf(name, sizeof(name), "/a/many/n%d", i);
		(void)!unlink(name);
	}
	return 0;
}
