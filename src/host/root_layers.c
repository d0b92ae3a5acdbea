// SPDX-License-Identifier: Apache-2.0
/* Prepares the layers of a cell's file tree: what the upper file system can keep, and what is in the upper layer already. */
#include "host/root_layers.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINKS_MAX 40

static int PRINTF_LIKE(3, 4) fail(struct root_error *error, int number, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	return -number;
}

static const char *attr_name(const struct fs_state *fs, bool whiteout)
{
	if (fs->features & FS_TRUSTED)
		return whiteout ? "trusted.overlay.whiteout" : "trusted.overlay.opaque";
	return whiteout ? "user.overlay.whiteout" : "user.overlay.opaque";
}

static int put_text(struct fs_state *fs, const char *text, u32 *ret_at, u16 *ret_length)
{
	size_t length = strlen(text);

	if (length + 1 > sizeof(fs->table.text) - fs->table.used || length > UINT16_MAX)
		return -E2BIG;
	*ret_at = fs->table.used;
	*ret_length = (u16)length;
	memcpy(fs->table.text + fs->table.used, text, length + 1);
	fs->table.used += (u32)length + 1;
	return 0;
}

static int add_layer(struct fs_state *fs, struct fs_mount *m, const char *path)
{
	struct fs_layer *l = &fs->table.layers[fs->table.layer_count];
	int r = fs->table.layer_count == FS_LAYERS_MAX
		      ? -E2BIG
		      : put_text(fs, strcmp(path, "/") != 0 ? path : "", &l->source, &l->source_length);

	if (r < 0)
		return r;
	fs->table.layer_count++;
	m->layer_count++;
	return 0;
}

/* --- what the upper file system can keep -------------------------------------------------------------------------------------------- */

static int make_directory(const char *path, mode_t mode, const struct stat *like)
{
	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (like) {
		(void)chown(path, like->st_uid, like->st_gid);
		(void)chmod(path, like->st_mode & 07777);
	}
	return 0;
}

int root_layers_features(const char *work, struct fs_state *fs)
{
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/probe", work) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	(void)unlink(path);
	if (mknod(path, S_IFCHR, makedev(0, 0)) < 0)
		fs->features |= FS_WHITEOUT_XATTR;
	(void)unlink(path);
	(void)rmdir(path);
	if (mkdir(path, 0700) < 0)
		return -errno;
	fs->features |= FS_TRUSTED;
	r = setxattr(path, attr_name(fs, false), "y", 1, 0);
	if (r < 0) {
		fs->features &= ~(u32)FS_TRUSTED;
		r = setxattr(path, attr_name(fs, false), "y", 1, 0);
	}
	r = r < 0 ? -errno : 0;
	(void)rmdir(path);
	return r == -EOPNOTSUPP && !(fs->features & FS_WHITEOUT_XATTR) ? 0 : r; /* then whiteouts make a directory opaque */
}

/* What a cell that was killed has left there. */
static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	if (at->level)
		(void)(kind == FTW_DP ? rmdir(path) : unlink(path));
	return 0;
}

/* --- what is in the upper layer --------------------------------------------------------------------------------------------------------- */

struct scan {
	struct fs_state *fs;
	const struct fs_mount *mount;
	size_t cut; /* bytes of a path that are the upper directory's */
};

static struct scan *scan_state; /* nftw(3) hands nothing through; one scan at a time */

/* Whether a lower layer has a directory there. */
static bool covers_directory(const struct scan *s, const char *path)
{
	char lower[PATH_MAX];
	struct stat st;

	for (u32 i = 1; i < s->mount->layer_count; i++) {
		const struct fs_layer *l = &s->fs->table.layers[s->mount->layer + i];

		if (snprintf(lower, sizeof(lower), "%s%s", s->fs->table.text + l->source, path) >= (int)sizeof(lower) ||
		    (lstat(lower, &st) == 0 && S_ISDIR(st.st_mode)))
			return true;
	}
	return false;
}

