/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file tree of a container, made by its first process in its mount namespace:
 *
 *   oci_rootfs_prepare()  propagation; rootfs is mounted on itself; mounts in their order; devices, links (oci_device.c)
 *   … hooks: the tree can be reached by its path on the machine
 *   oci_rootfs_enter()    pivot_root(2), or chroot(2) where that was asked for: from here on paths are the container's
 *   oci_rootfs_finish()   what is read-only and what is masked, sysctls
 *
 * A destination is a path in a tree of strangers: oci_path.c resolves it component by component, follows links as text and never leaves the tree; the
 * mount is made on the descriptor that it found, by /proc/self/fd, so that nobody can swap a link meanwhile.
 */
#ifndef LICHEN_OCI_OCI_ROOTFS_H
#define LICHEN_OCI_OCI_ROOTFS_H

#include <limits.h>

#include "host/native.h"
#include "oci/oci_spec.h"

#define OCI_FD_PATH 32 /* "/proc/self/fd/N" */

struct oci_rootfs {
	const struct oci_spec *spec;
	const struct native_calls *calls;
	const char *bundle; /* absolute, canonical … */
	const char *path;   /* … as is the root's */
	json_t *cgroup;     /* oci_cgroup.h */
	bool no_pivot;
	int root; /* O_PATH, once it is mounted; starts as FD_NONE */
	struct oci_notes *notes;
	struct oci_error *error;
};

int oci_rootfs_prepare(struct oci_rootfs *rootfs) MUST_CHECK;
int oci_rootfs_enter(struct oci_rootfs *rootfs) MUST_CHECK;
int oci_rootfs_finish(struct oci_rootfs *rootfs) MUST_CHECK;

/* oci_path.c: what is made if it is missing, with the directories above it. */
enum oci_make { OCI_MAKE_NOTHING, OCI_MAKE_DIRECTORY, OCI_MAKE_FILE };
/* A descriptor (O_PATH) of a path in the tree of `root`, also O_PATH; negative errno. */
int oci_path_open(int root, const char *path, enum oci_make make) MUST_CHECK;

/* oci_mount.c */
int oci_mount_one(struct oci_rootfs *rootfs, const struct oci_mount *mount) MUST_CHECK;
/* Changes flags of a mount; those that the machine locked stay. */
int oci_mount_change(const struct native_calls *calls, const char *target, unsigned long flags) MUST_CHECK;
/* Writes "/proc/self/fd/N". */
const char *oci_fd_path(int fd, char path[OCI_FD_PATH]);

/* oci_device.c */
int oci_device_make_all(struct oci_rootfs *rootfs) MUST_CHECK;

#endif
