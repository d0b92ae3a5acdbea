/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a device that /dev lacks. */
#include "base/decimal.h"
#include "gaps/devices/devices_int.h"

#define TIOCGPGRP_ 0x540f
#define DESCRIPTORS_SEEN 32u
#define AT_FDCWD_ (-100)
#define O_NOCTTY_ 0400
#define O_PATH_ 010000000
#define MSG_CMSG_CLOEXEC_ 0x40000000
#define F_SETFD_ 2
#define PTMX ((5u << 8) | 2)

long device_ask(u32 kind, s64 a, s64 b, int flags)
{
	struct broker_request request = { .kind = kind, .a = a, .b = b };
	s32 pair[2] = { -1, -1 };
	long r = sys4(__NR_socketpair, AF_UNIX_, SOCK_SEQPACKET_ | SOCK_CLOEXEC_ | (flags & O_NONBLOCK_), 0, pair);

	if (r < 0)
		return r;
	r = broker_send(&request, pair[1]);
	(void)sys1(__NR_close, pair[1]);
	if (r == 0 && !(flags & O_CLOEXEC_)) /* only now: another thread may execute a program */
		r = sys3(__NR_fcntl, pair[0], F_SETFD_, 0);
	if (r == 0)
		return pair[0];
	(void)sys1(__NR_close, pair[0]);
	return r == -ECONNREFUSED ? -ENXIO : r;
}

bool device_wait(s32 fd)
{
	struct {
		s32 fd;
		s16 events, revents;
	} poll = { fd, POLLIN_, 0 };

	return sys3(__NR_poll, &poll, 1, ANSWER_MS) == 1;
}

/* The supervisor's answer: the descriptor or negative errno. */
static long take_answer(s32 from)
{
	struct {
		u64 size;
		s32 level, type, fd, pad;
	} rights = { 0 };
	s32 error = -ENXIO;
	struct {
		void *base;
		u64 size;
	} vector = { &error, sizeof(error) };
	struct {
		void *name;
		u64 name_size;
		void *vector;
		u64 count;
		void *control;
		u64 control_size, flags;
	} message = { NULL, 0, &vector, 1, &rights, sizeof(rights), 0 };
	long n;

	if (!device_wait(from))
		return -ENXIO;
	n = sys3(__NR_recvmsg, from, &message, MSG_DONTWAIT_ | MSG_CMSG_CLOEXEC_);
	if (n != sizeof(error) || error)
		return n < 0 ? n : error ? error : -ENXIO;
	return message.control_size >= 20 ? rights.fd : -ENXIO;
}

/* By the supervisor. The guest expects the lowest number. */
static long open_by_broker(u32 rdev, int flags)
{
	s64 wanted = (flags & (O_ACCMODE_ | O_APPEND_ | O_NONBLOCK_)) | (devices_refused() ? BROKER_DEVICE_SERVED : 0);
	long from = device_ask(BROKER_DEVICE, rdev, wanted, O_CLOEXEC_), fd, r;

	if (from < 0)
		return from;
	fd = take_answer((s32)from);
	if (fd < 0) {
		(void)sys1(__NR_close, from);
		return fd;
	}
	r = sys3(__NR_dup3, fd, from, flags & O_CLOEXEC_);
	(void)sys1(__NR_close, fd);
	if (r < 0)
		(void)sys1(__NR_close, from);
	return r;
}

static char *put_number(char *to, u32 value)
{
	to += decimal_put(to, value);
	*to = 0;
	return to;
}

/* tty_nr of /proc/self/stat; 0 = none, or not told. */
static u32 terminal_number(void)
{
	char text[256];
	long fd = sys4(__NR_openat, AT_FDCWD_, "/proc/self/stat", O_CLOEXEC_, 0), n, at;
	u32 value = 0;

	if (fd < 0)
		return 0;
	n = sys3(__NR_read, fd, text, sizeof(text) - 1);
	(void)sys1(__NR_close, fd);
	for (at = n < 0 ? 0 : n; at > 0 && text[at - 1] != ')'; at--)
		;
	text[n < 0 ? 0 : n] = 0;
	for (int field = 2; field < 7 && text[at]; at++) /* ") S ppid pgrp session tty_nr" */
		field += text[at] == ' ';
	for (; text[at] >= '0' && text[at] <= '9'; at++)
		value = value * 10 + (u32)(text[at] - '0');
	return value;
}

/* The terminal by its number: of a pseudo-terminal, a virtual console, a serial line. */
static long open_terminal_node(u32 number, int flags)
{
	u32 major = number >> 8 & 0xfff, minor = (number & 0xff) | (number >> 12 & 0xfff00);
	char path[32] = "/dev/pts/";

	if (major >= 136 && major <= 143) {
		(void)put_number(path + 9, minor + (major - 136) * 256);
	} else if (major == 4) {
		memcpy(path, minor < 64 ? "/dev/tty" : "/dev/ttyS", 10);
		(void)put_number(path + (minor < 64 ? 8 : 9), minor < 64 ? minor : minor - 64);
	} else {
		return -ENXIO;
	}
	return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
}

/*
 * For gVisor, which tells no tty_nr: one of the first descriptors, if it is the controlling terminal (only of that one a process may ask for the
 * foreground process group; of a master anybody may), opened again.
 */
static long open_terminal_again(int flags)
{
	char path[32] = "/proc/self/fd/", name[64];
	s32 answer;
	long n;

	for (u32 fd = 0; fd < DESCRIPTORS_SEEN; fd++) {
		if (sys3(__NR_ioctl, fd, TIOCGPGRP_, &answer) != 0)
			continue;
		(void)put_number(path + 14, fd);
		n = sys3(__NR_readlink, path, name, sizeof(name));
		if (n >= 4 && !strncmp(name + n - 4, "ptmx", 4))
			continue;
		return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
	}
	return -ENXIO;
}

static long open_terminal(int flags)
{
	u32 number = terminal_number();
	long fd = number ? open_terminal_node(number, flags | O_NOCTTY_) : -ENXIO;

	return fd >= 0 ? fd : open_terminal_again(flags | O_NOCTTY_);
}

static long open_ptmx(int flags)
{
	long fd = sys4(__NR_openat, AT_FDCWD_, "/dev/pts/ptmx", flags, 0);

	return fd == -ENOENT ? open_by_broker(PTMX, flags) : fd;
}

long device_open(u32 rdev, enum device_kind kind, int flags)
{
	flags &= O_ACCMODE_ | O_APPEND_ | O_NONBLOCK_ | O_CLOEXEC_ | O_NOCTTY_ | O_PATH_;
	if (kind == DEVICE_TERMINAL)
		return rdev == PTMX ? open_ptmx(flags) : open_terminal(flags);
	return open_by_broker(rdev, flags);
}
