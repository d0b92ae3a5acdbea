// SPDX-License-Identifier: Apache-2.0
/*
 * One connect(2) of a guest: what is asked, and what it may get. That is read with the guest's fsuid and fsgid, by which the kernel judges (ptrace(2), "Ptrace access
 * mode checking"): root of a container lacks CAP_SYS_PTRACE, and the guest may have become another user.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_notify.h"
#include "cage/look_as.h"

#define LOOPBACK_MS 5000

/* --- what is asked --------------------------------------------------------------------------------------------------------------------- */

static bool hidden(int error)
{
	return error == EACCES || error == EPERM;
}

static void look_at_socket(struct cage_notify_call *call)
{
	char path[64], target[64], protocol[16];
	ssize_t n;
	int flags;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", call->thread, call->fd);
	n = readlink(path, target, sizeof(target) - 1);
	call->unknown = n < 0 && hidden(errno);
	call->family = AF_INET;
	call->flags = O_CLOEXEC;
	call->error = n < 0 && !call->unknown ? EBADF : 0;
	if (n < 0)
		return;
	target[n] = '\0';
	if (sscanf(target, "socket:[%llu]", (unsigned long long *)&call->inode) != 1) {
		call->error = ENOTSOCK;
		return;
	}
	n = getxattr(path, "system.sockprotoname", protocol, sizeof(protocol) - 1);
	protocol[n < 0 ? 0 : n] = '\0';
	if (strcmp(protocol, "TCPv6") == 0)
		call->family = AF_INET6;
	else if (strcmp(protocol, "TCP") != 0)
		call->error = EACCES;
	flags = look_at_flags(call->thread, call->fd);
	call->flags = flags < 0 ? O_CLOEXEC : flags & (O_NONBLOCK | O_CLOEXEC);
}

static void look_at_address(const struct seccomp_notif *asked, struct cage_notify_call *call)
{
	int size = (int)asked->data.args[2];
	char path[64];

	if (size < 0 || size > (int)sizeof(call->address)) {
		call->error = call->error ? call->error : EINVAL;
		return;
	}
	call->size = (socklen_t)size;
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", call->thread);
	CLEANUP_FD int file = open(path, O_RDONLY | O_CLOEXEC);
	call->unread = file < 0;
	if (file >= 0 && pread(file, &call->address, (size_t)size, (off_t)asked->data.args[1]) != size && !call->error)
		call->error = EFAULT;
}

void cage_notify_look(const struct seccomp_notif *asked, struct cage_notify_call *ret)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char path[32];
	struct stat st;

	*ret = (struct cage_notify_call){ .thread = (pid_t)asked->pid, .fd = (int)asked->data.args[0] };
	(void)snprintf(path, sizeof(path), "/proc/%d", ret->thread);
	if (stat(path, &st) == 0)
		look_as(st.st_uid, st.st_gid);
	look_at_socket(ret);
	look_at_address(asked, ret);
	look_as(uid, gid);
}

/* --- what it gets ------------------------------------------------------------------------------------------------------------------------ */

static bool same_port(int socket, in_port_t port)
{
	struct sockaddr_in peer = { .sin_family = AF_UNSPEC };
	socklen_t size = sizeof(peer);

	return getpeername(socket, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET && peer.sin_port == port &&
	       peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

/* Takes the connection of a port of ours from a queue in which strangers may be, too. */
static int take_own(int listener, in_port_t port, int *ret)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	for (;;) {
		CLEANUP_FD int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0 && same_port(fd, port)) {
			*ret = take_fd(&fd);
			return 0;
		}
		if (fd >= 0)
			continue;
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			return -errno;
		if (poll(&wait, 1, LOOPBACK_MS) == 0)
			return -ETIMEDOUT;
	}
}

/* Of an address family: 127.0.0.1. */
static socklen_t loopback(int family, in_port_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = port,
				    .sin6_addr.s6_addr = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };

	if (family == AF_INET6)
		memcpy(ret, &six, sizeof(six));
	else
		memcpy(ret, &four, sizeof(four));
	return family == AF_INET6 ? sizeof(six) : sizeof(four);
}

/* The port that a socket has got. */
static in_port_t port_of(int socket)
{
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(own);
	struct sockaddr_in four;

	(void)getsockname(socket, (struct sockaddr *)&own, &size);
	memcpy(&four, &own, sizeof(four)); /* of both families it stands at the same place */
	return four.sin_port;
}

int cage_notify_connect(int family, int flags, int *ret, int *ret_other)
{
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	CLEANUP_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CLEANUP_FD int own = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, r;

	if (listener < 0 || own < 0 || bind(listener, (struct sockaddr *)&at, loopback(AF_INET, 0, &at)) < 0 ||
	    listen(listener, 8) < 0)
		return -errno;
	if (connect(own, (struct sockaddr *)&at, loopback(family, port_of(listener), &at)) < 0 && errno != EINPROGRESS)
		return -errno;
	r = take_own(listener, port_of(own), ret_other);
	if (r < 0)
		return r;
	(void)setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!(flags & O_NONBLOCK) && fcntl(own, F_SETFL, 0) < 0) {
		r = -errno;
		close_fd(ret_other);
		*ret_other = FD_NONE;
		return r;
	}
	*ret = take_fd(&own);
	return 0;
}
