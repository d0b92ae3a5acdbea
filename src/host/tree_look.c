// SPDX-License-Identifier: Apache-2.0
/*
 * Looks files up in a tree of layers. What has been walked is a path without links, as text; the directories that it names in the layers are held
 * open, each entered by one name of the one above. A link puts its text in front of what is left, and the walk begins anew at the root.
 */
#include "host/tree_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"

#define LINKS_MAX 40

/* A directory of the tree: what makes it up in the layers, topmost first. */
struct place {
	int dirs[TREE_LOOK_LAYERS];
	u32 count;
};

static void leave(struct place *place)
{
	while (place->count)
		(void)close(place->dirs[--place->count]);
}

static bool marked(int fd, const char *trusted, const char *user)
{
	char path[32], value[2];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return getxattr(path, trusted, value, sizeof(value)) >= 0 || getxattr(path, user, value, sizeof(value)) >= 0;
}

static bool is_whiteout(int dir, const char *name, const struct stat *st)
{
	CLEANUP_FD int fd = FD_NONE;

	if (S_ISCHR(st->st_mode))
		return st->st_rdev == 0;
	if (!S_ISREG(st->st_mode) || st->st_size)
		return false;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && marked(fd, "trusted.overlay.whiteout", "user.overlay.whiteout");
}

/* Which layer has the name: its index in place->dirs, or -ENOENT. */
static int find(const struct place *place, const char *name, struct stat *st)
{
	for (u32 i = 0; i < place->count; i++) {
		if (fstatat(place->dirs[i], name, st, AT_SYMLINK_NOFOLLOW) == 0)
			return is_whiteout(place->dirs[i], name, st) ? -ENOENT : (int)i;
		if (errno != ENOENT)
			return -errno;
	}
	return -ENOENT;
}

/* Goes into a directory that layer `from` has. */
static int enter(struct place *place, u32 from, const char *name)
{
	struct place next = { .count = 0 };
	int r = -ENOENT;

	for (u32 i = from; i < place->count; i++) {
		struct stat st;

		if (fstatat(place->dirs[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISDIR(st.st_mode))
			break;
		r = tree_enter(place->dirs[i], name);
		if (r < 0)
			break;
		next.dirs[next.count++] = r;
		if (marked(r, "trusted.overlay.opaque", "user.overlay.opaque"))
			break;
	}
	leave(place);
	*place = next;
	return next.count ? 0 : r < 0 ? r : -ENOTDIR;
}

static int begin(const char *const *layers, u32 count, struct place *place)
{
	*place = (struct place){ .count = 0 };
	for (u32 i = 0; i < count && i < TREE_LOOK_LAYERS; i++) {
		int fd = open(layers[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			place->dirs[place->count++] = fd;
		else if (errno != ENOENT) /* an upper layer may be made later */
			return -errno;
	}
	return place->count ? 0 : -ENOENT;
}

/* What a link names, seen from the directory `done`, with `rest` behind it: into `out`, absolute. */
static int follow(const struct place *place, int layer, const char *name, const char *done, const char *rest, char out[PATH_MAX])
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(place->dirs[layer], name, text, sizeof(text) - 1);
	int size;

	if (n < 0)
		return -errno;
	text[n] = 0;
	size = snprintf(out, PATH_MAX, "%s/%s/%s", text[0] == '/' ? "" : done, text, rest);
	return size >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Walks on by one name; 1 and *ret_fd when it was the last one, 2 when `path` has become another. */
static int step(struct place *place, const char *name, const char *done, const char *rest, char path[PATH_MAX], int *ret_fd)
{
	char other[PATH_MAX];
	struct stat st;
	int layer = find(place, name, &st), r;

	if (layer < 0)
		return layer;
	if (S_ISLNK(st.st_mode)) {
		r = follow(place, layer, name, done, rest, other);
		if (r == 0)
			memcpy(path, other, sizeof(other));
		return r < 0 ? r : 2;
	}
	if (S_ISDIR(st.st_mode))
		return enter(place, (u32)layer, name);
	if (rest[strspn(rest, "/")])
		return -ENOTDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_fd = openat(place->dirs[layer], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd >= 0 && fstat(*ret_fd, &st) == 0 && S_ISREG(st.st_mode)) /* not replaced meanwhile */
		return 1;
	r = *ret_fd < 0 ? -errno : -EINVAL;
	close_fd(ret_fd);
	return r;
}

/* Takes the last component off a path without links. */
static void strip(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = 0;
}

/* Walks `path` from the root. 1 and *ret_fd, 2 when it led to a link and `path` is what to walk now, 0 when it ends in a directory. */
static int walk(const char *const *layers, u32 count, char path[PATH_MAX], int *ret_fd)
{
	char text[PATH_MAX], done[PATH_MAX] = "", name[NAME_MAX + 1];
	struct place place;
	int r = begin(layers, count, &place);

	memcpy(text, path, sizeof(text));
	for (const char *at = text; r == 0 && *(at += strspn(at, "/"));) {
		size_t n = strcspn(at, "/");

		if (n > NAME_MAX) {
			r = -ENAMETOOLONG;
			break;
		}
		memcpy(name, at, n);
		name[n] = 0;
		at += n;
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) { /* done has no links: begin again with the directory above */
			strip(done);
			r = snprintf(path, PATH_MAX, "%s/%s", done, at) >= PATH_MAX ? -ENAMETOOLONG : 2;
			break;
		}
		r = step(&place, name, done, at, path, ret_fd);
		(void)snprintf(done + strlen(done), sizeof(done) - strlen(done), "/%s", name);
	}
	leave(&place);
	return r;
}

int tree_look_open(const char *const *layers, u32 count, const char *path)
{
	char text[PATH_MAX] = "";
	int fd = FD_NONE, r = 2;

	if (snprintf(text, sizeof(text), "%s", path) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	for (int links = 0; r == 2; links++)
		r = links > LINKS_MAX ? -ELOOP : walk(layers, count, text, &fd);
	return r == 1 ? fd : r == 0 ? -EISDIR : r;
}
