/* SPDX-License-Identifier: Apache-2.0 */
/* Time-outs of netlink sockets, and flags of the loopback interface that are what they are. */
#include "difftest.h"
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(void)
{
	struct timeval time = { 5, 0 }, bad = { 1, 1000000 };
	int netlink = (int)MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	int inet = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq lo = { .ifr_name = "lo" }, none = { .ifr_name = "none-such" };
	socklen_t size = sizeof(time);

	SHOW(getsockopt(netlink, SOL_SOCKET, SO_SNDTIMEO, &time, &size));
	SHOW(time.tv_sec);
	SHOW(size);
	time.tv_sec = 5;
	SHOW(setsockopt(netlink, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)));
	SHOW(setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)));
	SHOW(setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &time, 3));
	SHOW(setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof(bad)));
	SHOW(setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, bad_pointer(), sizeof(time)));
	SHOW(setsockopt(inet, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)));
	memset(&time, 0, sizeof(time));
	SHOW(getsockopt(inet, SOL_SOCKET, SO_RCVTIMEO, &time, &size));
	SHOW(time.tv_sec);
	SHOW(setsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)));
	SHOW(ioctl(inet, SIOCGIFFLAGS, &lo));
	FACT(lo.ifr_flags & IFF_LOOPBACK);
	if (!(lo.ifr_flags & IFF_UP))
		return 0;
	SHOW(ioctl(inet, SIOCSIFFLAGS, &lo));
	SHOW(ioctl(inet, SIOCSIFFLAGS, &none));
	SHOW(ioctl(inet, SIOCSIFFLAGS, bad_pointer()));
	AS_USER(1000, 1000, SHOW(ioctl(inet, SIOCSIFFLAGS, &lo)));
	SHOW(ioctl(0, SIOCSIFFLAGS, &lo));
	return 0;
}
