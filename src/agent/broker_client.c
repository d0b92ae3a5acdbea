/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the supervisor: one datagram with one descriptor over the members' end of the broker socket (abi/broker.h). */
#include "agent/engine.h"

#define SOL_SOCKET_ 1
#define SCM_RIGHTS_ 1
#define MSG_DONTWAIT_ 0x40
#define MSG_NOSIGNAL_ 0x4000
#define POLLOUT_ 4
#define WAIT_MS 1000 /* a supervisor that is stopped reads nothing, and we must not wait for it: every signal is blocked */

struct iovec_ {
	const void *base;
	u64 size;
};

struct msghdr_ { /* struct msghdr, x86-64 */
	void *name;
	u32 name_size, pad;
	const struct iovec_ *vector;
	u64 count;
	void *control;
	u64 control_size;
	s32 flags, pad2;
};

struct rights {
	u64 size; /* struct cmsghdr: without the padding behind fd */
	s32 level, type;
	s32 fd, pad;
};

int broker_send(const struct broker_request *request, int fd)
{
	struct rights rights = { .size = 20, .level = SOL_SOCKET_, .type = SCM_RIGHTS_, .fd = fd };
	struct iovec_ vector = { request, sizeof(*request) };
	struct msghdr_ message = { .vector = &vector, .count = 1, .control = &rights, .control_size = sizeof(rights) };
	struct {
		s32 fd;
		s16 events, revents;
	} poll = { private()->reserved_fds[RESERVED_BROKER], POLLOUT_, 0 };
	long r;

	if (poll.fd < 0)
		return -ECONNREFUSED;
	r = sys3(__NR_sendmsg, poll.fd, &message, MSG_DONTWAIT_ | MSG_NOSIGNAL_);
	if (r == -EAGAIN && sys3(__NR_poll, &poll, 1, WAIT_MS) == 1)
		r = sys3(__NR_sendmsg, poll.fd, &message, MSG_DONTWAIT_ | MSG_NOSIGNAL_);
	if (r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN)
		return -ECONNREFUSED;
	return r < 0 ? (int)r : 0;
}
