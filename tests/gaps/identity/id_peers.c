/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a Unix socket: SO_PEERCRED of clients, servers, pairs. */
#include "identity.h"

#include <sys/socket.h>
#include <sys/un.h>

static void say_peer(const char *what, int fd)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
	say("%s: size %d, %s %u:%u", what, (int)size, peer.pid > 0 ? "a process" : "none", peer.uid, peer.gid);
	size = 8;
	peer = (struct ucred){ -5, 5, 5 };
	OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
	say("cut: size %d, %u:%u", (int)size, peer.uid, peer.gid);
}

static int bound(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	OK(bind(fd, (struct sockaddr *)&at, sizeof(at)));
	OK(listen(fd, 8));
	return fd;
}

static void be(unsigned uid, unsigned gid)
{
	MUST(syscall(SYS_setgroups, 0, NULL));
	MUST(syscall(SYS_setresgid, gid, gid, gid));
	MUST(syscall(SYS_setresuid, uid, uid, uid));
}

static void peers(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "desk" };
	int fd = bound("desk"), pair[2];
	pid_t pid;

	MUST(chmod("desk", 0777));
	pid = fork_or_die();
	if (pid == 0) {
		int own = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

		be(1000, 1001);
		MUST(connect(own, (struct sockaddr *)&at, sizeof(at)));
		_exit(read(own, pair, 1) == 0 ? 0 : 1);
	}
	int accepted = (int)MUST(accept(fd, NULL, NULL));
	say_peer("client", accepted);
	say_peer("listener", fd);
	close(accepted);
	reap(pid);
	CHILD({
		be(7, 8);
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		say_peer("pair", pair[0]);
	});
	MUST(pair[0] = socket(AF_UNIX, SOCK_STREAM, 0));
	say_peer("unconnected", pair[0]);
	SHOW(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, NULL, NULL));
	close(fd);
}

int main(void)
{
	umask(022);
	MUST(chmod(".", 0755));
	peers();
	return 0;
}
