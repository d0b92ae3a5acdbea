// SPDX-License-Identifier: Apache-2.0
/* A file of a read-only mount that is open for reading is not changed by its descriptor either, nor by the descriptor's name or a link. */
#include "fs_test.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static void show_opened(const char *what, int fd)
{
	say("%s: %s", what, fd < 0 ? errno_name(errno) : "ok");
	if (fd >= 0)
		close(fd);
}

static void by_descriptor(int fd)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } }, omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	int flags = 0;

	OK(fchmod(fd, 0755));
	OK(fchown(fd, -1, -1));
	OK(fsetxattr(fd, "user.x", "x", 1, 0));
	OK(fremovexattr(fd, "user.x"));
	OK(futimens(fd, times));
	OK(futimens(fd, NULL));
	OK(futimens(fd, omit));
	OK(syscall(SYS_futimesat, fd, NULL, NULL));
	OK(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
	FACT(ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 || ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0 || errno == EROFS);
}

static void by_name(const char *name)
{
	show_opened(" O_RDONLY", open(name, O_RDONLY));
	show_opened(" O_WRONLY", open(name, O_WRONLY));
	show_opened(" O_RDWR|O_CREAT", open(name, O_RDWR | O_CREAT, 0644));
	show_opened(" O_TRUNC", open(name, O_RDONLY | O_TRUNC));
	show_opened(" O_TMPFILE", open(name, O_RDWR | O_TMPFILE, 0600));
	OK(chmod(name, 0755));
	OK(chown(name, -1, -1));
	OK(truncate(name, 1));
	OK(setxattr(name, "user.x", "x", 1, 0));
	OK(removexattr(name, "user.x"));
	OK(utimensat(AT_FDCWD, name, NULL, 0));
	OK(access(name, W_OK));
	OK(access(name, R_OK));
	OK(linkat(AT_FDCWD, name, AT_FDCWD, "/t/linked", AT_SYMLINK_FOLLOW));
	OK(linkat(AT_FDCWD, name, AT_FDCWD, "/bind/linked", AT_SYMLINK_FOLLOW));
	unlink("/t/linked");
	unlink("/bind/linked");
}

static void opened(const char *path, int flags)
{
	char name[32];
	int fd = (int)MUST(open(path, flags));

	say("\"%s\"%s", path, flags & O_PATH ? ", O_PATH" : "");
	by_descriptor(fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	by_name(name);
	close(fd);
}

int main(void)
{
	char text[64];

	tree_make();
	opened("/bind_ro/file", O_RDONLY);
	opened("/bind_ro/file", O_PATH);
	opened("/bind_ro/folder", O_RDONLY);
	opened("/bind_ro", O_RDONLY);
	opened("/bind/file", O_RDONLY);
	opened("/t/dir", O_RDONLY);
	MUST(chdir("/bind_ro"));
	show_opened("O_TMPFILE in cwd", open("/proc/self/cwd", O_RDWR | O_TMPFILE, 0600));
	read_file("/bind_ro/file", text, sizeof(text));
	say("it holds %s", text);
	return 0;
}
