/* SPDX-License-Identifier: Apache-2.0 */
/* waitid(P_PIDFD): what it tells, blocks, refuses; with WNOHANG, WNOWAIT, PIDFD_NONBLOCK, interrupted and restarted. */
#include "difftest.h"

#include <sys/resource.h>

static volatile int caught;

static void handler(int sig)
{
	caught = sig;
}

static int pidfd_of(pid_t pid, unsigned flags)
{
	return (int)MUST(syscall(SYS_pidfd_open, pid, flags));
}

static int wait_for(int fd, siginfo_t *info, int options)
{
	if (info)
		memset(info, 0x55, sizeof(*info));
	return (int)syscall(SYS_waitid, P_PIDFD, fd, info, options, NULL);
}

static void told(const siginfo_t *info, pid_t pid)
{
	say("  signo %d code %d status %d pid %s", info->si_signo, info->si_code, info->si_status,
	    info->si_pid == pid ? "right"
	    : info->si_pid      ? "wrong"
				: "0");
}

static void states(void)
{
	struct gate gate = gate_new();
	struct rusage usage;
	pid_t pid = fork_or_die();
	siginfo_t info;
	int fd;

	if (pid == 0) {
		gate_wait(&gate);
		_exit(42);
	}
	fd = pidfd_of(pid, 0);
	SHOW(wait_for(fd, &info, WEXITED | WNOHANG));
	told(&info, pid);
	kill(pid, SIGSTOP);
	SHOW(wait_for(fd, &info, WSTOPPED));
	told(&info, pid);
	kill(pid, SIGCONT);
	SHOW(wait_for(fd, &info, WCONTINUED));
	told(&info, pid);
	gate_open(&gate);
	SHOW(wait_for(fd, &info, WEXITED | WNOWAIT));
	told(&info, pid);
	SHOW(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, &usage));
	told(&info, pid);
	SHOW(wait_for(fd, &info, WEXITED));
	SHOW(wait_for(fd, NULL, WEXITED | WNOHANG));
	close(fd);
}

static void refused(void)
{
	int self = pidfd_of(getpid(), 0), parent = pidfd_of(getppid(), 0);
	pid_t pid = fork_or_die();
	siginfo_t info;
	int fd;

	if (pid == 0)
		_exit(0);
	fd = pidfd_of(pid, 0);
	SHOW(wait_for(-1, &info, WEXITED));
	SHOW(wait_for(1000, &info, WEXITED));
	SHOW(wait_for(STDOUT_FILENO, &info, WEXITED));
	SHOW(wait_for(fd, &info, 0));
	SHOW(wait_for(fd, &info, WNOHANG));
	SHOW(wait_for(fd, &info, 0x100));
	SHOW(wait_for(1000, &info, 0));
	SHOW(wait_for(self, &info, WEXITED));
	SHOW(wait_for(parent, &info, WEXITED));
	wait_state(pid, pid, 'Z');
	SHOW(wait_for(fd, bad_pointer() ? NULL : &info, WEXITED | WNOWAIT));
	SHOW(syscall(SYS_waitid, P_PIDFD, fd, bad_pointer(), WEXITED | WNOWAIT, NULL));
	SHOW(syscall(SYS_waitid, P_PIDFD, fd, NULL, WEXITED, bad_pointer()));
	SHOW(wait_for(fd, &info, WEXITED));
}

static void nonblock(void)
{
	struct gate gate = gate_new();
	pid_t pid = fork_or_die();
	siginfo_t info;
	int fd;

	if (pid == 0) {
		gate_wait(&gate);
		_exit(5);
	}
	fd = pidfd_of(pid, O_NONBLOCK);
	SHOW(wait_for(fd, &info, WEXITED));
	told(&info, pid);
	SHOW(wait_for(fd, NULL, WEXITED));
	SHOW(wait_for(fd, NULL, WEXITED | WNOHANG));
	fcntl(fd, F_SETFL, 0);
	gate_open(&gate);
	SHOW(wait_for(fd, NULL, WEXITED | WNOWAIT));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	SHOW(wait_for(fd, NULL, WEXITED | WNOWAIT));
	SHOW(wait_for(fd, &info, WEXITED));
	told(&info, pid);
	SHOW(wait_for(fd, &info, WEXITED));
}

/* A signal meets the one who waits; then the child ends. */
static void signalled(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct gate gate = gate_new();
	pid_t parent = getpid(), pid, helper;
	siginfo_t info;
	int fd;

	caught = 0;
	sigaction(SIGUSR1, &action, NULL);
	pid = fork_or_die();
	if (pid == 0) {
		gate_wait(&gate);
		_exit(6);
	}
	fd = pidfd_of(pid, 0);
	helper = fork_or_die();
	if (helper == 0) {
		wait_asleep(parent);
		kill(parent, SIGUSR1);
		pause_ms(50);
		wait_asleep(parent);
		gate_open(&gate);
		_exit(0);
	}
	SHOW(wait_for(fd, &info, WEXITED));
	SHOW(caught == SIGUSR1);
	if (flags & SA_RESTART)
		told(&info, pid);
	reap(helper);
	reap_quietly(pid);
}

int main(void)
{
	states();
	refused();
	nonblock();
	signalled(0);
	signalled(SA_RESTART);
	return 0;
}
