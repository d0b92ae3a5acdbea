// SPDX-License-Identifier: Apache-2.0
/* Looking at a guest, and acting as it: see the header. */
#include "cage/cage_attribute_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "cage/look_as.h"

#define STATUS_MAX 65536u

/* --- who it is -------------------------------------------------------------------------------------------------------------------------- */

/* The n-th number of a line of /proc/PID/status, from 0. False: there is none. */
static bool number_of(const char *status, const char *line, unsigned n, int base, u64 *ret)
{
	const char *at = strstr(status, line);
	char *end;

	if (!at)
		return false;
	at += strlen(line);
	for (;; n--) {
		while (*at == '\t' || *at == ' ')
			at++;
		*ret = strtoull(at, &end, base);
		if (end == at)
			return false;
		if (n == 0)
			return true;
		at = end;
	}
}

/* Raw calls: the library would tell the other threads. */
static int set_groups(const gid_t *groups, int count)
{
	return syscall(SYS_setgroups, count, groups) < 0 ? -errno : 0;
}

static int get_effective(u64 *ret)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*ret = data[0].effective | (u64)data[1].effective << 32;
	return 0;
}

static int take_groups(struct guest *guest, const char *status)
{
	gid_t groups[GUEST_GROUPS];
	u64 number;
	int count = 0;

	while (count < (int)GUEST_GROUPS && number_of(status, "\nGroups:", (unsigned)count, 10, &number))
		groups[count++] = (gid_t)number;
	if (count == (int)GUEST_GROUPS)
		return -EPERM;
	guest->group_count = getgroups(0, NULL);
	guest->groups = calloc((size_t)(guest->group_count > 0 ? guest->group_count : 0) + 1, sizeof(*guest->groups));
	if (!guest->groups || guest->group_count < 0 || getgroups(guest->group_count, guest->groups) < 0) {
		free(guest->groups);
		guest->groups = NULL;
		return -ENOMEM;
	}
	return set_groups(groups, count);
}

static int take_user(struct guest *guest, const char *status)
{
	u64 uid, gid;
	int r;

	if (!number_of(status, "\nUid:", 3, 10, &uid) || !number_of(status, "\nGid:", 3, 10, &gid) ||
	    !number_of(status, "\nCapEff:", 0, 16, &guest->capabilities))
		return -EPERM;
	guest->uid = (uid_t)uid;
	guest->gid = (gid_t)gid;
	r = get_effective(&guest->own_capabilities);
	if (r < 0)
		return r;
	guest->taken = true;
	if (guest->uid != geteuid())
		r = take_groups(guest, status);
	look_as(guest->uid, guest->gid);
	if (r < 0 || (uid_t)syscall(SYS_setfsuid, -1) != guest->uid || (gid_t)syscall(SYS_setfsgid, -1) != guest->gid)
		return -EPERM;
	return 0;
}

int guest_begin(struct guest *guest, pid_t thread)
{
	CLEANUP_FREE char *status = NULL;
	char path[64];
	size_t size;
	int r;

	*guest = (struct guest){ .thread = thread, .memory = FD_NONE };
	(void)snprintf(path, sizeof(path), "/proc/%d/status", thread);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : read_bytes(fd, STATUS_MAX, &status, &size);
	if (r == 0)
		r = status ? take_user(guest, status) : -EPERM;
	if (r < 0)
		return r == -ENOMEM ? r : -EPERM;
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", thread);
	guest->memory = open(path, O_RDONLY | O_CLOEXEC);
	return guest->memory < 0 ? -EPERM : 0;
}

/* --- what it may -------------------------------------------------------------------------------------------------------------------------- */

static int set_effective(u64 wanted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	data[0].effective = (u32)wanted & data[0].permitted;
	data[1].effective = (u32)(wanted >> 32) & data[1].permitted;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int guest_act_as(struct guest *guest)
{
	return set_effective(guest->capabilities);
}

void guest_end(struct guest *guest)
{
	close_fd(&guest->memory);
	if (guest->taken) {
		look_as(geteuid(), getegid());
		(void)set_effective(guest->own_capabilities);
	}
	if (guest->groups)
		(void)set_groups(guest->groups, guest->group_count);
	free(guest->groups);
	*guest = (struct guest){ .memory = FD_NONE };
}

/* --- what it has ------------------------------------------------------------------------------------------------------------------------------ */

int guest_read(const struct guest *guest, u64 address, void *to, size_t size)
{
	ssize_t n = address > (u64)INT64_MAX ? -1 : pread(guest->memory, to, size, (off_t)address);

	return n == (ssize_t)size ? 0 : -EFAULT;
}

int guest_read_path(const struct guest *guest, u64 address, char path[PATH_MAX])
{
	size_t used = 0;

	if (address > (u64)INT64_MAX - PATH_MAX)
		return -EFAULT;
	while (used < PATH_MAX) { /* page by page: the next may not be there */
		size_t part = 4096 - (address + used) % 4096;
		ssize_t n =
			pread(guest->memory, path + used, part < PATH_MAX - used ? part : PATH_MAX - used, (off_t)(address + used));

		if (n <= 0)
			return -EFAULT;
		if (memchr(path + used, 0, (size_t)n))
			return 0;
		used += (size_t)n;
	}
	return -ENAMETOOLONG;
}

static int open_link(const struct guest *guest, const char *name)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", guest->thread, name);
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int guest_open_fd(const struct guest *guest, int fd)
{
	char name[32];
	int r;

	if (fd < 0)
		return -EBADF;
	(void)snprintf(name, sizeof(name), "fd/%d", fd);
	r = open_link(guest, name);
	return r == -ENOENT ? -EBADF : r;
}

bool guest_fd_is_path(const struct guest *guest, int fd)
{
	int flags = look_at_flags(guest->thread, fd);

	return flags >= 0 && (flags & O_PATH);
}

int guest_open_cwd(const struct guest *guest)
{
	return open_link(guest, "cwd");
}
