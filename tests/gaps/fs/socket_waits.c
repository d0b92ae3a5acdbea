// SPDX-License-Identifier: Apache-2.0
/* sendto, sendmsg and sendmmsg to a path wait for room. */
#include "socket_waits.h"

static struct msghdr message(struct iovec *part)
{
	*part = (struct iovec){ (char *)(uintptr_t) "four", 4 };
	return (struct msghdr){ .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = part, .msg_iovlen = 1 };
}

static long by_sendmsg(int fd)
{
	struct iovec part;
	struct msghdr one = message(&part);

	return sendmsg(fd, &one, 0);
}

static long by_sendmmsg(int fd)
{
	struct iovec part;
	struct mmsghdr two[2] = { { .msg_hdr = message(&part) }, { .msg_hdr = message(&part) } };

	return sendmmsg(fd, two, 2, 0);
}

/* The first to whom the socket is connected, which has no name then, and the second by name. */
static long by_both(int fd)
{
	struct iovec part;
	struct mmsghdr two[2] = { { .msg_hdr = message(&part) }, { .msg_hdr = message(&part) } };

	MUST(connect(fd, (struct sockaddr *)&name, sizeof(name)));
	two[0].msg_hdr.msg_name = NULL;
	two[0].msg_hdr.msg_namelen = 0;
	return sendmmsg(fd, two, 2, 0);
}

static const struct way ways[] = { { "sendto", by_sendto, SOCK_DGRAM },
				   { "sendmsg", by_sendmsg, SOCK_DGRAM },
				   { "sendmmsg", by_sendmmsg, SOCK_DGRAM },
				   { "sendmmsg, first without a name", by_both, SOCK_DGRAM } };

int main(void)
{
	tree_make();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		try_all(&ways[i]);
	return 0;
}
