// SPDX-License-Identifier: Apache-2.0
/* One object of a directory tree in a tar archive. */
#include <errno.h>
#include <fcntl.h>
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
struct tar_linked {
	dev_t dev;
	ino_t ino;
	char *path;
};

int tar_objects_init(struct tar_objects *objects, const struct tar_sink *sink)
{
	*objects = (struct tar_objects){ .sink = sink, .buffer = malloc(XATTRS_BYTES) };
	return objects->buffer ? 0 : -ENOMEM;
}

void tar_objects_done(struct tar_objects *objects)
{
	for (size_t i = 0; i < objects->linked_count; i++)
		free(objects->linked[i].path);
	free(objects->linked);
	free(objects->buffer);
	*objects = (struct tar_objects){ 0 };
}

/* Looks a hard link's first name up, or remembers this one. *ret_first is NULL when it is the first. */
static int find_link(struct tar_objects *objects, const char *name, const struct stat *st, const char **ret_first)
{
	*ret_first = NULL;
	if (st->st_nlink < 2)
		return 0;
	for (size_t i = 0; i < objects->linked_count; i++)
		if (objects->linked[i].ino == st->st_ino && objects->linked[i].dev == st->st_dev) {
			*ret_first = objects->linked[i].path;
			return 0;
		}
	struct tar_linked *more = reallocarray(objects->linked, objects->linked_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	objects->linked = more;
	char *path = strdup(name);
	if (!path)
		return -ENOMEM;
	objects->linked[objects->linked_count++] = (struct tar_linked){ st->st_dev, st->st_ino, path };
	return 0;
}

/* What belongs to an image: attributes of users, and those of root that are not labels of this machine. */
static const char *wanted_xattr(const char *name)
{
	if (strcmp(name, OVERRIDE_STAT) == 0 || strncmp(name, OVERRIDE_OWNER_PREFIX, strlen(OVERRIDE_OWNER_PREFIX)) == 0)
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
static int read_xattrs(struct tar_objects *objects, int fd, char names[], size_t room, struct tar_xattr *xattrs,
		       struct tar_entry *entry)
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
		ssize_t n = fgetxattr(fd, name, objects->buffer + used, XATTRS_BYTES - used);
		if (n < 0)
			return errno == ERANGE ? -E2BIG : -errno;
		xattrs[entry->xattr_count++] = (struct tar_xattr){ as, objects->buffer + used, (size_t)n };
		used += (size_t)n;
	}
	entry->xattrs = xattrs;
	return 0;
}

static int write_data(struct tar_objects *objects, int file, u64 size)
{
	char data[64 * 1024];
	for (u64 left = size; left;) {
		ssize_t n = read(file, data, left < sizeof(data) ? (size_t)left : sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ESTALE; /* somebody truncates it meanwhile */
		int error = objects->sink->write(objects->sink->arg, data, (size_t)n);
		if (error)
			return error;
		left -= (u64)n;
	}
	return tar_pad(objects->sink, size);
}

/* Files and directories, which can be opened and have attributes. */
static int write_opened(struct tar_objects *objects, int fd, struct tar_entry *entry)
{
	char names[8192];
	struct tar_xattr xattrs[XATTRS_MAX];
	int error = read_xattrs(objects, fd, names, sizeof(names), xattrs, entry);
	if (!error)
		error = tar_header(objects->sink, entry);
	return error || entry->type != '0' ? error : write_data(objects, fd, entry->size);
}

static int write_regular(struct tar_objects *objects, int dir, const char *name, const struct stat *st, struct tar_entry *entry)
{
	int error = find_link(objects, entry->name, st, &entry->link);
	if (error)
		return error;
	if (entry->link) {
		entry->type = '1';
		return tar_header(objects->sink, entry);
	}
	CLEANUP_FD int file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return -errno;
	entry->size = (u64)st->st_size;
	return write_opened(objects, file, entry);
}

static int write_symlink(struct tar_objects *objects, int dir, const char *name, struct tar_entry *entry)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	entry->link = target;
	return tar_header(objects->sink, entry);
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

static void describe(const struct tar_objects *objects, const char *name, const struct stat *st, struct tar_entry *entry)
{
	bool own = objects->owners == TAR_OWNERS_ROOT ||
		   (objects->owners == TAR_OWNERS_SEEN && geteuid() != 0 && st->st_uid == geteuid());
	*entry = (struct tar_entry){
		.name = name,
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

/* Of what has it in its directory. */
static void apply_owner(int dir, const char *name, struct tar_entry *entry)
{
	struct override_stat is;
	if ((entry->type != '2' && entry->type != '6') || override_owner_read(dir, name, &is))
		return;
	entry->uid = is.uid;
	entry->gid = is.gid;
	if (entry->type == '6')
		entry->mode = is.mode;
}

int tar_object_opened(struct tar_objects *objects, int fd, const char *name)
{
	struct tar_entry entry;
	struct stat st;
	if (fstat(fd, &st))
		return -errno;
	describe(objects, name, &st, &entry);
	if (entry.type == '0')
		entry.size = (u64)st.st_size;
	return write_opened(objects, fd, &entry);
}

static int write_directory(struct tar_objects *objects, int dir, const char *base, const char *name)
{
	char path[PATH_MAX + 1];
	CLEANUP_FD int below = tree_enter(dir, base);
	size_t length = strlen(name);
	if (below < 0)
		return below;
	if (length + 2 > sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, name, length);
	memcpy(path + length, "/", 2);
	return tar_object_opened(objects, below, path);
}

int tar_object(struct tar_objects *objects, int dir, const char *base, const char *name)
{
	struct tar_entry entry;
	struct stat st;
	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	describe(objects, name, &st, &entry);
	apply_owner(dir, base, &entry);
	switch (entry.type) {
	case '0':
		return write_regular(objects, dir, base, &st, &entry);
	case '2':
		return write_symlink(objects, dir, base, &entry);
	case '5':
		return write_directory(objects, dir, base, name);
	default:
		return entry.type ? tar_header(objects->sink, &entry) : 0;
	}
}
