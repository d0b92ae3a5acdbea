/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that take a mask for their own duration, given one with everything (SIGSYS too) or nothing in it. */
#include "difftest.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>

static volatile sig_atomic_t count;

static void handler(int sig)
{
	(void)sig;
	count++;
}

static void say_mask(const char *what)
{
	sigset_t set;

	MUST(sigprocmask(SIG_BLOCK, NULL, &set));
	say("%s: USR1 %d SYS %d, handled %d", what, sigismember(&set, SIGUSR1), sigismember(&set, SIGSYS), count);
}

static void calls(const char *what, const sigset_t *mask)
{
	struct timespec ts = { 0, 1000000 };
	int pipe_fd[2], epoll = (int)MUST(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLIN };
	struct pollfd pfd;
	fd_set fds;

	MUST(pipe(pipe_fd));
	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_fd[0], &event));
	say("--- %s", what);
	pfd = (struct pollfd){ .fd = pipe_fd[0], .events = POLLIN };
	kill(getpid(), SIGUSR1); /* blocked outside: pending */
	SHOW(ppoll(&pfd, 1, &ts, mask));
	say_mask("ppoll");
	FD_ZERO(&fds);
	FD_SET(pipe_fd[0], &fds);
	kill(getpid(), SIGUSR1);
	SHOW(pselect(pipe_fd[0] + 1, &fds, NULL, NULL, &ts, mask));
	say_mask("pselect");
	kill(getpid(), SIGUSR1);
	SHOW(epoll_pwait(epoll, &event, 1, 1, mask));
	say_mask("epoll_pwait");
	MUST(write(pipe_fd[1], "x", 1));
	SHOW(ppoll(&pfd, 1, NULL, mask));
	FD_SET(pipe_fd[0], &fds);
	SHOW(pselect(pipe_fd[0] + 1, &fds, NULL, NULL, NULL, mask));
	SHOW(epoll_pwait(epoll, &event, 1, -1, mask));
	say_mask("ready");
	SHOW(semget(some_key(1), 0, 0));
	close(epoll);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void suspend(void)
{
	sigset_t all_but, none;
	pid_t pid, parent = getpid();

	sigfillset(&all_but);
	sigdelset(&all_but, SIGUSR1);
	pid = fork_or_die();
	if (pid == 0) {
		wait_state(parent, parent, 'S');
		kill(parent, SIGUSR1);
		_exit(0);
	}
	SHOW(sigsuspend(&all_but));
	say_mask("sigsuspend");
	reap(pid);
	kill(getpid(), SIGUSR1);
	sigemptyset(&none);
	SHOW(sigsuspend(&none));
	say_mask("sigsuspend, pending");
}

static void timed(void)
{
	struct timespec ts = { 0, 1000000 };
	sigset_t all, usr1;
	siginfo_t info;

	sigfillset(&all);
	SHOW(sigtimedwait(&all, &info, &ts));
	kill(getpid(), SIGUSR1);
	SHOW(sigtimedwait(&all, &info, &ts));
	FACT(info.si_signo == SIGUSR1 && info.si_code == SI_USER && info.si_pid == getpid());
	kill(getpid(), SIGSYS);
	SHOW(semget(some_key(1), 0, 0));
	SHOW(sigtimedwait(&all, &info, &ts));
	FACT(info.si_signo == SIGSYS && info.si_code == SI_USER);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigaddset(&usr1, SIGSYS);
	SHOW(sigtimedwait(&usr1, &info, &ts));
	SHOW(semget(some_key(1), 0, 0));
}

static void by_signalfd(void)
{
	struct signalfd_siginfo info;
	sigset_t all;
	int fd;

	sigfillset(&all);
	fd = (int)MUST(signalfd(-1, &all, SFD_NONBLOCK));
	SHOW(read(fd, &info, sizeof(info)));
	SHOW(semget(some_key(1), 0, 0));
	SHOW(read(fd, &info, sizeof(info)));
	kill(getpid(), SIGUSR1);
	SHOW(read(fd, &info, sizeof(info)));
	FACT(info.ssi_signo == SIGUSR1 && info.ssi_pid == (unsigned int)getpid());
	kill(getpid(), SIGTERM);
	SHOW(semget(some_key(1), 0, 0));
	SHOW(read(fd, &info, sizeof(info)));
	FACT(info.ssi_signo == SIGTERM);
	SHOW(signalfd(fd, &all, 0) == fd);
	close(fd);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler };
	sigset_t all, none;

	sigaction(SIGUSR1, &sa, NULL);
	sigfillset(&all);
	sigemptyset(&none);
	MUST(sigprocmask(SIG_SETMASK, &all, NULL));
	calls("everything blocked", &all);
	calls("nothing blocked", &none);
	calls("no mask given", NULL);
	suspend();
	timed();
	by_signalfd();
	return 0;
}
