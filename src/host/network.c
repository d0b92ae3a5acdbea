// SPDX-License-Identifier: Apache-2.0
/* Takes the network away from a process: see the header. */
#include "host/network.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
/* The same calls in 32-bit mode (arch/x86/entry/syscalls/syscall_32.tbl), and call numbers of linux/net.h. */
#define I386_SOCKETCALL 102
#define I386_SETNS 346
#define I386_SOCKET 359
#define SOCKETCALL_SOCKET 1
#define X32_BIT 0x40000000u

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (u32)offsetof(struct seccomp_data, name))
#define EQUAL_OR_SKIP(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define EQUAL_SKIPS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (skip), 0)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Each rule stands for itself; where it does not apply the next one follows. */
#define REFUSE_CALL(arch_, nr_, error) FIELD(arch), EQUAL_OR_SKIP(arch_, 3), FIELD(nr), EQUAL_OR_SKIP(nr_, 1), REFUSE(error)
#define REFUSE_FIRST_IS(arch_, nr_, value, error)                                                                        \
	FIELD(arch), EQUAL_OR_SKIP(arch_, 5), FIELD(nr), EQUAL_OR_SKIP(nr_, 3), FIELD(args[0]), EQUAL_OR_SKIP(value, 1), \
		REFUSE(error)
#define REFUSE_FIRST_IS_NOT(arch_, nr_, value, error) \
	FIELD(arch), EQUAL_OR_SKIP(arch_, 5), FIELD(nr), EQUAL_OR_SKIP(nr_, 3), FIELD(args[0]), EQUAL_SKIPS(value, 1), REFUSE(error)

/* What both filters have in common: none of 32-bit mode's sockets, no io_uring … */
#define REFUSE_OTHER_SOCKETS                                                         \
	REFUSE_FIRST_IS_NOT(AUDIT_ARCH_I386, I386_SOCKET, AF_UNIX, EAFNOSUPPORT),    \
		REFUSE_FIRST_IS(AUDIT_ARCH_I386, I386_SOCKETCALL, SOCKETCALL_SOCKET, \
				EAFNOSUPPORT), /* its family cannot be looked at */  \
		REFUSE_CALL(AUDIT_ARCH_X86_64, SYS_io_uring_setup, ENOSYS),          \
		REFUSE_CALL(AUDIT_ARCH_I386, SYS_io_uring_setup, ENOSYS) /* the same number */
/* … and, at the end, nothing of a kind of which nothing is known. */
#define ALLOW_KNOWN_KINDS                                                                                           \
	FIELD(arch), EQUAL_SKIPS(AUDIT_ARCH_X86_64, 2), EQUAL_SKIPS(AUDIT_ARCH_I386, 3), REFUSE(ENOSYS), FIELD(nr), \
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 1, 0), ALLOW, REFUSE(ENOSYS)

static struct sock_filter sockets[] = {
	REFUSE_FIRST_IS_NOT(AUDIT_ARCH_X86_64, SYS_socket, AF_UNIX, EAFNOSUPPORT),
	REFUSE_OTHER_SOCKETS,
	REFUSE_CALL(AUDIT_ARCH_X86_64, SYS_setns, EPERM),
	REFUSE_CALL(AUDIT_ARCH_I386, I386_SETNS, EPERM),
	ALLOW_KNOWN_KINDS,
};

/* In a network namespace that the agent makes, of which rtnetlink(7) tells. */
static const struct sock_filter in_namespace[] = {
	FIELD(arch),
	EQUAL_OR_SKIP(AUDIT_ARCH_X86_64, 6),
	FIELD(nr),
	EQUAL_OR_SKIP(SYS_socket, 4),
	FIELD(args[0]),
	EQUAL_SKIPS(AF_UNIX, 2),
	EQUAL_SKIPS(AF_NETLINK, 1),
	REFUSE(EAFNOSUPPORT),
	REFUSE_OTHER_SOCKETS,
	ALLOW_KNOWN_KINDS,
};

/* With a namespace: no way back. */
static struct sock_filter no_way_back[] = {
	REFUSE_CALL(AUDIT_ARCH_X86_64, SYS_setns, EPERM),
	REFUSE_CALL(AUDIT_ARCH_X86_64, SYS_setns | X32_BIT, EPERM),
	REFUSE_CALL(AUDIT_ARCH_I386, I386_SETNS, EPERM),
	ALLOW,
};

static int install(struct sock_filter *filter, size_t count)
{
	struct sock_fprog program = { .len = (unsigned short)count, .filter = filter };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

void network_loopback_up(void)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
	(void)ioctl(fd, SIOCSIFFLAGS, &request);
}

/* An address that is nobody's (RFC 5737, 3849): of UDP, connect(2) asks the routes alone. */
bool network_has_way_out(void)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xc0000201) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(9),
				    .sin6_addr.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	CLEANUP_FD int fd4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return (fd4 >= 0 && connect(fd4, (struct sockaddr *)&four, sizeof(four)) == 0) ||
	       (fd6 >= 0 && connect(fd6, (struct sockaddr *)&six, sizeof(six)) == 0);
}

/* The namespace that a process is in: as a number. */
static bool namespace_of(const char *process, ino_t *ret, int *ret_fd)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/net", process);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
		return false;
	*ret = st.st_ino;
	return true;
}

/* Into the namespace of a member that has another than we have. */
static bool join(pid_t member)
{
	CLEANUP_FD int ours = FD_NONE, theirs = FD_NONE;
	ino_t here, there;
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", member);
	return namespace_of("self", &here, &ours) && namespace_of(pid, &there, &theirs) && here != there &&
	       setns(theirs, CLONE_NEWNET) == 0;
}

bool network_none_begin(pid_t member)
{
	if (member && join(member))
		return true;
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	network_loopback_up();
	return !network_has_way_out();
}

int network_none_end(bool separate)
{
	return separate ? install(no_way_back, ARRAY_SIZE(no_way_back)) : install(sockets, ARRAY_SIZE(sockets));
}

static NORETURN void try_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	_exit(fd < 0 || unshare(CLONE_NEWNET) < 0 || setns(fd, CLONE_NEWNET) < 0);
}

bool network_namespaces_work(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		try_namespace();
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0;
}

u32 network_write_filter(u64 *to, u32 max)
{
	static_assert(sizeof(struct sock_filter) == sizeof(u64), "linux/filter.h");
	u32 count = ARRAY_SIZE(in_namespace) < max ? ARRAY_SIZE(in_namespace) : 0;

	memcpy(to, in_namespace, count * sizeof(u64));
	return count;
}
