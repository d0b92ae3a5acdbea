/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a daemon whether it answers, in its own protocol. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "units/profile.h"

#define ANSWER_MS 2000

/* What is sent, and how the answer begins. */
static const struct form {
	const char *name, *send;
	size_t size;
	const char *answers[4]; /* each is good; none: to be connected is enough */
} forms[] = {
	[REQUEST_REDIS] = { "PING", "PING\r\n", 6, { "+PONG", "-NOAUTH", "-DENIED" } },
	/* protocol 3.0 start-up message: "user lichen", "database lichen" (PostgreSQL, Message Formats) */
	[REQUEST_POSTGRES] = { "start-up message", "\0\0\0\x29\0\3\0\0user\0lichen\0database\0lichen\0\0", 41, { "R", "E" } },
	[REQUEST_HTTP] = { "GET /", "GET / HTTP/1.0\r\nHost: localhost\r\nUser-Agent: lichen\r\n\r\n", 0, { "HTTP/" } },
	[REQUEST_SSH] = { "banner", "", 0, { "SSH-" } },
	[REQUEST_DOCKER] = { "GET /_ping", "GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n", 0, { "HTTP/1.0 200", "HTTP/1.1 200" } },
	/* the client's preface and an empty SETTINGS frame (RFC 9113, 3.4): the server answers with its own */
	[REQUEST_CONTAINERD] = { "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33, { NULL } },
};

const char *request_name(enum request_kind kind)
{
	return forms[kind].name ? forms[kind].name : "";
}

int request_connect(const char *address, unsigned milliseconds)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = milliseconds / 1000 };
	const char *colon = strrchr(address, ':');
	char host[64];
	bool is_local = *address == '/' || *address == '@';
	CLEANUP_FD int fd = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (is_local) {
		if (strlen(address) >= sizeof(local.sun_path))
			return -ENAMETOOLONG;
		memcpy(local.sun_path, address, strlen(address));
		if (connect(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
			return -errno;
		return take_fd(&fd);
	}
	(void)snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - address) : 0, address);
	v4.sin_port = htons((u16)(colon ? strtoul(colon + 1, NULL, 10) : 0));
	if (inet_pton(AF_INET, !*host || strcmp(host, "localhost") == 0 || strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host,
		      &v4.sin_addr) != 1)
		return -EINVAL;
	if (connect(fd, (struct sockaddr *)&v4, sizeof(v4)) < 0)
		return -errno;
	return take_fd(&fd);
}

/* PostgreSQL says "starting up", "shutting down" or "in recovery" by SQLSTATE 57P03: it is not ready yet. */
static bool not_ready(enum request_kind kind, const char *answer, size_t size)
{
	return kind == REQUEST_POSTGRES && *answer == 'E' && memmem(answer, size, "C57P03", 7);
}

int request_make(const struct request *request, char why[160])
{
	const struct form *form = &forms[request->kind];
	size_t size = form->size ? form->size : strlen(form->send), got = 0;
	char answer[1025];
	CLEANUP_FD int fd = request_connect(request->address, ANSWER_MS);

	if (fd < 0) {
		(void)snprintf(why, 160, "connecting to %.100s: %s", request->address, strerrordesc_np(-fd));
		return -EAGAIN;
	}
	if (size && send(fd, form->send, size, MSG_NOSIGNAL) != (ssize_t)size) {
		(void)snprintf(why, 160, "it hung up");
		return -EAGAIN;
	}
	while (got < sizeof(answer) - 1) {
		ssize_t n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);

		if (n <= 0)
			break;
		got += (size_t)n;
		if (got >= 16 || (request->kind != REQUEST_POSTGRES && got >= 12) || request->kind == REQUEST_REDIS ||
		    request->kind == REQUEST_CONTAINERD)
			break;
	}
	answer[got] = '\0';
	if (got && !form->answers[0])
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(form->answers) && form->answers[i]; i++)
		if (strncmp(answer, form->answers[i], strlen(form->answers[i])) == 0 && !not_ready(request->kind, answer, got))
			return 0;
	answer[strcspn(answer, "\r\n")] = '\0';
	(void)snprintf(why, 160, got ? "it answered %.100s" : "it did not answer%.0s", answer);
	return -EAGAIN;
}
