// SPDX-License-Identifier: Apache-2.0
/* Where an entry goes: parents, and what whiteouts take away. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/unpack_int.h"

#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

int unpack_refused(struct unpack *unpack, int error, const char *what, const char *name)
{
	return image_fail_errno(unpack->error, error, "cannot %s '%s'", what, name);
}

void unpack_forget_parent(struct unpack *unpack)
{
	close_fd(&unpack->parent);
	unpack->parent = FD_NONE;
}

/* Opens the directory `name` in `dir`, the last component of the first `length` bytes of `path`; makes it when there is none. */
static int enter(struct unpack *unpack, int dir, const char *name, const char *path, size_t length)
{
	int added = path_set_add(&unpack->made, path, length);
	if (added < 0)
		return unpack_refused(unpack, added, "remember", path);
	int next = tree_enter(dir, name);
	if (next == -ENOTDIR) {
		if (unpack->flags & UNPACK_PLAIN)
			return unpack_refused(unpack, next, "write below", path);
		if (!added)
			return image_fail(unpack->error, -EBADMSG, "the entry '%s' lies below what is no directory", path);
		int error = tree_remove(dir, name);
		if (error)
			return unpack_refused(unpack, error, "replace", path);
		next = -ENOENT;
	}
	if (next == -ENOENT) {
		next = mkdirat(dir, name, 0755) ? -errno : tree_enter(dir, name);
		if (next >= 0 && fchmod(next, 0755)) { /* the umask took its part */
			int error = -errno;
			close(next);
			next = error;
		}
	}
	return next < 0 ? unpack_refused(unpack, next, "make a directory for", path) : next;
}

/* Walks to the directory `clean`, and makes what is missing. Returns a descriptor, or negative errno. */
static int make_parents(struct unpack *unpack, const char *clean)
{
	CLEANUP_FD int dir = tree_open_dir(unpack->root, "");
	char name[NAME_MAX + 1];
	if (dir < 0)
		return unpack_refused(unpack, dir, "open the root for", clean);
	for (const char *at = clean; *at;) {
		size_t length = strcspn(at, "/");
		memcpy(name, at, length);
		name[length] = '\0';
		at += length;
		int next = enter(unpack, dir, name, clean, (size_t)(at - clean));
		if (next < 0)
			return next;
		close(dir);
		dir = next;
		at += *at == '/';
	}
	return take_fd(&dir);
}

int unpack_parent(struct unpack *unpack, char clean[PATH_MAX], const char **ret_base)
{
	char *slash = strrchr(clean, '/');
	size_t length = slash ? (size_t)(slash - clean) : 0;
	*ret_base = slash ? slash + 1 : clean;
	if (unpack->parent >= 0 && strncmp(unpack->parent_path, clean, length) == 0 && unpack->parent_path[length] == '\0')
		return unpack->parent;
	unpack_forget_parent(unpack);
	memcpy(unpack->parent_path, clean, length);
	unpack->parent_path[length] = '\0';
	unpack->parent = make_parents(unpack, unpack->parent_path);
	return unpack->parent;
}

/* Removal of what lower layers have below a directory. */
struct sweep {
	struct unpack *unpack;
	char path[PATH_MAX]; /* of the directory */
	unsigned removed;
};

static int sweep_one(void *arg, int dir, const char *name)
{
	struct sweep *sweep = arg;
	size_t length = strlen(sweep->path);
	size_t more = strlen(name) + (length > 0);
	int error = 0;
	if (length + more + 1 > PATH_MAX)
		return -ENAMETOOLONG;
	if (length)
		sweep->path[length] = '/';
	memcpy(sweep->path + length + (length > 0), name, strlen(name) + 1);
	if (!path_set_has(&sweep->unpack->made, sweep->path, length + more)) {
		error = tree_remove(dir, name);
		sweep->removed++;
	} else {
		CLEANUP_FD int below = tree_enter(dir, name);
		if (below >= 0)
			error = tree_each(below, sweep_one, sweep);
	}
	sweep->path[length] = '\0';
	return error;
}

static int make_opaque(struct unpack *unpack, int dir, const char *path, size_t length)
{
	struct sweep sweep = { .unpack = unpack };
	int error = 0;
	memcpy(sweep.path, path, length);
	do { /* again while names vanish, as tree_remove() does */
		sweep.removed = 0;
		sweep.path[length] = '\0';
		error = tree_each(dir, sweep_one, &sweep);
	} while (!error && sweep.removed);
	return error ? unpack_refused(unpack, error, "empty", path) : 0;
}

int unpack_is_whiteout(struct unpack *unpack, const char *clean, bool *ret_whiteout)
{
	*ret_whiteout = false;
	for (const char *at = clean; *at;) {
		size_t length = strcspn(at, "/");
		bool is_last = at[length] == '\0', is_opaque = is_last && strcmp(at, WHITEOUT_OPAQUE) == 0;
		if (strncmp(at, WHITEOUT_META, strlen(WHITEOUT_META)) == 0 && !is_opaque)
			return 1;
		bool is_whiteout = strncmp(at, WHITEOUT, strlen(WHITEOUT)) == 0;
		if (is_whiteout && !is_last)
			return image_fail(unpack->error, -EBADMSG, "the entry '%s' lies below a whiteout", clean);
		*ret_whiteout = is_whiteout;
		at += length + !is_last;
	}
	return 0;
}

int unpack_whiteout(struct unpack *unpack, char clean[PATH_MAX])
{
	const char *base, *name;
	int dir = unpack_parent(unpack, clean, &base);
	if (dir < 0)
		return dir;
	if (strcmp(base, WHITEOUT_OPAQUE) == 0)
		return make_opaque(unpack, dir, clean, base == clean ? 0 : (size_t)(base - clean) - 1);
	name = base + strlen(WHITEOUT);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return image_fail(unpack->error, -EBADMSG, "the whiteout '%s' names nothing", clean);
	size_t length = (size_t)(base - clean);
	char path[PATH_MAX];
	memcpy(path, clean, length);
	memcpy(path + length, name, strlen(name) + 1);
	if (path_set_has(&unpack->made, path, length + strlen(name)))
		return 0;
	int error = tree_remove(dir, name);
	return error ? unpack_refused(unpack, error, "remove", path) : 0;
}
