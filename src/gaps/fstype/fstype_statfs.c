/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statfs and fstatfs. The kernel answers; of a mount that mountinfo is told to have on a disk, f_type becomes ext4's, and f_fsid, where the
 * kernel says 0, the device number as Linux makes it of one. Sizes and all else stay. Of 9p the f_type is enough to know, of the
 * root its number, too; of the rest the number finds the mount's row.
 *
 * gVisor of 2022 has no statfs of files in /proc (ENOSYS): they get the answer for the mount point they are below.
 */
#include "gaps/fstype/fstype_int.h"

#define V9FS_MAGIC 0x01021997
#define FUSE_SUPER_MAGIC 0x65735546 /* virtiofs, too */
#define EROFS_SUPER_MAGIC_V1 0xe0f5e1e2
#define RAMFS_MAGIC 0x858458f6
#define TMPFS_MAGIC 0x01021994 /* of a rootfs */

struct statfs { /* asm-generic/statfs.h */
	s64 type, bsize;
	u64 blocks, bfree, bavail, files, ffree;
	s32 fsid[2];
	s64 namelen, frsize, flags, spare[4];
};
static_assert(sizeof(struct statfs) == 120, "kernel ABI");

/* Who is asked about: a path of the guest's, or a descriptor when path is 0. */
struct subject {
	s32 fd;
	u64 path;
};

static bool is_refused(void)
{
	return commons()->refused & (1u << GAP_fstype);
}

/* Whether a file system of this f_type may be told otherwise. */
static bool may_be_told(s64 type)
{
	return type == V9FS_MAGIC || type == FUSE_SUPER_MAGIC || type == EROFS_SUPER_MAGIC_V1 || type == RAMFS_MAGIC ||
	       type == TMPFS_MAGIC || is_refused();
}

static bool row_is_told(u64 dev)
{
	struct mounts_text mounts;
	struct mount_row row;
	bool told;

	if (mounts_text_read("/proc/self/mountinfo", &mounts) < 0)
		return false;
	told = mounts_by_device(mounts.text, &mounts.view, device_major(dev), device_minor(dev), NULL, &row) &&
	       mount_row_told(&row, &mounts.view);
	mounts_text_free(&mounts);
	return told;
}

static bool is_told(s64 type, u64 dev)
{
	u64 root = 0;
	bool on_root;

	if (type == V9FS_MAGIC)
		return true;
	on_root = device_of(0, SYS_ARG("/"), &root) == 0 && root == dev;
	if (on_root && (type == FUSE_SUPER_MAGIC || type == EROFS_SUPER_MAGIC_V1 || type == RAMFS_MAGIC))
		return true;
	/* virtiofs elsewhere; a rootfs that is a tmpfs */
	return (on_root || type == FUSE_SUPER_MAGIC) && row_is_told(dev);
}

static void tell(struct statfs *fs, const struct subject *subject)
{
	u64 dev = 0;

	if (LIKELY(!may_be_told(fs->type)) || device_of(subject->fd, subject->path, &dev) != 0 || !is_told(fs->type, dev))
		return;
	fs->type = MOUNT_TOLD_MAGIC;
	if (!fs->fsid[0] && !fs->fsid[1])
		fs->fsid[0] = (s32)dev;
}

/* The answer for a mount point of the subject's file system that nothing else is mounted over. 0, or -ENOSYS. */
static long ask_mount_point(const struct subject *subject, struct statfs *fs)
{
	struct mounts_text mounts;
	struct mount_row row;
	const char *after = NULL;
	long r = -ENOSYS;
	u64 dev = 0, there = 0;

	if (device_of(subject->fd, subject->path, &dev) != 0 || mounts_text_read("/proc/self/mountinfo", &mounts) < 0)
		return -ENOSYS;
	while (r < 0 && mounts_by_device(mounts.text, &mounts.view, device_major(dev), device_minor(dev), after, &row)) {
		after = row.point.at;
		if (mount_field_path(row.point, mounts.told, MOUNTS_ROOM(mounts.text.size)) &&
		    device_of(0, SYS_ARG(mounts.told), &there) == 0 && there == dev && sys2(__NR_statfs, mounts.told, fs) == 0)
			r = 0;
	}
	mounts_text_free(&mounts);
	return r;
}

static enum verdict answer(struct call *call, const struct subject *subject)
{
	struct statfs fs = { 0 };

	call->ret = sys2(call->nr, call->arg[0], &fs);
	if (call->ret == -ENOSYS)
		call->ret = ask_mount_point(subject, &fs);
	if (call->ret == 0) {
		tell(&fs, subject);
		call->ret = guest_write(call->arg[1], &fs, sizeof(fs));
	}
	return CALL_DONE;
}

enum verdict fstype_statfs(struct call *call)
{
	struct subject subject = { .path = call->arg[0] };

	return answer(call, &subject);
}

enum verdict fstype_fstatfs(struct call *call)
{
	struct subject subject = { .fd = (s32)call->arg[0] };

	if (subject.fd < 0) { /* gVisor takes AT_FDCWD here */
		call->ret = -EBADF;
		return CALL_DONE;
	}
	return answer(call, &subject);
}
