// SPDX-License-Identifier: Apache-2.0
/* Calls that alter the inode that a path names (mode, owner, times, size, attributes): which one they reach. */
#include "fs_test.h"

#include <sys/xattr.h>
#include <utime.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static int top; /* a descriptor of /t */

/* Names the one thing in the tree whose mode, second of modification, size or attribute is not what it was, and sets it back. */
static void who_is_marked(void)
{
	for (int i = -1; i < made.count; i++) {
		const char *path = i < 0 ? "/" : made.at[i].path;
		struct stat st;
		char value[8];

		if (lstat(path, &st) != 0)
			continue;
		if (S_ISREG(st.st_mode) && (size_t)st.st_size != strlen(path) && strcmp(path, "/prog") != 0) {
			reach("size of %s %ld", path, (long)st.st_size);
			write_file(path, path, 0644);
		}
		if ((st.st_mode & 0777) == 0711) {
			reach("mode of %s", path);
			chmod(path, S_ISDIR(st.st_mode) ? 0755 : 0644);
		}
		if (st.st_mtim.tv_sec == 1000) {
			reach("times of %s", path);
			utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
		}
		if (lgetxattr(path, "user.mark", value, sizeof(value)) == 1) {
			reach("attribute of %s", path);
			lremovexattr(path, "user.mark");
		}
	}
}

static long chmod_path(const char *path)
{
	return syscall(SYS_chmod, path, 0711);
}

static long chmod_at(const char *path)
{
	return syscall(SYS_fchmodat, top, path, 0711);
}

static long chmod_at2(const char *path)
{
	return syscall(SYS_fchmodat2, top, path, 0711, 0);
}

static long chmod_at2_nofollow(const char *path)
{
	return syscall(SYS_fchmodat2, top, path, 0711, AT_SYMLINK_NOFOLLOW);
}

static long chown_path(const char *path)
{
	return syscall(SYS_chown, path, getuid(), getgid());
}

static long chown_link(const char *path)
{
	return syscall(SYS_lchown, path, -1, -1);
}

static long chown_at_empty(const char *path)
{
	return syscall(SYS_fchownat, top, path, getuid(), -1, AT_EMPTY_PATH);
}

static long chown_at_nofollow(const char *path)
{
	return syscall(SYS_fchownat, top, path, getuid(), -1, AT_SYMLINK_NOFOLLOW);
}

static long utime_path(const char *path)
{
	struct utimbuf times = { 1000, 1000 };

	return syscall(SYS_utime, path, &times);
}

static long utimes_path(const char *path)
{
	struct timeval times[2] = { { 1000, 0 }, { 1000, 0 } };

	return syscall(SYS_utimes, path, times);
}

static long futimes_at(const char *path)
{
	struct timeval times[2] = { { 1000, 0 }, { 1000, 0 } };

	return syscall(SYS_futimesat, top, path, times);
}

static long utimens_at(const char *path)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	return syscall(SYS_utimensat, top, path, times, 0);
}

static long utimens_at_nofollow(const char *path)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	return syscall(SYS_utimensat, top, path, times, AT_SYMLINK_NOFOLLOW);
}

static long truncate_path(const char *path)
{
	return strcmp(path, "/prog") == 0 ? 0 : syscall(SYS_truncate, path, 77L);
}

static long set_attribute(const char *path)
{
	return setxattr(path, "user.mark", "x", 1, 0);
}

static long set_attribute_link(const char *path)
{
	return lsetxattr(path, "user.mark", "x", 1, XATTR_CREATE);
}

static long replace_attribute(const char *path)
{
	return setxattr(path, "user.mark", "x", 1, XATTR_REPLACE);
}

static long remove_attribute(const char *path)
{
	return removexattr(path, "user.mark");
}

static long remove_attribute_link(const char *path)
{
	return lremovexattr(path, "user.mark");
}

#define CALL(name)          \
	{                   \
#name, name \
	}
static const struct path_call calls[] = {
	CALL(chmod_path),
	CALL(chmod_at),
	CALL(chmod_at2),
	CALL(chmod_at2_nofollow),
	CALL(chown_path),
	CALL(chown_link),
	CALL(chown_at_empty),
	CALL(chown_at_nofollow),
	CALL(utime_path),
	CALL(utimes_path),
	CALL(futimes_at),
	CALL(utimens_at),
	CALL(utimens_at_nofollow),
	CALL(truncate_path),
	CALL(set_attribute),
	CALL(set_attribute_link),
	CALL(replace_attribute),
	CALL(remove_attribute),
	CALL(remove_attribute_link),
};

int main(void)
{
	tree_make();
	top = (int)MUST(open("/t", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (size_t i = 0; i < COUNT(calls); i++)
		for (size_t k = 0; k < COUNT(shapes); k++) {
			long result;
			int error;

			if (!chosen(i + k))
				continue;
			result = calls[i].call(shapes[k]);
			error = errno;
			if (result == 0)
				who_is_marked();
			errno = error;
			show_path(calls[i].name, shapes[k], result);
		}
	FACT(!tree_changed());
	return 0;
}
