/* SPDX-License-Identifier: Apache-2.0 */
/* Gets at a device whose node may be missing from /dev: see device_node.h. */
#include "gaps/device_node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef SYS_fsopen
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#define FSOPEN_CLOEXEC_ 1
#define FSCONFIG_CMD_CREATE_ 6
#define FSMOUNT_CLOEXEC_ 1

static bool is_device(const struct stat *st, u32 device)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(device >> 8, device & 0xff);
}

bool device_node_is(const char *path, u32 device)
{
	struct stat st;

	return stat(path, &st) == 0 && is_device(&st, device);
}

/* Whether everybody may open it in this way. */
static bool open_to_all(mode_t mode, int flags)
{
	int access = flags & O_ACCMODE;

	return (access == O_WRONLY || (mode & S_IROTH)) && (access == O_RDONLY || (mode & S_IWOTH));
}

struct wanted {
	u32 device;
	mode_t mode; /* of a node that is made */
	int flags;
	bool everybody;
};

/* O_NONBLOCK, so that what stands there instead of the device cannot hold us up. */
static int open_at(int directory, const char *path, const struct wanted *wanted)
{
	CLEANUP_FD int fd = FD_NONE;
	struct stat st;

	if (fstatat(directory, path, &st, 0) < 0)
		return -errno;
	if (!is_device(&st, wanted->device))
		return -ENOENT;
	if (wanted->everybody && !open_to_all(st.st_mode, wanted->flags))
		return -EACCES;
	fd = openat(directory, path, (wanted->flags & (O_ACCMODE | O_APPEND)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !is_device(&st, wanted->device))
		return -ENOENT;
	if (!(wanted->flags & O_NONBLOCK) && fcntl(fd, F_SETFL, wanted->flags & O_APPEND) < 0)
		return -errno;
	return take_fd(&fd);
}

static int open_in(const char *directory, const char *name, const struct wanted *wanted)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open_at(AT_FDCWD, path, wanted);
}

static int make_and_open(int directory, const struct wanted *wanted)
{
	static unsigned count;
	char name[64];
	int fd;

	(void)snprintf(name, sizeof(name), ".lichen-%d-%u", (int)getpid(), count++);
	if (mknodat(directory, name, S_IFCHR | 0600, makedev(wanted->device >> 8, wanted->device & 0xff)) < 0)
		return -errno;
	fd = fchmodat(directory, name, wanted->mode, 0) == 0 ? open_at(directory, name, wanted) : -errno;
	(void)unlinkat(directory, name, 0);
	return fd;
}

static int make_in_detached_tmpfs(const struct wanted *wanted)
{
	CLEANUP_FD int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC_);
	CLEANUP_FD int mount = FD_NONE;

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE_, NULL, NULL, 0) < 0)
		return -errno;
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC_, 0);
	return mount < 0 ? -errno : make_and_open(mount, wanted);
}

static int make_in(const char *path, const struct wanted *wanted)
{
	CLEANUP_FD int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return directory < 0 ? -errno : make_and_open(directory, wanted);
}

int device_node_open(const char *name, u32 device, u32 mode, int flags, bool everybody)
{
	static const char *const places[] = { "/tmp", "/run", "." };
	struct wanted wanted = { device, mode, flags, everybody };
	int first = open_in("/dev", name, &wanted), fd = first;

	if (fd < 0)
		fd = open_in("/proc/1/root/dev", name, &wanted);
	if (fd < 0)
		fd = make_in_detached_tmpfs(&wanted);
	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(places); i++)
		fd = make_in(places[i], &wanted);
	return fd < 0 ? first : fd;
}
