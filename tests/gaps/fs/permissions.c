// SPDX-License-Identifier: Apache-2.0
/* As a user without privilege: directories that may not be searched, read or written, sticky ones, files of others. */
#include "fs_test.h"

#include <sys/xattr.h>

static void open_all(const char *path)
{
	show_path("open", path, reach_fd(open(path, O_RDONLY | O_NONBLOCK)));
	show_path("write", path, reach_fd(open(path, O_WRONLY | O_NONBLOCK)));
	show_path("O_PATH", path, reach_fd(open(path, O_PATH)));
	show_path("create", path, reach_fd(open(path, O_WRONLY | O_CREAT | O_EXCL | O_NONBLOCK, 0600)));
}

static void calls(const char *path)
{
	struct stat st;
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	char text[64];

	say("\"%s\"", path);
	open_all(path);
	OK(stat(path, &st));
	OK(lstat(path, &st));
	OK(access(path, F_OK));
	OK(access(path, R_OK));
	OK(access(path, W_OK));
	OK(access(path, X_OK));
	OK(readlink(path, text, sizeof(text)));
	OK(mkdir(path, 0755));
	OK(mknod(path, S_IFREG | 0644, 0));
	OK(symlink("x", path));
	OK(rename(path, "/t/open/renamed"));
	OK(rename("/t/open/own", path));
	OK(link(path, "/t/open/linked"));
	OK(unlink(path));
	OK(rmdir(path));
	OK(chmod(path, 0755));
	OK(chown(path, 1, 1));
	OK(chown(path, -1, -1));
	OK(lchown(path, 65534, 65534));
	OK(utimensat(AT_FDCWD, path, times, 0));
	OK(utimensat(AT_FDCWD, path, NULL, 0));
	OK(truncate(path, 0));
	OK(setxattr(path, "user.x", "x", 1, 0));
	OK(getxattr(path, "user.x", text, sizeof(text)));
	OK(make_socket(path));
	OK(chdir(path));
	OK(chdir("/t"));
	OK(execl(path, "x", NULL));
}

static void as_user(void)
{
	static const char *const paths[] = {
		"shut/in",         "shut",       "shut/.",        "shut/..",     "shut/../file",       "shut/sub/x",
		"unread/in",       "unread",     "unread/new",    "unsearch/in", "unsearch",           "unsearch/new",
		"sticky/theirs",   "sticky/own", "into_shut",     "into_shut/x", "unwritable/in",      "unwritable/new",
		"unwritable/in/x", "unreadable", "to_unreadable", "locked",      "/t/shut/../../prog", "/proc/1/root/t",
		"/proc/1/cwd",
	};

	MUST(mkdir("/t/open/dir", 0755));
	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = open("/t/open/own", O_WRONLY | O_CREAT, 0644);

		close(fd);
		calls(paths[i]);
		unlink("/t/open/renamed");
		unlink("/t/open/linked");
	}
	int fd = (int)MUST(open("/t/unsearch", O_RDONLY | O_DIRECTORY));
	OK(openat(fd, "in", O_RDONLY));
	OK(fchdir(fd));
	fd = (int)MUST(open("/t/unread", O_PATH | O_DIRECTORY));
	OK(openat(fd, "in", O_RDONLY));
	OK(fchdir(fd));
	OK(opendir("/t/unread") ? 0 : -1);
	OK(rename("/t/open/dir", "/t/sticky/dir"));
	OK(rename("/t/sticky/dir", "/t/open/dir"));
	MUST(chmod("/t/open/dir", 0));
	OK(rename("/t/open/dir", "/t/sticky/dir"));
	OK(rename("/t/open/dir", "/t/open/dir2"));
}

static void make(const char *path, mode_t mode)
{
	char in[64];

	MUST(mkdir(path, 0755));
	snprintf(in, sizeof(in), "%s/in", path);
	write_file(in, "in", 0644);
	MUST(chmod(path, mode));
}

int main(void)
{
	tree_make();
	if (geteuid() != 0)
		return 0; /* two users are needed */
	make("shut", 0700);
	make("unread", 0711);
	make("unsearch", 0744);
	make("sticky", 01777);
	make("unwritable", 0755);
	make("open", 0777);
	write_file("unreadable", "x", 0600);
	MUST(symlink("unreadable", "to_unreadable"));
	MUST(symlink("shut/in", "into_shut"));
	write_file("sticky/theirs", "x", 0666);
	write_file("sticky/own", "x", 0666);
	MUST(chown("sticky/own", 65534, 65534));
	write_file("locked", "x", 0666);
	AS_USER(65534, 65534, as_user());
	MUST(chdir("/"));
	remove_all(AT_FDCWD, "/t");
	return 0;
}
