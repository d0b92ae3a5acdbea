/* SPDX-License-Identifier: Apache-2.0 */
/* A pidfd is readable once its process has ended, not before: by itself, killed, passed on, over execve, with threads left. */
#include "difftest.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

static int pidfd_of(pid_t pid)
{
	return (int)MUST(syscall(SYS_pidfd_open, pid, 0));
}

/* Linux 6.9 adds POLLHUP when the process has been reaped. */
static short polled(int fd, int timeout)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI, 0 };

	MUST(poll(&p, 1, timeout));
	return (short)(p.revents & ~POLLHUP);
}

static pid_t sleeper(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void by_itself(void)
{
	struct gate gate = gate_new();
	pid_t pid = fork_or_die();
	int fd;

	if (pid == 0) {
		gate_wait(&gate);
		_exit(3);
	}
	fd = pidfd_of(pid);
	SHOW(polled(fd, 0));
	gate_open(&gate);
	SHOW(polled(fd, -1));
	FACT(task_state(pid, pid) == 'Z');
	reap(pid);
	SHOW(polled(fd, -1));
	close(fd);
}

static void killed(void)
{
	pid_t pid = sleeper();
	int fd = pidfd_of(pid), late, epoll = (int)MUST(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 };
	siginfo_t info;
	fd_set set;

	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	SHOW(epoll_wait(epoll, &event, 1, 20));
	kill(pid, SIGKILL);
	SHOW(epoll_wait(epoll, &event, 1, -1));
	FACT(event.data.u32 == 7 && (event.events & EPOLLIN));
	FD_ZERO(&set);
	FD_SET(fd, &set);
	SHOW(select(fd + 1, &set, NULL, NULL, NULL));
	FACT(FD_ISSET(fd, &set));
	memset(&info, 0, sizeof(info));
	SHOW(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT));
	FACT(info.si_pid == pid);
	late = pidfd_of(pid); /* of a zombie */
	SHOW(polled(late, -1));
	reap(pid);
	close(fd);
	close(late);
	close(epoll);
}

static void stopped(void)
{
	pid_t pid = sleeper();
	int fd = pidfd_of(pid);

	kill(pid, SIGSTOP);
	wait_state(pid, pid, 'T');
	SHOW(polled(fd, 20));
	kill(pid, SIGKILL);
	SHOW(polled(fd, -1));
	reap(pid);
	close(fd);
}

/* Passed to a child that is not the parent of who is watched, by fork and in a message. */
static void passed_on(void)
{
	pid_t pid = sleeper(), watcher;
	int fd = pidfd_of(pid), pair[2];
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	watcher = fork_or_die();
	if (watcher == 0) {
		int got;

		SHOW(polled(fd, 0));
		close(fd);
		MUST(recvmsg(pair[1], &message, 0));
		memcpy(&got, CMSG_DATA(c), sizeof(got));
		SHOW(polled(got, 0));
		SHOW(syscall(SYS_pidfd_send_signal, got, SIGKILL, NULL, 0));
		SHOW(polled(got, -1));
		SHOW(waitid(P_PIDFD, (id_t)got, NULL, WEXITED));
		_exit(0);
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	MUST(sendmsg(pair[0], &message, 0));
	close(fd);
	reap(watcher);
	reap(pid);
}

static void over_execve(const char *self)
{
	pid_t pid = sleeper(), child;
	int fd = pidfd_of(pid), copy = dup(fd);
	char number[16];

	snprintf(number, sizeof(number), "%d", copy);
	child = fork_or_die();
	if (child == 0) {
		execl(self, "watcher", number, NULL);
		_exit(1);
	}
	reap(child);
	SHOW(polled(fd, -1));
	reap(pid);
	close(fd);
	close(copy);
}

static void *last_thread(void *gate)
{
	gate_wait(gate);
	_exit(0);
}

static void leader_ends_first(void)
{
	struct gate gate = gate_new();
	pid_t pid = fork_or_die();
	int fd;

	if (pid == 0) {
		thread_start(last_thread, &gate);
		syscall(SYS_exit, 0);
	}
	fd = pidfd_of(pid);
	wait_state(pid, pid, 'Z');
	SHOW(polled(fd, 50));
	gate_open(&gate);
	SHOW(polled(fd, -1));
	reap(pid);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		int fd = atoi(argv[1]);

		SHOW(polled(fd, 0));
		SHOW(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
		SHOW(polled(fd, -1));
		return 0;
	}
	by_itself();
	killed();
	stopped();
	passed_on();
	over_execve("/proc/self/exe");
	leader_ends_first();
	for (int i = 0; i < scaled(50); i++) { /* many short lives */
		pid_t pid = fork_or_die();
		int fd;

		if (pid == 0)
			_exit(0);
		fd = pidfd_of(pid);
		if (polled(fd, -1) != POLLIN)
			say("round %d", i);
		reap(pid);
		close(fd);
	}
	return 0;
}
