/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BROKER_DEVICE: hands out open devices. Where there is no real one, the memory devices are served here: the member gets one end of a stream
 * socket pair, on whose other end zeros, random bytes or an end of file wait and whatever is written is dropped. What then differs from a
 * device: mmap is refused, a read may give fewer bytes than asked for, fstat tells of a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gaps/device_node.h"
#include "host/broker_int.h"

#define PART 4096u

struct served {
	struct source source;
	struct served *next, **link;
	int fd;
	enum { SERVE_NULL, SERVE_ZEROS, SERVE_RANDOM } what;
};

static void served_end(struct broker *broker, struct served *served)
{
	*served->link = served->next;
	if (served->next)
		served->next->link = served->link;
	broker->stream_count--;
	(void)epoll_ctl(broker->epoll, EPOLL_CTL_DEL, served->fd, NULL);
	close_fd(&served->fd);
	free(served);
}

static void served_ready(struct broker *broker, struct source *source, u32 events)
{
	struct served *served = (struct served *)source; /* its first member */
	u8 bytes[PART] = { 0 };

	if ((events & EPOLLIN) && recv(served->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
		memset(bytes, 0, sizeof(bytes));
		events &= ~(u32)EPOLLHUP; /* there may be more */
	} else if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP | EPOLLIN)) {
		served_end(broker, served);
		return;
	}
	if (!(events & EPOLLOUT))
		return;
	if (served->what == SERVE_RANDOM && getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t)sizeof(bytes))
		return;
	(void)send(served->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The member's end, or negative errno. */
static int serve(struct broker *broker, u32 device, int flags)
{
	struct served *served;
	CLEANUP_FD int ours = FD_NONE, members = FD_NONE;
	int pair[2], what = device == (1 << 8 | 3) ? SERVE_NULL : (device & 0xff) >= 8 ? SERVE_RANDOM : SERVE_ZEROS;

	if (broker->stream_count >= BROKER_STREAMS_MAX)
		return -ENFILE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	members = pair[1];
	if (fcntl(members, F_SETFL, flags & (O_NONBLOCK | O_APPEND)) < 0 || (what == SERVE_NULL && shutdown(ours, SHUT_WR) < 0))
		return -errno;
	served = calloc(1, sizeof(*served));
	if (!served)
		return -ENOMEM;
	*served = (struct served){ .source.ready = served_ready, .next = broker->served, .link = &broker->served, .what = what };
	served->fd = take_fd(&ours);
	if (served->next)
		served->next->link = &served->next;
	broker->served = served;
	broker->stream_count++;
	if (broker_listen(broker, served->fd, EPOLLIN | (what == SERVE_NULL ? 0 : (u32)EPOLLOUT), &served->source) < 0) {
		served_end(broker, served);
		return -ENOMEM;
	}
	return take_fd(&members);
}

/* The name of a device that may be handed out; NULL for others. */
static const char *device_name(u32 device, u32 *ret_mode, bool *ret_memory)
{
	enum { LOG, MEMORY, HARDWARE, TERMINAL } kind = LOG;
	const char *found = NULL;

#define DEVICE(id, name, major, minor, mode, kind_)               \
	if (device == ((major) << 8 | (minor)) && kind_ != LOG) { \
		found = name;                                     \
		*ret_mode = (mode);                               \
		kind = kind_;                                     \
	}
#include "gaps/devices/device_list.def"
#undef DEVICE
	*ret_memory = kind == MEMORY;
	return found;
}

/* One datagram: 0 with the descriptor, or a negative errno. */
static void answer(int to, int result)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	s32 error = result < 0 ? result : 0;
	struct iovec vector = { &error, sizeof(error) };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	memset(&control, 0, sizeof(control));
	if (result >= 0) {
		struct cmsghdr *c = &control.align;

		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &result, sizeof(int));
	}
	(void)sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void broker_device(struct broker *broker, u32 device, u64 flags, bool trusted, int fd)
{
	CLEANUP_FD int to = fd, result = FD_NONE;
	bool memory;
	u32 mode;
	const char *name = device_name(device, &mode, &memory);

	result = -ENXIO;
	if (name && !(flags & BROKER_DEVICE_SERVED))
		result = device_node_open(name, device, mode, (int)flags, !trusted);
	if (result < 0 && memory)
		result = serve(broker, device, (int)flags);
	answer(to, result);
}

void broker_device_free(struct broker *broker)
{
	while (broker->served)
		served_end(broker, broker->served); /* NOLINT(clang-analyzer-unix.Malloc): takes it off the list by its link */
}
