/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the new mount API, which glibc 2.36 has; their constants, which its headers give in part. */
#ifndef MNT_API_H
#define MNT_API_H

#include "mounts.h"

/* What a descriptor leads to. */
MAYBE_UNUSED static void show_fd(const char *what, long fd)
{
	int flags;

	if (fd < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	flags = fcntl((int)fd, F_GETFD);
	say("%s: a descriptor%s", what, flags & FD_CLOEXEC ? ", close-on-exec" : "");
}

MAYBE_UNUSED static void show_at(int fd, const char *path)
{
	OK(faccessat(fd, path, F_OK, 0));
}

#endif
