/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink(7) in a network namespace that the kernel does not give (ns_net.c): what makers of containers ask for first, that loopback be up, is so
 * already, but asking takes CAP_NET_ADMIN, or is EOPNOTSUPP. Such a request, sent by sendto(2), becomes one that asks for the interface, whose answer is
 * taken off the socket again: what is left of it is the acknowledgement that the caller waits for. All else is the kernel's to answer.
 */
#include "gaps/namespaces/ns_int.h"

#define NLM_F_REQUEST_ 1u
#define NLM_F_ACK_ 4u
#define NLM_F_CREATE_ 0x400u
#define RTM_NEWLINK_ 16u
#define RTM_GETLINK_ 18u
#define RTM_SETLINK_ 19u
#define IFF_UP_ 1u
#define LOOPBACK 1 /* its number in every namespace */
#define MSG_PEEK_ 2
#define MSG_TRUNC_ 0x20
#define MSG_DONTWAIT_ 0x40

struct link_request { /* struct nlmsghdr, struct ifinfomsg */
	u32 length;
	u16 type, flags;
	u32 sequence, port;
	u8 family, pad;
	u16 device;
	s32 index;
	u32 interface_flags, change;
};
static_assert(sizeof(struct link_request) == 32, "rtnetlink(7)");

static bool is_loopback_up(const struct link_request *request, u64 size)
{
	return request->length == size && (request->type == RTM_NEWLINK_ || request->type == RTM_SETLINK_) &&
	       (request->flags & (NLM_F_REQUEST_ | NLM_F_ACK_)) == (NLM_F_REQUEST_ | NLM_F_ACK_) &&
	       !(request->flags & NLM_F_CREATE_) && request->index == LOOPBACK && request->change == IFF_UP_ &&
	       (request->interface_flags & IFF_UP_);
}

/* Takes the answer to the request off the socket; the acknowledgement stays. */
static void take_answer(s32 fd, const struct link_request *request)
{
	struct link_request *answer = agent_scratch();
	long n = sys6(__NR_recvfrom, fd, (u64)answer, AGENT_SCRATCH, MSG_PEEK_ | MSG_DONTWAIT_ | MSG_TRUNC_, 0, 0);

	if (n >= (long)sizeof(*answer) && answer->type == RTM_NEWLINK_ && answer->sequence == request->sequence &&
	    ((answer->length + 3u) & ~3u) >= (u64)n)
		(void)sys6(__NR_recvfrom, fd, (u64)answer, AGENT_SCRATCH, MSG_DONTWAIT_, 0, 0);
}

enum verdict namespaces_sendto(struct call *call)
{
	s32 fd = (s32)call->arg[0];
	struct link_request request;
	long r;

	if (!ns_net_by_filter() || call->arg[2] != sizeof(request) || guest_read(&request, call->arg[1], sizeof(request)) < 0 ||
	    !is_loopback_up(&request, call->arg[2]))
		return CALL_PASS;
	request.type = RTM_GETLINK_;
	request.interface_flags = request.change = 0;
	r = sys6(__NR_sendto, call->arg[0], (u64)&request, sizeof(request), call->arg[3], call->arg[4], call->arg[5]);
	if (r == sizeof(request))
		take_answer(fd, &request);
	return namespaces_done(call, r);
}
