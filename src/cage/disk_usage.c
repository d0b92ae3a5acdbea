// SPDX-License-Identifier: Apache-2.0
/* Counts the space that files take: see the header. */
#include "cage/disk_usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_mounts.h"
#include "cage/disk_usage_int.h"

#define SEEN_FIRST 1024u
#define CLOCK_EVERY 256u /* entries */
#define BLOCK 512u

static int refuse(struct disk_total *total, int error, const char *why)
{
	total->why = why;
	return error;
}

/* --- files that were counted ------------------------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct disk_file *table, size_t room, const struct disk_file *file)
{
	size_t at = (size_t)((file->inode * UINT64_C(0x9e3779b97f4a7c15)) ^ (file->device * UINT64_C(0xc2b2ae3d27d4eb4f)) >> 17);

	for (at &= room - 1; table[at].inode; at = (at + 1) & (room - 1))
		if (table[at].inode == file->inode && table[at].device == file->device)
			break;
	return at;
}

static int grow(struct disk_usage *usage)
{
	size_t room = usage->seen_room ? 2 * usage->seen_room : SEEN_FIRST;
	struct disk_file *more = usage->seen_count < DISK_LINKS ? calloc(room, sizeof(*more)) : NULL;

	if (!more)
		return -ENOMEM;
	for (size_t i = 0; i < usage->seen_room; i++)
		if (usage->seen[i].inode)
			more[place_of(more, room, &usage->seen[i])] = usage->seen[i];
	free(usage->seen);
	usage->seen = more;
	usage->seen_room = room;
	return 0;
}

int disk_seen_add(struct disk_usage *usage, u64 device, u64 inode, struct disk_total *total)
{
	const struct disk_file file = { device, inode ? inode : 1 };
	size_t at;

	if (2 * usage->seen_count >= usage->seen_room && grow(usage) < 0)
		return refuse(total, -ENOMEM, "there are too many files with several names");
	at = place_of(usage->seen, usage->seen_room, &file);
	if (usage->seen[at].inode)
		return 0;
	usage->seen[at] = file;
	usage->seen_count++;
	return 1;
}

static void forget(struct disk_usage *usage)
{
	if (usage->seen)
		memset(usage->seen, 0, usage->seen_room * sizeof(*usage->seen));
	usage->seen_count = 0;
}

/* --- the walk ------------------------------------------------------------------------------------------------------------------------------------ */

struct level {
	DIR *stream;
	dev_t device;
};

struct walk {
	struct disk_usage *usage;
	struct disk_total *total;
	s64 deadline;
	u32 entries;
	u32 depth;
	struct level levels[DISK_DEPTH];
};

