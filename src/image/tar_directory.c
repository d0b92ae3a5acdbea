// SPDX-License-Identifier: Apache-2.0
/* A directory tree as tar archive. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/override_stat.h"
#include "image/tar_write.h"

#define XATTRS_MAX 64u                    /* of one file */
#define XATTRS_BYTES ((size_t)128 * 1024) /* of their values together */

/* A file with several names: the first is written with its data, the others as links to it. */
struct linked {
	dev_t dev;
	ino_t ino;
	char *path;
};

struct walk {
	const struct tar_sink *sink;
	struct linked *linked;
	size_t linked_count;
	dev_t dev;
	struct stat not_this;
	char *path; /* of the entry, relative, PATH_MAX bytes */
	u8 *buffer; /* XATTRS_BYTES */
};

static int walk_directory(struct walk *walk, int dir, size_t length);

/* Looks a hard link's first name up, or remembers this one. *ret_first is NULL when it is the first. */
static int find_link(struct walk *walk, const struct stat *st, const char **ret_first)
{
	*ret_first = NULL;
	if (st->st_nlink < 2)
		return 0;
	for (size_t i = 0; i < walk->linked_count; i++)
		if (walk->linked[i].ino == st->st_ino && walk->linked[i].dev == st->st_dev) {
			*ret_first = walk->linked[i].path;
			return 0;
		}
	struct linked *more = reallocarray(walk->linked, walk->linked_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	walk->linked = more;
	char *path = strdup(walk->path);
	if (!path)
		return -ENOMEM;
	walk->linked[walk->linked_count++] = (struct linked){ st->st_dev, st->st_ino, path };
	return 0;
}

/* What belongs to an image: attributes of users, and those of root that are not labels of this machine. */
static const char *wanted_xattr(const char *name)
{
	if (strcmp(name, OVERRIDE_STAT) == 0)
		return NULL;
	if (strncmp(name, OVERRIDE_XATTR_PREFIX, strlen(OVERRIDE_XATTR_PREFIX)) == 0)
		return name + strlen(OVERRIDE_XATTR_PREFIX);
	if (strcmp(name, "security.capability") == 0)
		return name;
	if (strncmp(name, "user.", 5) != 0 || strncmp(name, "user.overlay.", 13) == 0)
		return NULL;
	return name;
}

/* Tells the truth of a file that only stands for it. */
static void apply_override(const char *text, struct tar_entry *entry)
{
	struct override_stat is;
	if (override_stat_parse(text, &is))
		return;
	entry->uid = is.uid;
	entry->gid = is.gid;
	entry->mode = is.mode;
	if (is.type && entry->type == '0') {
		entry->type = is.type == 'b' ? '4' : '3';
		entry->major = is.major;
		entry->minor = is.minor;
		entry->size = 0;
	}
}

/* Reads the attributes of an open file, and what OVERRIDE_STAT says of it. */
static int read_xattrs(struct walk *walk, int fd, char names[], size_t room, struct tar_xattr *xattrs, struct tar_entry *entry)
{
	ssize_t size = flistxattr(fd, names, room);
	size_t used = 0;
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		const char *name = names + at, *as = wanted_xattr(name);
		char override[OVERRIDE_STAT_MAX];
		if (strcmp(name, OVERRIDE_STAT) == 0) {
			ssize_t n = fgetxattr(fd, name, override, sizeof(override) - 1);
			if (n > 0) {
				override[n] = '\0';
				apply_override(override, entry);
			}
		}
		if (!as)
			continue;
		if (entry->xattr_count == XATTRS_MAX)
			return -E2BIG;
		ssize_t n = fgetxattr(fd, name, walk->buffer + used, XATTRS_BYTES - used);
		if (n < 0)
			return errno == ERANGE ? -E2BIG : -errno;
		xattrs[entry->xattr_count++] = (struct tar_xattr){ as, walk->buffer + used, (size_t)n };
		used += (size_t)n;
	}
	entry->xattrs = xattrs;
	return 0;
}

