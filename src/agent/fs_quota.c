/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of file systems without a device (fs_quota.h): the rows, what is counted, the filter. */
#include "agent/fs_quota.h"

#include "agent/fs_layers.h"
#include "agent/fs_mount.h"
#include "agent/vfs_int.h"

#define SECTOR 512u /* of st_blocks */

/* --- rows ------------------------------------------------------------------------------------------------------------------------------- */

static bool lies_in(const struct fs_quota *quota, const char *host)
{
	return __atomic_load_n(&quota->state, __ATOMIC_ACQUIRE) == FS_QUOTA_READY && quota->length < FS_QUOTA_PATH &&
	       !strncmp(host, quota->path, quota->length) && (host[quota->length] == '/' || !host[quota->length]);
}

struct fs_quota *fs_quota_of(const char *host)
{
	u32 count = __atomic_load_n(&commons()->fs.quota_count, __ATOMIC_ACQUIRE);

	for (u32 i = 0; i < count && i < FS_QUOTAS_MAX; i++)
		if (lies_in(&commons()->fs.quotas[i], host))
			return &commons()->fs.quotas[i];
	return NULL;
}

struct fs_quota *fs_quota_of_fd(s32 fd, char *text)
{
	char link[AGENT_FD_LINK_SIZE];
	long n;

	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, text, FS_HOST_MAX - 1);
	if (n <= 0 || text[0] != '/')
		return NULL;
	text[n] = 0;
	return fs_quota_of(text);
}

/* A row that is nobody's, or whose directory is not mounted any more. */
static struct fs_quota *claim(struct mnt_work *work)
{
	struct fs_state *fs = &commons()->fs;

	for (u32 i = 0; i < FS_QUOTAS_MAX;
	     i++) { /* who holds the lock is the only one here; what was being made when it was taken over is free */
		struct fs_quota *quota = &fs->quotas[i];

		if (__atomic_load_n(&quota->state, __ATOMIC_ACQUIRE) == FS_QUOTA_READY && !mnt_is_gone(work, quota->path))
			continue;
		__atomic_store_n(&quota->state, FS_QUOTA_MAKING, __ATOMIC_RELEASE);
		if (i >= fs->quota_count)
			__atomic_store_n(&fs->quota_count, i + 1, __ATOMIC_RELEASE);
		return quota;
	}
	return NULL;
}

long fs_quota_set(struct mnt_work *work, const char *path, u64 pages, u64 files)
{
	struct fs_quota *quota = fs_quota_of(path);
	u64 length = strlen(path);

	if (quota && quota->length == length) {
		fs_quota_count(quota);
		if ((pages && quota->used_pages > pages) || (files && quota->used_files > files))
			return -EINVAL;
		quota->pages = pages;
		quota->files = files;
		return 0;
	}
	if ((!pages && !files) || length >= FS_QUOTA_PATH)
		return 0;
	quota = claim(work);
	if (!quota)
		return 0;
	quota->length = (u32)length;
	quota->pages = pages;
	quota->files = files;
	memcpy(quota->path, path, length + 1);
	fs_quota_count(quota);
	__atomic_store_n(&quota->state, FS_QUOTA_READY, __ATOMIC_RELEASE);
	return 0;
}

long fs_quota_mounted(struct mnt_work *work, const char *path, const struct mnt_super *super)
{
	return super->kind == MNT_TMPFS && path[0] ? fs_quota_set(work, path, super->blocks, super->inodes) : 0;
}

void fs_quota_drop(const char *path)
{
	struct fs_quota *quota = fs_quota_of(path);

	if (quota && quota->length == strlen(path))
		__atomic_store_n(&quota->state, FS_QUOTA_FREE, __ATOMIC_RELEASE);
}

/* --- counting --------------------------------------------------------------------------------------------------------------------------- */

#define DEPTH_MAX 512u

struct entry { /* struct linux_dirent64 */
	u64 ino, off;
	u16 size;
	u8 type;
	char name[];
};

struct walk {
	u64 pages, files;
	u32 depth;
	u64 next[DEPTH_MAX]; /* where to go on in the directories above */
	char path[FS_HOST_MAX];
	char entries[8192];
};

