/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sockets are asked to be and gVisor refuses: time-outs of netlink sockets (SO_RCVTIMEO, SO_SNDTIMEO: libraries set them, and netlink answers at
 * once; they are not kept, and getsockopt says 0), and ioctl(SIOCSIFFLAGS) that changes nothing: containers bring up a loopback interface that is up.
 */
#include "gaps/newcalls/newcalls_int.h"

#define SOL_SOCKET_ 1u
#define SO_DOMAIN_ 39u
#define AF_NETLINK_ 16
#define SIOCGIFFLAGS_ 0x8913u
#define IFREQ_SIZE 40u
#define IFREQ_FLAGS 16u

static bool refused(void)
{
	return commons()->refused & (1u << GAP_newcalls);
}

static bool is_netlink(s32 fd)
{
	s32 domain = 0;
	u32 size = sizeof(domain);

	return sys5(__NR_getsockopt, fd, SOL_SOCKET_, SO_DOMAIN_, &domain, &size) == 0 && domain == AF_NETLINK_;
}

/* The host's answer is -ENOPROTOOPT for what it does not know. */
static long host(const struct call *call)
{
	if (refused() && is_netlink((s32)call->arg[0]))
		return -ENOPROTOOPT;
	return sys5(call->nr, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]);
}

enum verdict newcalls_set_timeout(struct call *call)
{
	s64 time[2];
	long r;

	if ((u32)call->arg[1] != SOL_SOCKET_)
		return CALL_PASS;
	r = host(call);
	if (r != -ENOPROTOOPT || !is_netlink((s32)call->arg[0]))
		return done(call, r);
	if ((s32)call->arg[4] < (s32)sizeof(time))
		return done(call, -EINVAL);
	if (guest_read(time, call->arg[3], sizeof(time)) < 0)
		return done(call, -EFAULT);
	return done(call, time[1] < 0 || time[1] >= 1000000 ? -EDOM : 0);
}

enum verdict newcalls_get_timeout(struct call *call)
{
	static const u8 none[16] = { 0 };
	u32 size = 0;
	long r;

	if ((u32)call->arg[1] != SOL_SOCKET_)
		return CALL_PASS;
	r = host(call);
	if (r != -ENOPROTOOPT || !is_netlink((s32)call->arg[0]))
		return done(call, r);
	if (guest_read(&size, call->arg[4], sizeof(size)) < 0)
		return done(call, -EFAULT);
	if ((s32)size < 0)
		return done(call, -EINVAL);
	size = size < sizeof(none) ? size : (u32)sizeof(none);
	if (guest_write(call->arg[3], none, size) < 0 || guest_write(call->arg[4], &size, sizeof(size)) < 0)
		return done(call, -EFAULT);
	return done(call, 0);
}

enum verdict newcalls_interface_flags(struct call *call)
{
	u8 ask[IFREQ_SIZE], now[IFREQ_SIZE];
	struct agent_creds creds;
	u16 want, have;
	long r = refused() ? -ENOTTY : sys3(__NR_ioctl, call->arg[0], call->arg[1], call->arg[2]);

	if (r != -ENOTTY)
		return done(call, r);
	if (guest_read(ask, call->arg[2], sizeof(ask)) < 0)
		return done(call, -EFAULT);
	memcpy(now, ask, sizeof(now));
	r = sys3(__NR_ioctl, call->arg[0], SIOCGIFFLAGS_, now);
	if (r < 0 && r != -ENODEV)
		return done(call, r); /* it is no socket */
	agent_creds_get(&creds);
	if (r < 0 || !creds.cap_net_admin)
		return done(call, creds.cap_net_admin ? r : -EPERM);
	memcpy(&want, ask + IFREQ_FLAGS, sizeof(want));
	memcpy(&have, now + IFREQ_FLAGS, sizeof(have));
	return done(call, (want ^ have) & 1 /* IFF_UP */ ? -EOPNOTSUPP : 0);
}
