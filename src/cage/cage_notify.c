// SPDX-License-Identifier: Apache-2.0
/* Connections that are made for a guest: the theory of operation is in the header. */
#include "cage/cage_notify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STRUCT_MAX 512 /* more than SECCOMP_GET_NOTIF_SIZES says in any kernel */
#define TARGET_MAX 64
#define REASON "not by way of lichen-proxy"

union asked {
	struct seccomp_notif notif;
	char room[STRUCT_MAX];
};

union answer {
	struct seccomp_notif_resp response;
	char room[STRUCT_MAX];
};

/* --- descriptors ---------------------------------------------------------------------------------------------------------------------------- */

union rights {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static int send_descriptor(int to, int fd)
{
	union rights rights = { .room = { 0 } };
	char byte = 'c';
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof(rights) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Waits for it. A descriptor; or -ENODATA: whoever could send it has ended. */
static int receive_descriptor(int from)
{
	union rights rights = { .room = { 0 } };
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof(rights) };
	const struct cmsghdr *header;
	ssize_t n;
	int fd;

	do
		n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -ENODATA;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static void close_pair(int pair[2])
{
	close_fd(&pair[0]);
	close_fd(&pair[1]);
	pair[0] = pair[1] = FD_NONE;
}

/* --- sockets that it got ------------------------------------------------------------------------------------------------------------------------- */

static struct cage_notify_made *find_made(struct cage_notify *notify, u64 inode)
{
	for (u32 i = 0; i < CAGE_NOTIFY_MADE; i++)
		if (inode && notify->made[i].inode == inode)
			return &notify->made[i];
	return NULL;
}

static struct cage_notify_made *remember(struct cage_notify *notify, int socket)
{
	struct cage_notify_made *made = &notify->made[notify->next++ % CAGE_NOTIFY_MADE];
	struct stat st;

	*made = (struct cage_notify_made){ .inode = fstat(socket, &st) == 0 ? st.st_ino : 0 };
	return made;
}

/* Puts a socket of ours in the place of the guest's. 0 or negative errno. */
static int put(int listener, const struct seccomp_notif *asked, const struct cage_notify_call *call, int socket)
{
	struct seccomp_notif_addfd add = { .id = asked->id,
					   .flags = SECCOMP_ADDFD_FLAG_SETFD,
					   .srcfd = (u32)socket,
					   .newfd = (u32)call->fd,
					   .newfd_flags = (u32)call->flags & O_CLOEXEC };

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -errno : 0;
}

/* A connection to the proxy. */
static int give_connection(struct cage_notify *notify, int listener, const struct seccomp_notif *asked,
			   const struct cage_notify_call *call, struct cage_notify_made **ret)
{
	CLEANUP_FD int own = FD_NONE, other = FD_NONE;
	int r = cage_notify_connect(call->family, call->flags, &own, &other);

	if (r == 0 && send_descriptor(notify->door[0], other) < 0) /* it has ended, or has more than it takes in */
		r = -ECONNREFUSED;
	if (r == 0)
		r = put(listener, asked, call, own);
	if (r == 0)
		*ret = remember(notify, own);
	return r;
}

/* What connect(2) to AF_UNSPEC makes of a connected socket: one that is not. */
static int take_connection(struct cage_notify *notify, int listener, const struct seccomp_notif *asked,
			   const struct cage_notify_call *call)
{
	CLEANUP_FD int fresh = FD_NONE;

	if (!find_made(notify, call->inode))
		return 0;
	fresh = socket(call->family, SOCK_STREAM | SOCK_CLOEXEC | ((call->flags & O_NONBLOCK) ? SOCK_NONBLOCK : 0), 0);
	return fresh < 0 ? -errno : put(listener, asked, call, fresh);
}

/* --- addresses ---------------------------------------------------------------------------------------------------------------------------------- */

struct target {
	in_addr_t four; /* network order; 0 if it has no such */
	in_port_t port;
	bool local;
	char text[TARGET_MAX];
};

/* As the kernel has it: 0, or the negative errno for an address that is none of the socket's. */
static int read_target(const struct cage_notify_call *call, struct target *ret)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	char text[INET6_ADDRSTRLEN];