static int scan_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	const struct scan *s = scan_state;
	u64 hash;
	char value[2];

	if (kind == FTW_NS)
		return -EACCES;
	if (!at->level)
		return 0;
	hash = fs_seen_hash(FS_SEEN_START, path + s->cut, strlen(path + s->cut));
	fs_seen_add(s->fs, hash, FS_SEEN_ENTRY);
	fs_seen_add(s->fs, hash, FS_SEEN_COPY);
	if (!S_ISDIR(st->st_mode))
		fs_seen_add(s->fs, hash, FS_SEEN_FILE);
	if (!S_ISDIR(st->st_mode) && covers_directory(s, path + s->cut))
		fs_seen_add(s->fs, hash, FS_SEEN_WHITEOUT);
	if (kind == FTW_DNR) /* what lies in it is not seen: it is asked for */
		fs_seen_add(s->fs, hash, FS_SEEN_OPAQUE);
	else if (S_ISDIR(st->st_mode) && lgetxattr(path, attr_name(s->fs, false), value, sizeof(value)) > 0) {
		if (value[0] == 'y')
			fs_seen_add(s->fs, hash, FS_SEEN_OPAQUE);
		else
			s->fs->features |= FS_WHITEOUT_XATTR;
	}
	if ((S_ISCHR(st->st_mode) && st->st_rdev == 0) ||
	    (S_ISREG(st->st_mode) && !st->st_size && lgetxattr(path, attr_name(s->fs, true), value, sizeof(value)) >= 0))
		fs_seen_add(s->fs, hash, FS_SEEN_WHITEOUT);
	return 0;
}

static int scan_upper(struct fs_state *fs, const struct fs_mount *m)
{
	const char *upper = fs->table.text + m->source;
	struct scan s = { .fs = fs, .mount = m, .cut = m->source_length };
	int r;

	scan_state = &s;
	r = nftw(upper, scan_one, 32, FTW_PHYS);
	scan_state = NULL;
	return r > 0 ? -r : r < 0 ? (errno ? -errno : -EACCES) : 0;
}

/* --- staging ------------------------------------------------------------------------------------------------------------------------------ */

static bool is_within(const char *path, const char *top)
{
	size_t n = strlen(top);

	return !strncmp(path, top, n) && (path[n] == '/' || !path[n]);
}

/* Held until this process ends: two cells would not see each other's changes of the filter. */
static int take_upper(const char *upper)
{
	int fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno == EWOULDBLOCK ? EBUSY : errno;

		(void)close(fd);
		return -error;
	}
	return 0;
}

/* What is locked while something takes two steps. */
static int make_lock(const char *work)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/lock", work) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0 || fchmod(fd, 0444) < 0) {
		close_fd(&fd);
		return -errno;
	}
	close_fd(&fd);
	return 0;
}

/* Makes the upper and the work directory, and says where they are. */
static int make_upper(const struct root_spec *spec, const char *top, char upper[PATH_MAX], char work[PATH_MAX],
		      struct root_error *error)
{
	char text[PATH_MAX];
	struct stat st, up, wd;
	int r;

	if (stat(top, &st) < 0)
		return fail(error, errno, "'%s' as root", top);
	r = make_directory(spec->upper, 0755, &st);
	if (r < 0 || !realpath(spec->upper, upper) || stat(upper, &up) < 0)
		return fail(error, r < 0 ? -r : errno, "'%s' as upper layer", spec->upper);
	if (!S_ISDIR(up.st_mode))
		return fail(error, ENOTDIR, "'%s' as upper layer", spec->upper);
	if (is_within(top, upper))
		return fail(error, EINVAL, "'%s' as upper layer: the root lies in it", spec->upper);
	if (snprintf(text, sizeof(text), "%s", spec->work ? spec->work : "") >= (int)sizeof(text) ||
	    (!spec->work && snprintf(text, sizeof(text), "%s.work", upper) >= (int)sizeof(text)))
		return fail(error, ENAMETOOLONG, "'%s' as upper layer", spec->upper);
	r = make_directory(text, 0700, NULL);
	if (r < 0 || !realpath(text, work) || stat(work, &wd) < 0)
		return fail(error, r < 0 ? -r : errno, "'%s' as work directory of the upper layer", text);
	/* Every user of the cell makes things there, and nobody lists it. */
	if (chmod(work, 01733) < 0)
		return fail(error, errno, "'%s' as work directory of the upper layer", work);
	if (up.st_dev != wd.st_dev || is_within(work, upper))
		return fail(error, EINVAL, "'%s' as work directory: it must lie beside the upper layer, on the same file system",
			    text);
	return 0;
}

