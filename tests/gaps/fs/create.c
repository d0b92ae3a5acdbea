// SPDX-License-Identifier: Apache-2.0
/* Calls that make, remove or alter what a path names, on every shape of a path: the errno, or what became of the tree. */
#include "fs_test.h"

#include <sys/xattr.h>
#include <utime.h>

static int top; /* a descriptor of /t */

#define OPENS(name, flags)                                                         \
	static long name(const char *path)                                         \
	{                                                                          \
		return reach_fd(open(path, flags | O_NONBLOCK | O_CLOEXEC, 0644)); \
	}
OPENS(open_create, O_RDWR | O_CREAT)
OPENS(open_create_excl, O_WRONLY | O_CREAT | O_EXCL)
OPENS(open_create_nofollow, O_WRONLY | O_CREAT | O_NOFOLLOW)
OPENS(open_create_read, O_RDONLY | O_CREAT)
OPENS(open_create_directory, O_RDONLY | O_CREAT | O_DIRECTORY)
OPENS(open_truncate, O_RDWR | O_TRUNC)
OPENS(open_tmpfile, O_RDWR | O_TMPFILE)
OPENS(open_path_create, O_PATH | O_CREAT)

static long open_create_at(const char *path)
{
	return reach_fd(openat(top, path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600));
}

static long creat_path(const char *path)
{
	if (strcmp(path, "fifo") == 0)
		return 0; /* would wait for a reader */
	return reach_fd(syscall(SYS_creat, path, 0644));
}

static long make_dir(const char *path)
{
	return syscall(SYS_mkdir, path, 0755);
}

static long make_dir_at(const char *path)
{
	return syscall(SYS_mkdirat, top, path, 0755);
}

static long make_fifo(const char *path)
{
	return syscall(SYS_mknod, path, S_IFIFO | 0600, 0);
}

static long make_file_at(const char *path)
{
	return syscall(SYS_mknodat, top, path, S_IFREG | 0600, 0);
}

static long make_socket_node(const char *path)
{
	return syscall(SYS_mknodat, top, path, S_IFSOCK | 0600, 0);
}

static long make_directory_node(const char *path)
{
	return syscall(SYS_mknod, path, S_IFDIR | 0600, 0);
}

static long make_link(const char *path)
{
	return syscall(SYS_symlink, "file", path);
}

static long make_link_at(const char *path)
{
	return syscall(SYS_symlinkat, "/t/../file", top, path);
}

static long bind_path(const char *path)
{
	return path[0] ? make_socket(path) : 0;
}

static long unlink_path(const char *path)
{
	return syscall(SYS_unlink, path);
}

static long unlink_at(const char *path)
{
	return syscall(SYS_unlinkat, top, path, 0);
}

static long remove_dir(const char *path)
{
	return syscall(SYS_rmdir, path);
}

static long remove_dir_at(const char *path)
{
	return syscall(SYS_unlinkat, top, path, AT_REMOVEDIR);
}

#define CALL(name)          \
	{                   \
#name, name \
	}
static const struct path_call calls[] = {
	CALL(open_create),
	CALL(open_create_excl),
	CALL(open_create_nofollow),
	CALL(open_create_read),
	CALL(open_create_directory),
	CALL(open_truncate),
	CALL(open_tmpfile),
	CALL(open_path_create),
	CALL(open_create_at),
	CALL(creat_path),
	CALL(make_dir),
	CALL(make_dir_at),
	CALL(make_fifo),
	CALL(make_file_at),
	CALL(make_socket_node),
	CALL(make_directory_node),
	CALL(make_link),
	CALL(make_link_at),
	CALL(bind_path),
	CALL(unlink_path),
	CALL(unlink_at),
	CALL(remove_dir),
	CALL(remove_dir_at),
};

int main(void)
{
	tree_make();
	for (size_t i = 0; i < COUNT(calls); i++) {
		top = (int)MUST(open("/t", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		for (size_t k = 0; k < COUNT(shapes); k++) {
			long result;

			if (!chosen(i + k))
				continue;
			result = calls[i].call(shapes[k]);
			show_path(calls[i].name, shapes[k], result);
			if (result == -1 || !tree_changed())
				continue;
			close(top); /* the tree may be another now */
			top = (int)MUST(open("/t", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		}
		close(top);
	}
	return 0;
}
