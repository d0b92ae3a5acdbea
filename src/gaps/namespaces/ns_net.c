/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces. They are told apart, opened, mounted and entered as the other kinds (ns_files.c); what is in them is as the kernel has it:
 *
 *   Where it gives network namespaces (tried by host/network.c when the first one is wanted), unshare(2) and clone(2) make one of its own, too. It lives as long as a process is in it:
 *   who enters one that only a mount or descriptor keeps finds it empty, without what was configured.
 *
 *   Where it gives none, there is no network at all in such a namespace, and that is the kernel's doing: before a program is executed in one, a filter is
 *   installed that refuses sockets of all families but AF_UNIX and AF_NETLINK (EAFNOSUPPORT) and io_uring, for the program and all that it starts, for
 *   good: it cannot be left again, whatever setns(2) says. Limits: there is no loopback in it. The task that makes one keeps its network until it executes
 *   a program. What rtnetlink, /proc/net and /sys/class/net tell is the machine's. Sockets that a program was handed stay what they are.
 */
#include "base/decimal.h"
#include "gaps/namespaces/ns_int.h"

#define O_CLOEXEC_ 02000000
#define AF_UNIX_ 1
#define SOCK_SEQPACKET_ 5
#define CLONE_NEWNET_ 0x40000000u

/* The supervisor tries it, and writes down what came out. Without a supervisor nobody can: then there is the filter. */
static void decide(void)
{
	struct broker_request request = { .kind = BROKER_NETWORK };
	s32 pair[2] = { -1, -1 };
	bool asked;
	char none;
	long r;

	if (sys4(__NR_socketpair, AF_UNIX_, SOCK_SEQPACKET_ | O_CLOEXEC_, 0, pair) < 0)
		return;
	asked = broker_send(&request, pair[1]) == 0;
	(void)sys1(__NR_close, pair[1]);
	do
		r = asked ? sys3(__NR_read, pair[0], &none, 1) : 0; /* the end */
	while (r == -EINTR);
	(void)sys1(__NR_close, pair[0]);
}

bool ns_net_of_kernel(void)
{
	u32 *network = &commons()->network, undecided = NETWORK_UNDECIDED;

	if (__atomic_load_n(network, __ATOMIC_ACQUIRE) == NETWORK_UNDECIDED)
		decide();
	(void)__atomic_compare_exchange_n(network, &undecided, NETWORK_BY_FILTER, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	return __atomic_load_n(network, __ATOMIC_ACQUIRE) == NETWORK_BY_KERNEL;
}

bool ns_net_by_filter(void)
{
	return __atomic_load_n(&commons()->network, __ATOMIC_ACQUIRE) == NETWORK_BY_FILTER;
}

long ns_net_enter(u32 number)
{
	s32 pid = number ? view_net_holder(number) : commons()->supervisor;
	char path[48] = "/proc/";
	u64 at = 6;
	long fd, r;

	if (!ns_net_of_kernel())
		return 0;
	if (!pid)
		return number ? sys1(__NR_unshare, CLONE_NEWNET_) : -EPERM;
	at += decimal_put(path + at, (u32)pid);
	memcpy(path + at, "/ns/net", 8);
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	r = sys2(__NR_setns, fd, CLONE_NEWNET_);
	(void)sys1(__NR_close, fd);
	return r;
}

void ns_net_exec(struct exec_prepare *prepare)
{
	struct { /* struct sock_fprog */
		u16 length;
		const u64 *code;
	} program = { (u16)commons()->network_filter_length, commons()->network_filter };
	long r;

	if (prepare->cut_off || !agent_view()->net || ns_net_of_kernel())
		return;
	r = sys3(__NR_seccomp, 1 /* SET_MODE_FILTER */, 0, &program);
	if (r == -ENOSYS)
		r = sys5(__NR_prctl, 22 /* PR_SET_SECCOMP */, 2, &program, 0, 0);
	prepare->cut_off = r == 0;
	prepare->error = r;
}
