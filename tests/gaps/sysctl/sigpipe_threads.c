/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads write sysctls, broken pipes and broken sockets at once, change the action for SIGPIPE and fork: every write gets its own answer. */
#include "difftest.h"
#include <sys/socket.h>

#define FILE_NAME "/proc/sys/kernel/panic"
#define THREADS 4

static char value[64];
static size_t size;
static int rounds, handled, broken, sockets, good, bad, stop;

static void handler(int sig)
{
	(void)sig;
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void count(int *what)
{
	__atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

static void *write_files(void *arg)
{
	(void)arg;
	for (int i = 0; i < rounds; i++) {
		int fd = open(FILE_NAME, O_WRONLY | (i & 1 ? O_CLOEXEC : 0));

		count(write(fd, "x", 1) == -1 && errno == EINVAL ? &good : &bad);
		count(write(fd, value, size) == (ssize_t)size ? &good : &bad);
		close(fd);
	}
	return NULL;
}

static void *write_broken(void *arg)
{
	for (int i = 0; i < rounds; i++) {
		int ends[2];

		if (arg ? pipe2(ends, O_CLOEXEC) : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			continue;
		close(ends[0]);
		/* a child that was forked meanwhile may keep the other end open for a moment; then a socket says ECONNRESET once */
		while (write(ends[1], "x", 1) == 1 || errno == ECONNRESET)
			sched_yield();
		count(errno != EPIPE ? &bad : arg ? &broken : &sockets);
		close(ends[1]);
	}
	return NULL;
}

static void *set_actions(void *arg)
{
	struct sigaction action = { .sa_handler = handler }, old;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		action.sa_flags ^= SA_RESTART;
		sigaction(SIGPIPE, &action, &old);
		if (old.sa_handler != handler)
			count(&bad);
		sched_yield();
	}
	return NULL;
}

static void *fork_on(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		pid_t pid = fork();

		if (pid == 0) {
			pause_ms(2);
			_exit(0);
		}
		reap_quietly(pid);
	}
	return NULL;
}

/* gVisor sends no signal for sockets. */
static bool signals_right(void)
{
	return handled == broken + sockets || handled == broken;
}

/* In a process that has not written any such file before: the first ones come from all threads at once. */
static void storm(bool forks)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t threads[3 * THREADS], other[2] = { 0 };

	MUST(sigaction(SIGPIPE, &action, NULL));
	other[0] = thread_start(set_actions, NULL);
	if (forks)
		other[1] = thread_start(fork_on, NULL);
	for (int i = 0; i < 3 * THREADS; i++)
		threads[i] = thread_start(i % 3 ? write_broken : write_files, i % 3 == 1 ? value : NULL);
	for (int i = 0; i < 3 * THREADS; i++)
		pthread_join(threads[i], NULL);
	stop = 1;
	pthread_join(other[0], NULL);
	if (forks)
		pthread_join(other[1], NULL);
	say("right answers %d wrong ones %d", good - 2 * rounds * THREADS, bad);
	say("broken %d %d, as many signals: %d", broken - rounds * THREADS, sockets - rounds * THREADS, signals_right());
}

int main(void)
{
	size = read_file(FILE_NAME, value, sizeof(value));
	rounds = scaled(10);
	for (int i = 0; i < scaled(100); i++) {
		pid_t pid = fork_or_die();

		if (pid == 0) {
			int null = open("/dev/null", O_WRONLY);

			if (i)
				dup2(null, STDOUT_FILENO);
			rounds = 2;
			storm(false);
			_exit(bad || !signals_right());
		}
		reap(pid);
	}
	rounds = scaled(300);
	storm(true);
	return 0;
}
