/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a cell's socket. */
#include "host/cell_control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BACKLOG 128

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE((RESERVED_COUNT + 1) * sizeof(int))];
};

/* The directory's own path may be too long for an address. */
static socklen_t address_of(int dir, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/socket", dir);
	return sizeof(*address);
}

int cell_control_listen(int dir)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	socklen_t size = address_of(dir, &address);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return take_fd(&fd);
}

int cell_control_accept(int listener)
{
	CLEANUP_FD int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	return peer.uid == geteuid() || peer.uid == 0 ? take_fd(&fd) : -EPERM;
}

int cell_control_reply(int fd, const struct cell_reply *reply, const struct cell_fds *fds, int pidfd)
{
	struct cell_reply text = *reply;
	struct iovec part = { .iov_base = &text, .iov_len = sizeof(text) };
	union control control;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *rights = &control.align;
	u32 count = 0;

	text.version = CELL_CONTROL_VERSION;
	memset(&control, 0, sizeof(control));
	for (u32 i = 0; fds && i < RESERVED_COUNT; i++) {
		if (fds->reserved[i] < 0)
			continue;
		memcpy(CMSG_DATA(rights) + count++ * sizeof(int), &fds->reserved[i], sizeof(int));
		text.present |= 1u << i;
	}
	if (fds && pidfd >= 0) {
		memcpy(CMSG_DATA(rights) + count++ * sizeof(int), &pidfd, sizeof(int));
		text.present |= CELL_REPLY_PIDFD; // cppcheck-suppress unreadVariable ; it is sent as part of text
	}
	if (count) {
		*rights = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
					    .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS };
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Makes the descriptors of a reply a cell's, kept open over execve. 0 or negative errno; then they are closed. */
static int take_fds(const struct cell_reply *reply, const int *received, u32 count, struct cell_fds *ret, int *ret_pidfd)
{
	struct cell_fds fds = CELL_FDS_NONE;
	u32 used = 0;
	int error = 0, r;

	fds.mapped = reply->mapped;
	fds.text_size = reply->text_size;
	for (u32 i = 0; i < RESERVED_COUNT && used < count; i++)
		if (reply->present & 1u << i)
			fds.reserved[i] = received[used++];
	*ret_pidfd = reply->present & CELL_REPLY_PIDFD && used < count ? received[used] : FD_NONE;
	r = cell_fds_move_up(&fds);
	if (r < 0)
		error = -r;
	if (!error && fds.reserved[RESERVED_COMMONS] >= 0) {
		fds.map = mmap(NULL, fds.mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fds.reserved[RESERVED_COMMONS], 0);
		error = fds.map == MAP_FAILED ? errno : 0;
		if (error)
			fds.map = NULL;
	}
	if (error) {
		cell_fds_done(&fds);
		close_fd(ret_pidfd);
	} else {
		*ret = fds;
	}
	return -error;
}

static int receive(int fd, struct cell_reply *reply, struct cell_fds *ret_fds, int *ret_pidfd)
{
	struct iovec part = { reply, sizeof(*reply) };
	union control control;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	int received[RESERVED_COUNT + 1];
	u32 count = 0;

	if (n <= 0)
		return n < 0 && errno != ECONNRESET ? -errno : -ESRCH; /* it was killed */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (u32)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(received, CMSG_DATA(c), count * sizeof(int));
	}
	if (n == (ssize_t)sizeof(*reply) && reply->version == CELL_CONTROL_VERSION && ret_fds)
		return take_fds(reply, received, count, ret_fds, ret_pidfd);
	for (u32 i = 0; i < count; i++)
		(void)close(received[i]);
	return n == (ssize_t)sizeof(*reply) && reply->version == CELL_CONTROL_VERSION ? 0 : -EPROTO;
}

int cell_control_send(int dir, enum cell_request_kind kind, int value)
{
	struct cell_request request = { .version = CELL_CONTROL_VERSION, .kind = kind, .value = value };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t size = address_of(dir, &address);

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, size) < 0)
		return errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR ? -ESRCH : -errno;
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		return errno == EPIPE || errno == ECONNRESET ? -ESRCH : -errno;
	return take_fd(&fd);
}

/* Waits for the answer. */
static int await(int fd, int milliseconds, struct cell_reply *ret_reply, struct cell_fds *ret_fds, int *ret_pidfd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&polled, 1, milliseconds);
	while (r < 0 && errno == EINTR && milliseconds < 0);
	if (r <= 0)
		return r == 0 ? -ETIMEDOUT : -errno;
	r = receive(fd, ret_reply, ret_fds, ret_pidfd);
	return r < 0 ? r : ret_reply->result;
}

int cell_control_ask(int dir, enum cell_request_kind kind, int value, int milliseconds, struct cell_reply *ret_reply,
		     struct cell_fds *ret_fds, int *ret_pidfd)
{
	CLEANUP_FD int fd = cell_control_send(dir, kind, value);

	return fd < 0 ? fd : await(fd, milliseconds, ret_reply, ret_fds, ret_pidfd);
}

int cell_control_attach(int dir, int milliseconds, u32 *ret_streams)
{
	CLEANUP_FD int fd = cell_control_send(dir, CELL_ATTACH, 0);
	struct cell_reply reply = { 0 };
	int r = fd < 0 ? fd : await(fd, milliseconds, &reply, NULL, NULL);

	if (r < 0)
		return r;
	*ret_streams = reply.streams;
	return take_fd(&fd);
}
