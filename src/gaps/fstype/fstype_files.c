/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/{mountinfo,mounts}, those of its tasks, /proc/mounts and /etc/mtab, as far as opening and reading them goes: all else
 * about these files the kernel tells. A file in which nothing is to be told otherwise is the kernel's own, so that polling it works; else it is
 * a snapshot, made when it is opened. mounts is made from mountinfo, so that both say the same.
 */
#include "gaps/fstype/fstype_int.h"

#define AT_FDCWD_ (-100)
#define AT_EMPTY_PATH_ 0x1000
#define O_ACCMODE_ 3
#define O_NOFOLLOW_ 0400000
#define O_CLOEXEC_ 02000000
#define O_NONBLOCK_ 04000
#define O_PATH_ 010000000
#define FIRST_SIZE (UINT64_C(128) << 10)
#define LAST_SIZE (UINT64_C(64) << 20) /* Linux has at most 100,000 mounts in a namespace unless told otherwise */

/* --- reading the kernel's ------------------------------------------------------------------------------------------------------------ */

long device_of(s32 fd, u64 path, u64 *ret_dev)
{
	u64 st[18] = { 0 }; /* struct stat */
	long r = path ? sys4(__NR_newfstatat, AT_FDCWD_, path, st, 0) : sys2(__NR_fstat, fd, st);

	if (r == 0)
		*ret_dev = st[0];
	return r;
}

static void *map(u64 size)
{
	long at = sys6(__NR_mmap, 0, size, 3, 0x4022 /* PRIVATE|ANONYMOUS|NORESERVE */, ~UINT64_C(0), 0);

	return at < 0 && at > -4096 ? NULL : (void *)at; /* NOLINT(performance-no-int-to-ptr) */
}

/* Reads a whole file. Returns its size, `size` when it may be longer, or negative errno. */
static long read_file(const char *path, char *to, u64 size)
{
	long fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0), n;
	u64 used = 0;

	if (fd < 0)
		return fd;
	while (used < size && (n = sys3(__NR_read, fd, to + used, size - used)) > 0)
		used += (u64)n;
	(void)sys1(__NR_close, fd);
	return n < 0 && used < size ? n : (long)used;
}

/* /proc/PID/mountinfo → /proc/PID/root, whose device number stat(2) tells. */
static void ask_root(const char *path, struct mount_view *view)
{
	char root[FSTYPE_PATH];
	u64 dev, length = strlen(path);

	while (path[length - 1] != '/')
		length--;
	memcpy(root, path, length);
	memcpy(root + length, "root", 5);
	if (device_of(0, SYS_ARG(root), &dev) != 0)
		return;
	view->told_major = device_major(dev);
	view->told_minor = device_minor(dev);
}

long mounts_text_read(const char *path, struct mounts_text *ret)
{
	for (u64 size = FIRST_SIZE; size <= LAST_SIZE; size *= 2) {
		u64 mapped = ALIGN_UP(size + MOUNTS_ROOM(size), LAYOUT_PAGE);
		char *at = map(mapped);
		long n;

		if (!at)
			return -ENOMEM;
		n = read_file(path, at, size);
		if (n >= 0 && (u64)n < size) {
			*ret = (struct mounts_text){
				.text = { at, (u64)n },
				.told = at + size,
				.mapped = mapped,
				.view = { .forced = commons()->refused & (1u << GAP_fstype) },
			};
			mounts_look(ret->text, &ret->view);
			ask_root(path, &ret->view);
			return 0;
		}
		(void)sys2(__NR_munmap, at, mapped);
		if (n < 0)
			return n;
	}
	return -E2BIG;
}

void mounts_text_free(struct mounts_text *mounts)
{
	(void)sys2(__NR_munmap, mounts->text.at, mounts->mapped);
}

/* --- paths -------------------------------------------------------------------------------------------------------------------------- */

enum file { FILE_MOUNTINFO = 1, FILE_MOUNTS, FILE_LINK };

static u64 skip_digits(const char *at)
{
	u64 n = 0;

	while (at[n] >= '0' && at[n] <= '9')
		n++;
	return n;
}

