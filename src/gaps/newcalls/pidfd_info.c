/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/self/fdinfo/N of a pidfd of ours: what the kernel tells of the socket, and whom it stands for (glibc's pidfd_getpid(3) and systemd
 * read that): proc_pid_fdinfo(5). Opened by this very path, or as thread-self's; under a process's number, and by a name relative to a
 * directory, the file is the kernel's.
 */
#include "agent/vfs.h"
#include "base/decimal.h"
#include "gaps/newcalls/pidfd_int.h"

#define TEXT_SIZE 512u
#define PID_LINES 48u

/* The number behind /proc/self/fdinfo/, or -1. */
static s32 descriptor_of(const char *path)
{
	s32 fd = 0;

	if (!strncmp(path, "/proc/self/fdinfo/", 18))
		path += 18;
	else if (!strncmp(path, "/proc/thread-self/fdinfo/", 25))
		path += 25;
	else
		return -1;
	if (!*path)
		return -1;
	for (; *path; path++) {
		if (*path < '0' || *path > '9' || fd > 1000000)
			return -1;
		fd = fd * 10 + (*path - '0');
	}
	return fd;
}

bool newcalls_vfs_find(const char *path, struct vnode *node)
{
	s32 fd = descriptor_of(path);

	if (fd < 0)
		return false;
	node->id = 4096u + (u32)fd;
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return true;
}

bool newcalls_vfs_knows(const char *last)
{
	(void)last;
	return false;
}

static char *put_line(char *to, const char *name, s32 pid)
{
	memcpy(to, name, strlen(name));
	to += strlen(name);
	if (pid < 0) {
		*to++ = '-';
		pid = -pid;
	}
	to += decimal_put(to, (u64)pid);
	*to++ = '\n';
	return to;
}

static long open_info(const char *path, s32 pid, int flags)
{
	char text[TEXT_SIZE + PID_LINES], *end;
	long fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0), n;

	if (fd < 0)
		return fd;
	n = sys3(__NR_read, fd, text, TEXT_SIZE);
	(void)sys1(__NR_close, fd);
	if (n < 0)
		return n;
	end = text + n;
	if (n && end[-1] != '\n')
		*end++ = '\n'; /* gVisor of 2022 ends no line */
	end = put_line(end, "Pid:\t", pid);
	end = put_line(end, "NSpid:\t", pid);
	return vfile_open(path, text, (u64)(end - text), flags);
}

long newcalls_vfs_open(const struct vnode *node, const char *path, int flags)
{
	struct pidfd pidfd;

	if (((u32)flags & (O_ACCMODE_ | O_PATH_)) || pidfd_get((s32)(node->id - 4096u), &pidfd) < 0)
		return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
	return open_info(path, pidfd.pid ? pidfd.pid : -1, flags);
}

long newcalls_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	(void)node, (void)path, (void)buffer, (void)size;
	return -EINVAL; /* opened by newcalls_vfs_open() */
}

long newcalls_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	(void)node, (void)path, (void)bytes, (void)size;
	return -EINVAL;
}

bool newcalls_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	(void)path, (void)n, (void)entry;
	return false;
}
