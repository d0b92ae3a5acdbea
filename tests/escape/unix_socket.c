/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers outside that are reached by AF_UNIX sockets: by path (Docker's, X11's, an agent's), and by abstract names, which no file right
 * guards (CVE-2020-15257, containerd's shim; D-Bus). ARG: two abstract names, of streams and of datagrams.
 */
#include "attack.h"

#include <sys/socket.h>
#include <sys/un.h>

#define SECRET "secret message"

static socklen_t address(struct sockaddr_un *to, const char *name, bool abstract)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	(void)snprintf(to->sun_path + abstract, sizeof(to->sun_path) - abstract, "%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name) + !abstract);
}

static int tell(const char *name, bool abstract, int type)
{
	struct sockaddr_un to;
	socklen_t size = address(&to, name, abstract);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return errno;
	r = connect(fd, (struct sockaddr *)&to, size) < 0 || write(fd, SECRET, strlen(SECRET)) < 0 ? errno : 0;
	(void)close(fd);
	return r;
}

static int by_path(const struct attack *a)
{
	char path[100];

	return tell(below(path, sizeof(path), a->outside, "server"), false, SOCK_STREAM);
}

/* The path is resolved from where the process stands. */
static int by_relative_path(const struct attack *a)
{
	return chdir(a->outside) < 0 ? errno : tell("server", false, SOCK_STREAM);
}

static int by_link(const struct attack *a)
{
	char path[100], link[100];

	(void)below(path, sizeof(path), a->outside, "server");
	(void)unlink(below(link, sizeof(link), a->work, "socket"));
	if (symlink(path, link) < 0)
		return errno;
	return tell(link, false, SOCK_STREAM);
}

static int datagram(const struct attack *a)
{
	struct sockaddr_un to;
	char path[100];
	socklen_t size = address(&to, below(path, sizeof(path), a->outside, "datagrams"), false);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : outcome(sendto(fd, SECRET, strlen(SECRET), 0, (struct sockaddr *)&to, size));
}

/* One end of a pair sends to any other socket by its path. */
static int from_pair(const struct attack *a, int type)
{
	struct sockaddr_un to;
	char path[100];
	socklen_t size = address(&to, below(path, sizeof(path), a->outside, "datagrams"), false);
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	return outcome(sendto(pair[0], SECRET, strlen(SECRET), 0, (struct sockaddr *)&to, size));
}

static int pair_datagram(const struct attack *a)
{
	return from_pair(a, SOCK_DGRAM);
}

/* Another name for the same. */
static int pair_raw(const struct attack *a)
{
	return from_pair(a, SOCK_RAW);
}

static int abstract(const struct attack *a)
{
	return tell(a->more[0], true, SOCK_STREAM);
}

static int abstract_datagram(const struct attack *a)
{
	struct sockaddr_un to;
	socklen_t size = address(&to, a->more[1], true);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : outcome(sendto(fd, SECRET, strlen(SECRET), 0, (struct sockaddr *)&to, size));
}

static const struct way ways[] = {
	{ "path", by_path },      { "relative", by_relative_path },           { "link", by_link },
	{ "datagram", datagram }, { "pair_datagram", pair_datagram },         { "pair_raw", pair_raw },
	{ "abstract", abstract }, { "abstract_datagram", abstract_datagram },
};

ATTACK_MAIN(ways)
