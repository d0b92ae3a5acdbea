// SPDX-License-Identifier: Apache-2.0
/* Named volumes: see the header. */
#include "host/volumes.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/state_dir.h"
#include "host/tree.h"
#include "host/tree_copy.h"

#define DATA "_data"
#define FILLING "filling"

bool volumes_name_valid(const char *name)
{
	size_t n = strlen(name);

	if (n < 1 || n > VOLUME_NAME_MAX || !isalnum((unsigned char)*name))
		return false;
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("_.-", *at))
			return false;
	return true;
}

int volumes_open(char path[PATH_MAX])
{
	CLEANUP_FD int state = state_dir_open(path);
	size_t length;

	if (state < 0)
		return state;
	length = strlen(path);
	if (length + sizeof("/volumes") > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path + length, "/volumes", sizeof("/volumes"));
	if (mkdirat(state, "volumes", 0700) < 0 && errno != EEXIST)
		return -errno;
	return tree_enter(state, "volumes");
}

/* Opens a volume and locks it. A descriptor; -ENOENT; -EBUSY: LOCK_NB, and another has it. */
static int lock(int volumes, const char *name, int how)
{
	for (;;) {
		CLEANUP_FD int fd = tree_enter(volumes, name);
		struct stat held, named;

		if (fd < 0)
			return fd;
		while (flock(fd, how) < 0)
			if (errno != EINTR)
				return errno == EWOULDBLOCK ? -EBUSY : -errno;
		/* removed, and made anew, while we waited? */
		if (fstat(fd, &held) == 0 && fstatat(volumes, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    held.st_ino == named.st_ino && held.st_dev == named.st_dev)
			return take_fd(&fd);
	}
}

int volume_make(int volumes, const char *name)
{
	CLEANUP_FD int fd = FD_NONE;
	bool made = mkdirat(volumes, name, 0755) == 0;

	if (!made && errno != EEXIST)
		return -errno;
	fd = tree_enter(volumes, name);
	if (fd < 0)
		return fd;
	if (mkdirat(fd, DATA, 0755) == 0)
		return fchmodat(fd, DATA, 0755, 0) < 0 ? -errno : made; /* whatever the umask */
	return errno == EEXIST ? made : -errno;
}

static int count_one(void *arg, int dir, const char *name)
{
	(void)arg;
	(void)dir;
	(void)name;
	return 1;
}

/* Fills an empty volume, or one whose filling was cut short. */
static int fill_if_empty(int volume, int from)
{
	CLEANUP_FD int data = tree_enter(volume, DATA), mark = FD_NONE;
	int r = data < 0 ? data : 0;

	if (r == 0 && tree_each(data, count_one, NULL) != 0 && faccessat(volume, FILLING, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (r < 0)
		return r;
	mark = openat(volume, FILLING, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (mark < 0)
		return -errno;
	r = tree_copy(from, data);
	if (r == 0 && unlinkat(volume, FILLING, 0) < 0)
		r = -errno;
	return r;
}

int volume_use(int volumes, const char *name, int fill)
{
	for (;;) {
		int r = volume_make(volumes, name), fd;

		if (r < 0)
			return r;
		fd = lock(volumes, name, fill >= 0 ? LOCK_EX | LOCK_NB : LOCK_SH);
		if (fd == -EBUSY && fill >= 0) { /* others use it: they have filled it, or are about to */
			fd = lock(volumes, name, LOCK_SH);
			fill = -1;
		}
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		r = fill >= 0 ? fill_if_empty(fd, fill) : 0;
		/* to the shared lock: not atomic, and nobody who comes between finds it empty */
		if (r == 0 && flock(fd, LOCK_SH) < 0)
			r = -errno;
		if (r < 0) {
			(void)close(fd);
			return r;
		}
		if (faccessat(fd, DATA, F_OK, 0) == 0)
			return 0; /* the descriptor, and with it the lock, goes with the process */
		(void)close(fd);
	}
}

int volume_remove(int volumes, const char *name)
{
	CLEANUP_FD int fd = lock(volumes, name, LOCK_EX | LOCK_NB);

	return fd < 0 ? fd : tree_remove(volumes, name);
}

struct listing {
	char (*names)[VOLUME_NAME_MAX + 1];
	int count;
};

static int list_one(void *arg, int dir, const char *name)
{
	struct listing *listing = arg;
	void *more;

	(void)dir;
	if (!volumes_name_valid(name))
		return 0;
	more = reallocarray(listing->names, (size_t)listing->count + 1, sizeof(*listing->names));
	if (!more)
		return -ENOMEM;
	listing->names = more;
	memcpy(listing->names[listing->count++], name, strlen(name) + 1);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int volumes_list(int volumes, char (**ret_names)[VOLUME_NAME_MAX + 1])
{
	struct listing listing = { NULL, 0 };
	int r = tree_each(volumes, list_one, &listing);

	if (r < 0) {
		free(listing.names);
		return r;
	}
	if (listing.count)
		qsort(listing.names, (size_t)listing.count, sizeof(*listing.names), by_name);
	*ret_names = listing.names;
	return listing.count;
}
