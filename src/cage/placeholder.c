// SPDX-License-Identifier: Apache-2.0
/* Placeholders: see the header. */
#include "cage/placeholder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_mounts.h"
#include "host/state_dir.h"

#define FOLDER "cage"
#define LOCK "lock"
#define RECORD_MAX (1u << 20)

/* A directory by an absolute path, without following any link. */
static int open_directory(const char *path)
{
	CLEANUP_FD int place = cage_open_path(*path ? path : "/");
	int fd = place < 0 ? place : openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return place < 0 ? place : fd < 0 ? -errno : fd;
}

/* The directory that a path is in, and its last name. */
static int open_parent(const char *path, const char **ret_name)
{
	char text[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || strlen(path) >= sizeof(text))
		return -EINVAL;
	*ret_name = slash + 1;
	memcpy(text, path, (size_t)(slash - path));
	text[slash - path] = 0;
	return open_directory(text);
}

/* --- making ---------------------------------------------------------------------------------------------------------------------------------- */

static int make_one(const char *path, bool directory)
{
	const char *name;
	CLEANUP_FD int parent = open_parent(path, &name);
	CLEANUP_FD int fd = FD_NONE;

	if (parent < 0)
		return parent;
	if (directory)
		return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	return fd < 0 && errno != EEXIST ? -errno : 0;
}

/* The path with every directory that leads to it. */
static int make_path(const char *path)
{
	char text[PATH_MAX];
	int r = 0;

	if (snprintf(text, sizeof(text), "%s", path) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	for (char *slash = strchr(text + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		struct stat st;

		*slash = 0;
		if (lstat(text, &st) < 0)
			r = make_one(text, true);
		*slash = '/';
	}
	return r == 0 ? make_one(path, false) : r;
}

/* --- removing ---------------------------------------------------------------------------------------------------------------------------------- */

static void remove_file(const char *path)
{
	const char *name;
	CLEANUP_FD int parent = open_parent(path, &name);
	struct stat st;

	if (parent >= 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 07777) &&
	    st.st_size == 0)
		(void)unlinkat(parent, name, 0);
}

static void remove_directory(const char *path)
{
	const char *name;
	CLEANUP_FD int parent = open_parent(path, &name);

	if (parent >= 0)
		(void)unlinkat(parent, name, AT_REMOVEDIR); /* only if it is empty */
}

/* Each line of a record: "f PATH" or "d PATH", in the order of making. NULL: it cannot be read. */
static char *read_record(int fd)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) < 0 || st.st_size > (off_t)RECORD_MAX)
		return NULL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (text && pread(fd, text, (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return NULL;
	}
	return text;
}

/* Whether the record of another run, which lasts, has this line. */
static bool is_needed(int dir, const char *own, const char *line)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	bool needed = false;

	while (stream && !needed && (entry = readdir(stream))) {
		CLEANUP_FD int fd = entry->d_name[0] == '.' || strcmp(entry->d_name, own) == 0 || strcmp(entry->d_name, LOCK) == 0
					  ? FD_NONE
					  : openat(dir, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		CLEANUP_FREE char *text = fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 ? NULL : read_record(fd);
		char *rest = text;

		for (char *other = strsep(&rest, "\n"); other && !needed; other = strsep(&rest, "\n"))
			needed = strcmp(other, line) == 0;
	}
	if (stream)
		(void)closedir(stream);
	return needed;
}

/* Undoes a record, the last line first, and removes it. */
static void undo(int dir, const char *name, int fd)
{
	CLEANUP_FREE char *text = read_record(fd);
	char *end = text ? text + strlen(text) : NULL;

	while (text && end > text) {
		char *line;

		*--end = 0; /* the newline */
		line = strrchr(text, '\n');
		line = line ? line + 1 : text;
		if (line[0] && line[1] == ' ' && !is_needed(dir, name, line)) {
			if (line[0] == 'f')
				remove_file(line + 2);
			else
				remove_directory(line + 2);
		}
		end = line;
	}
	(void)unlinkat(dir, name, 0);
}

/* Records whose run was killed. */
static void undo_others(int dir)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		CLEANUP_FD int fd = entry->d_name[0] == '.' || strcmp(entry->d_name, LOCK) == 0
					  ? FD_NONE
					  : openat(dir, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			undo(dir, entry->d_name, fd);
	}
	if (stream)
		(void)closedir(stream);
}

/* --- a run ------------------------------------------------------------------------------------------------------------------------------------- */

/* One at a time makes and removes. A descriptor that holds the lock, or negative errno. */
static int lock_all(int dir)
{
	CLEANUP_FD int fd = openat(dir, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 || flock(fd, LOCK_EX) < 0 ? -errno : take_fd(&fd);
}

static int open_folder(void)
{
	char path[PATH_MAX];
	CLEANUP_FD int state = state_dir_open(path);
	int fd;

	if (state < 0)
		return state;
	if (mkdirat(state, FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(state, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A line for each directory that is missing, and for the file; also for a placeholder that another run has made, but not for an empty file of mode 0 that is
 * the user's own. */
static int write_lines(int dir, FILE *to, const char *path)
{
	char text[PATH_MAX], line[PATH_MAX + 2];
	struct stat st;

	if (strchr(path, '\n') || snprintf(text, sizeof(text), "%s", path) >= (int)sizeof(text))
		return -EINVAL;
	for (char *slash = strchr(text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (lstat(text, &st) < 0)
			(void)fprintf(to, "d %s\n", text);
		*slash = '/';
	}
	(void)snprintf(line, sizeof(line), "f %s", path);
	if (lstat(path, &st) < 0 || is_needed(dir, "", line))
		(void)fprintf(to, "%s\n", line);
	return 0;
}

static int write_record(struct placeholders *all, const char *const *paths, size_t count)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	unsigned long long number;
	int r = to ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && r == 0; i++)
		r = write_lines(all->dir, to, paths[i]);
	if (to && fclose(to) != 0)
		r = -ENOMEM;
	if (r < 0 || getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return r < 0 ? r : -EIO;
	(void)snprintf(all->name, sizeof(all->name), "%016llx", number);
	all->record = openat(all->dir, all->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (all->record < 0)
		return -errno;
	if (flock(all->record, LOCK_EX) < 0 || write(all->record, text, size) != (ssize_t)size || fsync(all->record) < 0)
		return -EIO;
	return 0;
}

int placeholders_begin(struct placeholders *all, const char *const *paths, size_t count)
{
	CLEANUP_FD int lock = FD_NONE;
	int r;

	if (!count && !state_dir_has(FOLDER)) /* nothing to make, and nothing of others that is left */
		return 0;
	all->dir = open_folder();
	if (all->dir < 0)
		return all->dir;
	lock = lock_all(all->dir);
	if (lock < 0)
		return lock;
	undo_others(all->dir);
	r = count ? write_record(all, paths, count) : 0;
	for (size_t i = 0; i < count && r == 0; i++)
		r = make_path(paths[i]);
	return r;
}

void placeholders_end(struct placeholders *all)
{
	CLEANUP_FD int lock = all->dir >= 0 && all->record >= 0 ? lock_all(all->dir) : FD_NONE;

	if (lock >= 0)
		undo(all->dir, all->name, all->record);
	close_fd(&all->record);
	close_fd(&all->dir);
	*all = (struct placeholders)PLACEHOLDERS_NONE;
}
