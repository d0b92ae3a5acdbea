// SPDX-License-Identifier: Apache-2.0
/* A guest whose connections are made for it: what it gets, what it is refused, and what is told. Skipped where user notification cannot be had. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage/cage_notify.h"
#include "unit.h"

#define TOLD_MAX 16
#define FAST_OPEN 0x20000000 /* MSG_FASTOPEN */
#define MPTCP 262

/* What the guest says when it ends, and what the reader heard. */
struct said {
	char wrong[200];
};

struct heard {
	char target[TOLD_MAX][64];
	unsigned count;
};

/* All that lasts until the thread has ended, and what came of it. */
struct trial {
	struct cage_notify notify;
	struct heard heard;
	unsigned connections, written; /* that were made; those of which the guest wrote to */
};

static void hear(void *data, const struct cage_proxy_decision *decision)
{
	struct heard *heard = data;

	if (decision->denied && heard->count < TOLD_MAX)
		(void)snprintf(heard->target[heard->count++], sizeof(heard->target[0]), "%s", decision->target);
}

/* In the guest: the first thing that is wrong ends it. */
static void expect(struct said *said, const char *what, long got, long wanted)
{
	if (got == wanted)
		return;
	(void)snprintf(said->wrong, sizeof(said->wrong), "%s: %ld, not %ld", what, got, wanted);
	_exit(1);
}

static long error_of(long result)
{
	return result < 0 ? errno : 0;
}

static int tcp(int family, int flags)
{
	return socket(family, SOCK_STREAM | flags, 0);
}

static struct sockaddr_in four(const char *address, in_port_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };

	(void)inet_pton(AF_INET, address, &to.sin_addr);
	return to;
}

static struct sockaddr_in6 six(const char *address, in_port_t port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	(void)inet_pton(AF_INET6, address, &to.sin6_addr);
	return to;
}

static long connect_four(int fd, const char *address, in_port_t port)
{
	struct sockaddr_in to = four(address, port);

	return error_of(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static long connect_six(int fd, const char *address, in_port_t port)
{
	struct sockaddr_in6 to = six(address, port);

	return error_of(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static int family_of_peer(int fd)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &size) < 0 ? -errno : peer.ss_family;
}

/* What has come through the door. */
static void count_connections(struct trial *trial)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} rights;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof(rights) };

	for (; recvmsg(trial->notify.door[1], &message, MSG_DONTWAIT) > 0; message.msg_controllen = sizeof(rights)) {
		int fd;

		memcpy(&fd, CMSG_DATA(&rights.header), sizeof(fd));
		(void)fcntl(fd, F_SETFL, 0); /* the guest has ended: no byte will be missed, and nobody waited for */
		trial->connections++;
		trial->written += read(fd, &byte, 1) == 1;
		(void)close(fd);
	}
}

