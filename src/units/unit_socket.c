/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of a socket unit. */
#include "units/unit_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/users.h"
#include "units/unit_value.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* What a value of ListenStream= or ListenDatagram= names: a path, @abstract, PORT, ADDRESS:PORT, [ADDRESS]:PORT. 0 or -EINVAL. */
static int parse(const char *text, union address *ret, socklen_t *ret_size)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "";
	s64 port;

	memset(ret, 0, sizeof(*ret));
	if (*text == '/' || *text == '@') {
		size_t length = strlen(text);

		if (length >= sizeof(ret->local.sun_path))
			return -EINVAL;
		ret->local.sun_family = AF_UNIX;
		memcpy(ret->local.sun_path, text, length);
		*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*text == '/'));
		if (*text == '@')
			ret->local.sun_path[0] = '\0';
		return 0;
	}
	if (unit_integer(colon ? colon + 1 : text, 1, 65535, &port) < 0)
		return -EINVAL;
	if (colon)
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons((u16)port);
	*ret_size = sizeof(ret->v6);
	if (!*host)
		return 0;
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, &ret->v6.sin6_addr) == 1 ? 0 : -EINVAL;
	}
	memset(ret, 0, sizeof(*ret));
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = htons((u16)port);
	*ret_size = sizeof(ret->v4);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

static int fail(int error, const char *what, const char *value, char **ret_why)
{
	if (asprintf(ret_why, "%s %s: %s", what, value, strerrordesc_np(error)) < 0)
		*ret_why = NULL;
	return -error;
}

/* The directories above a path. */
static void make_parents(const struct unit *unit, const char *path)
{
	char parent[4096];
	u32 mode = unit_get_mode(unit, "Socket", "DirectoryMode", 0755);

	(void)snprintf(parent, sizeof(parent), "%s", path);
	for (char *at = parent + 1; *at; at++)
		if (*at == '/') {
			*at = '\0';
			(void)mkdir(parent, mode);
			*at = '/';
		}
}

/* SocketUser=, SocketGroup=, SocketMode=. */
static int give_away(const struct unit *unit, const char *path, char **ret_why)
{
	static const char *const root[] = { "/" };
	const char *user = unit_get(unit, "Socket", "SocketUser"), *group = unit_get(unit, "Socket", "SocketGroup");
	struct user_found found;
	char text[160];

	if (chmod(path, unit_get_mode(unit, "Socket", "SocketMode", 0666)) < 0)
		return fail(errno, "SocketMode=:", path, ret_why);
	if ((!user && !group) || !unit->place.system)
		return 0;
	(void)snprintf(text, sizeof(text), "%.70s%s%.70s", user ? user : "0", group ? ":" : "", group ? group : "");
	if (users_find(root, 1, text, NULL, &found) < 0) {
		if (asprintf(ret_why, "%s: %s", path, found.why) < 0)
			*ret_why = NULL;
		return -ENOENT;
	}
	return chown(path, found.identity.uid, found.identity.gid) < 0 ? fail(errno, "SocketUser=:", path, ret_why) : 0;
}

static void set_options(const struct unit *unit, int fd, int family, int type)
{
	const char *only = unit_get(unit, "Socket", "BindIPv6Only");
	int one = 1, v6only = only && strcmp(only, "ipv6-only") == 0;

	if (family == AF_UNIX)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6 && !(only && strcmp(only, "default") == 0))
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	if (unit_get_bool(unit, "Socket", "ReusePort", false))
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (unit_get_bool(unit, "Socket", "KeepAlive", false))
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (unit_get_bool(unit, "Socket", "NoDelay", false) && type == SOCK_STREAM)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (unit_get_bool(unit, "Socket", "FreeBind", false))
		(void)setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
}

/* Whether somebody listens at a path: then it is not ours to remove. */
static bool listened_at(const union address *address, socklen_t size, int type)
{
	CLEANUP_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, &address->any, size) == 0 || errno == EAGAIN || errno == EPROTOTYPE);
}