static int write_data(struct walk *walk, int file, u64 size)
{
	char data[64 * 1024];
	for (u64 left = size; left;) {
		ssize_t n = read(file, data, left < sizeof(data) ? (size_t)left : sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ESTALE; /* somebody truncates it meanwhile */
		int error = walk->sink->write(walk->sink->arg, data, (size_t)n);
		if (error)
			return error;
		left -= (u64)n;
	}
	return tar_pad(walk->sink, size);
}

/* Files and directories, which can be opened and have attributes. */
static int write_opened(struct walk *walk, int fd, struct tar_entry *entry)
{
	char names[8192];
	struct tar_xattr xattrs[XATTRS_MAX];
	int error = read_xattrs(walk, fd, names, sizeof(names), xattrs, entry);
	if (!error)
		error = tar_header(walk->sink, entry);
	return error || entry->type != '0' ? error : write_data(walk, fd, entry->size);
}

static int write_regular(struct walk *walk, int dir, const char *name, const struct stat *st, struct tar_entry *entry)
{
	int error = find_link(walk, st, &entry->link);
	if (error)
		return error;
	if (entry->link) {
		entry->type = '1';
		return tar_header(walk->sink, entry);
	}
	CLEANUP_FD int file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return -errno;
	entry->size = (u64)st->st_size;
	return write_opened(walk, file, entry);
}

static int write_symlink(struct walk *walk, int dir, const char *name, struct tar_entry *entry)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	entry->link = target;
	return tar_header(walk->sink, entry);
}

static int write_subdirectory(struct walk *walk, int dir, const char *name, const struct stat *st, struct tar_entry *entry,
			      size_t length)
{
	bool is_other = st->st_dev != walk->dev || (st->st_dev == walk->not_this.st_dev && st->st_ino == walk->not_this.st_ino);
	CLEANUP_FD int below = tree_enter(dir, name);
	if (below < 0)
		return below;
	walk->path[length] = '/';
	walk->path[length + 1] = '\0';
	int error = write_opened(walk, below, entry);
	return error || is_other ? error : walk_directory(walk, below, length + 1);
}

static char type_of(mode_t mode)
{
	static const struct {
		mode_t format;
		char type;
	} types[] = { { S_IFREG, '0' }, { S_IFLNK, '2' }, { S_IFCHR, '3' }, { S_IFBLK, '4' }, { S_IFDIR, '5' }, { S_IFIFO, '6' } };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((mode & S_IFMT) == types[i].format)
			return types[i].type;
	return 0;
}

static void describe(const struct walk *walk, const struct stat *st, struct tar_entry *entry)
{
	bool own = geteuid() != 0 && st->st_uid == geteuid();
	*entry = (struct tar_entry){
		.name = walk->path,
		.type = type_of(st->st_mode),
		.mode = st->st_mode & 07777,
		.uid = own ? 0 : st->st_uid,
		.gid = own ? 0 : st->st_gid,
		.mtime = st->st_mtim.tv_sec,
	};
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		entry->major = major(st->st_rdev);
		entry->minor = minor(st->st_rdev);
	}
}

/* One name of a directory whose path, with a slash unless it is empty, has `length` bytes in walk->path. */
static int write_name(struct walk *walk, int dir, const char *name, size_t length)
{
	struct tar_entry entry;
	struct stat st;
	size_t more = strlen(name);
	if (length + more + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->path + length, name, more + 1);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	describe(walk, &st, &entry);
	switch (entry.type) {
	case '0':
		return write_regular(walk, dir, name, &st, &entry);
	case '2':
		return write_symlink(walk, dir, name, &entry);
	case '5':
		return write_subdirectory(walk, dir, name, &st, &entry, length + more);
	default:
		return entry.type ? tar_header(walk->sink, &entry) : 0;
	}
}

/* Names of a directory, sorted. */
struct names {
	char **names;
	size_t count;
};

static int add_name(void *arg, int dir, const char *name)
{
	struct names *list = arg;
	(void)dir;
	char **more = reallocarray(list->names, list->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->names = more;
	list->names[list->count] = strdup(name);
	return list->names[list->count++] ? 0 : -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int walk_directory(struct walk *walk, int dir, size_t length)
{
	struct names list = { 0 };
	int error = tree_each(dir, add_name, &list);
	if (!error && list.count)
		qsort(list.names, list.count, sizeof(*list.names), compare_names);
	for (size_t i = 0; i < list.count; i++) {
		if (!error)
			error = write_name(walk, dir, list.names[i], length);
		free(list.names[i]);
	}
	free(list.names);
	return error;
}

int tar_directory(const struct tar_sink *sink, int root, int not_this, char *where)
{
	struct walk walk = { .sink = sink, .path = where, .buffer = malloc(XATTRS_BYTES) };
	struct tar_entry entry;
	struct stat st;
	memcpy(where, "./", 3);
	int error = walk.buffer ? 0 : -ENOMEM;
	if (!error && (fstat(root, &st) || (not_this >= 0 && fstat(not_this, &walk.not_this))))
		error = -errno;
	if (!error) {
		walk.dev = st.st_dev;
		describe(&walk, &st, &entry);
		error = write_opened(&walk, root, &entry);
	}
	if (!error)
		error = walk_directory(&walk, root, 0);
	if (!error)
		error = tar_end(sink);
	for (size_t i = 0; i < walk.linked_count; i++)
		free(walk.linked[i].path);
	free(walk.linked);
	free(walk.buffer);
	return error;
}
