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

static const struct gap_symptom symptoms[] = {
	{ .message = "Failed to initialize nft: Protocol not supported",
	  .call = "socket(AF_NETLINK, *, NETLINK_NETFILTER)",
	  .error = EPROTONOSUPPORT,
	  .cause = "the kernel has no NETLINK_NETFILTER socket, so no nf_tables",
	  .advice =
		  "iptables-legacy uses another interface of the kernel, which may be there: `iptables-legacy -t nat -L`. dockerd does without "
		  "packet rules by `dockerd --iptables=false --ip6tables=false`.",
	  .source = "facts/error-texts.md; iptables iptables/nft.c" },
	{ .program = "dockerd",
	  .message = "failed to create NAT chain",
	  .cause = "dockerd could not write packet rules with iptables",
	  .advice =
		  "`dockerd --iptables=false --ip6tables=false --bridge=none` starts without; containers then use the host's network.",
	  .source = "moby libnetwork/drivers/bridge/setup_ip_tables.go" },
	{ .message = "can't initialize iptables table",
	  .call = "socket(AF_INET*, SOCK_RAW*",
	  .error = EPERM,
	  .cause =
		  "iptables-legacy talks to the kernel through a raw socket, and that takes CAP_NET_RAW; its message is about a table all the same",
	  .advice = "Give the sandbox CAP_NET_RAW: `runsc --net-raw …`, `docker run --cap-add NET_RAW --cap-add NET_ADMIN …`.",
	  .source = "iptables libiptc/libiptc.c; measured in gVisor" },
	{ .message = "can't initialize iptables table",
	  .call = "getsockopt(*, IPT_SO_GET_INFO*",
	  .cause = "the kernel has no such table in ip_tables",
	  .advice = "iptables-nft uses another interface of the kernel, which may be there: `iptables-nft -L`.",
	  .source = "facts/error-texts.md" },
	{ .message = "can't initialize iptables table",
	  .cause = "the kernel has no such table in ip_tables, or lets this process not see it",
	  .source = "facts/error-texts.md" },
	{ .message = "can't initialize ip6tables table",
	  .cause = "the kernel has no such table in ip6_tables, or lets this process not see it",
	  .source = "iptables libiptc/libiptc.c" },
	{ .call = "socket(AF_NETLINK, *, NETLINK_NETFILTER)",
	  .error = EPROTONOSUPPORT,
	  .source = "facts/gvisor.md",
	  .cause = "the kernel has no NETLINK_NETFILTER socket, so no nf_tables, ipset or conntrack" },
	{ .call = "setsockopt(*, IPT_SO_SET_REPLACE*",
	  .source = "facts/docker-in-gvisor.md 3b",
	  .cause = "the kernel's ip_tables do not know a match or target of this rule" },
	{ .call = "getsockopt(*, IPT_SO_GET_*",
	  .source = "facts/docker-in-gvisor.md 3b",
	  .cause = "the kernel has no ip_tables, or not this table, match or target" },
	{ .message = "nf_conntrack_max",
	  .cause = "kube-proxy sets the size of the connection table, and may not",
	  .advice = "In kube-proxy's configuration set conntrack.maxPerCore and conntrack.min to 0: it does not write then.",
	  .source = "facts/error-texts.md" },
};

const struct gap gap_netfilter = {
	.name = "netfilter",
	.summary = "packet rules: nf_tables and ip_tables",
	.needed_by = "iptables, nft, dockerd, kube-proxy",
	.workloads = (const char *const[]){ "docker", "kubernetes", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
};
