/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths in a hierarchy of control groups (gaps/cgroup). Its directories and files are real ones of the host, so that all that concerns names, owners,
 * modes and listings needs nothing here; what is opened is replaced where the gap makes its bytes or takes what is written, and groups are
 * made and removed by the gap. Errors are those of kernfs (fs/kernfs).
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

/* What the gap knows by `path`, opened: a descriptor or negative errno. */
static long open_known(const char *path, u64 flags)
{
	struct vnode node;

	if (!vfs_find(path, &node))
		return -ENODEV;
	node.mode = VFS_REGULAR | 0666; /* who may was asked by opening the file */
	return vfs_open_node(&node, path, (u32)flags & (O_ACCMODE_ | O_CLOEXEC_ | O_NONBLOCK_ | O_APPEND_));
}

/* What is there: its type, or negative errno. */
static long type_of(struct fs_work *work)
{
	struct kernel_stat st;
	long fd = fs_host_open(work, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0), r;

	if (fd < 0)
		return fd;
	r = sys2(__NR_fstat, fd, &st);
	(void)sys1(__NR_close, fd);
	return r < 0 ? r : (long)(st.mode & VFS_TYPE);
}

long fs_cgroup_open(struct fs_work *work, u64 flags, u64 mode)
{
	char path[CGROUP_FILE_PATH];
	long type = type_of(work), fd, shown;

	if ((flags & O_TMPFILE_) == O_TMPFILE_)
		return type == VFS_DIRECTORY ? -EOPNOTSUPP : type < 0 ? type : -ENOTDIR;
	if (type < 0) /* nothing is made here, not even where a group has just been removed (-ELOOP) and comes back */
		return type == -ENOENT && (flags & O_CREAT_) ? -EACCES : type;
	if ((flags & (O_CREAT_ | O_EXCL_)) == (O_CREAT_ | O_EXCL_))
		return -EEXIST;
	if (type != VFS_REGULAR && (flags & O_CREAT_) && !(flags & O_PATH_))
		return -EISDIR;
	if (type != VFS_REGULAR || (flags & O_PATH_))
		return fs_open_as(work, flags, mode, false);
	fd = fs_open_as(work, flags & ~(u64)(O_CREAT_ | O_TRUNC_ | O_APPEND_), 0, false);
	if (fd < 0)
		return fd;
	shown = cgroup_describe(work->host, path);
	if (!shown && !(flags & O_ACCMODE_)) {
		cgroup_watch((s32)fd, path);
		return fd;
	}
	(void)sys1(__NR_close, fd); /* its number is what the other one gets */
	return shown < 0 ? shown : open_known(path, flags);
}

bool agent_device_mounted(u32 device)
{
	for (u32 s = 0; s < FS_SPACES_MAX; s++) {
		const struct fs_space *space = fs_space_of(s);
		const struct fs_table *table = &space->copy[space->active & 1];

		for (u32 i = 0; space->state == FS_SPACE_READY && i < table->count && i < FS_MOUNTS_MAX; i++)
			if (table->mounts[i].device == device)
				return true;
	}
	return false;
}

long fs_cgroup_make(struct fs_work *work, const struct fs_name *where, const struct fs_new *made)
{
	return made->kind == FS_NEW_DIRECTORY ? cgroup_make(work->host, where->directory, where->name, (u32)made->mode) : -EPERM;
}

long fs_cgroup_remove(struct fs_work *work, const struct fs_name *where, bool directory)
{
	struct kernel_stat st;
	long r = sys4(__NR_newfstatat, where->directory, where->name, &st, 0x100 /* AT_SYMLINK_NOFOLLOW */);

	if (r < 0)
		return r;
	if ((st.mode & VFS_TYPE) == VFS_DIRECTORY)
		return directory ? cgroup_remove(work->host, where->directory, where->name) : -EISDIR;
	return directory ? -ENOTDIR : -EPERM;
}
