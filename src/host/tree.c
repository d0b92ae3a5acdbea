// SPDX-License-Identifier: Apache-2.0
/* Directory trees that strangers described. openat2(2): Linux 5.6; gVisor and old seccomp profiles lack it. */
#include "host/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int tree_clean_path(const char *path, char clean[PATH_MAX])
{
	size_t used = 0;
	unsigned depth = 0;
	for (const char *at = path; *at;) {
		size_t length = strcspn(at, "/");
		bool skip = length == 0 || (length == 1 && at[0] == '.');
		if (length == 2 && at[0] == '.' && at[1] == '.')
			return -EXDEV;
		if (!skip) {
			if (length > NAME_MAX || used + length + 2 > PATH_MAX || ++depth > TREE_DEPTH_MAX)
				return -ENAMETOOLONG;
			if (used)
				clean[used++] = '/';
			memcpy(clean + used, at, length);
			used += length;
		}
		at += length;
		at += *at == '/';
	}
	clean[used] = '\0';
	return 0;
}

int tree_enter(int dir, const char *name)
{
	CLEANUP_FD int path = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int opened = path < 0 ? -1 : openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opened < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	return opened;
}

/* The walk for kernels without openat2. */
static int walk(int root, const char *clean)
{
	CLEANUP_FD int dir = openat(root, ".", OPEN_DIR);
	char name[NAME_MAX + 1];
	for (const char *at = clean; dir >= 0 && *at;) {
		size_t length = strcspn(at, "/");
		memcpy(name, at, length);
		name[length] = '\0';
		int next = tree_enter(dir, name);
		if (next < 0)
			return next;
		close(dir);
		dir = next;
		at += length;
		at += *at == '/';
	}
	return dir < 0 ? -errno : take_fd(&dir);
}

int tree_open_dir(int root, const char *clean)
{
	const struct open_how how = { .flags = OPEN_DIR, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	if (!*clean)
		return walk(root, clean);
	long dir = syscall(SYS_openat2, root, clean, &how, sizeof(how));
	if (dir >= 0)
		return (int)dir;
	if (errno == ENOSYS || errno == EPERM || errno == EAGAIN) /* EPERM: old seccomp profiles */
		return walk(root, clean);
	return -errno;
}

int tree_each(int dir, int (*each)(void *arg, int dir, const char *name), void *arg)
{
	int again = openat(dir, ".", OPEN_DIR); /* an offset of its own */
	DIR *list = again >= 0 ? fdopendir(again) : NULL;
	int result = 0;
	if (!list) {
		result = -errno;
		if (again >= 0)
			close(again);
		return result;
	}
	while (!result) {
		errno = 0;
		const struct dirent *entry = readdir(list);
		if (!entry) {
			result = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = each(arg, dirfd(list), entry->d_name);
	}
	closedir(list);
	return result;
}

struct removal {
	int error;
	unsigned removed;
};

static int remove_one(void *arg, int dir, const char *name)
{
	struct removal *removal = arg;
	int error = tree_remove(dir, name);
	if (error && !removal->error)
		removal->error = error;
	removal->removed += !error;
	return 0;
}

int tree_remove(int dir, const char *name)
{
	struct removal removal = { 0 };
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM) /* EPERM: what POSIX says of a directory */
		return -errno;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	CLEANUP_FD int below = tree_enter(dir, name);
	if (below == -EACCES && fchmodat(dir, name, 0700, 0) == 0)
		below = tree_enter(dir, name);
	if (below < 0)
		return below == -ENOENT ? 0 : below;
	if (faccessat(below, ".", R_OK | W_OK | X_OK, AT_EACCESS))
		(void)fchmod(below, 0700);
	do { /* again while names vanish: a directory that shrinks while it is listed may hide some */
		removal = (struct removal){ 0 };
		int error = tree_each(below, remove_one, &removal);
		if (error && !removal.error)
			removal.error = error;
	} while (!removal.error && removal.removed);
	if (removal.error)
		return removal.error;
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

static int measure_one(void *arg, int dir, const char *name)
{
	struct tree_size *size = arg;
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISREG(st.st_mode) && st.st_nlink > 0)
		size->bytes += (u64)st.st_size / st.st_nlink;
	size->files++;
	if (!S_ISDIR(st.st_mode))
		return 0;
	CLEANUP_FD int below = tree_enter(dir, name);
	return below < 0 ? below : tree_each(below, measure_one, size);
}

int tree_measure(int dir, struct tree_size *ret_size)
{
	struct tree_size size = { 0 };
	int error = tree_each(dir, measure_one, &size);
	if (!error)
		*ret_size = size;
	return error;
}