/* Runs a guest to its end. */
static void run_guest(struct trial *trial, void (*guest)(struct said *said))
{
	struct said *said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct cage_proxy_reader reader = { hear, &trial->heard };
	pthread_mutex_t hearing = PTHREAD_MUTEX_INITIALIZER;
	int status = -1;
	pid_t pid;

	assert_ptr_not_equal(said, MAP_FAILED);
	*trial = (struct trial){ .connections = 0 };
	assert_int_equal(cage_notify_begin(&trial->notify, true, NULL), 0);
	pid = fork();
	if (pid == 0) {
		expect(said, "no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		expect(said, "the filter", cage_notify_enter(&trial->notify), 0);
		guest(said);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(cage_notify_start(&trial->notify, &reader, &hearing), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	count_connections(trial);
	cage_notify_end(&trial->notify);
	if (status)
		fail_msg("status %#x: %s", (unsigned)status, said->wrong);
	(void)munmap(said, sizeof(*said));
}

static bool can(void)
{
	return cage_notify_try() == 0;
}

/* --- connections -------------------------------------------------------------------------------------------------------------------------- */

static void gets_connections(struct said *said)
{
	int plain = tcp(AF_INET, 0), flagged = tcp(AF_INET, SOCK_NONBLOCK | SOCK_CLOEXEC), mapped = tcp(AF_INET6, 0);

	expect(said, "connect", connect_four(plain, "127.0.0.1", CAGE_PROXY_PORT), 0);
	expect(said, "its peer", family_of_peer(plain), AF_INET);
	expect(said, "its flags", fcntl(plain, F_GETFL) & O_NONBLOCK, 0);
	expect(said, "its descriptor's flags", fcntl(plain, F_GETFD), 0);
	expect(said, "write", write(plain, "x", 1), 1);
	expect(said, "connect again", connect_four(plain, "127.0.0.1", CAGE_PROXY_PORT), EISCONN);
	expect(said, "connect of one that does not block", connect_four(flagged, "127.0.0.1", CAGE_PROXY_PORT), 0);
	expect(said, "its flags", fcntl(flagged, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	expect(said, "its descriptor's flags", fcntl(flagged, F_GETFD), FD_CLOEXEC);
	expect(said, "write", write(flagged, "x", 1), 1);
	if (mapped < 0) /* the machine has no IPv6 */
		return;
	expect(said, "connect of a mapped address", connect_six(mapped, "::ffff:127.0.0.1", CAGE_PROXY_PORT), 0);
	expect(said, "its peer", family_of_peer(mapped), AF_INET6);
	expect(said, "write", write(mapped, "x", 1), 1);
}

static void test_a_connect_to_the_proxy_gives_a_connection(void **state)
{
	struct trial trial;

	(void)state;
	if (!can())
		skip();
	run_guest(&trial, gets_connections);
	assert_in_range(trial.connections, 2, 3);
	assert_int_equal(trial.written, trial.connections);
	assert_int_equal(trial.heard.count, 0);
}

static void disconnects(struct said *said)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int fd = tcp(AF_INET, 0), other;

	expect(said, "disconnect of one that is not connected", connect(fd, &nobody, sizeof(nobody)), 0);
	expect(said, "connect", connect_four(fd, "127.0.0.1", CAGE_PROXY_PORT), 0);
	other = dup(fd);
	expect(said, "disconnect", connect(fd, &nobody, sizeof(nobody)), 0);
	expect(said, "its peer", family_of_peer(fd), -ENOTCONN);
	expect(said, "connect to another", connect_four(fd, "127.0.0.2", 1), ECONNREFUSED);
	expect(said, "connect", connect_four(fd, "127.0.0.1", CAGE_PROXY_PORT), 0);
	expect(said, "connect of the duplicate", connect_four(other, "127.0.0.2", 1), EISCONN);
}

static void test_a_socket_is_disconnected_and_connected_again(void **state)
{
	struct trial trial;

	(void)state;
	if (!can())
		skip();
	run_guest(&trial, disconnects);
	assert_int_equal(trial.connections, 2);
	assert_int_equal(trial.heard.count, 1);
	assert_string_equal(trial.heard.target[0], "127.0.0.2:1");
}

/* --- refusals ---------------------------------------------------------------------------------------------------------------------------------- */

static void connects_elsewhere(struct said *said)
{
	struct sockaddr_in proxy = four("127.0.0.1", CAGE_PROXY_PORT);
	int fd = tcp(AF_INET, 0), fd6 = tcp(AF_INET6, 0), pair[2];

	expect(said, "another address", connect_four(fd, "192.0.2.1", 80), ENETUNREACH);
	expect(said, "another port", connect_four(fd, "127.0.0.1", 1), ECONNREFUSED);
	expect(said, "any address", connect_four(fd, "0.0.0.0", CAGE_PROXY_PORT), ECONNREFUSED);
	expect(said, "no address", error_of(connect(fd, NULL, sizeof(proxy))), EFAULT);
	expect(said, "half an address", error_of(connect(fd, (struct sockaddr *)&proxy, 8)), EINVAL);
	expect(said, "too much", error_of(connect(fd, (struct sockaddr *)&proxy, 4096)), EINVAL);
	expect(said, "another family", connect_six(fd, "::1", CAGE_PROXY_PORT), EAFNOSUPPORT);
	expect(said, "no descriptor", connect_four(-1, "127.0.0.1", CAGE_PROXY_PORT), EBADF);
	expect(said, "no socket", connect_four(open("/dev/null", O_RDONLY), "127.0.0.1", CAGE_PROXY_PORT), ENOTSOCK);
	expect(said, "a pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	expect(said, "one of AF_UNIX", connect_four(pair[0], "127.0.0.1", CAGE_PROXY_PORT), EACCES);
	if (fd6 < 0)
		return;
	expect(said, "another address of IPv6", connect_six(fd6, "2001:db8::1", 80), ENETUNREACH);
	expect(said, "loopback of IPv6", connect_six(fd6, "::1", CAGE_PROXY_PORT), ECONNREFUSED);
}

static void test_a_connect_to_anywhere_else_is_refused_and_told(void **state)
{
	static const char *const told[] = { "192.0.2.1:80", "127.0.0.1:1", "0.0.0.0:3128", "[2001:db8::1]:80", "[::1]:3128" };
	struct trial trial;

	(void)state;
	if (!can())
		skip();
	run_guest(&trial, connects_elsewhere);
	assert_int_equal(trial.connections, 0);
	assert_in_range(trial.heard.count, 3, ARRAY_SIZE(told));
	for (unsigned i = 0; i < trial.heard.count; i++)
		assert_string_equal(trial.heard.target[i], told[i]);
}

static void sends_without_connect(struct said *said, int fd)
{
	struct sockaddr_in to = four("127.0.0.1", CAGE_PROXY_PORT);
	struct iovec data = { (void *)"x", 1 };
	struct mmsghdr one = { .msg_hdr = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1 } };

	expect(said, "sendto", error_of(sendto(fd, "x", 1, FAST_OPEN, (struct sockaddr *)&to, sizeof(to))), EOPNOTSUPP);
	expect(said, "sendmsg", error_of(sendmsg(fd, &one.msg_hdr, FAST_OPEN)), EOPNOTSUPP);
	expect(said, "sendmmsg", error_of(sendmmsg(fd, &one, 1, FAST_OPEN)), EOPNOTSUPP);
	expect(said, "an address alone", error_of(sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to))), EPIPE);
}

static void sets_options(struct said *said, int fd)
{
	static const unsigned char route[] = { 131, 7, 4, 192, 0, 2, 1, 0 }; /* loose source route */
	int on = 1, tos = 16;

	expect(said, "TCP_NODELAY", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	expect(said, "SO_KEEPALIVE", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
	expect(said, "IP_TOS", setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)), 0);
	expect(said, "IP_OPTIONS", error_of(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, route, sizeof(route))), EPERM);
	expect(said, "SO_BINDTODEVICE", error_of(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)), EPERM);
	expect(said, "SO_BINDTOIFINDEX", error_of(setsockopt(fd, SOL_SOCKET, 62, &on, sizeof(on))), EPERM);
	expect(said, "IPV6_RTHDR", error_of(setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &on, sizeof(on))), EPERM);
	expect(said, "TCP_ULP", error_of(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 4)), ENOENT);
	expect(said, "TCP_REPAIR", error_of(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on))), EPERM);
}

