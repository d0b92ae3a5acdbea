/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at what a guest has, through /proc, as its user: the kernel judges by that (ptrace(2), "Ptrace access mode checking"), and root of a container lacks CAP_SYS_PTRACE. */
#ifndef LICHEN_CAGE_LOOK_AS_H
#define LICHEN_CAGE_LOOK_AS_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Of this thread alone: the library would tell the others. */
static inline void look_as(uid_t uid, gid_t gid)
{
	(void)syscall(SYS_setfsgid, gid);
	(void)syscall(SYS_setfsuid, uid);
}

/* The flags of a descriptor as open(2) has them (proc_pid_fdinfo(5)). -1: they cannot be read. */
MUST_CHECK static inline int look_at_flags(pid_t thread, int fd)
{
	char path[64], text[256];
	const char *flags;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", thread, fd);
	CLEANUP_FD int file = open(path, O_RDONLY | O_CLOEXEC);
	n = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	flags = strstr(text, "flags:");
	return flags ? (int)strtol(flags + strlen("flags:"), NULL, 8) : -1;
}

#endif
