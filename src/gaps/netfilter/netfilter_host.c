// SPDX-License-Identifier: Apache-2.0
/* Gap netfilter, host half: does nf_tables list its tables, and does ip_tables have one for NAT? */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gaps/evidence.h"

/* Asks for all tables, reads until the list ends. Returns 0 or a positive errno. */
static int list_tables(int fd)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			    .nlmsg_seq = 1 },
		.family = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
	};
	struct timeval patience = { .tv_sec = 1 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, &request, sizeof(request), 0) < 0)
		return errno;
	for (;;) {
		_Alignas(struct nlmsghdr) char reply[8192];
		ssize_t size = recv(fd, reply, sizeof(reply), 0);
		if (size < 0)
			return errno;
		unsigned left = (unsigned)size;
		for (struct nlmsghdr *at = (struct nlmsghdr *)reply; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
			if (at->nlmsg_type == NLMSG_DONE)
				return 0;
			if (at->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(at))->error;
		}
		if (size == 0)
			return EPROTO;
	}
}

/* ip_tables, the older interface, is asked for its table `nat`. */
static int find_nat_table(void)
{
	struct ipt_getinfo info = { .name = "nat" };
	socklen_t size = sizeof(info);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return errno;
	int error = getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) ? errno : 0;
	close(fd);
	return error;
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "list tables by NETLINK_NETFILTER");
	evidence_try(&e, "nf_tables", "socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)");
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (evidence_answer(&e, fd < 0 ? errno : 0)) {
		evidence_try(&e, "list", "NFT_MSG_GETTABLE, NLM_F_DUMP");
		evidence_answer(&e, list_tables(fd));
	}
	evidence_try_extra(&e, "ip_tables nat", "getsockopt(IPT_SO_GET_INFO, \"nat\")");
	if (evidence_answer(&e, find_nat_table()))
		evidence_note(&e, "ip_tables (legacy) has table nat");
	evidence_end(&e);
}

const struct gap gap_netfilter = {
	.name = "netfilter",
	.summary = "packet rules: nf_tables and ip_tables",
	.needed_by = "iptables, nft, dockerd, kube-proxy",
	.workloads = (const char *const[]){ "docker", "kubernetes", NULL },
	.probe = probe,
};
