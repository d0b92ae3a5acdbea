// SPDX-License-Identifier: Apache-2.0
/* Sockets with names in the file system: bind, connect, sendto, sendmsg, names that come back, datagrams' senders, lengths. */
#include "fs_test.h"

static socklen_t named(struct sockaddr_un *name, const char *path)
{
	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	memcpy(name->sun_path, path, strnlen(path, sizeof(name->sun_path)));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

static void say_name(const char *what, int (*call)(int, struct sockaddr *, socklen_t *), int fd)
{
	struct {
		struct sockaddr_un name;
		char more[64];
	} room;
	socklen_t size = sizeof(room);

	memset(&room, 'z', sizeof(room));
	if (call(fd, (struct sockaddr *)&room, &size) != 0)
		say("%s: %s", what, errno_name(errno));
	else
		say("%s: size %d family %d \"%.*s\"", what, (int)size, room.name.sun_family, size > 2 ? (int)size - 2 : 0,
		    room.name.sun_path);
	memset(&room, 'z', sizeof(room));
	size = 7;
	if (call(fd, (struct sockaddr *)&room, &size) == 0)
		say("%s cut: size %d \"%.6s\"", what, (int)size, room.name.sun_path);
}

static int a_socket(int type)
{
	return (int)MUST(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static void stream(const char *path)
{
	int server = a_socket(SOCK_STREAM), client = a_socket(SOCK_STREAM), accepted;
	struct sockaddr_un name;
	socklen_t size = named(&name, path);
	char byte = 0;

	say("stream at \"%s\"", path);
	if (OK(bind(server, (struct sockaddr *)&name, size)) == 0) {
		OK(bind(server, (struct sockaddr *)&name, size));
		OK(connect(client, (struct sockaddr *)&name, size));
		OK(listen(server, 4));
		OK(connect(client, (struct sockaddr *)&name, size));
		accepted = (int)OK(accept4(server, NULL, NULL, SOCK_CLOEXEC));
		say_name("server", getsockname, server);
		say_name("client", getsockname, client);
		say_name("peer", getpeername, client);
		say_name("accepted", getsockname, accepted);
		say_name("accepted's peer", getpeername, accepted);
		SHOW(write(client, "x", 1));
		SHOW(read(accepted, &byte, 1));
		close(accepted);
		close(client);
		client = a_socket(SOCK_STREAM);
		OK(rename(path, "/t/new2"));
		size = named(&name, path);
		OK(connect(client, (struct sockaddr *)&name, size));
		size = named(&name, "/t/new2");
		OK(connect(client, (struct sockaddr *)&name, size));
		say_name("peer after rename", getpeername, client);
		OK(unlink("/t/new2"));
		close(client);
		client = a_socket(SOCK_STREAM);
		OK(connect(client, (struct sockaddr *)&name, size));
	}
	close(server);
	close(client);
	tree_changed();
}

static void datagrams(void)
{
	int a = a_socket(SOCK_DGRAM), b = a_socket(SOCK_DGRAM), none = a_socket(SOCK_DGRAM);
	struct sockaddr_un name_a, name_b, from;
	socklen_t size_a = named(&name_a, "/t/dir/new"), size_b = named(&name_b, "abs_dir/new2"), size = sizeof(from);
	char text[16];

	OK(bind(a, (struct sockaddr *)&name_a, size_a));
	OK(bind(b, (struct sockaddr *)&name_b, size_b));
	SHOW(sendto(b, "one", 3, 0, (struct sockaddr *)&name_a, size_a));
	memset(&from, 'z', sizeof(from));
	SHOW(recvfrom(a, text, sizeof(text), 0, (struct sockaddr *)&from, &size));
	say("from %d \"%.*s\"", (int)size, (int)size - 2, from.sun_path);
	SHOW(sendto(a, "back", 4, 0, (struct sockaddr *)&from, size));
	SHOW(recv(b, text, sizeof(text), 0));
	struct iovec part = { (char[]){ "four" }, 4 };
	struct msghdr message = { .msg_name = &name_b, .msg_namelen = size_b, .msg_iov = &part, .msg_iovlen = 1 };
	SHOW(sendmsg(none, &message, 0));
	size = sizeof(from);
	SHOW(recvfrom(b, text, sizeof(text), 0, (struct sockaddr *)&from, &size));
	say("from %d", (int)size);
	struct mmsghdr several[2] = { { .msg_hdr = message }, { .msg_hdr = message } };
	struct sockaddr_un bad;
	several[1].msg_hdr.msg_name = &bad;
	several[1].msg_hdr.msg_namelen = named(&bad, "dangling");
	SHOW(sendmmsg(a, several, 2, 0));
	struct msghdr in = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &(struct iovec){ text, sizeof(text) }, .msg_iovlen = 1
	};
	SHOW(recvmsg(b, &in, 0));
	say("from %d \"%.*s\"", (int)in.msg_namelen, (int)in.msg_namelen - 2, from.sun_path);
	OK(connect(none, (struct sockaddr *)&name_b, size_b));
	say_name("connected to", getpeername, none);
	SHOW(send(none, "x", 1, 0));
	SHOW(sendto(none, "x", 1, 0, (struct sockaddr *)&name_a, named(&name_a, "/t/file")));
	SHOW(sendto(none, "x", 1, 0, (struct sockaddr *)&name_a, named(&name_a, "/t/loop")));
	SHOW(sendto(none, "x", 1, 0, (struct sockaddr *)&name_a, named(&name_a, "/t/none")));
	SHOW(sendto(none, "x", 1, 0, (struct sockaddr *)&name_a, named(&name_a, "/t/socket")));
	close(a);
	close(b);
	close(none);
	tree_changed();
}

static void lengths(void)
{
	struct sockaddr_un name;

	for (int n = 106; n <= 109; n++) {
		char path[128];
		int fd = a_socket(SOCK_STREAM), other = a_socket(SOCK_STREAM);
		socklen_t size;

		memset(path, 'n', sizeof(path));
		memcpy(path, "/t/new", 6);
		path[n < 108 ? n : 108] = '\0';
		size = named(&name, path);
		if (n >= 108)
			size = (socklen_t)(sizeof(name) + (size_t)(n - 108)); /* no end in the name */
		say("path of %d, size %d", n, (int)size);
		if (OK(bind(fd, (struct sockaddr *)&name, size)) == 0) {
			OK(listen(fd, 1));
			OK(access(path, F_OK));
			say_name("name", getsockname, fd);
			OK(connect(other, (struct sockaddr *)&name, size));
			OK(unlink(path));
		}
		close(fd);
		close(other);
	}
	for (socklen_t size = 0; size <= 3; size++) {
		int fd = a_socket(SOCK_DGRAM);

		named(&name, "/t");
		say("size %d", (int)size);
		OK(connect(fd, (struct sockaddr *)&name, size));
		if (size != 2) /* a name of the kernel's choice */
			OK(bind(fd, (struct sockaddr *)&name, size));
		close(fd);
	}
	int fd = a_socket(SOCK_STREAM);
	named(&name, "/t/new");
	OK(bind(fd, bad_pointer(), 20));
	OK(bind(fd, tail_copy(&name, 8), 9));
	OK(bind(fd, tail_copy(&name, 8), 8));
	OK(access("/t/new", F_OK));
	say_name("no zero at the end", getsockname, fd);
	close(fd);
	tree_changed();
	/* Abstract names are no paths. */
	fd = a_socket(SOCK_STREAM);
	memset(&name, 0, sizeof(name));
	name.sun_family = AF_UNIX;
	snprintf(name.sun_path + 1, 40, "lichen-test-%d", getpid());
	OK(bind(fd, (struct sockaddr *)&name, 40));
	OK(listen(fd, 1));
	int other = a_socket(SOCK_STREAM);
	OK(connect(other, (struct sockaddr *)&name, 40));
	close(other);
	close(fd);
}

static void nothing(int sig)
{
	(void)sig;
}

/* Calls that wait, interrupted by a signal whose handler lets them go on, and tell a name then. */
static void waiting(void)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	int server = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), accepted;
	struct sockaddr_un name, peer;
	socklen_t size = sizeof(peer);
	pid_t parent = getpid(), child;

	MUST(sigaction(SIGUSR1, &action, NULL));
	MUST(bind(server, (struct sockaddr *)&name, named(&name, "/t/new")));
	MUST(listen(server, 4));
	child = fork_or_die();
	if (child == 0) {
		int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		socklen_t own = named(&peer, "/t/new2");

		MUST(bind(fd, (struct sockaddr *)&peer, own));
		usleep(100000);
		kill(parent, SIGUSR1);
		usleep(100000);
		MUST(connect(fd, (struct sockaddr *)&name, named(&name, "/t/new")));
		usleep(100000);
		kill(parent, SIGUSR1);
		usleep(100000);
		MUST(write(fd, "x", 1));
		_exit(0);
	}
	memset(&peer, 0, sizeof(peer));
	do /* gVisor's accept() is not restarted */
		accepted = accept(server, (struct sockaddr *)&peer, &size);
	while (accepted < 0 && errno == EINTR);
	MUST(accepted);
	say("accepted %d \"%s\"", (int)size, peer.sun_path);
	char byte = 0;
	struct msghdr in = {
		.msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &(struct iovec){ &byte, 1 }, .msg_iovlen = 1
	};
	memset(&peer, 0, sizeof(peer));
	while (recvmsg(accepted, &in, 0) < 0 && errno == EINTR)
		;
	say("received %c from %d \"%s\"", byte, (int)in.msg_namelen, peer.sun_path);
	reap(child);
	close(accepted);
	close(server);
	MUST(unlink("/t/new2"));
	tree_changed();
}

