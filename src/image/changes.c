// SPDX-License-Identifier: Apache-2.0
/* Compares an upper directory with the one below it. */
#include "image/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

/* A directory of the upper layer on the way down. */
struct level {
	struct level *above; /* NULL: the root */
	int dir;
	const char *name;
	size_t length; /* of its path */
	bool told;
};

struct walk {
	const struct changes *changes;
	char *path;
};

/* A name that is in the upper directory, or only in the lower one, where that is hidden. */
struct name {
	char *text;
	bool only_below;
};

struct names {
	struct name *rows;
	size_t count;
	bool only_below;
};

/* --- marks of overlayfs -------------------------------------------------------------------------------------------------------------- */

/* Reads an attribute of an overlay, in either name space. Returns its first byte, 0 = there is none. */
static char overlay_attr(int dir, const char *name, const char *attr)
{
	static const char *const spaces[] = { "trusted", "user" };
	char path[64 + NAME_MAX], full[64], value[8];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		(void)snprintf(full, sizeof(full), "%s.overlay.%s", spaces[i], attr);
		ssize_t n = lgetxattr(path, full, value, sizeof(value));
		if (n > 0)
			return value[0];
		if (n == 0 || errno == ERANGE)
			return ' '; /* there, with some value */
	}
	return 0;
}

static bool is_whiteout(int dir, const char *name, const struct stat *st)
{
	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	return S_ISREG(st->st_mode) && st->st_size == 0 && overlay_attr(dir, name, "whiteout");
}

/* --- levels -------------------------------------------------------------------------------------------------------------------------- */

static int tell(struct walk *walk, char kind, const struct level *level, const char *name)
{
	const struct change change = { .kind = kind, .path = walk->path, .dir = level ? level->dir : FD_NONE, .name = name };
	return walk->changes->each(walk->changes->arg, &change);
}

/* Tells that directories are changed in which something is about to be told. */
static int tell_levels(struct walk *walk, struct level *level)
{
	if (level->told)
		return 0;
	level->told = true;
	int error = tell_levels(walk, level->above);
	char cut = walk->path[level->length];
	walk->path[level->length] = '\0';
	if (!error)
		error = tell(walk, 'C', level->above, level->name);
	walk->path[level->length] = cut;
	return error;
}

static int tell_in(struct walk *walk, struct level *level, char kind, const char *name)
{
	int error = tell_levels(walk, level);
	return error ? error : tell(walk, kind, level, name);
}

/* Owner and mode of a directory as its guests see them. */
static int true_stat(int dir, const char *name, struct override_stat *ret)
{
	char text[OVERRIDE_STAT_MAX];
	struct override_stat is;
	struct stat st;
	CLEANUP_FD int fd = tree_enter(dir, name);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	bool own = geteuid() != 0 && st.st_uid == geteuid();
	*ret = (struct override_stat){ .uid = own ? 0 : st.st_uid, .gid = own ? 0 : st.st_gid, .mode = st.st_mode & 07777 };
	ssize_t n = fgetxattr(fd, OVERRIDE_STAT, text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = '\0';
		if (override_stat_parse(text, &is) == 0)
			*ret = is;
	}
	return 0;
}

static bool same_directory(int upper, int lower, const char *name)
{
	struct override_stat a, b;
	return true_stat(upper, name, &a) == 0 && true_stat(lower, name, &b) == 0 && a.uid == b.uid && a.gid == b.gid &&
	       a.mode == b.mode;
}

/* --- names --------------------------------------------------------------------------------------------------------------------------- */

static int add_name(void *arg, int dir, const char *name)
{
	struct names *names = arg;
	struct name *more = reallocarray(names->rows, names->count + 1, sizeof(*more));
	(void)dir;
	if (!more)
		return -ENOMEM;
	names->rows = more;
	more[names->count] = (struct name){ strdup(name), names->only_below };
	return more[names->count++].text ? 0 : -ENOMEM;
}

/* Of two rows with one name that of the upper directory comes first. */
static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->text, y->text);
	return order ? order : x->only_below - y->only_below;
}

