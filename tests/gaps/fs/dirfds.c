// SPDX-License-Identifier: Apache-2.0
/* Descriptors of directories that were renamed, deleted, sent to another process or are none, under relative and other paths. */
#include "fs_test.h"

static void through(const char *what, int fd)
{
	static const char *const paths[] = { "in", "sub/..",  ".",       "..", "../file", "../../t/file",
					     "up", "up/file", "sub/new", "",   "/t/file", "new" };
	char text[64];
	struct stat st;

	say("%s:", what);
	for (size_t i = 0; i < COUNT(paths); i++) {
		show_path(" open", paths[i], reach_fd(openat(fd, paths[i], O_RDONLY | O_NONBLOCK)));
		if (fstatat(fd, paths[i], &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
			reach("%s", stat_name(&st)), show_path(" stat", paths[i], 0);
		else
			show_path(" stat", paths[i], -1);
		show_path(" create", paths[i], reach_fd(openat(fd, paths[i], O_WRONLY | O_CREAT | O_EXCL, 0644)));
		show_path(" mkdir", paths[i], mkdirat(fd, paths[i], 0755));
		show_path(" unlink", paths[i], unlinkat(fd, paths[i], AT_REMOVEDIR));
		tree_changed();
	}
	show_path(" renameat", "", renameat(fd, "in", fd, "new"));
	show_path(" renameat", "", renameat(fd, "new", fd, "in"));
	show_path(" linkat", "", linkat(fd, "in", AT_FDCWD, "/t/new", 0));
	unlink("/t/new");
	OK(fchdir(fd));
	if (syscall(SYS_getcwd, text, sizeof(text)) > 0)
		say(" in %s", text);
	else
		say(" getcwd: %s", errno_name(errno));
	show_path(" from there", "in", reach_fd(open("in", O_RDONLY)));
	show_path(" from there", "..", reach_fd(open("..", O_RDONLY)));
	show_path(" from there", "../file", reach_fd(open("../file", O_RDONLY)));
	MUST(chdir("/t"));
}

static int reopen(const char *path, int flags)
{
	return (int)MUST(open(path, flags));
}

static void moved(void)
{
	int fd = reopen("dir", O_RDONLY | O_DIRECTORY), path_fd = reopen("dir/sub", O_PATH), text_fd;
	char text[64], link[64];
	ssize_t n;

	MUST(rename("dir", "empty"));
	OK(openat(fd, "in", O_RDONLY));
	show_path("renamed", "../file", reach_fd(openat(fd, "../file", O_RDONLY)));
	show_path("renamed", "..", reach_fd(openat(path_fd, "..", O_RDONLY)));
	MUST(mkdir("empty/../a", 0755));
	MUST(rename("empty", "a/b"));
	show_path("deeper", "../../file", reach_fd(openat(fd, "../../file", O_RDONLY)));
	show_path("deeper", "../file", reach_fd(openat(fd, "../file", O_RDONLY)));
	show_path("deeper", "../../in", reach_fd(openat(path_fd, "../in", O_RDONLY)));
	show_path("deeper", "up/b/in", reach_fd(openat(fd, "up/b/in", O_RDONLY)));
	MUST(fchdir(path_fd));
	syscall(SYS_getcwd, text, sizeof(text));
	say("in %s", text);
	MUST(rename("/t/a/b", "/new"));
	syscall(SYS_getcwd, text, sizeof(text));
	say("in %s", text);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof(text));
	say("%s: %.*s", "link", (int)n, text);
	n = readlink("/proc/self/cwd", text, sizeof(text));
	say("%s: %.*s", "cwd", (int)n, text);
	show_path("at the root", "../../..", reach_fd(open("../../..", O_RDONLY)));
	text_fd = openat(path_fd, "new", O_RDWR | O_CREAT | O_EXCL, 0644);
	show_path("created", "new", reach_fd(text_fd));
	FACT(access("/new/sub/new", F_OK) == 0);
	OK(unlinkat(fd, "sub/new", 0));
	MUST(chdir("/"));
	close(fd);
	close(path_fd);
	remove_all(AT_FDCWD, "/new");
	tree_make();
}

static void replaced(void)
{
	int fd = reopen("dir", O_RDONLY | O_DIRECTORY);

	MUST(rename("dir", "old"));
	MUST(mkdir("dir", 0755));
	write_file("dir/in", "another", 0644);
	take_picture(&made);
	through("another of that name", fd);
	MUST(chdir("/t"));
	close(fd);
	tree_make();
	fd = reopen("empty", O_RDONLY | O_DIRECTORY);
	MUST(rmdir("empty"));
	MUST(mkdir("empty", 0755));
	take_picture(&made);
	through("deleted and made again", fd);
	close(fd);
	tree_make();
}

static void send_fd(int socket, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = &(struct iovec){ (char[]){ "x" }, 1 },
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	MUST(sendmsg(socket, &message, 0));
}

static int receive_fd(int socket)
{
	char byte, space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = {
		.msg_iov = &(struct iovec){ &byte, 1 }, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)
	};
	struct cmsghdr *head;
	int fd = -1;

	MUST(recvmsg(socket, &message, 0));
	head = CMSG_FIRSTHDR(&message);
	MUST(head ? 0 : -1);
	if (head)
		memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

static void received(void)
{
	int pair[2], fd;
	pid_t pid;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork_or_die();
	if (pid == 0) {
		send_fd(pair[1], reopen("/t/dir", O_RDONLY | O_DIRECTORY));
		send_fd(pair[1], reopen("/", O_PATH));
		_exit(0);
	}
	reap(pid);
	fd = receive_fd(pair[0]);
	through("received", fd);
	close(fd);
	fd = receive_fd(pair[0]);
	through("a root received", fd);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	int fd, null;

	tree_make();
	fd = reopen("dir", O_RDONLY | O_DIRECTORY);
	through("a directory", fd);
	close(fd);
	fd = reopen("/", O_RDONLY | O_DIRECTORY);
	through("the root", fd);
	close(fd);
	fd = reopen("dir/sub/..", O_PATH);
	through("O_PATH", fd);
	close(fd);
	fd = reopen("file", O_RDONLY);
	through("a file", fd);
	close(fd);
	fd = reopen("to_dir", O_PATH | O_NOFOLLOW);
	through("a link", fd);
	close(fd);
	fd = reopen("/proc/self", O_RDONLY | O_DIRECTORY);
	null = openat(fd, "../../t/file", O_RDONLY);
	show_path("from /proc", "../../t/file", reach_fd(null));
	show_path("from /proc", "cwd/file", reach_fd(openat(fd, "cwd/file", O_RDONLY)));
	show_path("from /proc", "root/../t/file", reach_fd(openat(fd, "root/../t/file", O_RDONLY)));
	show_path("from /proc", "..", reach_fd(openat(fd, "../..", O_RDONLY)));
	close(fd);
	through("none", 1000);
	through("-1", -1);
	moved();
	replaced();
	received();
	FACT(!tree_changed());
	return 0;
}