	*ret = (struct target){ .four = 0 };
	if (call->size < offsetof(struct sockaddr_in6, sin6_scope_id) && (call->family == AF_INET6 || call->size < sizeof(four)))
		return -EINVAL;
	if (call->address.ss_family != call->family)
		return -EAFNOSUPPORT;
	memcpy(&four, &call->address, sizeof(four));
	memcpy(&six, &call->address, sizeof(six));
	ret->port = four.sin_port; /* of both families it stands at the same place */
	if (call->family == AF_INET) {
		ret->four = four.sin_addr.s_addr;
		(void)inet_ntop(AF_INET, &four.sin_addr, text, sizeof(text));
		(void)snprintf(ret->text, sizeof(ret->text), "%s:%u", text, ntohs(ret->port));
	} else {
		if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
			memcpy(&ret->four, &six.sin6_addr.s6_addr[12], sizeof(ret->four));
		(void)inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
		(void)snprintf(ret->text, sizeof(ret->text), "[%s]:%u", text, ntohs(ret->port));
	}
	ret->local = ntohl(ret->four) >> 24 == 127 ||
		     (!ret->four && (call->family == AF_INET || IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) ||
				     IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr) || IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)));
	return 0;
}

static bool is_proxy(const struct target *target)
{
	return target->four == htonl(INADDR_LOOPBACK) && target->port == htons(CAGE_PROXY_PORT);
}

/* It is told before it is answered. Returns what a network namespace with nothing but loopback answers. */
static int refuse(struct cage_notify *notify, const struct target *target)
{
	json_t *event = notify->reader ? json_pack("{s:s, s:s, s:s, s:s}", "event", "denied", "via", "direct", "target",
						   target->text, "reason", REASON)
				       : NULL;
	const struct cage_proxy_decision decision = { .denied = true, .target = target->text, .reason = REASON, .event = event };

	if (event) {
		(void)pthread_mutex_lock(notify->hearing);
		notify->reader->take(notify->reader->data, &decision);
		(void)pthread_mutex_unlock(notify->hearing);
	}
	json_decref(event);
	return target->local ? -ECONNREFUSED : -ENETUNREACH;
}

/* --- a notification ------------------------------------------------------------------------------------------------------------------------- */

/* What connect(2) returns. made: what the guest has got by it; NULL = nothing. */
static int judge(struct cage_notify *notify, int listener, const struct seccomp_notif *asked, const struct cage_notify_call *call,
		 struct cage_notify_made **made)
{
	struct cage_notify_made *before = find_made(notify, call->inode);
	struct target target;
	int r;

	if (call->error)
		return -call->error;
	if (before && before->unanswered) {
		*made = before;
		return 0;
	}
	if (call->unknown || call->unread)
		return give_connection(notify, listener, asked, call, made);
	if (call->size < sizeof(sa_family_t))
		return -EINVAL;
	if (call->address.ss_family == AF_UNSPEC)
		return take_connection(notify, listener, asked, call);
	if (before)
		return -EISCONN;
	r = read_target(call, &target);
	if (r < 0)
		return r;
	return is_proxy(&target) ? give_connection(notify, listener, asked, call, made) : refuse(notify, &target);
}

/* Takes one notification and answers it. 0, or negative errno: there will be no more. */
static int serve(struct cage_notify *notify, int listener)
{
	union asked asked = { .room = { 0 } };
	union answer answer = { .room = { 0 } };
	struct cage_notify_made *made = NULL;
	struct cage_notify_call call;
	int r;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : -errno; /* it has ended, or was interrupted, meanwhile */
	if (asked.notif.data.nr == SYS_connect) {
		cage_notify_look(&asked.notif, &call);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &asked.notif.id) <
		    0) /* what we have seen may have been another's */
			return 0;
		r = judge(notify, listener, &asked.notif, &call, &made);
	} else {
		r = notify->calls.answer(notify->calls.data, listener, &asked.notif);
	}
	answer.response = (struct seccomp_notif_resp){ .id = asked.notif.id, .error = r };
	r = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	if (made)
		made->unanswered = r < 0;
	return 0;
}