int root_layers_take(const struct root_spec *spec, const char *top, char upper[PATH_MAX], char work[PATH_MAX],
		     struct root_error *error)
{
	int r = make_upper(spec, top, upper, work, error);

	if (r < 0)
		return r;
	r = take_upper(upper);
	if (r < 0)
		return fail(error, -r, r == -EBUSY ? "'%s' as upper layer: another cell has it" : "'%s' as upper layer",
			    spec->upper);
	(void)nftw(work, remove_one, 32, FTW_PHYS | FTW_DEPTH);
	return 0;
}

int root_layers_stage(const struct root_spec *spec, const char *top, struct fs_state *fs, struct root_error *error)
{
	struct fs_mount *m = &fs->table.mounts[fs->table.count - 1];
	char upper[PATH_MAX], work[PATH_MAX];
	u16 length;
	int r = root_layers_take(spec, top, upper, work, error);

	if (r < 0)
		return r;
	r = make_lock(work);
	if (r == 0)
		r = root_layers_features(work, fs);
	if (r < 0)
		return fail(error, -r,
			    "'%s' as upper layer: its file system keeps neither attributes nor device nodes, or is not writable",
			    spec->upper);
	m->layer = (u16)fs->table.layer_count;
	m->flags |= FS_FILTERED;
	r = add_layer(fs, m, upper);
	m->source = fs->table.layers[m->layer].source;
	m->source_length = fs->table.layers[m->layer].source_length;
	if (r == 0)
		r = add_layer(fs, m, top);
	for (u32 i = 0; i < spec->lower_count && r == 0; i++) {
		char lower[PATH_MAX];

		if (!realpath(spec->lowers[i], lower))
			return fail(error, errno, "'%s' as layer", spec->lowers[i]);
		r = add_layer(fs, m, lower);
	}
	if (r == 0)
		r = put_text(fs, work, &m->work, &length);
	if (r < 0)
		return fail(error, -r, "too many or too long paths, at '%s'", spec->upper);
	r = scan_upper(fs, m);
	return r < 0 ? fail(error, -r, "reading the upper layer '%s'", spec->upper) : 0;
}

/* --- paths of the tree, before anybody runs in it -------------------------------------------------------------------------------------- */

static const char *layer_path(const struct fs_state *fs, u32 layer)
{
	return fs->table.text + fs->table.layers[fs->table.mounts[0].layer + layer].source;
}

/* What the tree has at a path, of which all but the last component is canonical: its host path. -ENOENT. */
static int look_up(const struct fs_state *fs, const char *path, char host[PATH_MAX + 256], struct stat *st)
{
	for (u32 i = 0; i < fs->table.mounts[0].layer_count; i++) {
		char value[2];

		if (snprintf(host, PATH_MAX + 256, "%s%s", layer_path(fs, i), path) >= PATH_MAX)
			return -ENAMETOOLONG;
		if (lstat(host, st) == 0) {
			bool whiteout =
				(S_ISCHR(st->st_mode) && st->st_rdev == 0) ||
				(S_ISREG(st->st_mode) && !st->st_size && lgetxattr(host, attr_name(fs, true), value, 2) >= 0);

			return whiteout ? -ENOENT : (int)i;
		}
		if (errno == ENOTDIR)
			return -ENOENT;
		if (i == 0) /* hidden by an opaque directory above? */
			for (char *slash = strrchr(host, '/'); slash && slash > host + strlen(layer_path(fs, 0));
			     slash = strrchr(host, '/')) {
				*slash = 0;
				if (lgetxattr(host, attr_name(fs, false), value, 2) == 1 && value[0] == 'y')
					return -ENOENT;
			}
	}
	return -ENOENT;
}

