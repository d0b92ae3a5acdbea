// SPDX-License-Identifier: Apache-2.0
/*
 * Gap vnet, host half: can network links be made? In a network namespace of the probe's own where there is one; else in the real one,
 * down and without an address, for the moment it takes to delete them again.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gaps/evidence.h"

struct request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	char attributes[128];
};

/* Appends an attribute and returns it; a nest is closed by setting its length. */
static struct rtattr *add(struct request *request, unsigned short type, const void *data, size_t size)
{
	struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	request->header.nlmsg_len = (u32)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len));
	return attribute;
}

/* Sends the request and waits for its acknowledgement. Returns 0 or a positive errno. */
static int ask(int fd, const struct request *request)
{
	_Alignas(struct nlmsghdr) char reply[4096];
	if (send(fd, request, request->header.nlmsg_len, 0) < 0)
		return errno;
	ssize_t size = recv(fd, reply, sizeof(reply), 0);
	if (size < 0)
		return errno;
	const struct nlmsghdr *answer = (const struct nlmsghdr *)reply;
	if (!NLMSG_OK(answer, (unsigned)size) || answer->nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
}

static struct request request_for(unsigned short type, unsigned short flags, const char *name)
{
	struct request request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			    .nlmsg_type = type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
			    .nlmsg_seq = 1 },
		.link = { .ifi_family = AF_UNSPEC },
	};
	add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return request;
}

static int make_link(int fd, const char *kind, const char *name)
{
	struct request request = request_for(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	struct rtattr *info = add(&request, IFLA_LINKINFO, NULL, 0);
	add(&request, IFLA_INFO_KIND, kind, strlen(kind));
	info->rta_len = (unsigned short)((char *)&request + request.header.nlmsg_len - (char *)info);
	int error = ask(fd, &request);
	if (error)
		return error;
	struct request removal = request_for(RTM_DELLINK, 0, name);
	return ask(fd, &removal);
}

static void probe(struct gap_finding *finding)
{
	static const char *const kinds[] = { "bridge", "veth", "dummy" };
	struct evidence e;
	evidence_begin(&e, finding, "RTM_NEWLINK: bridge, veth");
	(void)!unshare(CLONE_NEWNET);
	evidence_try(&e, "netlink", "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)");
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (evidence_answer(&e, fd < 0 ? errno : 0)) {
		struct timeval patience = { .tv_sec = 1 };
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			char name[16];
			snprintf(name, sizeof(name), "lichen%d", (int)getpid());
			if (strcmp(kinds[i], "dummy") == 0)
				evidence_try_extra(&e, kinds[i], "RTM_NEWLINK kind=%s", kinds[i]);
			else
				evidence_try(&e, kinds[i], "RTM_NEWLINK kind=%s", kinds[i]);
			evidence_answer(&e, make_link(fd, kinds[i], name));
		}
	}
	evidence_end(&e);
}

static const struct gap_symptom symptoms[] = {
	{ .program = "dockerd",
	  .message = "error creating default \"bridge\" network",
	  .cause = "dockerd could not make its bridge docker0 or the rules for it",
	  .advice =
		  "`dockerd --bridge=none --iptables=false --ip6tables=false` starts without; containers then use the host's network.",
	  .source = "facts/docker-in-gvisor.md 4; moby daemon/daemon_unix.go" },
	{ .message = "failed to subscribe to link updates",
	  .call = "bind(*AF_NETLINK*",
	  .cause = "the kernel does not let a socket join RTNLGRP_LINK (gVisor before November 2025)",
	  .source = "facts/error-texts.md; dockerd 28" },
	{ .message = "failed to subscribe to link updates",
	  .cause = "the kernel does not let a socket join RTNLGRP_LINK (gVisor before November 2025)",
	  .source = "facts/error-texts.md; dockerd 28" },
	{ .message = "failed to add the host",
	  .cause = "the kernel makes no veth pair here",
	  .source = "moby libnetwork/drivers/bridge/bridge.go" },
	{ .program = "ip",
	  .message = "RTNETLINK answers: Operation not supported",
	  .cause = "the kernel has no such kind of link",
	  .source = "facts/docker-in-gvisor.md 4; iproute2 lib/libnetlink.c" },
	{ .program = "ip",
	  .message = "RTNETLINK answers: Operation not permitted",
	  .cause = "changing links takes CAP_NET_ADMIN",
	  .source = "iproute2 lib/libnetlink.c" },
	{ .call = "ioctl(*SIOCBR*", .source = "facts/docker-in-gvisor.md 4", .cause = "the kernel makes no bridges" },
	{ .call = "ioctl(*SIOCSIF*", .source = "facts/docker-in-gvisor.md 9", .cause = "interfaces cannot be changed here" },
	{ .call = "ioctl(*TUNSETIFF*",
	  .source = "networking/tuntap.rst",
	  .cause = "a tun or tap interface takes CAP_NET_ADMIN and the driver" },
};

const struct gap gap_vnet = {
	.name = "vnet",
	.summary = "virtual links and addresses: bridge, veth",
	.needed_by = "docker networks, CNI plugins",
	.workloads = (const char *const[]){ "docker", "kubernetes", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
};
