// SPDX-License-Identifier: Apache-2.0
/* The devices and links of a container's /dev: config-linux.md, "Default Devices" and "Dev symbolic links". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_rootfs.h"

static const struct oci_device defaults[] = {
	{ .path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3, .mode = 0666 },
	{ .path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 5, .mode = 0666 },
	{ .path = "/dev/full", .type = S_IFCHR, .major = 1, .minor = 7, .mode = 0666 },
	{ .path = "/dev/tty", .type = S_IFCHR, .major = 5, .minor = 0, .mode = 0666 },
	{ .path = "/dev/urandom", .type = S_IFCHR, .major = 1, .minor = 9, .mode = 0666 },
	{ .path = "/dev/random", .type = S_IFCHR, .major = 1, .minor = 8, .mode = 0666 },
};

/* The directory that a path lies in, made if need be, and the last name. */
static int open_above(const struct oci_rootfs *rootfs, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char above[PATH_MAX];

	*ret_name = slash + 1;
	(void)snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
	return oci_path_open(rootfs->root, above, OCI_MAKE_DIRECTORY);
}

/* The machine's own, where no node can be made: in a namespace of users, and without CAP_MKNOD. */
static int bind_device(const struct oci_rootfs *rootfs, const struct oci_device *device)
{
	char target[OCI_FD_PATH];
	CLEANUP_FD int fd = oci_path_open(rootfs->root, device->path, OCI_MAKE_FILE);

	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	return rootfs->calls->mount(device->path, oci_fd_path(fd, target), NULL, MS_BIND, NULL);
}

/* Whether a name is that device already, and not what a stranger's image has in its place: others rely on it. */
static bool is_device(int above, const char *name, const struct oci_device *device)
{
	struct stat st;

	return fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == device->type &&
	       (device->type == S_IFIFO || st.st_rdev == makedev(device->major, device->minor));
}

static int make_device(const struct oci_rootfs *rootfs, const struct oci_device *device)
{
	const char *name;
	CLEANUP_FD int above = open_above(rootfs, device->path, &name);

	if (above < 0) {
		errno = -above;
		return oci_fail_errno(rootfs->error, "error making the device %s", device->path);
	}
	if (mknodat(above, name, device->type | device->mode, makedev(device->major, device->minor)) == 0) {
		if ((device->uid || device->gid) && fchownat(above, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
			return oci_fail_errno(rootfs->error, "chown %s", device->path);
		return 0;
	}
	if (errno == EEXIST && is_device(above, name, device))
		return 0;
	if ((errno == EPERM || errno == EEXIST) && bind_device(rootfs, device) == 0)
		return 0;
	return oci_fail_errno(rootfs->error, "error making the device %s", device->path);
}

static int make_link(const struct oci_rootfs *rootfs, const char *text, const char *path, bool anew)
{
	const char *name;
	CLEANUP_FD int above = open_above(rootfs, path, &name);

	if (above < 0) {
		errno = -above;
		return oci_fail_errno(rootfs->error, "error making the link %s", path);
	}
	if (anew)
		(void)unlinkat(above, name, 0);
	if (symlinkat(text, above, name) < 0 && errno != EEXIST)
		return oci_fail_errno(rootfs->error, "error making the link %s", path);
	return 0;
}

static int make_links(const struct oci_rootfs *rootfs)
{
	static const char *const links[][2] = { { "/proc/self/fd", "/dev/fd" },
						{ "/proc/self/fd/0", "/dev/stdin" },
						{ "/proc/self/fd/1", "/dev/stdout" },
						{ "/proc/self/fd/2", "/dev/stderr" } };
	int r = make_link(rootfs, "pts/ptmx", "/dev/ptmx", true);

	for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++)
		r = make_link(rootfs, links[i][0], links[i][1], false);
	if (r == 0 && access("/proc/kcore", F_OK) == 0)
		r = make_link(rootfs, "/proc/kcore", "/dev/core", false);
	return r;
}

/* Whether the container has the machine's /dev. */
static bool is_bound(const struct oci_spec *spec)
{
	for (u32 i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].flags & MS_BIND && strcmp(spec->mounts[i].destination, "/dev") == 0)
			return true;
	return false;
}

int oci_device_make_all(struct oci_rootfs *rootfs)
{
	const struct oci_spec *spec = rootfs->spec;
	mode_t mask;
	int r = 0;

	if (is_bound(spec))
		return 0;
	mask = umask(0);
	for (u32 i = 0; i < spec->device_count && r == 0; i++) /* those of the specification may differ from the defaults */
		if (strcmp(spec->devices[i].path, "/dev/ptmx") != 0 && strcmp(spec->devices[i].path, "/dev/console") != 0)
			r = make_device(rootfs, &spec->devices[i]);
	for (size_t i = 0; i < ARRAY_SIZE(defaults) && r == 0; i++)
		r = make_device(rootfs, &defaults[i]);
	if (r == 0)
		r = make_links(rootfs);
	(void)umask(mask);
	return r;
}