static s64 now_ms(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int look_at_clock(struct walk *walk)
{
	if (walk->usage->stop && __atomic_load_n(walk->usage->stop, __ATOMIC_RELAXED))
		return refuse(walk->total, -EINTR, "the run has ended");
	if (++walk->entries % CLOCK_EVERY == 0 && walk->deadline && now_ms() > walk->deadline)
		return refuse(walk->total, -ETIME, "there are so many files that counting them takes too long");
	return 0;
}

static int count_file(struct walk *walk, const struct stat *st)
{
	int r = st->st_nlink > 1 && !S_ISDIR(st->st_mode) ? disk_seen_add(walk->usage, st->st_dev, st->st_ino, walk->total) : 1;

	if (r <= 0)
		return r;
	walk->total->bytes += (u64)st->st_blocks * BLOCK;
	if (S_ISREG(st->st_mode) && (u64)st->st_size > walk->total->largest)
		walk->total->largest = (u64)st->st_size;
	return 0;
}

/* A file system that takes no space, or that nobody writes. */
static bool is_spaceless(int fd)
{
	static const u64 kinds[] = { PROC_SUPER_MAGIC,    SYSFS_MAGIC,        CGROUP_SUPER_MAGIC,
				     CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC,
				     TRACEFS_MAGIC,       SECURITYFS_MAGIC,   BPF_FS_MAGIC,
				     EFIVARFS_MAGIC,      BINFMTFS_MAGIC,     SELINUX_MAGIC,
				     NSFS_MAGIC,          PSTOREFS_MAGIC,     0x62656570 /* configfs */,
				     0x19800202 /* mqueue */ };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((u64)fs.f_type == kinds[i])
			return true;
	return (fs.f_flags & ST_RDONLY) != 0;
}

static bool is_masked(const struct disk_usage *usage, const struct stat *st)
{
	for (size_t i = 0; i < usage->mask_count; i++)
		if (usage->mask_files[i].inode == st->st_ino && usage->mask_files[i].device == st->st_dev)
			return true;
	return false;
}

/* Of somebody else's, and not writable: nothing in it is the command's, which is no more than we are. "." is `parent`, which cannot be searched. */
static bool is_closed_to_command(int parent, const char *name)
{
	bool itself = strcmp(name, ".") == 0;
	struct stat st;

	return fstatat(parent, itself ? "" : name, &st, AT_SYMLINK_NOFOLLOW | (itself ? AT_EMPTY_PATH : 0)) == 0 &&
	       st.st_uid != geteuid() && (itself || faccessat(parent, name, W_OK, AT_EACCESS) < 0);
}

static int cannot_look(struct walk *walk, int parent, const char *name, int error)
{
	if (error == ENOENT || error == ENOTDIR || error == ELOOP || error == ESTALE) /* gone, or something else by now */
		return 0;
	if (error == EACCES || error == EPERM)
		return is_closed_to_command(parent, name)
			     ? 0
			     : refuse(walk->total, -EACCES, "a directory there cannot be read, though the command could write it");
	return refuse(walk->total, -error,
		      error == EMFILE ? "there are not enough descriptors to look at it" : strerrordesc_np(error));
}

static int enter(struct walk *walk, int parent, const char *name, dev_t around)
{
	CLEANUP_FD int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct level *level;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_look(walk, parent, name, errno);
	if ((st.st_dev != around || !walk->depth) && is_spaceless(fd))
		return 0;
	if (is_masked(walk->usage, &st))
		return 0;
	if (walk->depth == DISK_DEPTH)
		return refuse(walk->total, -ELOOP, "directories lie in each other too deep");
	walk->total->bytes += (u64)st.st_blocks * BLOCK;
	level = &walk->levels[walk->depth];
	*level = (struct level){ fdopendir(fd), st.st_dev };
	if (!level->stream)
		return refuse(walk->total, -ENOMEM, "memory ran out");
	(void)take_fd(&fd);
	walk->depth++;
	return 0;
}

static int look_at_entry(struct walk *walk, const struct level *level, const char *name)
{
	struct stat st;
	int parent = dirfd(level->stream);

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_look(walk, parent, ".", errno); /* the directory's own mode is why */
	return S_ISDIR(st.st_mode)         ? enter(walk, parent, name, level->device)
	     : is_masked(walk->usage, &st) ? 0
					   : count_file(walk, &st);
}

/* One step: the next entry of the innermost directory. */
static int step(struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];
	const struct dirent *entry;
	int r = look_at_clock(walk);

	if (r < 0)
		return r;
	errno = 0;
	entry = readdir(level->stream);
	if (!entry && errno && errno != ENOENT)
		return refuse(walk->total, -errno, "a directory there cannot be read");
	if (!entry) {
		(void)closedir(level->stream);
		walk->depth--;
		return 0;
	}
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return 0;
	return look_at_entry(walk, level, entry->d_name);
}

