/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_open: its arguments, the descriptor, and processes that have ended, been reaped or are threads. */
#include "difftest.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static int pidfd_of(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static struct gate ready, go_on;

static void *thread(void *tid)
{
	*(volatile pid_t *)tid = (pid_t)syscall(SYS_gettid);
	gate_open(&ready);
	gate_wait(&go_on);
	return NULL;
}

/* The errno for a thread that is no process was EINVAL before Linux 6.15. */
static void of_thread(pid_t tid)
{
	int fd = pidfd_of(tid, 0);

	say("of a thread: %s", fd >= 0 ? "ok" : errno == ENOENT || errno == EINVAL ? "ENOENT" : errno_name(errno));
	fd = pidfd_of(tid, PIDFD_THREAD);
	say("of a thread, PIDFD_THREAD: %s", fd >= 0 ? "ok" : errno_name(errno));
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	int fd, again;
	pid_t pid, tid = 0;
	pthread_t t;

	SHOW(pidfd_of(0, 0));
	SHOW(pidfd_of(-1, 0));
	SHOW(pidfd_of(INT_MIN, 0));
	SHOW(pidfd_of(getpid(), 1));
	SHOW(pidfd_of(getpid(), O_CLOEXEC));
	SHOW(pidfd_of(0, 1));
	SHOW(pidfd_of(INT_MAX, 0));
	fd = pidfd_of(getpid(), 0);
	FACT(fd == 3);
	again = pidfd_of(getpid(), O_NONBLOCK);
	FACT(again == 4);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(fd, F_GETFL) & O_NONBLOCK);
	FACT((fcntl(again, F_GETFL) & O_NONBLOCK) != 0);
	SHOW(lseek(fd, 0, SEEK_SET));
	FACT(pidfd_of(getppid(), 0) == 5);
	FACT(pidfd_of(1, 0) == 6);
	ready = gate_new();
	go_on = gate_new();
	t = thread_start(thread, &tid);
	gate_wait(&ready);
	of_thread(tid);
	gate_open(&go_on);
	pthread_join(t, NULL);
	pid = fork_or_die();
	if (pid == 0)
		_exit(0);
	wait_state(pid, pid, 'Z');
	fd = pidfd_of(pid, 0);
	say("of a zombie: %s", fd >= 0 ? "ok" : errno_name(errno));
	reap(pid);
	SHOW(pidfd_of(pid, 0));
	return 0;
}
