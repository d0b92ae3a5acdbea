/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of sockets by which one reaches networks, the kernel or the machine's host past any address rule. */
#include "attack.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int makes(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol), r = outcome(fd);

	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int packet(const struct attack *a)
{
	(void)a;
	return makes(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
}

static int raw(const struct attack *a)
{
	(void)a;
	return makes(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int vsock(const struct attack *a)
{
	(void)a;
	return makes(AF_VSOCK, SOCK_STREAM, 0);
}

static int cipher(const struct attack *a)
{
	(void)a;
	return makes(AF_ALG, SOCK_SEQPACKET, 0);
}

static int uevent(const struct attack *a)
{
	(void)a;
	return makes(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
}

static int firewall(const struct attack *a)
{
	(void)a;
	return makes(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static int diagnosis(const struct attack *a)
{
	(void)a;
	return makes(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
}

/* Gives lo the address 127.99.99.99, and takes it away. */
static int change_address(int fd, uint16_t type, uint16_t flags)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg address;
		struct rtattr attribute;
		uint32_t value;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags },
		.address = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1 },
		.attribute = { .rta_len = RTA_LENGTH(4), .rta_type = IFA_LOCAL },
		.value = htonl(0x7f636363),
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} reply;

	if (send(fd, &request, sizeof(request), 0) < 0 || recv(fd, &reply, sizeof(reply), 0) < 0)
		return errno;
	return -reply.error.error;
}

/* In a network of one's own this is harmless; the test looks whether it was the machine's. */
static int address(const struct attack *a)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), r;

	(void)a;
	if (fd < 0)
		return errno;
	r = change_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	if (r == 0)
		(void)change_address(fd, RTM_DELADDR, 0);
	return r;
}

static const struct way ways[] = {
	{ "packet", packet },       { "raw", raw },         { "vsock", vsock },
	{ "alg", cipher },          { "uevent", uevent },   { "netfilter", firewall },
	{ "sock_diag", diagnosis }, { "address", address },
};

ATTACK_MAIN(ways)