/* The names of an upper directory, and of the lower one if that is hidden. */
static int list(int upper, int lower, bool hidden, struct names *names)
{
	int error = tree_each(upper, add_name, names);
	names->only_below = true;
	if (!error && hidden && lower >= 0)
		error = tree_each(lower, add_name, names);
	if (names->count)
		qsort(names->rows, names->count, sizeof(*names->rows), compare);
	return error;
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->rows[i].text);
	free(names->rows);
}

/* --- the walk ------------------------------------------------------------------------------------------------------------------------ */

static int walk_level(struct walk *walk, struct level *level, int lower, bool hidden);

static bool skipped(const struct walk *walk)
{
	for (const char *const *skip = walk->changes->skip; skip && *skip; skip++)
		if (strcmp(*skip, walk->path) == 0)
			return true;
	return false;
}

/* A directory of the upper layer; below: what the lower one has at its name, NULL = nothing. */
static int walk_directory(struct walk *walk, struct level *level, const char *name, int lower, const struct stat *below,
			  bool hidden)
{
	bool both = below && S_ISDIR(below->st_mode);
	struct level next = { .above = level, .name = name, .length = strlen(walk->path) };
	CLEANUP_FD int down = both ? tree_enter(lower, name) : FD_NONE;
	CLEANUP_FD int dir = tree_enter(level->dir, name);
	if (dir < 0)
		return dir;
	next.dir = dir;
	if (overlay_attr(level->dir, name, "redirect"))
		return -EXDEV;
	if (!both || !same_directory(level->dir, lower, name)) {
		int error = tell_in(walk, level, below ? 'C' : 'A', name);
		if (error)
			return error;
		next.told = true;
	}
	return walk_level(walk, &next, down, hidden || overlay_attr(level->dir, name, "opaque") == 'y');
}

static int walk_name(struct walk *walk, struct level *level, const char *name, int lower, bool hidden)
{
	struct stat st, under, *below = lower >= 0 && fstatat(lower, name, &under, AT_SYMLINK_NOFOLLOW) == 0 ? &under : NULL;
	if (fstatat(level->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (is_whiteout(level->dir, name, &st))
		return below ? tell_in(walk, level, 'D', name) : 0;
	if (S_ISDIR(st.st_mode))
		return walk_directory(walk, level, name, lower, below, hidden);
	if (S_ISREG(st.st_mode) && overlay_attr(level->dir, name, "metacopy"))
		return -EXDEV;
	return tell_in(walk, level, below ? 'C' : 'A', name);
}

static int walk_row(struct walk *walk, struct level *level, const struct names *names, size_t i, int lower, bool hidden)
{
	const struct name *row = &names->rows[i];
	size_t at = level->length + (level->length > 0);
	if (row->only_below && i > 0 && strcmp(names->rows[i - 1].text, row->text) == 0)
		return 0;
	if (at + strlen(row->text) + 1 > PATH_MAX)
		return -ENAMETOOLONG;
	if (level->length)
		walk->path[level->length] = '/';
	memcpy(walk->path + at, row->text, strlen(row->text) + 1);
	if (skipped(walk))
		return 0;
	int error = row->only_below ? tell_in(walk, level, 'D', row->text) : walk_name(walk, level, row->text, lower, hidden);
	return error == -ENOENT && !walk->changes->strict ? 0 : error; /* a running cell has removed it meanwhile */
}

static int walk_level(struct walk *walk, struct level *level, int lower, bool hidden)
{
	struct names names = { 0 };
	int error = list(level->dir, lower, hidden, &names);
	for (size_t i = 0; i < names.count && !error; i++)
		error = walk_row(walk, level, &names, i, lower, hidden);
	names_done(&names);
	if (!error)
		walk->path[level->length] = '\0';
	return error;
}

int changes_walk(const struct changes *changes, char *where)
{
	struct walk walk = { .changes = changes, .path = where };
	struct level root = { .dir = changes->upper, .name = "", .told = true };
	where[0] = '\0';
	return walk_level(&walk, &root, changes->lower, overlay_attr(changes->upper, ".", "opaque") == 'y');
}
