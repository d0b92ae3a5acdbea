// SPDX-License-Identifier: Apache-2.0
/*
 * The filter of a guest that asks (cage_notify.h). It stands for itself, beside the list of system calls (cage_seccomp.c). Attributes of files are asked by
 * number alone. Where its connections are made for it:
 *
 *   socket(2)                     AF_INET and AF_INET6: SOCK_STREAM of TCP. Of AF_UNIX the list decides. All else is EAFNOSUPPORT
 *   connect(2)                    asked of the supervisor, whatever the socket is
 *   bind, listen, accept          EACCES: nobody outside can connect to it, and it takes no port of the machine's
 *   sendto, sendmsg, sendmmsg     MSG_FASTOPEN connects: EOPNOTSUPP, as where it is switched off. An address alone says nothing to TCP
 *   setsockopt(2)                 nothing that sends the packets of a connected socket elsewhere: source routes, devices, another protocol (TCP_ULP)
 *   ioctl(2)                      no interfaces or routes
 *   and                           io_uring, setns, pidfd_getfd, other architectures: no ways around
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage_notify.h"

#define WAIT_KILLABLE \
	(1u << 5) /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19: what we have begun no signal but a deadly one ends */
#define X32_BIT 0x40000000u
#define TYPE_MASK 0xfu        /* SOCK_TYPE_MASK */
#define FAST_OPEN 0x20000000u /* MSG_FASTOPEN */
#define BIND_TO_INDEX 62u     /* SO_BINDTOIFINDEX */
#define SOCKET_REQUESTS 0x8900u
#define AT_MARK 0x8905u /* SIOCATMARK */

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (u32)offsetof(struct seccomp_data, name))
#define MASK(bits) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (bits))
#define EQUAL(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)(value), (then), (otherwise))
#define ANY_OF(bits, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (u32)(bits), (then), (otherwise))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (u32)(action))
#define REFUSE(error) ANSWER(SECCOMP_RET_ERRNO | (error))

/* Each rule stands for itself: where it does not apply the next one follows. Jumps count instructions that are skipped. */
#define CALL(nr_, length) FIELD(nr), EQUAL(nr_, 0, length)
#define ANSWER_CALL(nr_, action) CALL(nr_, 1), ANSWER(action)
#define REFUSE_BITS(nr_, argument, bits, error) CALL(nr_, 3), FIELD(args[argument]), ANY_OF(bits, 0, 1), REFUSE(error)
#define REFUSE_OPTION(level, name, error) \
	CALL(SYS_setsockopt, 5), FIELD(args[1]), EQUAL(level, 0, 3), FIELD(args[2]), EQUAL(name, 0, 1), REFUSE(error)
#define ONLY_OPTIONS(level, a, b, c, d, e)                                                                           \
	CALL(SYS_setsockopt, 9), FIELD(args[1]), EQUAL(level, 0, 7), FIELD(args[2]), EQUAL(a, 5, 0), EQUAL(b, 4, 0), \
		EQUAL(c, 3, 0), EQUAL(d, 2, 0), EQUAL(e, 1, 0), REFUSE(EPERM)

static const struct sock_filter first[] = {
	FIELD(arch),
	EQUAL(AUDIT_ARCH_X86_64, 1, 0),
	ANSWER(SECCOMP_RET_KILL_PROCESS),
	FIELD(nr),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
	REFUSE(ENOSYS),
};

