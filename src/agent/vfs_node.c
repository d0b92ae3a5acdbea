/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and describes a file that a gap supplies: what the kernel does for one of its own in /proc/sys or /dev. */
#include "agent/vfs_int.h"

#define TEXT_SIZE (UINT64_C(64) << 10) /* first try; a longer file asks for more */
#define BLOCK_SIZE 1024u               /* of procfs */
#define READ 4u
#define WRITE 2u

long vfs_node_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	switch (node->gap) {
#define GAP_LISTED(name)
#define GAP_BUILT(name)  \
	case GAP_##name: \
		return name##_vfs_read(node, path, buffer, size);
#include "gaps/gaps.def"
#undef GAP_BUILT
	default:
		return -ENOENT;
	}
}

long vfs_node_open(const struct vnode *node, const char *path, int flags)
{
	switch (node->gap) {
#define GAP_BUILT(name)  \
	case GAP_##name: \
		return name##_vfs_open(node, path, flags);
#include "gaps/gaps.def"
#undef GAP_BUILT
	default:
		return -ENOENT;
	}
}

long vfs_node_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	switch (node->gap) {
#define GAP_BUILT(name)  \
	case GAP_##name: \
		return name##_vfs_written(node, path, bytes, size);
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED
	default:
		return -EACCES;
	}
}

long vfs_read(const char *path, char *buffer, u64 size)
{
	struct vnode node;
	bool ours = vfs_find(path, &node);
	long fd, n;

	if (ours && !vfs_asks_kernel(&node))
		return vfs_node_read(&node, path, buffer, size);
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0);
	if (fd < 0)
		return ours && fd == -ENOENT ? vfs_node_read(&node, path, buffer, size) : fd;
	n = sys3(__NR_read, fd, buffer, size);
	(void)sys1(__NR_close, fd);
	return n;
}

u32 vfs_uid(bool effective)
{
	struct agent_creds creds;

	if (!identity_on())
		return (u32)sys0(effective ? __NR_geteuid : __NR_getuid);
	identity_creds(&creds);
	return effective ? creds.euid : creds.ruid;
}

static bool below_sysctl(const char *path)
{
	return !strncmp(path, "/proc/sys", 9) && (!path[9] || path[9] == '/');
}

/* Of /proc/sys the kernel asks the mode even for root (proc_sys_permission()); elsewhere root may read and write. */
int vfs_permission(const struct vnode *node, const char *path, u32 wanted, u32 uid)
{
	u32 bits = node->mode;

	if (uid == 0)
		bits = below_sysctl(path) ? bits >> 6 : bits >> 6 | READ | WRITE;
	else if (agent_in_group(0))
		bits >>= 3;
	return (wanted & ~bits & 7) ? -EACCES : 0;
}

void vfs_stat_node(const struct vnode *node, const char *path, struct kernel_stat *st)
{
	struct kernel_stat parent;
	s64 now = agent_now();
	u64 inode = 0xcbf29ce484222325;

	memset(st, 0, sizeof(*st));
	for (const char *at = path; *at; at++)
		inode = (inode ^ (u8)*at) * 0x100000001b3; /* FNV-1a: the same in every process */
	if (sys4(__NR_newfstatat, AT_FDCWD_, path[1] == 'p' ? "/proc" : "/dev", &parent, 0) == 0)
		st->dev = parent.dev;
	st->ino = (inode & 0x7fffffff) | 0x40000000;
	st->mode = node->mode;
	st->nlink = 1;
	st->rdev = (node->mode & VFS_TYPE) == VFS_DEVICE ? node->rdev : 0;
	st->blksize = below_sysctl(path) ? BLOCK_SIZE : LAYOUT_PAGE;
	st->atime = st->mtime = st->ctime = now;
}

static long open_directory(const struct vnode *node, const char *path, u32 flags)
{
	int name = vfs_intern(path);
	long fd, r;

	if ((flags & O_TMPFILE_) == O_TMPFILE_)
		return !(flags & O_ACCMODE_)                                ? -EINVAL
		     : vfs_permission(node, path, WRITE, vfs_uid(true)) < 0 ? -EACCES
									    : -EOPNOTSUPP;
	if ((flags & O_ACCMODE_) || (flags & (O_CREAT_ | O_TRUNC_)))
		return -EISDIR;
	if (name < 0)
		return name;
	fd = sys4(__NR_openat, AT_FDCWD_, "/proc/sys", flags & (O_CLOEXEC_ | O_NONBLOCK_ | O_DIRECTORY_ | O_NOFOLLOW_), 0);
	if (fd < 0)
		return fd;
	r = sys3(__NR_lseek, fd, VFS_DIR_OFFSET + (u64)name * VFS_DIR_POSITIONS, 0);
	if (r < 0) {
		(void)sys1(__NR_close, fd);
		return r;
	}
	return fd;
}

long vfs_snapshot(const struct vnode *node, const char *path, u32 flags)
{
	u64 size = TEXT_SIZE;

	for (;;) {
		long at = sys6(__NR_mmap, 0, size, 3, 0x4022 /* PRIVATE|ANONYMOUS|NORESERVE */, ~UINT64_C(0), 0), n, fd;

		if (at < 0 && at > -4096)
			return at;
		n = vfs_node_read(node, path, (char *)at, size); /* NOLINT(performance-no-int-to-ptr) */
		fd = n < 0 || n > (long)size ? n
		   : (flags & O_ACCMODE_) == O_RDWR_
			   ? vfs_open_both(path, (const char *)at, (u64)n, flags) /* NOLINT */
			   : vfile_open(path, (const void *)at, (u64)n,
					(int)(flags & (O_CLOEXEC_ | O_NONBLOCK_ | O_APPEND_ | O_PATH_))); /* NOLINT */
		(void)sys2(__NR_munmap, at, size);
		if (n <= (long)size)
			return fd;
		size = ALIGN_UP((u64)n, LAYOUT_PAGE);
	}
}

static long open_link(const struct vnode *node, const char *path, u32 flags)
{
	char target[VFS_PATH_MAX];
	long n;

	if (flags & O_NOFOLLOW_)
		return -ELOOP;
	n = vfs_node_read(node, path, target, sizeof(target) - 1);
	if (n < 0 || n >= (long)sizeof(target))
		return n < 0 ? n : -ENAMETOOLONG;
	target[n] = 0;
	return sys4(__NR_openat, AT_FDCWD_, target, flags & ~O_CREAT_, 0);
}

long vfs_open_node(const struct vnode *node, const char *path, u32 flags)
{
	static const u8 wanted[4] = { READ, WRITE, READ | WRITE, READ | WRITE };
	u32 type = node->mode & VFS_TYPE;
	long r;

	if (flags & O_CREAT_ && flags & O_EXCL_)
		return -EEXIST;
	if (type == VFS_DIRECTORY)
		return open_directory(node, path, flags);
	if (flags & O_DIRECTORY_)
		return -ENOTDIR;
	if (type == VFS_LINK)
		return open_link(node, path, flags);
	if (!(flags & O_PATH_)) {
		r = vfs_permission(node, path, wanted[flags & O_ACCMODE_] | ((flags & O_TRUNC_) ? WRITE : 0), vfs_uid(true));
		if (r < 0)
			return r;
	}
	r = vfs_node_open(node, path, (int)flags);
	if (r != -EOPNOTSUPP)
		return r;
	return (flags & O_ACCMODE_) == O_WRONLY_ ? vfs_open_write(path, flags) : vfs_snapshot(node, path, flags);
}
