// SPDX-License-Identifier: Apache-2.0
/* Links in /proc that jump: fd/N, cwd, root, exe of a process and of a thread, as last part of a path and in the midst. */
#include "fs_test.h"

static int file_fd, dir_fd, deleted_fd, deleted_dir_fd, path_fd, link_fd, pipe_fd[2], socket_fd;

static void look(const char *path)
{
	char text[128];
	struct stat st;
	ssize_t n = readlink(path, memset(text, 0, sizeof(text)), sizeof(text) - 1);

	if (n > 0 && strchr(text, '[')) /* pipe:[…], socket:[…] */
		n = (ssize_t)strcspn(text, "[");
	if (n > 0 && atoi(text) == getpid())
		n = snprintf(text, sizeof(text), "PID");
	if (n < 0)
		say("readlink: %s", errno_name(errno));
	else
		say("readlink: %.*s", (int)n, text);
	if (lstat(path, &st) == 0)
		say("  lstat: %s", stat_name(&st));
	else
		say("  lstat: %s", errno_name(errno));
	if (stat(path, &st) == 0)
		say("  stat: %s", S_ISREG(st.st_mode) && st.st_nlink == 0 ? "a deleted file" : stat_name(&st));
	else
		say("  stat: %s", errno_name(errno));
	show_path("  open", "", reach_fd(open(path, O_RDONLY | O_NONBLOCK)));
	show_path("  open O_PATH", "", reach_fd(open(path, O_PATH)));
	show_path("  open O_PATH|O_NOFOLLOW", "", reach_fd(open(path, O_PATH | O_NOFOLLOW)));
	show_path("  open O_NOFOLLOW", "", reach_fd(open(path, O_RDONLY | O_NOFOLLOW)));
	show_path("  open O_CREAT|O_EXCL", "", reach_fd(open(path, O_WRONLY | O_CREAT | O_EXCL, 0644)));
	show_path("  open O_DIRECTORY", "", reach_fd(open(path, O_RDONLY | O_DIRECTORY)));
	OK(access(path, F_OK));
	if (strncmp(path, "/proc/", 6) == 0) { /* /dev may be the machine's own */
		OK(unlink(path));
		OK(symlink("x", path));
	}
	OK(chdir(path));
	if (syscall(SYS_getcwd, text, sizeof(text)) > 0)
		say("  in %s", strncmp(text, "/proc/", 6) == 0 ? "procfs" : text);
	else
		say("  getcwd: %s", errno_name(errno));
	MUST(chdir("/t"));
}

/* Below the thing. */
static void below(const char *path)
{
	static const char *const parts[] = { "/",        "/.",   "/..",       "/../file",  "/in",
					     "/up/file", "/new", "/t/dir/in", "/../../..", "/root/t" };

	for (size_t i = 0; i < COUNT(parts); i++) {
		char text[128];
		struct stat st;

		snprintf(text, sizeof(text), "%s%s", path, parts[i]);
		if (lstat(text, &st) == 0)
			say("  lstat …%s: %s", parts[i], stat_name(&st));
		else
			say("  lstat …%s: %s", parts[i], errno_name(errno));
		show_path("  open", parts[i], reach_fd(open(text, O_RDONLY | O_NONBLOCK)));
		show_path("  create", parts[i], reach_fd(open(text, O_WRONLY | O_CREAT | O_NONBLOCK, 0644)));
		tree_changed();
	}
}

static void both(const char *what, const char *path)
{
	say("%s", what);
	look(path);
	below(path);
}

static void fds(const char *folder)
{
	const struct {
		const char *what;
		int fd;
	} list[] = { { "a file", file_fd },
		     { "a directory", dir_fd },
		     { "a deleted file", deleted_fd },
		     { "a deleted directory", deleted_dir_fd },
		     { "O_PATH", path_fd },
		     { "O_PATH of a link", link_fd },
		     { "a pipe", pipe_fd[0] },
		     { "a socket", socket_fd },
		     { "no descriptor", 1000 },
		     { "the root", -1 } };

	for (size_t i = 0; i < COUNT(list); i++) {
		char path[64];
		int fd = list[i].fd;

		if (fd < 0)
			fd = (int)MUST(open("/", O_RDONLY | O_DIRECTORY));
		snprintf(path, sizeof(path), "%s/%d", folder, fd);
		say("%s:", folder);
		both(list[i].what, path);
		if (list[i].fd < 0)
			close(fd);
	}
}

/* What links of the tree make of it. */
static void through_links(void)
{
	char target[64];

	snprintf(target, sizeof(target), "/proc/self/fd/%d", dir_fd);
	MUST(symlink(target, "/t/new"));
	show_path("link to a descriptor", "new", reach_fd(open("new", O_RDONLY)));
	show_path("link to a descriptor", "new/in", reach_fd(open("new/in", O_RDONLY)));
	show_path("link to a descriptor", "new/../file", reach_fd(open("new/../file", O_RDONLY)));
	show_path("link to a descriptor", "dir/up/new/up/new/in", reach_fd(open("dir/up/new/up/new/in", O_RDONLY)));
	MUST(unlink("/t/new"));
	snprintf(target, sizeof(target), "/proc/self/fd/%d", file_fd);
	OK(linkat(AT_FDCWD, target, AT_FDCWD, "/t/new", AT_SYMLINK_FOLLOW));
	tree_changed();
	OK(linkat(AT_FDCWD, target, AT_FDCWD, "/t/new", 0));
	OK(truncate(target, 3));
	OK(chmod(target, 0600));
	OK(rename(target, "/t/new"));
	snprintf(target, sizeof(target), "/proc/self/fd/%d/new", dir_fd);
	OK(mkdir(target, 0755));
	OK(rename(target, "/proc/self/cwd/new"));
	tree_changed();
}

int main(void)
{
	tree_make();
	file_fd = (int)MUST(open("file", O_RDWR));
	dir_fd = (int)MUST(open("dir", O_RDONLY | O_DIRECTORY));
	path_fd = (int)MUST(open("to_dir", O_PATH));
	link_fd = (int)MUST(open("to_dir", O_PATH | O_NOFOLLOW));
	deleted_fd = (int)MUST(open("gone", O_RDWR | O_CREAT, 0644));
	MUST(unlink("gone"));
	MUST(mkdir("gone_dir", 0755));
	deleted_dir_fd = (int)MUST(open("gone_dir", O_RDONLY | O_DIRECTORY));
	MUST(rmdir("gone_dir"));
	MUST(pipe(pipe_fd));
	socket_fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	fds("/proc/self/fd");
	both("cwd", "/proc/self/cwd");
	both("root", "/proc/self/root");
	both("exe", "/proc/self/exe");
	both("cwd of the thread", "/proc/thread-self/cwd");
	both("dev/fd", "/dev/fd");
	both("a namespace", "/proc/self/ns/mnt");
	both("self", "/proc/self");
	through_links();
	return 0;
}
