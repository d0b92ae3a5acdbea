// SPDX-License-Identifier: Apache-2.0
/* Between our streams and a command's: see the header. */
#include "host/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/console.h"

/* A message on its way to its end. */
struct on_its_way {
	int to; /* with `size` */
	size_t at, size;
	char bytes[CONSOLE_CHUNK + 1 + DETACH_KEYS_MAX];
};

struct attached {
	const struct attach *attach;
	struct detach_keys keys;
	int in, out, err; /* ours; in negative: none, or its end was read */
	int signals;
	bool raw, hears; /* hears: the other end still takes messages */
	struct termios saved;
	sigset_t mask; /* as we found it */
	struct on_its_way typed, written;
	int end, status; /* enum attach_end, negative: not yet */
};

/* --- our terminal --------------------------------------------------------------------------------------------------------------- */

/* Our own description of what fd is, non-blocking. */
static int open_again(int fd, int flags)
{
	char path[32];
	int again;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return again >= 0 ? again : fcntl(fd, F_DUPFD_CLOEXEC, 3); /* a socket, or another user's: then it may have to wait */
}

void attach_say_size(int connection)
{
	char message[1 + sizeof(struct winsize)] = { CONSOLE_SIZE };
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	memcpy(message + 1, &size, sizeof(size));
	(void)send(connection, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int attach_pair(int ret[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return -errno;
	attach_say_size(ret[0]);
	return 0;
}

/* Raw, if it is ours to change: we are in its foreground. */
static void make_raw(struct attached *a)
{
	struct termios now;

	if (a->in < 0 || !a->attach->terminal || tcgetpgrp(a->in) != getpgrp() || tcgetattr(a->in, &now) < 0)
		return;
	if (!a->raw)
		a->saved = now;
	a->raw = true;
	cfmakeraw(&now);
	(void)tcsetattr(a->in, TCSADRAIN, &now);
}

static void restore(struct attached *a)
{
	if (a->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &a->saved);
	a->raw = false;
}

/* --- messages ------------------------------------------------------------------------------------------------------------------- */

static bool would_block(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Sends what was typed. */
static void send_typed(struct attached *a)
{
	if (!a->typed.size)
		return;
	if (send(a->attach->connection, a->typed.bytes, a->typed.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (would_block())
			return;
		a->hears = false; /* the end is told by what can be read there */
	}
	a->typed.size = 0;
}

static void say(struct attached *a, char kind, s32 number)
{
	char message[1 + sizeof(number)] = { kind };

	memcpy(message + 1, &number, sizeof(number));
	(void)send(a->attach->connection, message, kind == CONSOLE_DETACH ? 1 : sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void read_typed(struct attached *a)
{
	char bytes[CONSOLE_CHUNK - DETACH_KEYS_MAX];
	ssize_t n = read(a->in, bytes, sizeof(bytes));
	size_t size = 0;
	bool detach;

	if (n < 0 && would_block())
		return;
	if (n <= 0) { /* the terminal is gone, or the file at its end */
		close_fd(&a->in);
		a->in = FD_NONE;
		return;
	}
	detach = detach_keys_filter(&a->keys, bytes, (size_t)n, a->typed.bytes + 1, &size);
	a->typed.bytes[0] = CONSOLE_INPUT;
	a->typed.size = size ? size + 1 : 0;
	send_typed(a);
	if (!detach)
		return;
	say(a, CONSOLE_DETACH, 0);
	a->end = ATTACH_DETACHED;
}

/* Ends us as the signal would have. */
static void end_by(struct attached *a, int sig)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t set;

	restore(a);
	sigemptyset(&set);
	sigaddset(&set, sig);
	(void)sigaction(sig, &action, NULL);
	(void)kill(getpid(), sig);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void write_out(struct attached *a)
{
	struct on_its_way *way = &a->written;

	while (way->size) {
		ssize_t n = write(way->to, way->bytes + way->at, way->size);

		if (n < 0 && would_block())
			return;
		if (n < 0 && !a->attach->ours && errno == EPIPE)
			end_by(a, SIGPIPE);
		if (n < 0) /* nobody takes it: it is dropped */
			n = (ssize_t)way->size;
		way->at += (size_t)n;
		way->size -= (size_t)n;
	}
}

static void take_message(struct attached *a)
{
	struct on_its_way *way = &a->written;
	ssize_t n = recv(a->attach->connection, way->bytes, sizeof(way->bytes), MSG_DONTWAIT);

	if (n < 0 && (would_block() || errno == ECONNRESET)) /* reset: what we sent was not read; what was sent to us is there */
		return;
	if (n <= 0) {
		a->end = ATTACH_LOST;
	} else if (way->bytes[0] == CONSOLE_END && n == 1 + (ssize_t)sizeof(s32)) {
		memcpy(&a->status, way->bytes + 1, sizeof(s32));
		a->end = ATTACH_ENDED;
	} else {
		way->to = way->bytes[0] == CONSOLE_STDERR ? a->err : a->out;
		way->at = 1;
		way->size = (size_t)n - 1;
		write_out(a);
	}
}

/* --- signals -------------------------------------------------------------------------------------------------------------------- */

/* We are to stop: with our terminal as it was. Continued, it is the command's again. */
static void stop(struct attached *a)
{
	restore(a);
	(void)kill(getpid(), SIGSTOP);
}

static bool passed_on(const struct attached *a, const struct signalfd_siginfo *info)
{
	bool sent = info->ssi_code <= 0, hang_up = info->ssi_signo == SIGHUP;

	if (a->attach->ours)
		return sent || hang_up || info->ssi_signo == SIGINT || info->ssi_signo == SIGQUIT;
	return a->attach->proxy && (sent || !hang_up);
}

static void take_signal(struct attached *a)
{
	struct signalfd_siginfo info;

	if (read(a->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
	case SIGPIPE:
	case SIGTTOU:
	case SIGURG:
		break;
	case SIGTSTP:
		stop(a);
		break;
	case SIGWINCH:
	case SIGCONT:
		attach_say_size(a->attach->connection);
		make_raw(a);
		break;
	default:
		if (passed_on(a, &info))
			say(a, CONSOLE_SIGNAL, (s32)info.ssi_signo);
		else if (!a->attach->ours)
			end_by(a, (int)info.ssi_signo);
	}
}

/* All signals become readable, but those that tell of a fault of our own, or that we read from a terminal in the background. */
static int take_signals(struct attached *a)
{
	static const int left[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGTTIN };
	sigset_t taken;

	sigfillset(&taken);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		sigdelset(&taken, left[i]);
	a->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	return a->signals < 0 || sigprocmask(SIG_BLOCK, &taken, &a->mask) < 0 ? -errno : 0;
}

/* --- both ----------------------------------------------------------------------------------------------------------------------- */

static void serve(struct attached *a)
{
	bool output = a->written.size > 0, input = a->typed.size > 0;
	struct pollfd polled[] = {
		{ .fd = a->signals, .events = POLLIN },
		{ .fd = output ? FD_NONE : a->attach->connection, .events = POLLIN },
		{ .fd = output ? a->written.to : FD_NONE, .events = POLLOUT },
		{ .fd = input && a->hears ? a->attach->connection : FD_NONE, .events = POLLOUT },
		{ .fd = input || !a->hears ? FD_NONE : a->in, .events = POLLIN },
	};

	if (poll(polled, ARRAY_SIZE(polled), -1) <= 0)
		return;
	if (polled[0].revents)
		take_signal(a);
	if (polled[2].revents)
		write_out(a);
	if (polled[3].revents)
		send_typed(a);
	if (polled[1].revents)
		take_message(a);
	if (polled[4].revents && a->end < 0)
		read_typed(a);
}

int attach_run(const struct attach *attach, int *ret_status)
{
	struct attached a = { .attach = attach, .in = FD_NONE, .hears = true, .end = -1 };
	int r = take_signals(&a);

	a.in = attach->input && r == 0 ? open_again(STDIN_FILENO, O_RDONLY) : FD_NONE;
	a.out = open_again(STDOUT_FILENO, O_WRONLY);
	a.err = open_again(STDERR_FILENO, O_WRONLY);
	if (attach->terminal && isatty(a.in))
		a.keys = attach->keys;
	make_raw(&a);
	while (r == 0 && a.end < 0)
		serve(&a);
	restore(&a);
	close_fd(&a.in);
	close_fd(&a.out);
	close_fd(&a.err);
	close_fd(&a.signals);
	(void)sigprocmask(SIG_SETMASK, &a.mask, NULL);
	if (r < 0)
		return r;
	*ret_status = a.status;
	return a.end;
}
