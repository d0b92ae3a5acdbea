/* SPDX-License-Identifier: Apache-2.0 */
/* PIDFD_THREAD (Linux 6.9): a thread by itself, its end, and signals to it. */
#include "difftest.h"

#include <poll.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static struct gate ready, go_on;
static volatile pid_t tid, caught_by;

static int pidfd_of(pid_t pid)
{
	return (int)MUST(syscall(SYS_pidfd_open, pid, PIDFD_THREAD));
}

static short polled(int fd, int timeout)
{
	struct pollfd p = { fd, POLLIN, 0 };

	MUST(poll(&p, 1, timeout));
	return (short)(p.revents & ~POLLHUP);
}

static void handler(int sig)
{
	(void)sig;
	caught_by = (pid_t)syscall(SYS_gettid);
	gate_open(&ready);
}

static void *thread(void *unused)
{
	(void)unused;
	tid = (pid_t)syscall(SYS_gettid);
	gate_open(&ready);
	gate_wait(&go_on);
	return NULL;
}

int main(void)
{
	pthread_t t;
	int fd;

	ready = gate_new();
	go_on = gate_new();
	signal(SIGUSR1, handler);
	t = thread_start(thread, NULL);
	gate_wait(&ready);
	fd = pidfd_of(tid);
	SHOW(polled(fd, 20));
	SHOW(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));
	gate_wait(&ready);
	FACT(caught_by == tid);
	SHOW(waitid(P_PIDFD, (id_t)fd, NULL, WEXITED));
	gate_open(&go_on);
	pthread_join(t, NULL);
	SHOW(polled(fd, -1));
	SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	close(fd);
	return 0;
}