/* Relative names from elsewhere, by descriptors in /proc, by other processes. */
static void elsewhere(void)
{
	int server = a_socket(SOCK_STREAM), dir = (int)MUST(open("/t/dir", O_PATH));
	struct sockaddr_un name;
	char path[64];

	MUST(chdir("/t/dir/sub"));
	OK(bind(server, (struct sockaddr *)&name, named(&name, "../new")));
	OK(listen(server, 4));
	say_name("relative", getsockname, server);
	MUST(chdir("/"));
	CHILD({
		int fd = a_socket(SOCK_STREAM);
		OK(connect(fd, (struct sockaddr *)&name, named(&name, "../t/dir/new")));
		say_name("peer", getpeername, fd);
	});
	snprintf(path, sizeof(path), "/proc/self/fd/%d/new", dir);
	int fd = a_socket(SOCK_STREAM);
	OK(connect(fd, (struct sockaddr *)&name, named(&name, path)));
	close(fd);
	fd = a_socket(SOCK_STREAM);
	OK(symlink("/../../t/dir/new", "/t/new"));
	OK(connect(fd, (struct sockaddr *)&name, named(&name, "/proc/self/root/t/new")));
	struct stat st;
	OK(lstat("/t/dir/new", &st));
	FACT(S_ISSOCK(st.st_mode));
	FACT(fstat(server, &st) == 0 && S_ISSOCK(st.st_mode));
	close(fd);
	close(server);
	MUST(chdir("/t"));
	tree_changed();
}

int main(void)
{
	static const char *const places[] = { "new",
					      "/t/new",
					      "/new",
					      "./dir/../new",
					      "to_dir/new",
					      "abs_dir/sub/new",
					      "/../t/new",
					      "/t/root/t/new",
					      "file",
					      "socket",
					      "dangling",
					      "new/",
					      "none/new",
					      "file/new",
					      "loop/x",
					      "dir",
					      "deep_dangling",
					      "/proc/new",
					      "dot/new",
					      "dotdot/t/dir/new",
					      "fifo",
					      "/",
					      ".",
					      "out" };

	tree_make();
	for (size_t i = 0; i < COUNT(places); i++)
		stream(places[i]);
	datagrams();
	lengths();
	waiting();
	elsewhere();
	FACT(!tree_changed());
	return 0;
}
