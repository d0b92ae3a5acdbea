// SPDX-License-Identifier: Apache-2.0
/* Mounts of a cage: see the header. */
#include "cage/cage_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* linux/mount.h, which glibc's sys/mount.h contradicts in some versions. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#define OPEN_TREE_CLOEXEC_ O_CLOEXEC
#define FROM_DESCRIPTOR 0x4u /* MOVE_MOUNT_F_EMPTY_PATH */
#define TO_DESCRIPTOR 0x40u  /* MOVE_MOUNT_T_EMPTY_PATH */
#define STEP_SIZE 192

struct mount_attributes {
	u64 set, clear, propagation, userns_fd;
};

static int failed(char *step, const char *what, const char *path)
{
	int error = errno ? errno : EIO;

	(void)snprintf(step, STEP_SIZE, "%s '%.120s'", what, path);
	return -error;
}

static int write_file(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

int cage_users_enter(int namespaces)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char text[64];
	int r;

	if (unshare(CLONE_NEWUSER | namespaces) < 0)
		return -errno;
	r = write_file("/proc/self/setgroups", "deny");
	if (r < 0 && r != -ENOENT) /* gVisor has no such file; where the kernel wants it, it refuses the next */
		return r;
	(void)snprintf(text, sizeof(text), "%u %u 1\n", gid, gid);
	r = write_file("/proc/self/gid_map", text);
	(void)snprintf(text, sizeof(text), "%u %u 1\n", uid, uid);
	return r < 0 ? r : write_file("/proc/self/uid_map", text);
}

int cage_open_path(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Takes away what a tree does not have, with all that is mounted below it. */
static int restrict_tree(int fd, const char *path, const struct cage_tree *tree)
{
	struct mount_attributes attributes = { .set = (tree->write ? 0 : 1 /* MOUNT_ATTR_RDONLY */) |
						      (tree->execute ? 0 : 8 /* MOUNT_ATTR_NOEXEC */) };
	int flags = AT_RECURSIVE | (*path ? 0 : AT_EMPTY_PATH);

	return attributes.set ? (int)syscall(SYS_mount_setattr, fd, path, flags, &attributes, sizeof(attributes)) : 0;
}

static int copy_tree(int fd)
{
	return (int)syscall(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC_ | AT_RECURSIVE | AT_EMPTY_PATH);
}

bool cage_mounts_allowed(void)
{
	static const struct cage_tree nothing;
	CLEANUP_FD int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC_);

	return tree >= 0 && restrict_tree(tree, "", &nothing) == 0;
}

int cage_mounts_proc(char *step)
{
	int r;

	/* Linux 5.8: a mount's own option. Before, hidepid would be the machine's. */
	r = mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "hidepid=ptraceable");
	return r < 0 ? failed(step, "mounting proc on", "/proc") : 0;
}

/* A tree that may be written, and where it belongs. */
struct copy {
	int tree, place;
};

static int take_copies(const struct cage_tree *trees, size_t count, struct copy *copies, char *step)
{
	for (size_t i = 1; i < count; i++) {
		copies[i].place = cage_open_path(trees[i].path);
		if (copies[i].place < 0) {
			errno = -copies[i].place;
			return failed(step, "opening", trees[i].path);
		}
		copies[i].tree = copy_tree(copies[i].place);
		if (copies[i].tree < 0)
			return failed(step, "copying the mounts of", trees[i].path);
		if (restrict_tree(copies[i].tree, "", &trees[i]) < 0)
			return failed(step, "restricting the mounts of", trees[i].path);
	}
	return 0;
}

/* An inner place is looked up anew: by now an outer tree lies over what was opened. */
static int attach_copies(const struct cage_tree *trees, size_t count, const struct copy *copies, char *step)
{
	for (size_t i = 1; i < count; i++) {
		CLEANUP_FD int place = cage_open_path(trees[i].path);

		if (place < 0)
			errno = -place;
		if (place < 0 || syscall(SYS_move_mount, copies[i].tree, "", place, "", FROM_DESCRIPTOR | TO_DESCRIPTOR) < 0)
			return failed(step, "mounting on", trees[i].path);
	}
	return 0;
}

int cage_mounts_enter(const struct cage_tree *trees, size_t count, char *step)
{
	struct copy *copies = calloc(count, sizeof(*copies));
	int r;

	if (!copies)
		return -ENOMEM;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = failed(step, "making the mounts private below", "/");
	else
		r = take_copies(trees, count, copies, step);
	if (r == 0 && restrict_tree(AT_FDCWD, "/", &trees[0]) < 0)
		r = failed(step, "making everything read-only below", "/");
	if (r == 0)
		r = attach_copies(trees, count, copies, step);
	free(copies); /* their descriptors are close-on-exec */
	return r;
}

/* Over a file: a device on a mount without devices, which nobody can open. */
static int mask_file(int place, const char *path, char *step)
{
	struct mount_attributes attributes = { .set = 1 | 4 | 8 /* MOUNT_ATTR_RDONLY, NODEV, NOEXEC */ };
	CLEANUP_FD int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC_);

	if (tree < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0 ||
	    syscall(SYS_move_mount, tree, "", place, "", FROM_DESCRIPTOR | TO_DESCRIPTOR) < 0)
		return failed(step, "masking", path);
	return 0;
}

int cage_mounts_mask(const char *path, char *step)
{
	CLEANUP_FD int place = cage_open_path(path);
	char by_number[32];
	struct stat st;

	if (place < 0 || fstat(place, &st) < 0) {
		errno = place < 0 ? -place : errno;
		return failed(step, "opening", path);
	}
	if (!S_ISDIR(st.st_mode))
		return mask_file(place, path, step);
	(void)snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", place);
	if (mount("tmpfs", by_number, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=000,size=4k") < 0)
		return failed(step, "masking", path);
	return 0;
}