int root_layers_canonical(const struct fs_state *fs, const char *guest, char out[PATH_MAX])
{
	char rest[2 * PATH_MAX], text[PATH_MAX], host[PATH_MAX + 256];
	int links = 0;

	if (snprintf(rest, sizeof(rest), "%s", guest) >= PATH_MAX)
		return -ENAMETOOLONG;
	out[0] = 0;
	for (char *at = rest; *(at += strspn(at, "/"));) {
		size_t n = strcspn(at, "/"), length = strlen(out);
		struct stat st;
		ssize_t size;

		if (n == 2 && at[0] == '.' && at[1] == '.') {
			char *slash = strrchr(out, '/');

			if (slash)
				*slash = 0;
			at += n;
			continue;
		}
		if (n == 1 && at[0] == '.') {
			at += n;
			continue;
		}
		if (length + n + 2 > PATH_MAX)
			return -ENAMETOOLONG;
		(void)snprintf(out + length, PATH_MAX - length, "/%.*s", (int)n, at);
		at += n;
		if (look_up(fs, out, host, &st) < 0 || !S_ISLNK(st.st_mode))
			continue;
		size = readlink(host, text, sizeof(text) - 1);
		if (size < 0 || ++links > LINKS_MAX)
			return size < 0 ? -errno : -ELOOP;
		text[size] = 0;
		if ((size_t)size + strlen(at) + 2 > PATH_MAX)
			return -ENAMETOOLONG;
		memmove(rest + size + 1, at, strlen(at) + 1);
		memcpy(rest, text, (size_t)size);
		rest[size] = '/';
		at = rest;
		out[text[0] == '/' ? 0 : length] = 0;
	}
	return 0;
}

/* Makes a directory that is missing in the upper layer, as lower ones have it. false: there is something else. */
static bool raise_directory(struct fs_state *fs, const char *path, mode_t mode)
{
	char host[PATH_MAX + 256], up[PATH_MAX + 256];
	struct stat st;
	int layer = look_up(fs, path, host, &st);

	if (layer == 0 || (layer > 0 && !S_ISDIR(st.st_mode)))
		return layer == 0 && S_ISDIR(st.st_mode);
	if (layer < 0 && layer != -ENOENT)
		return false;
	if (layer < 0)
		st = (struct stat){ .st_mode = mode, .st_uid = geteuid(), .st_gid = getegid() };
	if (snprintf(up, sizeof(up), "%s%s", layer_path(fs, 0), path) >= PATH_MAX || make_directory(up, 0755, &st) < 0)
		return false;
	fs_seen_add(fs, fs_seen_hash(FS_SEEN_START, path, strlen(path)), FS_SEEN_ENTRY);
	return true;
}

void root_layers_raise(struct fs_state *fs, const char *path)
{
	char text[PATH_MAX];
	bool there = snprintf(text, sizeof(text), "%s/", path) < (int)sizeof(text);

	for (char *slash = strchr(text + 1, '/'); slash && there; slash = strchr(slash + 1, '/')) {
		char host[PATH_MAX + 256];
		struct stat st;

		*slash = 0;
		there = look_up(fs, text, host, &st) >= 0 && raise_directory(fs, text, st.st_mode);
		*slash = '/';
	}
}

void root_layers_point(struct fs_state *fs, const char *path, mode_t mode, const char *link)
{
	char host[PATH_MAX + 256], text[PATH_MAX];
	struct stat st;

	if (look_up(fs, path, host, &st) != -ENOENT)
		return;
	(void)snprintf(text, sizeof(text), "%s", path);
	for (char *slash = strchr(text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (!raise_directory(fs, text, S_IFDIR | 0755))
			return;
		*slash = '/';
	}
	if (S_ISDIR(mode)) {
		(void)raise_directory(fs, path, mode);
		return;
	}
	if (snprintf(host, sizeof(host), "%s%s", layer_path(fs, 0), path) >= PATH_MAX)
		return;
	fs_seen_add(fs, fs_seen_hash(FS_SEEN_START, path, strlen(path)), FS_SEEN_ENTRY);
	fs_seen_add(fs, fs_seen_hash(FS_SEEN_START, path, strlen(path)), FS_SEEN_FILE);
	if (link) {
		(void)!symlink(link, host);
	} else {
		int fd = open(host, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

		close_fd(&fd);
	}
}
