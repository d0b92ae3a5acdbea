// SPDX-License-Identifier: Apache-2.0
/* A network namespace: made, told apart, entered again, kept by a mount; programs in it reach nothing outside. */
#include "../fs/fs_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static ino_t number(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

/* What a program sees in it. */
static int inside(void)
{
	struct sockaddr_in out = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xc0000201) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];

	FACT(fd < 0 || connect(fd, (struct sockaddr *)&out, sizeof(out)) != 0);
	FACT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	FACT(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	return 0;
}

static int in_new(void *old)
{
	FACT(number("/proc/self/ns/net") != *(ino_t *)old);
	fflush(stdout);
	return 0;
}

/* Asks for lo to be up, as ip(8) and libnetwork do: the error that is acknowledged. */
static int loopback_up(int fd)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} request = {
		.head = { sizeof(request), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		.link = { .ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	char answers[4096] __attribute__((aligned(8)));
	ssize_t size;

	if (sendto(fd, &request, sizeof(request), 0, (struct sockaddr *)&kernel, sizeof(kernel)) != sizeof(request))
		return -errno;
	size = recv(fd, answers, sizeof(answers), 0);
	for (struct nlmsghdr *m = (struct nlmsghdr *)(void *)answers; size > 0 && NLMSG_OK(m, (unsigned)size);
	     m = NLMSG_NEXT(m, size))
		if (m->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(m))->error;
	return -EPROTO;
}

static int run(char *self)
{
	char word[] = "inside", *arguments[] = { self, word, NULL };
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execv("/proc/self/exe", arguments);
		_exit(9);
	}
	waitpid(pid, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	static char stack[65536] __attribute__((aligned(16)));
	int old, status = -1;
	ino_t before, after;
	pid_t pid;

	if (argc > 1)
		return inside();
	tree_make();
	old = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	before = number("/proc/self/ns/net");
	fflush(stdout);
	pid = fork();
	if (pid == 0) { /* as dockerd: made in a child, kept by a mount */
		MUST(unshare(CLONE_NEWNET));
		after = number("/proc/self/ns/net");
		FACT(before && after && before != after);
		FACT(number("/proc/thread-self/ns/net") == after);
		close(open("/t/net", O_CREAT | O_WRONLY, 0600));
		OK(mount("/proc/self/ns/net", "/t/net", NULL, MS_BIND, NULL));
		FACT(number("/t/net") == after);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	FACT(status == 0);
	FACT(number("/proc/self/ns/net") == before);
	pid = clone(in_new, stack + sizeof(stack), CLONE_NEWNET | SIGCHLD, &before);
	waitpid(pid, &status, 0);
	FACT(status == 0);
	after = number("/t/net");
	int fd = open("/t/net", O_RDONLY | O_CLOEXEC);

	OK(setns(fd, CLONE_NEWNET));
	FACT(number("/proc/self/ns/net") == after);
	int handle = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	OK(setns(old, CLONE_NEWNET));
	FACT(number("/proc/self/ns/net") == before);
	FACT(loopback_up(handle) == 0); /* a socket stays where it was made: so works libnetwork */
	OK(setns(fd, CLONE_NEWUTS));
	OK(setns(fd, 0));
	FACT(run(argv[0]) == 0);
	FACT(number("/proc/self/ns/net") == after);
	OK(setns(old, 0));
	OK(umount2("/t/net", MNT_DETACH));
	OK(unlink("/t/net"));
	return 0;
}
