// SPDX-License-Identifier: Apache-2.0
/* Lichen itself in a native root, for a while: in namespaces of its own, and back. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/native.h"

static int open_all(struct native_visit *visit)
{
	visit->mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	visit->names = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	visit->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	visit->directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return visit->mounts < 0 || visit->names < 0 || visit->root < 0 || visit->directory < 0 ? -1 : 0;
}

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442 /* Linux 5.12 */
#endif

/* No device and no set-user-ID program of the tree's is one. What else its mount has stays. */
static int tame(struct native_failure *failure)
{
	const struct {
		u64 set, clear, propagation, userns_fd; /* linux/mount.h: struct mount_attr */
	} attributes = { .set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID };

	return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attributes, sizeof(attributes)) < 0
		     ? native_failed(failure, "taking the devices from the root")
		     : 0;
}

int native_visit_begin(const struct native_root *root, struct native_visit *ret, struct native_failure *failure)
{
	struct native_visit visit = NATIVE_VISIT_NONE;
	int r = open_all(&visit) < 0 || unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0
		      ? native_failed(failure, "making namespaces for mounts and the host name")
		      : 0;

	if (r == 0) {
		r = native_root_enter(root, &native_kernel, failure);
		if (r == 0)
			r = tame(failure);
	}
	*ret = visit;
	return r;
}

int native_visit_end(struct native_visit *visit)
{
	int r = 0;

	if (visit->mounts >= 0 && setns(visit->mounts, CLONE_NEWNS) < 0)
		r = -errno;
	if (r == 0 && visit->names >= 0 && setns(visit->names, CLONE_NEWUTS) < 0)
		r = -errno;
	if (r == 0 && visit->root >= 0 && (fchdir(visit->root) < 0 || chroot(".") < 0)) /* setns(2) leads to the namespace's */
		r = -errno;
	if (r == 0 && visit->directory >= 0 && fchdir(visit->directory) < 0)
		r = -errno;
	close_fd(&visit->mounts);
	close_fd(&visit->names);
	close_fd(&visit->root);
	close_fd(&visit->directory);
	*visit = NATIVE_VISIT_NONE;
	return r;
}
