/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caged command asks of its supervisor, by seccomp user notification (seccomp_unotify(2), Linux 5.9), because no namespace can be made that would keep it:
 * attributes of files (cage_attribute.h), and connections, where its network is let to some hosts.
 *
 *   guest        cage_notify_enter()   installs a filter (cage_notify_filter.c) and hands over its listener. From then on of the internet there are TCP
 *                                      sockets alone, which can neither be bound nor listen, and connect(2) is asked of us
 *   supervisor   a thread              a connect to 127.0.0.1:3128: puts a socket that is connected to lichen-proxy in the place of the guest's descriptor
 *                                      (SECCOMP_IOCTL_NOTIF_ADDFD), and answers 0. To anywhere else: what the namespace would answer, and it is told
 *   lichen-proxy                       gets the other end, by SCM_RIGHTS
 *
 * The kernel never carries out a connect(2) of the guest's own. What we read of it, the address and what its descriptor is, decides between a refusal and
 * a connection to the proxy; whatever it changes meanwhile, it can have nothing else. Both ends of a connection are ours, over loopback: nobody
 * else on the machine can come between, or use the proxy. It fails closed: without us connect(2) is ENOSYS.
 *
 * The guest's own socket is not connected by a duplicate of it (pidfd_getfd(2)): containers lack that call, and its options (IP_OPTIONS, SO_BINDTODEVICE)
 * could lead our packets astray.
 *
 * Limits: options that were set before connect are lost, but for O_NONBLOCK and FD_CLOEXEC; so is its place in an epoll set that it is already in. The
 * port that the peer is said to have is not 3128. Where /proc does not let us look at the guest (it has changed its user and executed nothing since; Yama) each
 * connect goes to the proxy, and its socket blocks. A signal before we have taken a connect up ends it with EINTR, and nothing goes on then. Nothing of
 * the guest is read without bounds, or waited for, but in this thread.
 */
#ifndef LICHEN_CAGE_CAGE_NOTIFY_H
#define LICHEN_CAGE_CAGE_NOTIFY_H

#include <pthread.h>
#include <sys/socket.h>

#include "cage/cage_proxy.h"

#define CAGE_NOTIFY_MADE 1024u

/* A socket that a guest got from us. */
struct cage_notify_made {
	u64 inode;
	bool unanswered; /* it has it, but a signal came between: it asks again */
};

struct seccomp_notif;

/* Calls that are asked, whatever their arguments, and who says what they return: 0 or negative errno. */
struct cage_notify_calls {
	const int *number;
	size_t count;
	int (*answer)(const void *data, int listener, const struct seccomp_notif *asked);
	const void *data;
};

struct cage_notify {
	bool connects; /* the guest asks for connections */
	struct cage_notify_calls calls;
	int channel[2]; /* the listener comes from [1], which is the guest's, to [0] */
	int door[2];    /* connections go from [0] to [1], which is lichen-proxy's */
	int stop;       /* an eventfd: the thread ends */
	bool runs;
	pthread_t thread;
	const struct cage_proxy_reader *reader; /* NULL: nobody is told */
	pthread_mutex_t *hearing;               /* held while it is told */
	struct cage_notify_made made[CAGE_NOTIFY_MADE];
	u32 next; /* of made[], which forgets the oldest */
};

/* Whether this host can do it: tried, with a child as the guest. 0 or negative errno (-EBUSY: a filter that we are in has a listener already). */
int cage_notify_try(void) MUST_CHECK;

/* Before the guest's process is made: it asks for connections, or other calls (NULL: none), or both. What is behind the calls outlives it. 0 or negative errno;
 * cage_notify_end() in any case. */
int cage_notify_begin(struct cage_notify *notify, bool connects, const struct cage_notify_calls *calls) MUST_CHECK;
/* In the guest, with no_new_privs: for good. 0 or negative errno. */
int cage_notify_enter(const struct cage_notify *notify) MUST_CHECK;
/* When the guest's process was made: starts the thread. The reader is called in it. 0 or negative errno: the guest will not get a connection. */
int cage_notify_start(struct cage_notify *notify, const struct cage_proxy_reader *reader, pthread_mutex_t *hearing) MUST_CHECK;
/* When all guests have ended: nobody is told any more. */
void cage_notify_end(struct cage_notify *notify);

/* cage_notify_filter.c: installs the filter; `calls` are asked whatever their arguments. Its listener, or negative errno. */
int cage_notify_filter(bool connects, const struct cage_notify_calls *calls) MUST_CHECK;

/* cage_notify_call.c: what is asked by one notification, as far as /proc tells. */
struct cage_notify_call {
	pid_t thread;
	int fd;
	int error;    /* of the descriptor: it is none, or no socket, or not one of TCP; 0 = it is one */
	bool unknown; /* nothing could be read of the descriptor; and of the address */
	bool unread;
	int family; /* AF_INET or AF_INET6, of the socket */
	int flags;  /* O_NONBLOCK, O_CLOEXEC */
	u64 inode;
	socklen_t size;
	struct sockaddr_storage address;
};
void cage_notify_look(const struct seccomp_notif *asked, struct cage_notify_call *ret);
/* A TCP connection over loopback, both ends ours: a socket of this family with these flags, and the other end of it. 0 or negative errno. */
int cage_notify_connect(int family, int flags, int *ret, int *ret_other) MUST_CHECK;

#endif
