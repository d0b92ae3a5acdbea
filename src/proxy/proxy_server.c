// SPDX-License-Identifier: Apache-2.0
/* The event loop. */
#include "proxy/proxy_server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proxy/proxy_connection.h"

#define EVENTS_MAX 64
#define CHECK_MS 1000 /* how often deadlines are looked at */

static s64 now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int proxy_watch(struct proxy_server *server, struct proxy_end *end, u32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = end };
	bool wanted = events || !end->ended;
	int operation = !end->added ? EPOLL_CTL_ADD : wanted ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	if (wanted == end->added && (!wanted || events == end->watched))
		return 0;
	if (epoll_ctl(server->epoll, operation, end->fd, &event))
		return -errno;
	end->added = wanted;
	end->watched = events;
	return 0;
}

/* Whoever comes when all places are taken waits in the listener's queue. */
static int watch_listener(struct proxy_server *server)
{
	bool room = server->count < server->config->limits.connections && !server->paused && !server->shut;
	return proxy_watch(server, &server->listener, room ? EPOLLIN : 0);
}

int proxy_receive(int from, char *byte)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} ancillary = { .room = { 0 } };
	struct iovec data = { byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof(ancillary)
	};
	ssize_t n;
	do
		n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ENODATA;
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fd;
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* A client's socket, as accept4(2): through the door it comes without blocking already. */
static int take_client(struct proxy_server *server)
{
	char byte = 0;
	if (!server->door)
		return accept4(server->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int fd = proxy_receive(server->listener.fd, &byte);
	server->shut = fd == -ENODATA;
	errno = fd < 0 ? -fd : 0;
	return fd;
}

/* Where descriptors or memory are short, the next try is at the next look at deadlines. */
static void take_clients(struct proxy_server *server)
{
	while (server->count < server->config->limits.connections) {
		int fd = take_client(server);
		if (fd < 0) {
			server->paused = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
			return;
		}
		connection_open(server, fd);
	}
}

static void take_answers(struct proxy_server *server)
{
	u64 count;
	struct lookup *lookup;
	if (read(server->answers.fd, &count, sizeof(count)) != sizeof(count))
		return;
	while ((lookup = lookup_take(&server->lookups))) {
		if (lookup->owner)
			connection_answered(lookup->owner, lookup);
		free(lookup);
	}
}

/* Returns whether the loop ends. */
static bool take_event(struct proxy_server *server, const struct epoll_event *event)
{
	struct proxy_end *end = event->data.ptr;
	if (end->connection)
		connection_event(end->connection, end, event->events);
	else if (end == &server->listener)
		take_clients(server);
	else if (end == &server->answers)
		take_answers(server);
	else if (end == &server->reader)
		server->report.broken = true; /* nobody reads any more */
	else
		return true; /* a signal */
	return false;
}

static void look_at_deadlines(struct proxy_server *server)
{
	struct proxy_connection *next;
	if (server->now - server->checked < CHECK_MS)
		return;
	server->checked = server->now;
	server->paused = false;
	for (struct proxy_connection *one = server->first; one; one = next) {
		next = one->next;
		if (one->deadline <= server->now)
			connection_expire(one);
	}
}

static void bury(struct proxy_server *server)
{
	while (server->dead) {
		struct proxy_connection *next = server->dead->next;
		free(server->dead);
		server->dead = next;
	}
}

static int loop(struct proxy_server *server)
{
	struct epoll_event events[EVENTS_MAX];
	bool ends = false;
	while (!ends && !server->report.broken) {
		int count = epoll_wait(server->epoll, events, EVENTS_MAX, server->first || server->paused ? CHECK_MS : -1);
		if (count < 0 && errno != EINTR)
			return -errno;
		server->now = now_ms();
		for (int i = 0; i < count; i++)
			ends = take_event(server, &events[i]) || ends;
		look_at_deadlines(server);
		bury(server);
		int r = watch_listener(server);
		if (r)
			return r;
	}
	return server->report.broken ? -EPIPE : 0;
}

static int begin(struct proxy_server *server, int listener, int report)
{
	sigset_t ending;
	(void)sigemptyset(&ending);
	(void)sigaddset(&ending, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &ending, NULL))
		return -errno;
	int r = lookup_init(&server->lookups); /* its threads block the signal, too */
	if (r)
		return r;
	server->answers.fd = server->lookups.ready;
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->signals.fd = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->epoll < 0 || server->signals.fd < 0)
		return -errno;
	server->listener.fd = listener;
	server->reader.fd = report;
	r = proxy_watch(server, &server->answers, EPOLLIN);
	if (r == 0)
		r = proxy_watch(server, &server->signals, EPOLLIN);
	if (r == 0)
		r = proxy_watch(server, &server->reader, 0);
	if (r == -EPERM) /* a file, which cannot be watched, and is never gone */
		r = 0;
	return r ? r : watch_listener(server);
}

int proxy_serve(const struct proxy_config *config, int listener, bool door, int report)
{
	struct proxy_server server = {
		.epoll = FD_NONE, .config = config, .door = door, .report.fd = report, .signals.fd = FD_NONE
	};
	int r = begin(&server, listener, report);
	server.now = server.checked = now_ms();
	if (r == 0)
		r = loop(&server);
	while (server.first)
		connection_close(server.first, "the proxy ends");
	bury(&server);
	close_fd(&server.epoll);
	close_fd(&server.signals.fd);
	return r;
}
