/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's socket: takes requests and hands them to who does them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/view_state.h"
#include "base/cleanup.h"
#include "host/broker_int.h"
#include "host/network.h"

#define EVENTS_AT_ONCE 64   /* then signals are looked at */
#define REQUESTS_AT_ONCE 16 /* then other sources are */
#define CONTROL_SIZE (CMSG_SPACE(8 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred)))
#define DESCRIPTORS_MAX (CONTROL_SIZE / sizeof(int)) /* as many as fit at all: none may be lost */

int broker_listen(struct broker *broker, int fd, u32 events, struct source *source)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(broker->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	if (errno == EEXIST && epoll_ctl(broker->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return -errno;
}

/* proc_pid_fd(5) */
static bool is_eventfd(int fd)
{
	static const char wanted[] = "anon_inode:[eventfd]";
	char path[48], link[sizeof(wanted)];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, link, sizeof(link)) == sizeof(wanted) - 1 && memcmp(link, wanted, sizeof(wanted) - 1) == 0;
}

/* Whether closing it is sure not to block. */
static bool harmless(int fd)
{
	int domain;
	socklen_t size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0)
		return domain == AF_UNIX;
	return fcntl(fd, F_GETPIPE_SZ) >= 0 || is_eventfd(fd);
}

/* Collects the descriptors of a message, and whether its sender is who we are. Returns their number. */
static int descriptors_of(struct msghdr *message, int fds[DESCRIPTORS_MAX], bool *ret_trusted)
{
	int count = 0;

	*ret_trusted = false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t size = c->cmsg_len - CMSG_LEN(0);
		struct ucred sender;

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS && size >= sizeof(sender)) {
			memcpy(&sender, CMSG_DATA(c), sizeof(sender));
			*ret_trusted = sender.uid == geteuid();
		}
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < size / sizeof(int) && count < (int)DESCRIPTORS_MAX; i++)
			memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return count;
}

/* Tried once, in a child, which takes about a millisecond. Who could not wait for it has decided by then, and acts on it. */
static void decide_network(struct broker *broker)
{
	u32 undecided = NETWORK_UNDECIDED, decided;

	if (broker->network && !broker->network_tried) {
		decided = network_namespaces_work() ? NETWORK_BY_KERNEL : NETWORK_BY_FILTER;
		(void)__atomic_compare_exchange_n(broker->network, &undecided, decided, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
	broker->network_tried = true;
}

static void serve_request(struct broker *broker, const struct broker_request *request, bool trusted, int fd)
{
	switch (request->kind) {
	case BROKER_KMSG:
		broker_kmsg(broker, (u32)request->a, (u64)request->b, fd);
		break;
	case BROKER_DEVICE:
		broker_device(broker, (u32)request->a, (u64)request->b, trusted, fd);
		break;
	case BROKER_WATCH_PID:
		broker_watch_pid(broker, fd, 0, 0);
		break;
	case BROKER_WATCH_SPACE:
		if (broker->views && request->a > 0 && request->a < PID_SPACES_MAX)
			broker_watch_pid(broker, fd, (u32)request->a, 0);
		else
			(void)close(fd);
		break;
	case BROKER_WATCH_CHILD: /* a stranger's process is not ours to signal for others */
		if (trusted && request->a > 0)
			broker_watch_pid(broker, fd, 0, (s32)request->a);
		else
			(void)close(fd);
		break;
	case BROKER_CGROUP_EVENT:
		if (broker->group_event && is_eventfd(fd))
			broker->group_event(broker->group_data, (u64)request->a, (u64)request->b, fd);
		else
			(void)close(fd);
		break;
	case BROKER_NETWORK:
		decide_network(broker);
		(void)close(fd);
		break;
	default:
		(void)close(fd);
	}
}

void broker_knows_network(struct broker *broker, u32 *network)
{
	broker->network = network;
}

void broker_knows_groups(struct broker *broker, broker_group_event *take, void *data)
{
	broker->group_event = take;
	broker->group_data = data;
}

/* Takes one request. False when there is none. */
static bool take_request(struct broker *broker)
{
	union {
		struct cmsghdr align;
		char bytes[CONTROL_SIZE];
	} control;
	struct broker_request request = { 0 };
	struct iovec vector = { &request, sizeof(request) };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fds[DESCRIPTORS_MAX], count;
	bool trusted;
	ssize_t n = recvmsg(broker->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	count = descriptors_of(&message, fds, &trusted);
	for (int i = 0; i < count; i++)
		if (!harmless(fds[i])) {
			broker->offence = fds[i];
			(void)epoll_ctl(broker->epoll, EPOLL_CTL_DEL, broker->socket, NULL);
			return false;
		}
	if (n == sizeof(request) && count == 1 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		serve_request(broker, &request, trusted, fds[0]);
		return true;
	}
	for (int i = 0; i < count; i++)
		(void)close(fds[i]);
	return true;
}

static void requests_ready(struct broker *broker, struct source *source, u32 events)
{
	(void)source;
	for (int i = 0; i < REQUESTS_AT_ONCE && take_request(broker); i++)
		;
	if (events & EPOLLHUP) /* the last member is gone */
		(void)epoll_ctl(broker->epoll, EPOLL_CTL_DEL, broker->socket, NULL);
}

/* One event at a time: what it does may end another's source. */
static void broker_ready(void *data)
{
	struct broker *broker = data;
	struct epoll_event event;

	for (int i = 0; i < EVENTS_AT_ONCE && epoll_wait(broker->epoll, &event, 1, 0) == 1; i++) {
		struct source *source = event.data.ptr;

		source->ready(broker, source, event.events);
	}
}

static int broker_tick(void *data)
{
	return broker_watch_tick(data);
}

struct service broker_service(struct broker *broker)
{
	return (struct service){ .fd = broker->epoll, .ready = broker_ready, .tick = broker_tick, .data = broker };
}

/* Up to what we may have: watches and streams are many. */
static void lift_descriptor_limit(struct rlimit *saved)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, saved) < 0) {
		*saved = (struct rlimit){ 0, 0 };
		return;
	}
	limit = (struct rlimit){ saved->rlim_max, saved->rlim_max };
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int broker_new(int socket, u32 emulate, struct broker **ret)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	int r;

	if (!broker)
		return -ENOMEM;
	broker->socket = socket;
	broker->offence = FD_NONE;
	broker->requests.ready = requests_ready;
	lift_descriptor_limit(&broker->limit);
	broker->epoll = epoll_create1(EPOLL_CLOEXEC);
	r = broker->epoll < 0 ? -errno : broker_listen(broker, socket, EPOLLIN, &broker->requests);
	if (r == 0)
		r = kmsg_log_init(&broker->log, emulate);
	if (r < 0) {
		broker_free(broker);
		return r;
	}
	*ret = broker;
	return 0;
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	broker_watch_free(broker);
	broker_device_free(broker);
	broker_kmsg_free(broker);
	kmsg_log_done(&broker->log);
	close_fd(&broker->epoll);
	if (broker->limit.rlim_max)
		(void)setrlimit(RLIMIT_NOFILE, &broker->limit);
	free(broker); /* a descriptor that offends is left to the end of the process */
}