u64 fs_quota_pages(const struct kernel_stat *st)
{
	u64 pages = ((u64)st->blocks * SECTOR + LAYOUT_PAGE - 1) / LAYOUT_PAGE,
	    size = ((u64)st->size + LAYOUT_PAGE - 1) / LAYOUT_PAGE;

	return pages < size ? pages : size; /* a disk's file system may have reserved more */
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Counts an entry; true: it is a directory to be entered, whose name is put behind the path. */
static bool count_entry(struct walk *walk, s32 dir, const struct entry *e)
{
	u64 length = strlen(walk->path), name = strlen(e->name);
	struct kernel_stat st;

	if (is_dots(e->name))
		return false;
	walk->files++;
	if (sys4(__NR_newfstatat, dir, e->name, &st, AT_SYMLINK_NOFOLLOW_) < 0)
		return false;
	if ((st.mode & VFS_TYPE) == VFS_REGULAR)
		walk->pages += fs_quota_pages(&st) / (st.nlink ? st.nlink : 1);
	if ((st.mode & VFS_TYPE) != VFS_DIRECTORY || walk->depth == DEPTH_MAX - 1 || length + name + 2 > FS_HOST_MAX)
		return false;
	walk->path[length] = '/';
	memcpy(walk->path + length + 1, e->name, name + 1);
	return true;
}

/* Goes through the directory at the path, from where it was left. True: on with one below it. */
static bool walk_directory(struct walk *walk)
{
	long fd = sys3(__NR_open, walk->path, O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_, 0), n;
	u64 *next = &walk->next[walk->depth];
	bool deeper = false;

	if (fd < 0)
		return false;
	if (*next)
		(void)sys3(__NR_lseek, fd, *next, 0);
	while (!deeper && (n = sys3(__NR_getdents64, fd, walk->entries, sizeof(walk->entries))) > 0)
		for (long at = 0; at < n && !deeper;) {
			const struct entry *e = (const struct entry *)(const void *)(walk->entries + at);

			at += e->size;
			*next = e->off;
			deeper = count_entry(walk, (s32)fd, e);
		}
	(void)sys1(__NR_close, fd);
	return deeper;
}

/* The path of the directory above. */
static void leave(char *path)
{
	u64 length = strlen(path);

	while (length && path[--length] != '/')
		;
	path[length] = 0;
}

void fs_quota_count(struct fs_quota *quota)
{
	u64 room = ALIGN_UP(sizeof(struct walk), LAYOUT_PAGE);
	long map = sys6(__NR_mmap, 0, room, 3, 0x22 /* private, anonymous */, (u64)-1, 0);
	struct walk *walk;

	if (map < 0)
		return;
	walk = (struct walk *)map; /* NOLINT(performance-no-int-to-ptr) */
	memcpy(walk->path, quota->path, quota->length);
	walk->files = 1; /* the directory itself */
	for (;;) {
		if (walk_directory(walk)) {
			walk->next[++walk->depth] = 0;
			continue;
		}
		if (walk->depth-- == 0)
			break;
		leave(walk->path);
	}
	__atomic_store_n(&quota->used_pages, walk->pages, __ATOMIC_RELAXED);
	__atomic_store_n(&quota->used_files, walk->files, __ATOMIC_RELAXED);
	(void)sys2(__NR_munmap, map, room);
}

static bool take(u64 limit, u64 *used, u64 more)
{
	u64 now = __atomic_load_n(used, __ATOMIC_RELAXED);

	do {
		if (more && limit && (now > limit || more > limit - now))
			return false;
	} while (!__atomic_compare_exchange_n(used, &now, now + more, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

bool fs_quota_reserve(struct fs_quota *quota, u64 pages)
{
	return take(quota->pages, &quota->used_pages, pages);
}

void fs_quota_return(struct fs_quota *quota, u64 pages)
{
	u64 now = __atomic_load_n(&quota->used_pages, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(&quota->used_pages, &now, now > pages ? now - pages : 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

long fs_quota_add_file(struct fs_quota *quota)
{
	if (take(quota->files, &quota->used_files, 1))
		return 0;
	fs_quota_count(quota);
	return take(quota->files, &quota->used_files, 1) ? 0 : -ENOSPC;
}

/* --- the filter ---------------------------------------------------------------------------------------------------------------------------- */

/* The calls of fs_quota.def, unless the agent makes them, come to the agent. */
static long install(void)
{
	static const u16 numbers[] = {
#define GAP_CALL(name, test, handler) __NR_##name,
#include "agent/fs_quota.def"
#undef GAP_CALL
	};
	return agent_add_filter(&(struct added_filter){ .always = numbers, .always_count = ARRAY_SIZE(numbers) });
}

long fs_quota_watch(void)
{
	s32 pid = (s32)sys0(__NR_getpid);
	long r;

	if (trace_everything() || __atomic_load_n(&private()->quota_pid, __ATOMIC_RELAXED) == pid)
		return 0; /* all calls come to the agent; nobody's memory but this process's says that it has the filter, or a vfork child's */
	r = install();
	if (r == 0)
		__atomic_store_n(&private()->quota_pid, pid, __ATOMIC_RELAXED);
	return r;
}
