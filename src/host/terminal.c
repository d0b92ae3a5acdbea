// SPDX-License-Identifier: Apache-2.0
/* Relays a guest's terminal: see the header. */
#include "host/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CHUNK 16384
#define LAST_WORDS_MS 2000 /* so long what the guest wrote last may take to be written */

/* Bytes on their way: read from one end, written to another. */
struct pipe_way {
	int from, to; /* negative: it is over */
	size_t at, size;
	char bytes[CHUNK];
};

struct terminal {
	int master, epoll;
	int in, out; /* ours; in negative: none */
	struct pipe_way to_guest, to_us;
	bool raw;
	struct termios saved;
};

/* Our own description of what fd is, non-blocking. */
static int open_again(int fd, int flags)
{
	char path[32];
	int again;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return again >= 0 ? again : fcntl(fd, F_DUPFD_CLOEXEC, 3); /* a socket, or another user's: then it may have to wait */
}

static void copy_size(const struct terminal *t)
{
	struct winsize size;

	if (ioctl(t->in >= 0 ? t->in : t->out, TIOCGWINSZ, &size) == 0)
		(void)ioctl(t->master, TIOCSWINSZ, &size);
}

/* The multiplexer of the /dev/pts that a process sees, found in its root without following a way out of it. */
static int open_master_of(pid_t member)
{
	struct open_how how = { .flags = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char path[32];
	CLEANUP_FD int root = FD_NONE;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", member);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, "dev/pts/ptmx", &how, sizeof(how));
}

static int make_pair(struct terminal *t, pid_t member, int *ret_slave)
{
	int unlocked = 0;
	char name[64];

	if (member) {
		t->master = open_master_of(member);
		if (t->master < 0 || ioctl(t->master, TIOCSPTLCK, &unlocked) < 0)
			return -errno;
		*ret_slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		return *ret_slave < 0 ? -errno : 0;
	}
	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (t->master < 0)
		return -errno;
	if (grantpt(t->master) < 0 || unlockpt(t->master) < 0 || ptsname_r(t->master, name, sizeof(name)) != 0)
		return -ENOTTY;
	*ret_slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *ret_slave < 0 ? -errno : 0;
}

int terminal_new(bool input, pid_t member, struct terminal **ret, int *ret_slave)
{
	struct terminal *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->master = t->epoll = t->in = t->out = FD_NONE;
	r = make_pair(t, member, ret_slave);
	if (r == 0) {
		t->in = input ? open_again(STDIN_FILENO, O_RDONLY) : FD_NONE;
		t->out = open_again(STDOUT_FILENO, O_WRONLY);
		t->epoll = epoll_create1(EPOLL_CLOEXEC);
		if ((input && t->in < 0) || t->out < 0 || t->epoll < 0)
			r = -errno;
	}
	if (r < 0) {
		terminal_end(t);
		return r;
	}
	t->to_guest = (struct pipe_way){ .from = t->in, .to = t->master };
	t->to_us = (struct pipe_way){ .from = t->master, .to = t->out };
	copy_size(t);
	*ret = t;
	return 0;
}

/* --- relaying ------------------------------------------------------------------------------------------------------------------------------- */

static bool would_block(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Reads if nothing is kept, writes what is. What has come to its end, or failed, is over. Returns whether anything went on. */
static bool move(struct pipe_way *way)
{
	ssize_t n;

	if (way->from >= 0 && !way->size) {
		n = read(way->from, way->bytes, sizeof(way->bytes));
		if (n == 0 || (n < 0 && !would_block()))
			way->from = FD_NONE;
		way->size = n > 0 ? (size_t)n : 0;
		way->at = 0;
	}
	if (!way->size)
		return false;
	n = way->to < 0 ? (ssize_t)way->size : write(way->to, way->bytes + way->at, way->size); /* nobody takes it: it is dropped */
	if (n < 0 && !would_block()) {
		way->to = FD_NONE;
		n = (ssize_t)way->size;
	}
	if (n <= 0)
		return false;
	way->at += (size_t)n;
	way->size -= (size_t)n;
	return true;
}

/* Listens for what is waited for, and for nothing else: to be woken is to be able to go on. */
static void listen_to(const struct terminal *t, int fd, bool read, bool write)
{
	struct epoll_event event = { .events = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u), .data.fd = fd };

	if (fd < 0)
		return;
	if (!event.events)
		(void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(t->epoll, EPOLL_CTL_MOD, fd, &event) < 0 && errno == ENOENT)
		(void)epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event); /* EPERM: a file, which is always ready */
}

static void listen_again(const struct terminal *t)
{
	const struct pipe_way *in = &t->to_guest, *out = &t->to_us;

	listen_to(t, t->master, out->from >= 0 && !out->size, in->to >= 0 && in->size);
	listen_to(t, t->in, in->from >= 0 && !in->size, false);
	listen_to(t, t->out, false, out->to >= 0 && out->size);
}

static void relay(void *data)
{
	struct terminal *t = data;

	for (int i = 0; i < 8 && (move(&t->to_us) + move(&t->to_guest)) > 0; i++) /* then signals are looked at */
		;
	listen_again(t);
}

/* --- our terminal --------------------------------------------------------------------------------------------------------------------------- */

/* Raw, if it is ours to change: we are in its foreground. */
static void make_raw(struct terminal *t)
{
	struct termios now;

	if (t->in < 0 || tcgetpgrp(t->in) != getpgrp() || tcgetattr(t->in, &now) < 0)
		return;
	if (!t->raw)
		t->saved = now;
	t->raw = true;
	cfmakeraw(&now);
	(void)tcsetattr(t->in, TCSADRAIN, &now);
}

/* Its size has changed, or we were continued. */
static void looked_at_again(void *data)
{
	struct terminal *t = data;

	copy_size(t);
	make_raw(t);
}

/* Writes what is left, as long as somebody takes it. */
static void last_words(struct terminal *t)
{
	struct pollfd polled = { .fd = t->out, .events = POLLOUT };

	if (t->master < 0 || t->out < 0)
		return;
	while (move(&t->to_us) || (t->to_us.size && poll(&polled, 1, LAST_WORDS_MS) == 1))
		;
}

/* What the guest wrote last is written, and our terminal is as it was. */
static void restore(void *data)
{
	struct terminal *t = data;

	last_words(t);
	if (t->raw)
		(void)tcsetattr(t->in, TCSADRAIN, &t->saved);
	t->raw = false;
}

int terminal_begin(struct terminal *t, struct supervisor *supervisor)
{
	const struct service service = { .fd = t->epoll, .ready = relay, .resized = looked_at_again, .end = restore, .data = t };
	int r = supervise_add(supervisor, &service);

	if (r < 0)
		return r;
	looked_at_again(t);
	listen_again(t);
	return 0;
}

void terminal_end(struct terminal *t)
{
	if (!t)
		return;
	restore(t);
	close_fd(&t->epoll);
	close_fd(&t->master);
	close_fd(&t->in);
	close_fd(&t->out);
	free(t);
}
