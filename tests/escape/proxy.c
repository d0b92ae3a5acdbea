/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that the policy does not list, asked for at the filtering proxy by names that a careless one takes for others: a null byte after
 * which the allowed suffix stands, other spellings of 127.0.0.1, lines within a name. ARG: its port. Without HTTP_PROXY: directly.
 */
#include "attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define SECRET "secret message"

static int dial(unsigned long port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : fd;
}

/* The proxy's port, from http://127.0.0.1:PORT; 0: there is no proxy. */
static unsigned long proxy_port(void)
{
	const char *url = getenv("HTTP_PROXY"), *colon = url ? strrchr(url, ':') : NULL;

	return colon ? strtoul(colon + 1, NULL, 10) : 0;
}

/* Sends, and reads what comes within a while; bytes. */
static ssize_t ask(int fd, const void *question, size_t size, char *answer, size_t space)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (send(fd, question, size, MSG_NOSIGNAL) < 0)
		return -1;
	return poll(&wait, 1, 20000) == 1 ? read(fd, answer, space) : 0;
}

static int reaches_server(int fd)
{
	char answer[16];

	return ask(fd, SECRET, strlen(SECRET), answer, sizeof(answer)) == 1 && answer[0] == '!' ? 0 : ECONNREFUSED;
}

static int refused(int fd, int r)
{
	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* CONNECT HOST:PORT; the host may hold any bytes. */
static int by_connect(const struct attack *a, const char *host, size_t size)
{
	unsigned long proxy = proxy_port();
	int fd = dial(proxy ? proxy : strtoul(a->more[0], NULL, 10));
	char question[1024], answer[1024];
	size_t at;

	if (fd < 0)
		return errno;
	if (proxy) {
		memcpy(question, "CONNECT ", 8);
		memcpy(question + 8, host, size);
		at = 8 + size;
		at += (size_t)snprintf(question + at, sizeof(question) - at, ":%s HTTP/1.1\r\nHost: good.example:%s\r\n\r\n",
				       a->more[0], a->more[0]);
		if (ask(fd, question, at, answer, sizeof(answer)) < 12 || memcmp(answer + 9, "200", 3) != 0)
			return refused(fd, EACCES);
	}
	return refused(fd, reaches_server(fd));
}

#define HOST(name, text)                                      \
	static int name(const struct attack *a)               \
	{                                                     \
		return by_connect(a, text, sizeof(text) - 1); \
	}

HOST(plain, "127.0.0.1")
HOST(allowed_name, "localhost") /* the policy allows the name, not the private address that it has */
HOST(mixed_case, "LocalHost")
HOST(trailing_dot, "localhost.")
HOST(null_byte, "127.0.0.1\0.good.example")
HOST(null_name, "localhost\0.good.example")
HOST(decimal, "2130706433")
HOST(octal, "0177.0.0.1")
HOST(hexadecimal, "0x7f.1")
HOST(short_form, "127.1")
HOST(zero, "0.0.0.0")
HOST(mapped, "[::ffff:127.0.0.1]")
HOST(sixth, "[::1]")
HOST(scoped, "[::1%lo]")
HOST(fragment, "127.0.0.1#.good.example")
HOST(user, "good.example@127.0.0.1")
HOST(percent, "127.0.0.1%00.good.example")
HOST(space, "127.0.0.1 .good.example")
HOST(line, "127.0.0.1\r\nX: .good.example")
HOST(second_port, "127.0.0.1:1")

/* GET with a whole URL: what a proxy for plain HTTP would do. */
static int absolute(const struct attack *a)
{
	unsigned long proxy = proxy_port();
	char question[1024], answer[1024];
	int fd = dial(proxy ? proxy : strtoul(a->more[0], NULL, 10));
	ssize_t n;

	if (fd < 0)
		return errno;
	(void)snprintf(question, sizeof(question), "GET http://127.0.0.1:%s/ HTTP/1.1\r\nHost: good.example\r\n\r\n", a->more[0]);
	n = ask(fd, question, strlen(question), answer, sizeof(answer));
	return refused(fd, n == 1 && answer[0] == '!' ? 0 : EACCES);
}

/* SOCKS5 with an address (type 1) or a name (type 3). */
static int by_socks(const struct attack *a, unsigned char type, const void *host, size_t size)
{
	unsigned long proxy = proxy_port(), port = strtoul(a->more[0], NULL, 10);
	unsigned char question[512] = { 5, 1, 0, type };
	char answer[512];
	size_t at = 4;
	int fd = dial(proxy ? proxy : port);

	if (fd < 0)
		return errno;
	if (proxy) {
		if (ask(fd, "\5\1\0", 3, answer, sizeof(answer)) != 2 || answer[1] != 0)
			return refused(fd, EACCES);
		if (type == 3)
			question[at++] = (unsigned char)size;
		memcpy(question + at, host, size);
		at += size;
		question[at++] = (unsigned char)(port >> 8);
		question[at++] = (unsigned char)port;
		if (ask(fd, question, at, answer, sizeof(answer)) < 2 || answer[1] != 0)
			return refused(fd, EACCES);
	}
	return refused(fd, reaches_server(fd));
}

static int socks_address(const struct attack *a)
{
	return by_socks(a, 1, "\x7f\0\0\1", 4);
}

static int socks_null(const struct attack *a)
{
	static const char host[] = "127.0.0.1\0.good.example";

	return by_socks(a, 3, host, sizeof(host) - 1);
}

static int socks_mapped(const struct attack *a)
{
	return by_socks(a, 4, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
}

static const struct way ways[] = {
	{ "plain", plain },
	{ "allowed_name", allowed_name },
	{ "mixed_case", mixed_case },
	{ "trailing_dot", trailing_dot },
	{ "null_byte", null_byte },
	{ "null_name", null_name },
	{ "decimal", decimal },
	{ "octal", octal },
	{ "hexadecimal", hexadecimal },
	{ "short_form", short_form },
	{ "zero", zero },
	{ "mapped", mapped },
	{ "sixth", sixth },
	{ "scoped", scoped },
	{ "fragment", fragment },
	{ "user", user },
	{ "percent", percent },
	{ "space", space },
	{ "line", line },
	{ "second_port", second_port },
	{ "absolute", absolute },
	{ "socks_address", socks_address },
	{ "socks_null", socks_null },
	{ "socks_mapped", socks_mapped },
};

ATTACK_MAIN(ways)
