/* SPDX-License-Identifier: Apache-2.0 */
/* A server that the policy names gives away a descriptor of a directory outside, by SCM_RIGHTS. ARG: the server's path. */
#include "attack.h"

#include <sys/socket.h>
#include <sys/un.h>

static int take(int from)
{
	char byte, space[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec io = { &byte, 1 };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space) };
	int fd;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) < 0)
		return -1;
	if (!CMSG_FIRSTHDR(&message)) {
		errno = EACCES; /* it was not let through */
		return -1;
	}
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static int directory(const struct attack *a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", a->more[0]);
	if (server < 0 || connect(server, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	fd = take(server);
	return fd < 0 ? errno : is_secret(openat(fd, "secret", O_RDONLY | O_CLOEXEC));
}

static const struct way ways[] = {
	{ "directory", directory },
};

ATTACK_MAIN(ways)