static const struct sock_filter network[] = {
	CALL(SYS_socket, 13),
	FIELD(args[0]),
	EQUAL(AF_UNIX, 11, 0),
	EQUAL(AF_INET, 2, 0),
	EQUAL(AF_INET6, 1, 0),
	REFUSE(EAFNOSUPPORT),
	FIELD(args[1]),
	MASK(TYPE_MASK),
	EQUAL(SOCK_STREAM, 1, 0),
	REFUSE(EAFNOSUPPORT),
	FIELD(args[2]),
	EQUAL(0, 2, 0),
	EQUAL(IPPROTO_TCP, 1, 0),
	REFUSE(EPROTONOSUPPORT),

	CALL(SYS_socketpair, 3),
	FIELD(args[0]),
	EQUAL(AF_UNIX, 1, 0),
	REFUSE(EOPNOTSUPP),

	ANSWER_CALL(SYS_connect, SECCOMP_RET_USER_NOTIF),
	ANSWER_CALL(SYS_bind, SECCOMP_RET_ERRNO | EACCES),
	ANSWER_CALL(SYS_listen, SECCOMP_RET_ERRNO | EACCES),
	ANSWER_CALL(SYS_accept, SECCOMP_RET_ERRNO | EACCES),
	ANSWER_CALL(SYS_accept4, SECCOMP_RET_ERRNO | EACCES),
	REFUSE_BITS(SYS_sendto, 3, FAST_OPEN, EOPNOTSUPP),
	REFUSE_BITS(SYS_sendmsg, 2, FAST_OPEN, EOPNOTSUPP),
	REFUSE_BITS(SYS_sendmmsg, 3, FAST_OPEN, EOPNOTSUPP),

	REFUSE_OPTION(SOL_SOCKET, SO_BINDTODEVICE, EPERM),
	REFUSE_OPTION(SOL_SOCKET, BIND_TO_INDEX, EPERM),
	REFUSE_OPTION(SOL_SOCKET, SO_MARK, EPERM),
	REFUSE_OPTION(IPPROTO_TCP, TCP_ULP, ENOENT),
	REFUSE_OPTION(IPPROTO_TCP, TCP_REPAIR, EPERM),
	ONLY_OPTIONS(IPPROTO_IP, IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_BIND_ADDRESS_NO_PORT),
	ONLY_OPTIONS(IPPROTO_IPV6, IPV6_V6ONLY, IPV6_TCLASS, IPV6_UNICAST_HOPS, IPV6_MTU_DISCOVER, IPV6_RECVERR),

	CALL(SYS_ioctl, 5),
	FIELD(args[1]),
	EQUAL(AT_MARK, 3, 0),
	MASK(0xffffff00u),
	EQUAL(SOCKET_REQUESTS, 0, 1),
	REFUSE(EPERM),
};

static const struct sock_filter last[] = {
	ANSWER_CALL(SYS_io_uring_setup, SECCOMP_RET_ERRNO | ENOSYS),    ANSWER_CALL(SYS_io_uring_enter, SECCOMP_RET_ERRNO | ENOSYS),
	ANSWER_CALL(SYS_io_uring_register, SECCOMP_RET_ERRNO | ENOSYS), ANSWER_CALL(SYS_setns, SECCOMP_RET_ERRNO | EPERM),
	ANSWER_CALL(SYS_pidfd_getfd, SECCOMP_RET_ERRNO | EPERM),        ANSWER(SECCOMP_RET_ALLOW),
};

#define LENGTH_MAX (ARRAY_SIZE(first) + ARRAY_SIZE(network) + ARRAY_SIZE(last) + 64)

static u32 append(struct sock_filter *filter, u32 at, const struct sock_filter *rows, size_t count)
{
	memcpy(filter + at, rows, count * sizeof(*rows));
	return at + (u32)count;
}

int cage_notify_filter(bool connects, const struct cage_notify_calls *calls)
{
	struct sock_filter filter[LENGTH_MAX];
	u32 at = append(filter, 0, first, ARRAY_SIZE(first));

	if (connects)
		at = append(filter, at, network, ARRAY_SIZE(network));
	for (size_t i = 0; i < calls->count; i++) {
		const struct sock_filter row[] = { ANSWER_CALL((u32)calls->number[i], SECCOMP_RET_USER_NOTIF) };

		if (at + ARRAY_SIZE(row) + ARRAY_SIZE(last) > ARRAY_SIZE(filter))
			return -E2BIG;
		at = append(filter, at, row, ARRAY_SIZE(row));
	}
	at = append(filter, at, last, ARRAY_SIZE(last));
	struct sock_fprog program = { .len = (unsigned short)at, .filter = filter };
	unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | WAIT_KILLABLE, &program);
	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return fd < 0 ? -errno : fd;
}