static void *run(void *data)
{
	struct cage_notify *notify = data;
	CLEANUP_FD int listener = receive_descriptor(notify->channel[0]);
	struct pollfd ends[] = { { .fd = listener, .events = POLLIN }, { .fd = notify->stop, .events = POLLIN } };
	int r = listener < 0 ? listener : 0;

	while (r == 0) {
		if (poll(ends, ARRAY_SIZE(ends), -1) < 0)
			continue;
		if (ends[1].revents ||
		    (ends[0].revents && !(ends[0].revents & POLLIN))) /* we are to end, or nobody is left to ask */
			break;
		if (ends[0].revents)
			r = serve(notify, listener);
	}
	return NULL;
}

/* --- its life --------------------------------------------------------------------------------------------------------------------------------- */

int cage_notify_begin(struct cage_notify *notify, bool connects, const struct cage_notify_calls *calls)
{
	*notify = (struct cage_notify){ .connects = connects,
					.calls = calls ? *calls : (struct cage_notify_calls){ .count = 0 },
					.channel = { FD_NONE, FD_NONE },
					.door = { FD_NONE, FD_NONE } };
	notify->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (notify->stop < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, notify->channel) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, notify->door) < 0)
		return -errno;
	return 0;
}

int cage_notify_enter(const struct cage_notify *notify)
{
	CLEANUP_FD int listener = cage_notify_filter(notify->connects, &notify->calls);

	return listener < 0 ? listener : send_descriptor(notify->channel[1], listener);
}

int cage_notify_start(struct cage_notify *notify, const struct cage_proxy_reader *reader, pthread_mutex_t *hearing)
{
	sigset_t all, before;
	int r;

	close_fd(&notify->channel[1]);
	notify->channel[1] = FD_NONE;
	notify->reader = reader;
	notify->hearing = hearing;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&notify->thread, NULL, run, notify);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	notify->runs = r == 0;
	if (r < 0)
		close_pair(notify->channel);
	return r;
}

void cage_notify_end(struct cage_notify *notify)
{
	u64 one = 1;

	(void)!write(notify->stop, &one, sizeof(one));
	if (notify->channel[0] >= 0)
		(void)shutdown(notify->channel[0], SHUT_RDWR);
	if (notify->runs)
		(void)pthread_join(notify->thread, NULL);
	notify->runs = false;
	close_pair(notify->channel);
	close_pair(notify->door);
	close_fd(&notify->stop);
	notify->stop = FD_NONE;
}

/* --- trying ----------------------------------------------------------------------------------------------------------------------------------- */

/* As a guest: whether a connect to the proxy gives a connection, to whoever holds the other end. */
static NORETURN void try_as_guest(const struct cage_notify *notify)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(CAGE_PROXY_PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;
	char byte = 'x';

	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(errno);
	r = cage_notify_enter(notify);
	if (r < 0)
		_exit(-r);
	_exit(connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || write(fd, &byte, 1) != 1 ? errno : 0);
}

static int try(struct cage_notify *notify)
{
	int status = -1, r = cage_notify_begin(notify, true, NULL);
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0)
		try_as_guest(notify);
	if (pid < 0 || cage_notify_start(notify, NULL, NULL) < 0) /* without a thread it gets nowhere, and ends */
		notify->runs = false;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ? 0 : WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int cage_notify_try(void)
{
	struct cage_notify *notify = malloc(sizeof(*notify));
	int r = notify ? try(notify) : -ENOMEM;

	if (notify)
		cage_notify_end(notify);
	free(notify);
	return r;
}
