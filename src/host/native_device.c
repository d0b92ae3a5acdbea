// SPDX-License-Identifier: Apache-2.0
/* The /dev of a native root: the nodes that every container has, terminals and message queues of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/native.h"

static int make_nodes(const struct native_calls *calls, struct native_failure *failure)
{
	static const struct {
		char path[16];
		u8 major, minor; /* Documentation/admin-guide/devices.txt */
	} nodes[] = { { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
		      { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (calls->mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0)
			return native_failed(failure, "making %s", nodes[i].path);
	return 0;
}

static int make_links(const struct native_calls *calls, struct native_failure *failure)
{
	static const char *const links[][2] = { { "pts/ptmx", "/dev/ptmx" },
						{ "/proc/self/fd", "/dev/fd" },
						{ "/proc/self/fd/0", "/dev/stdin" },
						{ "/proc/self/fd/1", "/dev/stdout" },
						{ "/proc/self/fd/2", "/dev/stderr" } };

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (calls->symlink(links[i][0], links[i][1]) < 0)
			return native_failed(failure, "making %s", links[i][1]);
	return 0;
}

/* The terminal that we were given is of another devpts: so it has a name here. */
static int bind_console(const struct native_calls *calls, int terminal, struct native_failure *failure)
{
	char from[32];
	int fd;

	if (terminal < 0)
		return 0;
	fd = calls->open("/dev/console", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return native_failed(failure, "making /dev/console");
	(void)close(fd);
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", terminal);
	if (calls->mount(from, "/dev/console", NULL, MS_BIND, NULL) < 0)
		return native_failed(failure, "mounting the terminal on /dev/console");
	return 0;
}

int native_device_terminal(const struct native_calls *calls)
{
	char name[64];

	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd) && ttyname_r(fd, name, sizeof(name)) == 0)
			return calls->open(name, O_PATH | O_CLOEXEC, 0);
	return -1;
}

static int make_directory(const struct native_calls *calls, const char *path, struct native_failure *failure)
{
	return calls->mkdir(path, 0755) < 0 ? native_failed(failure, "making %s", path) : 0;
}

/* A kernel may be built without POSIX message queues. */
static int mount_queues(const struct native_calls *calls, struct native_failure *failure)
{
	int r = make_directory(calls, "/dev/mqueue", failure);

	if (r == 0)
		r = native_mount(calls, "mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, failure);
	return r == -ENODEV ? 0 : r;
}

int native_device_mount(const struct native_calls *calls, int terminal, struct native_failure *failure)
{
	mode_t mask = umask(0);
	int r;

	if (calls->mkdir("/dev", 0755) < 0 && errno != EEXIST && errno != EROFS)
		r = native_failed(failure, "making /dev");
	else
		r = native_mount(calls, "tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k", failure);
	if (r == 0)
		r = make_nodes(calls, failure);
	if (r == 0)
		r = make_links(calls, failure);
	if (r == 0)
		r = make_directory(calls, "/dev/pts", failure);
	if (r == 0)
		r = native_mount(calls, "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5",
				 failure);
	if (r == 0)
		r = make_directory(calls, "/dev/shm", failure);
	if (r == 0)
		r = native_mount(calls, "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777", failure);
	if (r == 0)
		r = mount_queues(calls, failure);
	if (r == 0)
		r = bind_console(calls, terminal, failure);
	(void)umask(mask);
	return r;
}
