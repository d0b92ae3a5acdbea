/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems that a guest mounts (their options: fs_mount_options.c), and the directory of the host that holds what they have.
 *
 *   tmpfs, ramfs     a fresh directory of the cell's scratch directory
 *   mqueue           likewise: queues themselves are no files for mq_open(2)
 *   proc, devpts     the host's
 *   sysfs            the host's, read-only: it is the machine's
 *   overlay          fs_mount_overlay.c
 *   cgroup, cgroup2  where gap cgroup is filled: a hierarchy of it
 *
 * Any other type says ENODEV, as of a kernel that has none.
 */
#include "agent/fs_mount.h"
#include "agent/vfs_int.h"

#define MQUEUE_MODE 01777u

long mnt_scratch(const struct mnt_super *super, u32 number, char *path, u64 size)
{
	u32 mode = super->kind == MNT_MQUEUE ? MQUEUE_MODE : super->mode;
	long r, fd;

	if (!commons()->scratch[0])
		return -ENOSPC;
	path[0] = 0;
	mnt_append(path, size, commons()->scratch);
	mnt_append_number(path, size, "/", number, 10, 1);
	r = sys2(__NR_mkdir, path, 0700);
	if (r < 0)
		return r;
	fd = sys3(__NR_open, path, O_DIRECTORY_ | O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	if (identity_on()) {
		r = identity_made(-1, (s32)fd, 0, mode | VFS_DIRECTORY);
		if (r == 0)
			r = identity_chown((s32)fd, 0, super->uid, super->gid);
		if (r == 0)
			r = identity_chmod((s32)fd, 0, mode);
	} else {
		r = super->uid || super->gid ? sys3(__NR_fchown, fd, super->uid, super->gid) : 0;
		if (r == 0)
			r = sys2(__NR_fchmod, fd, mode);
	}
	(void)sys1(__NR_close, fd);
	if (r < 0)
		(void)sys1(__NR_rmdir, path);
	return r;
}

/* A hierarchy, which may be there already. `path`: FS_HOST_MAX bytes. */
static long make_cgroup(struct mnt_super *super, char *path, struct fs_new_mount *ret)
{
	struct cgroup_mounted tree = { .path = path, .path_size = FS_HOST_MAX };
	long r = cgroup_mount(super->kind == MNT_CGROUP, super->more[0] ? super->more + 1 : "", ret->device, &tree);

	if (r < 0)
		return r;
	super->shown[0] = 0;
	mnt_append(super->shown, sizeof(super->shown), tree.options);
	ret->device = tree.device;
	ret->options = super->shown;
	ret->flags |= FS_CGROUP | FS_BOUND; /* it may be mounted several times */
	return 0;
}

long mnt_super_make(struct mnt_work *work, struct mnt_super *super, struct fs_new_mount *ret)
{
	char *path = work->other.host;
	long r = 0;

	mnt_super_show(super);
	*ret = (struct fs_new_mount){
		.device = fs_new_device(),
		.type = mnt_type_name(super->kind),
		.from = super->has_source ? super->source : "none",
		.options = super->shown[0] ? super->shown + 1 : "",
		.flags = super->read_only ? FS_READ_ONLY | FS_SUPER_READ_ONLY : 0,
	};
	path[0] = 0;
	switch (super->kind) {
	case MNT_TMPFS:
	case MNT_RAMFS:
	case MNT_MQUEUE:
		r = mnt_scratch(super, ret->device, path, FS_HOST_MAX);
		break;
	case MNT_PROC:
		mnt_append(path, FS_HOST_MAX, "/proc");
		ret->flags |= FS_PROC;
		break;
	case MNT_SYSFS:
		mnt_append(path, FS_HOST_MAX, "/sys");
		ret->flags |= FS_READ_ONLY | FS_SUPER_READ_ONLY;
		break;
	case MNT_DEVPTS:
		mnt_append(path, FS_HOST_MAX, "/dev/pts");
		break;
	case MNT_OVERLAY:
		r = mnt_overlay_make(work, super, ret);
		break;
	case MNT_CGROUP:
	case MNT_CGROUP2:
		r = make_cgroup(super, path, ret);
		break;
	default:
		r = -ENODEV;
	}
	if (super->kind != MNT_OVERLAY)
		ret->source = path;
	ret->source_length = ret->source ? (u32)strlen(ret->source) : 0;
	return r;
}
