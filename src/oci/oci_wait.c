// SPDX-License-Identifier: Apache-2.0
/* Waits for a child, with its signals and its terminal. */
#include "oci/oci_wait.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"

#define CHUNK 4096

/* Faults are ours, if they ever come; a stop is the shell's way to stop us. */
static void passed_on(sigset_t *set)
{
	static const int ours[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGTSTP, SIGTTIN, SIGTTOU };

	(void)sigfillset(set);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		(void)sigdelset(set, ours[i]);
}

int oci_wait_begin(sigset_t *ret_old)
{
	sigset_t set;

	passed_on(&set);
	return sigprocmask(SIG_BLOCK, &set, ret_old) < 0 ? -errno : 0;
}

/* Whether there can be more. */
static bool relay(int from, int to)
{
	char bytes[CHUNK];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n > 0)
		(void)!write_bytes(to, bytes, (size_t)n);
	return n > 0 || (n < 0 && errno == EINTR);
}

static void copy_size(int master)
{
	struct winsize size;

	if (ioctl(0, TIOCGWINSZ, &size) == 0)
		(void)ioctl(master, TIOCSWINSZ, &size);
}

/* All that have ended, orphans of the container as well. Whether the one is among them. */
static bool reap(pid_t pid, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t one;

	while ((one = waitpid(-1, &status, WNOHANG)) > 0) {
		if (one != pid)
			continue;
		*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		ended = true;
	}
	return ended || (one < 0 && errno == ECHILD);
}

static bool on_signal(int signals, pid_t pid, int master, int *ret_status)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo == SIGCHLD)
		return reap(pid, ret_status);
	if (info.ssi_signo == SIGWINCH && master >= 0)
		copy_size(master);
	else
		(void)kill(pid, (int)info.ssi_signo);
	return false;
}

static int follow(pid_t pid, int master, int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
				{ .fd = master, .events = POLLIN },
				{ .fd = master < 0 ? -1 : 0, .events = POLLIN } };
	int status = 0;

	if (reap(pid, &status)) /* before its SIGCHLD could wait for us */
		fds[0].fd = -1;
	while (fds[0].fd >= 0) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents && on_signal(signals, pid, master, &status))
			break;
		if (fds[1].revents && !relay(master, 1))
			fds[1].fd = -1;
		if (fds[2].revents && !relay(0, master))
			fds[2].fd = -1;
	}
	fds[0] = (struct pollfd){ .fd = master, .events = POLLIN };
	while (master >= 0 && fds[1].fd >= 0 && poll(fds, 1, 0) > 0 && relay(master, 1))
		; /* its last words */
	return status;
}

int oci_wait(pid_t pid, int master)
{
	struct termios before, raw;
	bool is_raw = false;
	sigset_t set;
	CLEANUP_FD int signals = FD_NONE;
	int status;

	passed_on(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return -errno;
	if (master >= 0 && tcgetattr(0, &before) == 0) {
		raw = before;
		cfmakeraw(&raw);
		is_raw = tcsetattr(0, TCSANOW, &raw) == 0;
		copy_size(master);
	}
	status = follow(pid, master, signals);
	if (is_raw)
		(void)tcsetattr(0, TCSANOW, &before);
	return status;
}
