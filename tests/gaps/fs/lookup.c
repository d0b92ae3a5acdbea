// SPDX-License-Identifier: Apache-2.0
/* Calls that look a path up and change nothing, on every shape of a path: what each reaches, or its errno. */
#include "fs_test.h"

#include <sys/inotify.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static int top; /* a descriptor of /t */

#define OPENS(name, flags)                                      \
	static long name(const char *path)                      \
	{                                                       \
		return reach_fd(open(path, flags | O_CLOEXEC)); \
	}
OPENS(open_plain, O_RDONLY | O_NONBLOCK)
OPENS(open_write, O_WRONLY | O_NONBLOCK)
OPENS(open_directory, O_RDONLY | O_DIRECTORY)
OPENS(open_nofollow, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
OPENS(open_directory_nofollow, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
OPENS(open_path, O_PATH)
OPENS(open_path_nofollow, O_PATH | O_NOFOLLOW)
OPENS(open_path_directory, O_PATH | O_DIRECTORY)
OPENS(open_path_directory_nofollow, O_PATH | O_DIRECTORY | O_NOFOLLOW)

static long open_at(const char *path)
{
	return reach_fd(openat(top, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static long stat_plain(const char *path)
{
	struct stat st;
	long result = syscall(SYS_stat, path, &st);

	if (result == 0)
		reach("%s", stat_name(&st));
	return result;
}

static long stat_link(const char *path)
{
	struct stat st;
	long result = syscall(SYS_lstat, path, &st);

	if (result == 0)
		reach("%s", stat_name(&st));
	return result;
}

static long stat_flags(const char *path, int flags)
{
	struct stat st;
	long result = syscall(SYS_newfstatat, top, path, &st, flags);

	if (result == 0)
		reach("%s", stat_name(&st));
	return result;
}

static long stat_at(const char *path)
{
	return stat_flags(path, 0);
}

static long stat_at_empty_nofollow(const char *path)
{
	return stat_flags(path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

static long statx_at(const char *path)
{
	struct statx stx;
	long result = syscall(SYS_statx, top, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx);

	if (result == 0)
		reach("%s", name_of(makedev(stx.stx_dev_major, stx.stx_dev_minor), stx.stx_ino, stx.stx_mode));
	return result;
}

static long access_plain(const char *path)
{
	return syscall(SYS_access, path, F_OK);
}

static long access_at(const char *path)
{
	return syscall(SYS_faccessat, top, path, R_OK);
}

static long access_at_nofollow(const char *path)
{
	return syscall(SYS_faccessat2, top, path, R_OK, AT_SYMLINK_NOFOLLOW | AT_EACCESS);
}

static long read_link(const char *path)
{
	char text[128];
	long n = syscall(SYS_readlink, path, text, sizeof(text));

	if (n >= 0)
		reach("%.*s", (int)n, text);
	return n;
}

static long read_link_at(const char *path)
{
	char text[4];
	long n = syscall(SYS_readlinkat, top, path, text, sizeof(text));

	if (n >= 0)
		reach("%.*s", (int)n, text);
	return n;
}

static long change_directory(const char *path)
{
	char text[64];
	long result = chdir(path);

	if (result == 0 && syscall(SYS_getcwd, text, sizeof(text)) > 0)
		reach("%s", text);
	if (result == 0)
		MUST(fchdir(top));
	return result;
}

static long statfs_path(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs);
}

static long get_xattr(const char *path)
{
	char value[64];

	return getxattr(path, "user.none", value, sizeof(value));
}

static long list_xattr_link(const char *path)
{
	char value[64];

	return llistxattr(path, value, sizeof(value));
}

static long watch(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC);
	long result = inotify_add_watch(fd, path, IN_ATTRIB);

	if (result > 0)
		result = 0;
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

static long watch_nofollow_directory(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC);
	long result = inotify_add_watch(fd, path, IN_ATTRIB | IN_DONT_FOLLOW | IN_ONLYDIR);
	int error = errno;

	close(fd);
	errno = error;
	return result < 0 ? -1 : 0;
}

static long connect_path(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!path[0])
		return 0; /* an abstract name */
	strcpy(name.sun_path, path);
	long result = connect(fd, (struct sockaddr *)&name, sizeof(name));
	int error = errno;

	close(fd);
	errno = error;
	return result;
}

static long execute(const char *path)
{
	return execve(path, (char *[]){ (char *)path, NULL }, (char *[]){ NULL });
}

#define CALL(name)          \
	{                   \
#name, name \
	}
static const struct path_call calls[] = {
	CALL(open_plain),
	CALL(open_write),
	CALL(open_directory),
	CALL(open_nofollow),
	CALL(open_directory_nofollow),
	CALL(open_path),
	CALL(open_path_nofollow),
	CALL(open_path_directory),
	CALL(open_path_directory_nofollow),
	CALL(open_at),
	CALL(stat_plain),
	CALL(stat_link),
	CALL(stat_at),
	CALL(stat_at_empty_nofollow),
	CALL(statx_at),
	CALL(access_plain),
	CALL(access_at),
	CALL(access_at_nofollow),
	CALL(read_link),
	CALL(read_link_at),
	CALL(change_directory),
	CALL(statfs_path),
	CALL(get_xattr),
	CALL(list_xattr_link),
	CALL(watch),
	CALL(watch_nofollow_directory),
	CALL(connect_path),
	CALL(execute),
};

int main(void)
{
	tree_make();
	top = (int)MUST(open("/t", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	all_shapes(calls, COUNT(calls), false);
	FACT(!tree_changed());
	return 0;
}