/* The length of "/proc/PID/" or "/proc/PID/task/TID/" at a path's start, 0 when it is none. */
static u64 process_folder(const char *path)
{
	u64 at = 6, n;

	if (strncmp(path, "/proc/", 6))
		return 0;
	if (!strncmp(path + at, "thread-self/", 12))
		return at + 12;
	n = !strncmp(path + at, "self/", 5) ? 4 : skip_digits(path + at);
	if (!n || path[at + n] != '/')
		return 0;
	at += n + 1;
	if (strncmp(path + at, "task/", 5))
		return at;
	n = skip_digits(path + at + 5);
	return n && path[at + 5 + n] == '/' ? at + 5 + n + 1 : 0;
}

static u32 file_of(const char *path)
{
	u64 folder;

	if (!strcmp(path, "/proc/mounts") || !strcmp(path, "/etc/mtab"))
		return FILE_LINK;
	folder = process_folder(path);
	if (!folder || folder > FSTYPE_PATH / 2)
		return 0;
	if (!strcmp(path + folder, "mountinfo"))
		return FILE_MOUNTINFO;
	return strcmp(path + folder, "mounts") ? 0 : FILE_MOUNTS;
}

bool fstype_vfs_find(const char *path, struct vnode *node)
{
	node->id = file_of(path);
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return node->id != 0;
}

bool fstype_vfs_knows(const char *last)
{
	return !strcmp(last, "mountinfo") || !strcmp(last, "mounts") || !strcmp(last, "mtab");
}

/* --- opening ------------------------------------------------------------------------------------------------------------------------- */

static bool leads_to_mounts(const char *target)
{
	while (!strncmp(target, "../", 3))
		target += 3;
	if (*target == '/')
		target++;
	return !strcmp(target, "proc/self/mounts") || !strcmp(target, "proc/mounts");
}

/* Whether /proc/mounts or /etc/mtab is what it is on Linux: a link to the caller's mounts. */
static bool link_to_mounts(const char *path)
{
	char target[FSTYPE_PATH];
	long n = sys3(__NR_readlink, path, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = 0;
	return path[1] == 'p' || leads_to_mounts(target);
}

/* The snapshot, or -EOPNOTSUPP: it would say what the kernel's file says. */
static long open_told(const char *name, u32 id, int flags)
{
	char path[FSTYPE_PATH] = "/proc/self/mountinfo";
	bool is_mounts = id != FILE_MOUNTINFO;
	struct mounts_text mounts;
	long r = -EOPNOTSUPP;

	if (id != FILE_LINK) {
		u64 folder = process_folder(name);

		memcpy(path, name, folder);
		memcpy(path + folder, "mountinfo", 10);
	}
	if (mounts_text_read(path, &mounts) < 0)
		return -EOPNOTSUPP; /* the kernel's own file says why */
	if (mounts_differ(mounts.text, &mounts.view, is_mounts)) {
		u64 size = mounts_tell(mounts.text, &mounts.view, is_mounts, mounts.told);

		r = vfile_open(name, mounts.told, size, flags & (O_CLOEXEC_ | O_NONBLOCK_));
	}
	mounts_text_free(&mounts);
	return r;
}

long fstype_vfs_open(const struct vnode *node, const char *path, int flags)
{
	long r = -EOPNOTSUPP;

	if (!(flags & (O_ACCMODE_ | O_PATH_)) && (node->id != FILE_LINK || (!(flags & O_NOFOLLOW_) && link_to_mounts(path))))
		r = open_told(path, node->id, flags);
	return r == -EOPNOTSUPP ? sys4(__NR_openat, AT_FDCWD_, path, flags, 0) : r;
}

long fstype_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	(void)node, (void)path, (void)buffer, (void)size;
	return -EINVAL; /* they are opened by fstype_vfs_open() */
}

long fstype_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	(void)node, (void)path, (void)bytes, (void)size;
	return -EINVAL;
}

bool fstype_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	(void)path, (void)n, (void)entry;
	return false;
}
