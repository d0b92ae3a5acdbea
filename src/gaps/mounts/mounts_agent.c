/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap mounts, agent half: the files of /proc that tell what is mounted. Mounting itself is the file tree's (agent/fs_mount.h).
 *
 * /proc/PID/{mountinfo,mounts,mountstats}, those of its tasks, and /proc/mounts: as far as opening and reading them goes; all else about them
 * the kernel tells. Each is a snapshot of the moment at which it is opened.
 */
#include "agent/vfs.h"

#define AT_FDCWD_ (-100)
#define O_ACCMODE_ 3
#define O_NOFOLLOW_ 0400000
#define O_CLOEXEC_ 02000000
#define O_NONBLOCK_ 04000
#define O_PATH_ 010000000
#define ROOM_FIRST (UINT64_C(64) << 10)

GAP_NO_EVENTS(mounts)

/* A number of a process or thread at the start of text: how many bytes it has; 0: none. "self": 0 in *ret. */
static u64 number(const char *text, s32 *ret)
{
	u64 n = 0;

	*ret = 0;
	if (!strncmp(text, "self/", 5))
		return 4;
	while (text[n] >= '0' && text[n] <= '9')
		*ret = *ret * 10 + (text[n++] - '0');
	return n && text[n] == '/' ? n : 0;
}

/* Takes a path apart: enum mounts_file + 1, 0 when it is none of these; *ret_tid: of whom, 0 the caller. */
static u32 file_of(const char *path, s32 *ret_tid)
{
	static const char names[][12] = { "mountinfo", "mounts", "mountstats" };
	const char *at = path + 6;
	s32 tid;
	u64 n;

	*ret_tid = 0;
	if (strncmp(path, "/proc/", 6))
		return 0;
	if (!strcmp(at, "mounts"))
		return MOUNTS_MOUNTS + 1;
	if (!strncmp(at, "thread-self/", 12)) {
		at += 12;
	} else {
		n = number(at, ret_tid);
		if (!n)
			return 0;
		at += n + 1;
		if (!strncmp(at, "task/", 5) && (n = number(at + 5, &tid)) && tid) {
			*ret_tid = tid;
			at += 5 + n + 1;
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(at, names[i]))
			return i + 1;
	return 0;
}

bool mounts_vfs_find(const char *path, struct vnode *node)
{
	s32 tid;

	node->id = file_of(path, &tid);
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return node->id != 0;
}

bool mounts_vfs_knows(const char *last)
{
	return !strcmp(last, "mountinfo") || !strcmp(last, "mounts") || !strcmp(last, "mountstats");
}

long mounts_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	s32 tid;
	u32 file = file_of(path, &tid);

	(void)node;
	return file ? agent_mounts_tell(file - 1, tid, buffer, size) : -EINVAL;
}

/* The snapshot, or -EOPNOTSUPP: the kernel's file says why there is none. */
static long open_told(const struct vnode *node, const char *path, int flags)
{
	u64 room = ROOM_FIRST;
	long r = -ENOMEM;

	for (u32 i = 0; i < 8; i++) {
		long at = sys6(__NR_mmap, 0, room, 3, 0x22 /* PRIVATE|ANONYMOUS */, ~UINT64_C(0), 0);
		u64 mapped = room;

		if (at < 0)
			return at;
		r = mounts_vfs_read(node, path, (char *)at, room); /* NOLINT(performance-no-int-to-ptr) */
		if (r >= 0 && (u64)r <= room) {
			r = vfile_open(path, (const void *)at, (u64)r,
				       flags & (O_CLOEXEC_ | O_NONBLOCK_)); /* NOLINT(performance-no-int-to-ptr) */
			i = 8;
		} else {
			room = r < 0 ? room : ALIGN_UP((u64)r + LAYOUT_PAGE, LAYOUT_PAGE);
			i = r < 0 ? 8 : i;
		}
		(void)sys2(__NR_munmap, at, mapped);
	}
	return r;
}

long mounts_vfs_open(const struct vnode *node, const char *path, int flags)
{
	long r = -EOPNOTSUPP, fd = sys4(__NR_openat, AT_FDCWD_, path, flags, 0);

	if ((fd >= 0 || (fd == -ENOENT && !strncmp(path, "/proc/self/mountstats", 22))) &&
	    !(flags & (O_ACCMODE_ | O_PATH_ | O_NOFOLLOW_)))
		r = open_told(node, path, flags);
	if (r < 0 || fd < 0) /* gVisor has no mountstats */
		return r < 0 ? fd : r;
	/* the number is that of the kernel's file */
	(void)sys3(__NR_dup3, r, fd, flags & O_CLOEXEC_);
	(void)sys1(__NR_close, r);
	return fd;
}

long mounts_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	(void)node, (void)path, (void)bytes, (void)size;
	return -EINVAL;
}

bool mounts_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	(void)path, (void)n, (void)entry;
	return false;
}