static int open_socket(const struct unit *unit, const char *value, int type, struct unit_sockets *into, char **ret_why)
{
	union address address;
	socklen_t size;
	s64 backlog = SOMAXCONN;
	const char *given = unit_get(unit, "Socket", "Backlog");
	int r = parse(value, &address, &size);
	bool in_files = *value == '/';

	if (r < 0)
		return fail(EINVAL, "there is no address", value, ret_why);
	CLEANUP_FD int fd = socket(address.any.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && address.any.sa_family == AF_INET6 && !strchr(value, ':')) {
		in_port_t port = address.v6.sin6_port; /* a kernel without IPv6 */

		memset(&address, 0, sizeof(address));
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = port;
		size = sizeof(address.v4);
		fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	}
	if (fd < 0)
		return fail(errno, "cannot make a socket for", value, ret_why);
	set_options(unit, fd, address.any.sa_family, type);
	if (in_files) {
		make_parents(unit, value);
		if (listened_at(&address, size, type))
			return fail(EADDRINUSE, "cannot listen at", value, ret_why);
		(void)unlink(value);
	}
	if (bind(fd, &address.any, size) < 0)
		return fail(errno, "cannot listen at", value, ret_why);
	if (in_files && (word_list_add(&into->paths, value) < 0 || give_away(unit, value, ret_why) < 0))
		return *ret_why ? -EPERM : -ENOMEM;
	if (given && unit_integer(given, 1, INT32_MAX, &backlog) < 0)
		backlog = SOMAXCONN;
	if (type != SOCK_DGRAM && listen(fd, (int)backlog) < 0)
		return fail(errno, "cannot listen at", value, ret_why);
	into->fds[into->count++] = take_fd(&fd);
	return 0;
}

static int open_fifo(const struct unit *unit, const char *path, struct unit_sockets *into, char **ret_why)
{
	make_parents(unit, path);
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return fail(errno, "cannot make", path, ret_why);
	CLEANUP_FD int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail(errno, "cannot open", path, ret_why);
	if (word_list_add(&into->paths, path) < 0)
		return -ENOMEM;
	into->fds[into->count++] = take_fd(&fd);
	return give_away(unit, path, ret_why);
}

static int open_kind(const struct unit *unit, const char *directive, int type, struct unit_sockets *into, char **ret_why)
{
	const struct unit_setting *row;
	size_t at = 0;
	int r = 0;

	while (r == 0 && (row = unit_next(unit, "Socket", directive, &at))) {
		CLEANUP_FREE char *given = NULL;
		char value[PATH_MAX];

		r = unit_specifiers(row->value, &unit->name, &unit->place, &given);
		if (r == 0)
			unit_own_path(&unit->place, given, value);
		if (r == 0 && into->count == UNIT_SOCKETS_MAX)
			r = fail(EMFILE, "too many sockets:", value, ret_why);
		if (r == 0)
			r = type ? open_socket(unit, value, type, into, ret_why) : open_fifo(unit, value, into, ret_why);
	}
	return r;
}

int unit_sockets_open(const struct unit *unit, struct unit_sockets *ret, char **ret_why)
{
	const char *name = unit_get(unit, "Socket", "FileDescriptorName");
	struct unit_sockets sockets = { 0 };
	int r = open_kind(unit, "ListenStream", SOCK_STREAM, &sockets, ret_why);

	if (r == 0)
		r = open_kind(unit, "ListenDatagram", SOCK_DGRAM, &sockets, ret_why);
	if (r == 0)
		r = open_kind(unit, "ListenSequentialPacket", SOCK_SEQPACKET, &sockets, ret_why);
	if (r == 0)
		r = open_kind(unit, "ListenFIFO", 0, &sockets, ret_why);
	if (r == 0 && !sockets.count)
		r = fail(EINVAL, "nothing to listen at in", unit->name.full, ret_why);
	(void)snprintf(sockets.name, sizeof(sockets.name), "%s", name ? name : unit->name.full);
	if (r < 0)
		unit_sockets_close(unit, &sockets, true);
	else
		*ret = sockets;
	return r;
}

void unit_sockets_close(const struct unit *unit, struct unit_sockets *sockets, bool remove)
{
	for (u32 i = 0; i < sockets->count; i++)
		(void)close(sockets->fds[i]);
	for (size_t i = 0; i < sockets->paths.count; i++)
		if (remove || unit_get_bool(unit, "Socket", "RemoveOnStop", false))
			(void)unlink(sockets->paths.words[i]);
	word_list_done(&sockets->paths);
	*sockets = (struct unit_sockets){ 0 };
}
