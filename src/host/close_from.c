// SPDX-License-Identifier: Apache-2.0
/* Descriptors that no program shall inherit: see the header. */
#include "host/close_from.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* Whatever it says: the descriptor is gone (close(2)). */
static int close_one(int fd)
{
	(void)close(fd);
	return 0;
}

static int mark_one(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* The same one by one: in the order of their numbers, so that a close takes none of the rest away. */
static int each_from(unsigned first, int (*each)(int fd))
{
	DIR *stream = opendir("/proc/self/fd");
	const struct dirent *entry;
	int r = 0;

	if (!stream)
		return -errno;
	for (errno = 0; r == 0 && (entry = readdir(stream)); errno = 0) {
		char *end;
		unsigned long fd = strtoul(entry->d_name, &end, 10);

		if (end != entry->d_name && !*end && fd >= first && (int)fd != dirfd(stream) && each((int)fd) < 0)
			r = -errno;
	}
	if (r == 0)
		r = -errno;
	(void)closedir(stream);
	return r;
}

/* What has been opened since is no higher than there was room for: some more. */
#define LATER 64

static int numbers_from(unsigned first, int highest, int (*each)(int fd))
{
	for (int fd = (int)first; fd <= highest + LATER; fd++)
		if (each(fd) < 0 && errno != EBADF)
			return -errno;
	return 0;
}

static int from(unsigned first, int highest, int (*each)(int fd))
{
	int r = each_from(first, each);

	return r < 0 && highest >= 0 ? numbers_from(first, highest, each) : r;
}

int close_highest(void)
{
	DIR *stream = syscall(SYS_close_range, ~0u, ~0u, 0u) == 0 ? NULL : opendir("/proc/self/fd");
	const struct dirent *entry;
	long highest = CLOSE_NO_HIGHEST;

	while (stream && (entry = readdir(stream))) {
		long fd = strtol(entry->d_name, NULL, 10);

		if (fd > highest && fd < INT_MAX - LATER)
			highest = fd;
	}
	if (stream)
		(void)closedir(stream);
	return (int)highest;
}

int close_from(unsigned first, int highest)
{
	return syscall(SYS_close_range, first, ~0u, 0u) == 0 ? 0 : from(first, highest, close_one);
}

int close_on_exec_from(unsigned first, int highest)
{
	return syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC) == 0 ? 0 : from(first, highest, mark_one);
}