static void asks_for_more(struct said *said)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct io_uring_params ring = { .flags = 0 };
	struct ifreq interface = { .ifr_name = "lo" };
	int fd = tcp(AF_INET, 0), pair[2];

	expect(said, "UDP", error_of(socket(AF_INET, SOCK_DGRAM, 0)), EAFNOSUPPORT);
	expect(said, "raw", error_of(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)), EAFNOSUPPORT);
	expect(said, "MPTCP", error_of(socket(AF_INET, SOCK_STREAM, MPTCP)), EPROTONOSUPPORT);
	expect(said, "SCTP", error_of(socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP)), EPROTONOSUPPORT);
	expect(said, "netlink", error_of(socket(AF_NETLINK, SOCK_RAW, 0)), EAFNOSUPPORT);
	expect(said, "a pair of another family", error_of(socketpair(AF_TIPC, SOCK_STREAM, 0, pair)), EOPNOTSUPP);
	expect(said, "bind", error_of(bind(fd, (struct sockaddr *)&any, sizeof(any))), EACCES);
	expect(said, "listen", error_of(listen(fd, 1)), EACCES);
	expect(said, "accept", error_of(accept(fd, NULL, NULL)), EACCES);
	expect(said, "accept4", error_of(accept4(fd, NULL, NULL, 0)), EACCES);
	sends_without_connect(said, fd);
	sets_options(said, fd);
	expect(said, "SIOCGIFFLAGS", error_of(ioctl(fd, SIOCGIFFLAGS, &interface)), EPERM);
	expect(said, "io_uring_setup", error_of(syscall(SYS_io_uring_setup, 1, &ring)), ENOSYS);
	expect(said, "pidfd_getfd", error_of(syscall(SYS_pidfd_getfd, 0, 0, 0)), EPERM);
	expect(said, "setns", error_of(syscall(SYS_setns, 0, 0)), EPERM);
	expect(said, "x32", error_of(syscall(0x40000000 | SYS_connect, fd, &any, sizeof(any))), ENOSYS);
	expect(said, "a second listener", cage_notify_filter(true, &(const struct cage_notify_calls){ .count = 0 }), -EBUSY);
}

