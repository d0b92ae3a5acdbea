/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of a full tmpfs share: one on /m/a, and words for what a write took. */
#ifndef TMPFS_H
#define TMPFS_H

#include "mounts.h"

#include <fcntl.h>
#include <sys/vfs.h>

#define PAGE 4096L
static char bytes[64 * PAGE];

MAYBE_UNUSED static void told(const char *what, long n)
{
	say("%s: %s%ld%s%s", what, n < 0 ? "" : "took ", n, n < 0 ? " " : "", n < 0 ? errno_name(errno) : "");
}

MAYBE_UNUSED static void space(const char *what)
{
	struct statfs fs;

	MUST(statfs("/m/a", &fs));
	say("%s: %ld of %ld blocks free", what, (long)fs.f_bfree, (long)fs.f_blocks);
	if (fs.f_files && fs.f_files < 100)
		say("  %ld of %ld inodes free", (long)fs.f_ffree, (long)fs.f_files);
}

MAYBE_UNUSED static int make(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		say("make %s: %s", path, errno_name(errno));
	return fd;
}

#endif
