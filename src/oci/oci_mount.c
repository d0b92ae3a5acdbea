// SPDX-License-Identifier: Apache-2.0
/* One mount of a container. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "host/tree_copy.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_rootfs.h"

#ifndef ST_RELATIME
#define ST_RELATIME 4096
#endif

const char *oci_fd_path(int fd, char path[OCI_FD_PATH])
{
	(void)snprintf(path, OCI_FD_PATH, "/proc/self/fd/%d", fd);
	return path;
}

static int failed(const struct oci_rootfs *rootfs, const struct oci_mount *mount)
{
	return oci_fail_errno(rootfs->error, "error mounting \"%s\" to rootfs at \"%s\"",
			      *mount->source ? mount->source : mount->type, mount->destination);
}

/* The flags of a mount that a namespace of users may not take away: mount_namespaces(7). */
static unsigned long flags_of(const char *path)
{
	static const struct {
		unsigned long told, flag;
	} rows[] = { { ST_RDONLY, MS_RDONLY },    { ST_NOSUID, MS_NOSUID },   { ST_NODEV, MS_NODEV },
		     { ST_NOEXEC, MS_NOEXEC },    { ST_NOATIME, MS_NOATIME }, { ST_NODIRATIME, MS_NODIRATIME },
		     { ST_RELATIME, MS_RELATIME } };
	struct statvfs fs;
	unsigned long flags = 0;

	if (statvfs(path, &fs) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (fs.f_flag & rows[i].told)
			flags |= rows[i].flag;
	return flags;
}

int oci_mount_change(const struct native_calls *calls, const char *target, unsigned long flags)
{
	if (calls->mount(NULL, target, NULL, flags | MS_BIND | MS_REMOUNT, NULL) == 0)
		return 0;
	if (errno != EPERM || calls->mount(NULL, target, NULL, flags | MS_BIND | MS_REMOUNT | flags_of(target), NULL) < 0)
		return -errno;
	return 0;
}

/* What was just mounted on a destination: the descriptor from before is of what lies below. */
static int reopen(const struct oci_rootfs *rootfs, const struct oci_mount *mount, char target[OCI_FD_PATH])
{
	int fd = oci_path_open(rootfs->root, mount->destination, OCI_MAKE_NOTHING);

	if (fd < 0) {
		errno = -fd;
		return failed(rootfs, mount);
	}
	(void)oci_fd_path(fd, target);
	return fd;
}

static int open_target(const struct oci_rootfs *rootfs, const struct oci_mount *mount, enum oci_make make, char target[OCI_FD_PATH])
{
	int fd = oci_path_open(rootfs->root, mount->destination, make);

	if (fd < 0) {
		errno = -fd;
		return oci_fail_errno(rootfs->error, "error preparing rootfs for a mount: mkdir \"%s\"", mount->destination);
	}
	(void)oci_fd_path(fd, target);
	return fd;
}

/* --- afterwards --------------------------------------------------------------------------------------------------------------------------- */

static int change_all(const struct oci_rootfs *rootfs, const struct oci_mount *mount)
{
	char target[OCI_FD_PATH];
	CLEANUP_FD int fd = reopen(rootfs, mount, target);

	if (fd < 0)
		return fd;
	for (u32 i = 0; i < mount->propagation_count; i++)
		if (rootfs->calls->mount(NULL, target, NULL, mount->propagation[i], NULL) < 0)
			return oci_fail_errno(rootfs->error, "error setting the propagation of \"%s\"", mount->destination);
	if ((mount->recursive_set || mount->recursive_clear) &&
	    rootfs->calls->mount_setattr(target, mount->recursive_set, mount->recursive_clear) < 0)
		return oci_fail_errno(rootfs->error, "error setting recursive mount attributes of \"%s\"", mount->destination);
	return 0;
}

/* --- binds -------------------------------------------------------------------------------------------------------------------------------- */

static int mount_bind(const struct oci_rootfs *rootfs, const struct oci_mount *mount)
{
	unsigned long more = mount->flags & ~(unsigned long)(MS_BIND | MS_REC | MS_REMOUNT);
	char source[PATH_MAX], target[OCI_FD_PATH];
	CLEANUP_FD int fd = FD_NONE, mounted = FD_NONE;
	struct stat st;
	int r;

	(void)snprintf(source, sizeof(source), "%s%s%s", *mount->source == '/' ? "" : rootfs->bundle,
		       *mount->source == '/' ? "" : "/", mount->source);
	if (stat(source, &st) < 0)
		return oci_fail_errno(rootfs->error, "stat %s", source);
	fd = open_target(rootfs, mount, S_ISDIR(st.st_mode) ? OCI_MAKE_DIRECTORY : OCI_MAKE_FILE, target);
	if (fd < 0)
		return fd;
	if (rootfs->calls->mount(source, target, NULL, MS_BIND | (mount->flags & MS_REC), NULL) < 0)
		return failed(rootfs, mount);
	if (!more)
		return 0;
	mounted = reopen(rootfs, mount, target);
	if (mounted < 0)
		return mounted;
	r = oci_mount_change(rootfs->calls, target, more);
	if (r < 0) {
		errno = -r;
		return failed(rootfs, mount);
	}
	return 0;
}

/* --- control groups ----------------------------------------------------------------------------------------------------------------------- */

/* One hierarchy of v1: the container's own group, under the names of its controllers. */
static int mount_hierarchy(const struct oci_rootfs *rootfs, const struct oci_mount *mount, const char *name, const char *dir)
{
	struct oci_mount one = { .source = dir, .type = "bind", .flags = MS_BIND | MS_REC | mount->flags };
	char destination[PATH_MAX];

	if (strncmp(name, "name=", 5) == 0)
		name += 5;
	(void)snprintf(destination, sizeof(destination), "%s/%s", mount->destination, name);
	one.destination = destination;
	return mount_bind(rootfs, &one);
}

static int mount_hierarchies(const struct oci_rootfs *rootfs, const struct oci_mount *mount)
{
	char target[OCI_FD_PATH];
	CLEANUP_FD int fd = open_target(rootfs, mount, OCI_MAKE_DIRECTORY, target), mounted = FD_NONE;
	const char *name;
	json_t *dir;
	int r = fd < 0 ? fd : 0;

	if (r == 0 && rootfs->calls->mount("tmpfs", target, "tmpfs", mount->flags & ~(unsigned long)MS_RDONLY, "mode=755") < 0)
		r = failed(rootfs, mount);
	json_object_foreach(rootfs->cgroup, name, dir)
	{
		if (r == 0)
			r = mount_hierarchy(rootfs, mount, name, json_string_value(dir));
	}
	if (r < 0 || !(mount->flags & MS_RDONLY))
		return r;
	mounted = reopen(rootfs, mount, target);
	r = mounted < 0 ? mounted : oci_mount_change(rootfs->calls, target, mount->flags);
	if (r < 0 && mounted >= 0) {
		errno = -r;
		return failed(rootfs, mount);
	}
	return r;
}

static int mount_cgroup(const struct oci_rootfs *rootfs, const struct oci_mount *mount)
{
	struct oci_mount bound = *mount;
	char target[OCI_FD_PATH];
	CLEANUP_FD int fd = FD_NONE;

	if (json_object_size(rootfs->cgroup) == 0) {
		oci_note(rootfs->notes, "nothing is mounted on %s", mount->destination);
		return 0;
	}
	if (!oci_cgroup_is_v2(rootfs->cgroup))
		return mount_hierarchies(rootfs, mount);
	fd = open_target(rootfs, mount, OCI_MAKE_DIRECTORY, target);
	if (fd < 0)
		return fd;
	if (rootfs->calls->mount("cgroup", target, "cgroup2", mount->flags, NULL) == 0)
		return 0;
	if (errno != EPERM && errno != EBUSY && errno != ENODEV)
		return failed(rootfs, mount);
	bound.source = "/sys/fs/cgroup"; /* a namespace of users without one of cgroups */
	bound.flags |= MS_BIND | MS_REC;
	return mount_bind(rootfs, &bound);
}

/* --- file systems ------------------------------------------------------------------------------------------------------------------------- */

/* A tmpfs looks as the directory did that it covers, unless it is told otherwise. */
static char *tmpfs_data(const struct oci_mount *mount, int fd)
{
	const char *data = mount->data ? mount->data : "";
	struct stat st;
	char *all;

	if (strstr(data, "mode=") || fstat(fd, &st) < 0)
		return strdup(data);
	return asprintf(&all, "%s%smode=%o", data, *data ? "," : "", st.st_mode & 07777u) < 0 ? NULL : all;
}

/* tmpcopyup: `below` is the directory that was covered. */
static int copy_up(const struct oci_rootfs *rootfs, const struct oci_mount *mount, int below)
{
	char target[OCI_FD_PATH];
	CLEANUP_FD int mounted = reopen(rootfs, mount, target), from = FD_NONE, to = FD_NONE;
	int r;

	if (mounted < 0)
		return mounted;
	from = tree_enter(below, ".");
	to = tree_enter(mounted, ".");
	r = from < 0 ? from : to < 0 ? to : tree_copy(from, to);
	if (r == 0 && mount->flags & MS_RDONLY)
		r = oci_mount_change(rootfs->calls, target, mount->flags);
	if (r < 0) {
		errno = -r;
		return oci_fail_errno(rootfs->error, "copying into the tmpfs \"%s\"", mount->destination);
	}
	return 0;
}

/* What stands in for a file system that the kernel has not, or not for us. 1: nothing does, and the container does without. */
static int instead(const struct oci_rootfs *rootfs, const struct oci_mount *mount, int error)
{
	struct oci_mount bound = *mount;
	bool absent = error == ENODEV;

	bound.flags = MS_BIND | MS_REC | (mount->flags & ~(unsigned long)MS_REMOUNT);
	if (strcmp(mount->type, "mqueue") == 0 && (absent || error == EPERM)) {
		oci_note(rootfs->notes, "no message queues on %s: %s", mount->destination, strerror(error));
		return 0;
	}
	if (strcmp(mount->type, "devpts") == 0 && absent) {
		oci_note(rootfs->notes, "%s is the machine's own /dev/pts", mount->destination);
		bound.source = "/dev/pts";
		bound.flags &= ~(unsigned long)(MS_RDONLY | MS_NOEXEC | MS_NOSUID);
		return mount_bind(rootfs, &bound);
	}
	if (strcmp(mount->type, "sysfs") == 0 && error == EPERM) { /* a namespace of users with the machine's network */
		bound.source = "/sys";
		return mount_bind(rootfs, &bound);
	}
	errno = error;
	return failed(rootfs, mount);
}

static int mount_file_system(const struct oci_rootfs *rootfs, const struct oci_mount *mount)
{
	bool tmpfs = strcmp(mount->type, "tmpfs") == 0, up = tmpfs && mount->special & OCI_MOUNT_COPY_UP;
	/* /dev is filled yet; oci_rootfs_finish() makes it read-only */
	bool later = up || strcmp(mount->destination, "/dev") == 0;
	const char *source = *mount->source ? mount->source : mount->type;
	char target[OCI_FD_PATH];
	CLEANUP_FD int fd = open_target(rootfs, mount, OCI_MAKE_DIRECTORY, target);
	CLEANUP_FREE char *data = NULL;

	if (fd < 0)
		return fd;
	data = tmpfs ? tmpfs_data(mount, fd) : strdup(mount->data ? mount->data : "");
	if (!data)
		return oci_fail(rootfs->error, -ENOMEM, "out of memory");
	if (rootfs->calls->mount(source, target, mount->type, mount->flags & ~(unsigned long)(later ? MS_RDONLY : 0), data) < 0)
		return instead(rootfs, mount, errno);
	return up ? copy_up(rootfs, mount, fd) : 0;
}

int oci_mount_one(struct oci_rootfs *rootfs, const struct oci_mount *mount)
{
	int r;

	if (mount->flags & MS_BIND)
		r = mount_bind(rootfs, mount);
	else if (strncmp(mount->type, "cgroup", 6) == 0)
		r = mount_cgroup(rootfs, mount);
	else
		r = mount_file_system(rootfs, mount);
	if (r == 0 && (mount->propagation_count || mount->recursive_set || mount->recursive_clear))
		r = change_all(rootfs, mount);
	return r;
}