static int walk_root(struct walk *walk, const struct disk_root *root)
{
	struct stat st;
	int r;

	if (fstat(root->fd, &st) < 0)
		return refuse(walk->total, -errno, strerrordesc_np(errno));
	if (!S_ISDIR(st.st_mode))
		return S_ISREG(st.st_mode) ? count_file(walk, &st) : 0;
	r = enter(walk, root->fd, ".", st.st_dev);
	while (r == 0 && walk->depth)
		r = step(walk);
	while (walk->depth)
		(void)closedir(walk->levels[--walk->depth].stream);
	return r;
}

int disk_usage_walk(struct disk_usage *usage, s64 deadline, struct disk_total *ret)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int r = 0;

	*ret = (struct disk_total){ .why = "memory ran out" };
	if (!walk)
		return -ENOMEM;
	*walk = (struct walk){ .usage = usage, .total = ret, .deadline = deadline };
	forget(usage);
	for (size_t i = 0; i < usage->root_count && r == 0; i++)
		r = walk_root(walk, &usage->roots[i]);
	free(walk);
	return r;
}

/* --- roots --------------------------------------------------------------------------------------------------------------------------------------- */

bool disk_is_below(const char *path, const char *root)
{
	size_t length = root[1] ? strlen(root) : 0; /* "/": 0 */

	return strncmp(path, root, length) == 0 && (path[length] == '/' || !path[length]);
}

static bool is_inner(const char *const *paths, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (i != at && disk_is_below(paths[at], paths[i]) && (strcmp(paths[at], paths[i]) != 0 || i < at))
			return true;
	return false;
}

static int add_root(struct disk_root *list, size_t *count, const char *path)
{
	struct disk_root root = { strdup(path), cage_open_path(path) };
	bool gone = root.fd == -ENOENT || root.fd == -ENOTDIR || root.fd == -EACCES;

	if (root.path && root.fd >= 0) {
		list[(*count)++] = root;
		return 0;
	}
	close_fd(&root.fd);
	free(root.path);
	return !root.path ? -ENOMEM : gone ? 0 : root.fd; /* who cannot open it cannot write it either */
}

int disk_usage_open(struct disk_usage *usage, const char *const *roots, size_t count, const char *const *masks, size_t mask_count)
{
	struct stat st;
	int r = 0;

	*usage = (struct disk_usage){ 0 };
	usage->roots = calloc(count + 1, sizeof(*usage->roots));
	usage->masks = calloc(mask_count + 1, sizeof(*usage->masks));
	usage->mask_files = calloc(mask_count + 1, sizeof(*usage->mask_files));
	if (!usage->roots || !usage->masks || !usage->mask_files)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		if (!is_inner(roots, count, i))
			r = add_root(usage->roots, &usage->root_count, roots[i]);
	for (size_t i = 0; i < mask_count && r == 0; i++)
		r = add_root(usage->masks, &usage->mask_count, masks[i]);
	for (size_t i = 0; i < usage->mask_count; i++)
		if (fstat(usage->masks[i].fd, &st) == 0)
			usage->mask_files[i] = (struct disk_file){ st.st_dev, st.st_ino };
	return r;
}

static void close_roots(struct disk_root *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)close(list[i].fd);
		free(list[i].path);
	}
	free(list);
}

void disk_usage_close(struct disk_usage *usage)
{
	close_roots(usage->roots, usage->root_count);
	close_roots(usage->masks, usage->mask_count);
	free(usage->mask_files);
	free(usage->seen);
	*usage = (struct disk_usage){ 0 };
}

u64 disk_usage_free(const struct disk_usage *usage)
{
	u64 sum = 0;

	for (size_t i = 0; i < usage->root_count; i++) {
		struct statvfs fs;
		struct stat st, other;
		bool counted = fstat(usage->roots[i].fd, &st) < 0;

		for (size_t j = 0; j < i && !counted; j++)
			counted = fstat(usage->roots[j].fd, &other) == 0 && other.st_dev == st.st_dev;
		if (!counted && fstatvfs(usage->roots[i].fd, &fs) == 0)
			sum += (u64)fs.f_bfree * fs.f_frsize;
	}
	return sum;
}
