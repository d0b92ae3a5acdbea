// SPDX-License-Identifier: Apache-2.0
/* The root of a container, around its mounts. */
#include "oci/oci_rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

/* --- before ------------------------------------------------------------------------------------------------------------------------------- */

/* pivot_root(2) wants the mount that the root lies in not to be shared. */
static int make_parent_private(const struct oci_rootfs *rootfs)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", rootfs->path);
	for (;;) {
		char *slash = strrchr(path, '/');

		if (rootfs->calls->mount(NULL, *path ? path : "/", NULL, MS_PRIVATE, NULL) == 0)
			return 0;
		if (errno != EINVAL || !slash) /* no mount point: the one above is */
			return oci_fail_errno(rootfs->error, "making the mount of %s private", rootfs->path);
		*slash = '\0';
	}
}

int oci_rootfs_prepare(struct oci_rootfs *rootfs)
{
	const struct oci_spec *spec = rootfs->spec;
	unsigned long propagation = spec->propagation ? spec->propagation : MS_SLAVE | MS_REC;
	int r;

	if (rootfs->calls->mount(NULL, "/", NULL, propagation, NULL) < 0)
		return oci_fail_errno(rootfs->error, "setting the propagation of /");
	r = make_parent_private(rootfs);
	if (r < 0)
		return r;
	if (rootfs->calls->mount(rootfs->path, rootfs->path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return oci_fail_errno(rootfs->error, "mounting %s on itself", rootfs->path);
	rootfs->root = open(rootfs->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rootfs->root < 0)
		return oci_fail_errno(rootfs->error, "open %s", rootfs->path);
	for (u32 i = 0; i < spec->mount_count && r == 0; i++)
		r = oci_mount_one(rootfs, &spec->mounts[i]);
	return r == 0 ? oci_device_make_all(rootfs) : r;
}

/* --- entering ----------------------------------------------------------------------------------------------------------------------------- */

/* The machine's tree comes to lie upon the new root, where no path leads; then it goes, and that must not reach the machine. */
static int pivot(const struct oci_rootfs *rootfs)
{
	CLEANUP_FD int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0 || fchdir(rootfs->root) < 0)
		return oci_fail_errno(rootfs->error, "chdir %s", rootfs->path);
	if (rootfs->calls->pivot_root(".", ".") < 0)
		return oci_fail_errno(rootfs->error, "error jailing process inside rootfs: pivot_root");
	if (fchdir(old) < 0)
		return oci_fail_errno(rootfs->error, "chdir to the old root");
	if (rootfs->calls->mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return oci_fail_errno(rootfs->error, "setting the propagation of the old root");
	if (rootfs->calls->umount2(".", MNT_DETACH) < 0)
		return oci_fail_errno(rootfs->error, "leaving the old root");
	return 0;
}

/* --no-pivot: a root file system that cannot be left, a ramdisk. */
static int move(const struct oci_rootfs *rootfs)
{
	if (fchdir(rootfs->root) < 0 || rootfs->calls->mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		return oci_fail_errno(rootfs->error, "error jailing process inside rootfs: moving it to /");
	return 0;
}

int oci_rootfs_enter(struct oci_rootfs *rootfs)
{
	int r = rootfs->no_pivot ? move(rootfs) : pivot(rootfs);

	close_fd(&rootfs->root);
	rootfs->root = FD_NONE;
	if (r < 0)
		return r;
	if (rootfs->calls->chdir("/") < 0)
		return oci_fail_errno(rootfs->error, "chdir /");
	if (rootfs->spec->propagation & (MS_SHARED | MS_UNBINDABLE) &&
	    rootfs->calls->mount(NULL, "/", NULL, rootfs->spec->propagation, NULL) < 0)
		return oci_fail_errno(rootfs->error, "setting the propagation of the root");
	return 0;
}

/* --- afterwards --------------------------------------------------------------------------------------------------------------------------- */

static int set_sysctls(const struct oci_rootfs *rootfs)
{
	/* docker gives these to each container, to allow what is not allowed else: nothing is lost where the kernel has not got them */
	static const char *const optional[] = { "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range" };
	const char *name;
	json_t *value;

	json_object_foreach(rootfs->spec->sysctl, name, value)
	{
		const char *text = json_string_value(value);
		char path[PATH_MAX];
		CLEANUP_FD int fd = FD_NONE;
		bool may_fail = false;

		if (!text || strstr(name, ".."))
			return oci_fail(rootfs->error, -EINVAL, "config: invalid sysctl %s", name);
		(void)snprintf(path, sizeof(path), "/proc/sys/%s", name);
		for (char *at = path + strlen("/proc/sys/"); *at && !strchr(name, '/'); at++)
			*at = *at == '.' ? '/' : *at;
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
			may_fail |= strcmp(name, optional[i]) == 0;
		if (!may_fail)
			return oci_fail_errno(rootfs->error, "write sysctl key %s: open %s", name, path);
		oci_note(rootfs->notes, "sysctl %s is not set: %s", name, strerror(errno));
	}
	return 0;
}

static int make_read_only(const struct oci_rootfs *rootfs, const char *path)
{
	int r;

	if (rootfs->calls->mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return errno == ENOENT ? 0 : oci_fail_errno(rootfs->error, "unable to apply readonly path %s", path);
	r = oci_mount_change(rootfs->calls, path, MS_RDONLY);
	if (r < 0) {
		errno = -r;
		return oci_fail_errno(rootfs->error, "unable to apply readonly path %s", path);
	}
	return 0;
}

static bool is_null(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* A directory is covered by an empty one, a file by the null device: that it is this and not something that has its name is looked at afterwards. */
static int mask(const struct oci_rootfs *rootfs, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : oci_fail_errno(rootfs->error, "unable to apply masked path %s", path);
	if (S_ISDIR(st.st_mode) ? rootfs->calls->mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=0k") < 0
				: rootfs->calls->mount("/dev/null", path, NULL, MS_BIND, NULL) < 0 || stat(path, &st) < 0) {
		if (errno == ENOENT && strncmp(path, "/proc/", 6) == 0 && is_null("/dev/null")) {
			/* a gap of the cell supplies it, where the kernel's procfs has no such file */
			oci_note(rootfs->notes, "%s is not masked: it is the cell's own", path);
			return 0;
		}
		return oci_fail_errno(rootfs->error, "unable to apply masked path %s", path);
	}
	if (!S_ISDIR(st.st_mode) && !is_null(path))
		return oci_fail(rootfs->error, -EINVAL, "unable to apply masked path %s: /dev/null is not the null device", path);
	return 0;
}

static int finish_flags(const struct oci_rootfs *rootfs)
{
	const struct oci_spec *spec = rootfs->spec;
	int r = 0;

	for (u32 i = 0; i < spec->mount_count && r == 0; i++)
		if (strcmp(spec->mounts[i].destination, "/dev") == 0 && spec->mounts[i].flags & MS_RDONLY)
			r = oci_mount_change(rootfs->calls, "/dev", spec->mounts[i].flags & ~(unsigned long)(MS_BIND | MS_REC));
	if (r == 0 && spec->root_read_only)
		r = oci_mount_change(rootfs->calls, "/", MS_RDONLY);
	if (r < 0) {
		errno = -r;
		return oci_fail_errno(rootfs->error, "making the root or /dev read-only");
	}
	return 0;
}

int oci_rootfs_finish(struct oci_rootfs *rootfs)
{
	const struct oci_spec *spec = rootfs->spec;
	int r = set_sysctls(rootfs);

	if (r == 0)
		r = finish_flags(rootfs);
	for (size_t i = 0; r == 0 && spec->read_only && spec->read_only[i]; i++)
		r = make_read_only(rootfs, spec->read_only[i]);
	for (size_t i = 0; r == 0 && spec->masked && spec->masked[i]; i++)
		r = mask(rootfs, spec->masked[i]);
	return r;
}
