// SPDX-License-Identifier: Apache-2.0
/* Copies what lies in a directory: no symbolic link is ever followed, on either side. */
#include "host/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "host/tree.h"

#define DEPTH_MAX TREE_DEPTH_MAX
#define CHUNK 65536

struct copy {
	int to;
	u32 depth;
};

/* Attributes that an overlay made of the directory are not its content. */
static bool wanted(const char *name)
{
	return !strstr(name, ".overlay.");
}

/* Best effort: what the host does not take is lost, as when an image is unpacked. */
static void copy_attributes(int from, int to)
{
	char names[4096];
	CLEANUP_FREE char *value = malloc(CHUNK);
	ssize_t size = flistxattr(from, names, sizeof(names));

	for (char *name = names; value && size > 0 && name < names + size; name += strlen(name) + 1) {
		ssize_t n = wanted(name) ? fgetxattr(from, name, value, CHUNK) : -1;

		if (n >= 0)
			(void)fsetxattr(to, name, value, (size_t)n, 0);
	}
}

/* Owner first: it takes set-user-ID away. Times last. */
static void copy_meta(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	(void)!fchown(to, st->st_uid, st->st_gid);
	copy_attributes(from, to);
	(void)fchmod(to, st->st_mode & 07777);
	(void)futimens(to, times);
}

static int copy_bytes(int from, int to)
{
	CLEANUP_FREE char *chunk = malloc(CHUNK);
	ssize_t n;

	if (!chunk)
		return -ENOMEM;
	while ((n = read(from, chunk, CHUNK)) > 0) {
		int r = write_bytes(to, chunk, (size_t)n);

		if (r < 0)
			return r;
	}
	return n < 0 ? -errno : 0;
}

static int copy_file(int dir, const char *name, int into)
{
	CLEANUP_FD int from = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), to = FD_NONE;
	struct stat st, old;
	int r;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EAGAIN; /* replaced meanwhile */
	to = openat(into, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (to < 0 || fstat(to, &old) < 0)
		return errno == ELOOP || errno == EISDIR ? 0 : -errno;
	if (old.st_size == st.st_size && old.st_size)
		return 0;
	if (ftruncate(to, 0) < 0)
		return -errno;
	r = copy_bytes(from, to);
	if (r == 0)
		copy_meta(from, to, &st);
	return r;
}

static int copy_directory(int from, int to, u32 depth);

static int copy_one(void *arg, int dir, const char *name)
{
	const struct copy *copy = arg;
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return copy_file(dir, name, copy->to);
	if (S_ISDIR(st.st_mode)) {
		CLEANUP_FD int from = tree_enter(dir, name), to = FD_NONE;

		if (from < 0)
			return from;
		if (mkdirat(copy->to, name, 0700) < 0 && errno != EEXIST)
			return -errno;
		to = tree_enter(copy->to, name);
		return to == -ENOTDIR ? 0 : to < 0 ? to : copy_directory(from, to, copy->depth + 1);
	}
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dir, name, target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = 0;
		if (symlinkat(target, copy->to, name) < 0)
			return errno == EEXIST ? 0 : -errno;
		(void)!fchownat(copy->to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
		return 0;
	}
	if (!S_ISSOCK(st.st_mode) && mknodat(copy->to, name, st.st_mode, st.st_rdev) == 0)
		(void)!fchownat(copy->to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int copy_directory(int from, int to, u32 depth)
{
	struct copy copy = { to, depth };
	struct stat st;
	int r = depth > DEPTH_MAX ? -ENAMETOOLONG : tree_each(from, copy_one, &copy);

	if (r == 0 && fstat(from, &st) == 0)
		copy_meta(from, to, &st);
	return r;
}

int tree_copy(int from, int to)
{
	return copy_directory(from, to, 0);
}
