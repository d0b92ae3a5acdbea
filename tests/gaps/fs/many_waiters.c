// SPDX-License-Identifier: Apache-2.0
/* Many threads that connect, send and wait for a FIFO's other end by a path at once: no descriptor is left of it. */
#include "fs_test.h"

#define THREADS 40
#define ROUNDS 100

static pthread_barrier_t barrier;
static struct sockaddr_un name = { .sun_family = AF_UNIX };

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		_exit(98);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void *open_fifo(void *tid)
{
	int fd;

	__atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
	fd = (int)MUST(open("/t/fifo", O_WRONLY));
	close(fd);
	return NULL;
}

/* Calls no path of its own afterwards. */
static void *send_once(void *none)
{
	int fd = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0));

	(void)none;
	(void)sendto(fd, "", 0, MSG_DONTWAIT, (struct sockaddr *)&name, sizeof(name));
	(void)pthread_barrier_wait(&barrier);
	(void)pthread_barrier_wait(&barrier);
	close(fd);
	return NULL;
}

static void *send_often(void *none)
{
	int fd = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), before;

	(void)none;
	(void)pthread_barrier_wait(&barrier); /* all others have sent */
	before = descriptors();
	for (int i = 0; i < ROUNDS; i++)
		if (i % 2)
			(void)connect(fd, (struct sockaddr *)&name, sizeof(name));
		else
			(void)sendto(fd, "", 0, MSG_DONTWAIT, (struct sockaddr *)&name, sizeof(name));
	FACT(descriptors() - before < 2);
	(void)pthread_barrier_wait(&barrier);
	close(fd);
	return NULL;
}

static void send_all(void)
{
	pthread_t threads[THREADS];

	(void)pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(i ? send_once : send_often, NULL);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
}

static void wait_all(int before)
{
	pthread_t threads[THREADS];
	pid_t tids[THREADS] = { 0 }, pid;
	int fd;

	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(open_fifo, &tids[i]);
	for (int i = 0; i < THREADS; i++) {
		while (!__atomic_load_n(&tids[i], __ATOMIC_ACQUIRE))
			pause_ms(1);
		wait_state(getpid(), tids[i], 'S');
	}
	pid = fork_or_die();
	if (pid == 0) { /* in which nobody waits */
		FACT(descriptors() - before < 2);
		_exit(0);
	}
	reap(pid);
	fd = (int)MUST(open("/t/fifo", O_RDONLY | O_NONBLOCK));
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	close(fd);
}

int main(void)
{
	int before, server;

	tree_make();
	memcpy(name.sun_path, "/t/here", sizeof("/t/here"));
	server = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	MUST(bind(server, (struct sockaddr *)&name, sizeof(name)));
	before = descriptors();
	send_all();
	FACT(descriptors() - before < 2);
	wait_all(before);
	FACT(descriptors() - before < 2);
	return 0;
}
