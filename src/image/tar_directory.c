// SPDX-License-Identifier: Apache-2.0
/* A directory tree as tar archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/tar_write.h"

struct walk {
	struct tar_objects *objects;
	bool one_device; /* `dev` alone, and not `not_this` */
	dev_t dev;
	struct stat not_this;
	const char *const *skip; /* relative to the path's first `base` bytes */
	size_t base;
	char *path; /* of the entry, relative, PATH_MAX bytes */
};

static int walk_directory(struct walk *walk, int dir, size_t length);

static int walk_below(struct walk *walk, int dir, const char *name, const struct stat *st, size_t length)
{
	if (walk->one_device &&
	    (st->st_dev != walk->dev || (st->st_dev == walk->not_this.st_dev && st->st_ino == walk->not_this.st_ino)))
		return 0;
	for (const char *const *skip = walk->skip; skip && *skip; skip++)
		if (strcmp(*skip, walk->path + walk->base) == 0)
			return 0;
	CLEANUP_FD int below = tree_enter(dir, name);
	if (below < 0)
		return below;
	walk->path[length] = '/';
	walk->path[length + 1] = '\0';
	return walk_directory(walk, below, length + 1);
}

/* One name of a directory whose path, with a slash unless it is empty, has `length` bytes in walk->path. */
static int write_name(struct walk *walk, int dir, const char *name, size_t length)
{
	struct stat st;
	size_t more = strlen(name);
	if (length + more + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->path + length, name, more + 1);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	int error = tar_object(walk->objects, dir, name, walk->path);
	return error || !S_ISDIR(st.st_mode) ? error : walk_below(walk, dir, name, &st, length + more);
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

int tar_below(struct tar_objects *objects, int dir, const char *const *skip, char *where)
{
	size_t base = strlen(where);
	struct walk walk = { .objects = objects, .skip = skip, .base = base, .path = where };
	return walk_directory(&walk, dir, base);
}

int tar_directory(const struct tar_sink *sink, int root, int not_this, char *where)
{
	struct tar_objects objects;
	struct walk walk = { .objects = &objects, .one_device = true, .path = where };
	struct stat st;
	memcpy(where, "./", 3);
	int error = tar_objects_init(&objects, sink);
	if (!error && (fstat(root, &st) || (not_this >= 0 && fstat(not_this, &walk.not_this))))
		error = -errno;
	if (!error) {
		walk.dev = st.st_dev;
		error = tar_object_opened(&objects, root, where);
	}
	if (!error)
		error = walk_directory(&walk, root, 0);
	if (!error)
		error = tar_end(sink);
	tar_objects_done(&objects);
	return error;
}