static void test_nothing_else_leads_out(void **state)
{
	struct trial trial;

	(void)state;
	if (!can())
		skip();
	run_guest(&trial, asks_for_more);
	assert_int_equal(trial.heard.count, 0);
}

/* --- its end ---------------------------------------------------------------------------------------------------------------------------------------- */

static void waits_for_nobody(struct said *said)
{
	int fd = tcp(AF_INET, 0), r;

	do /* until the thread has ended */
		r = (int)connect_four(fd, "192.0.2.1", 80);
	while (r == ENETUNREACH);
	expect(said, "connect", r, ENOSYS);
}

static void stop(void *data, const struct cage_proxy_decision *decision)
{
	const struct cage_notify *notify = data;
	uint64_t one = 1;

	(void)decision;
	(void)!write(notify->stop, &one, sizeof(one));
}

static void test_without_us_connect_fails(void **state)
{
	struct cage_notify notify;
	struct cage_proxy_reader reader = { stop, &notify };
	pthread_mutex_t hearing = PTHREAD_MUTEX_INITIALIZER;
	struct said said = { .wrong = "" };
	int status = -1;
	pid_t pid;

	(void)state;
	if (!can())
		skip();
	assert_int_equal(cage_notify_begin(&notify, true, NULL), 0);
	pid = fork();
	if (pid == 0) {
		expect(&said, "the filter", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) | cage_notify_enter(&notify), 0);
		waits_for_nobody(&said);
		_exit(0);
	}
	assert_int_equal(cage_notify_start(&notify, &reader, &hearing), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	cage_notify_end(&notify);
}

static void test_it_ends_without_a_guest(void **state)
{
	struct cage_notify notify;

	(void)state;
	assert_int_equal(cage_notify_begin(&notify, true, NULL), 0);
	assert_int_equal(cage_notify_start(&notify, NULL, NULL), 0); /* nobody will send a listener */
	cage_notify_end(&notify);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_connect_to_the_proxy_gives_a_connection),
		cmocka_unit_test(test_a_socket_is_disconnected_and_connected_again),
		cmocka_unit_test(test_a_connect_to_anywhere_else_is_refused_and_told),
		cmocka_unit_test(test_nothing_else_leads_out),
		cmocka_unit_test(test_without_us_connect_fails),
		cmocka_unit_test(test_it_ends_without_a_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
