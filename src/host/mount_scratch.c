// SPDX-License-Identifier: Apache-2.0
/* Scratch directories on the host: see the header. */
#include "host/mount_scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/root_layers.h"
#include "host/tree.h"

#define NAME "lichen-scratch-"
#define TMPFS_MAGIC 0x01021994
#define ROOM_WANTED (UINT64_C(1) << 30) /* a container's /dev/shm of 64 MiB is soon full */

/* --- what others left ---------------------------------------------------------------------------------------------------------------------- */

static int remove_if_left(void *arg, int dir, const char *name)
{
	struct stat st;
	(void)arg;

	if (strncmp(name, NAME, strlen(NAME)) != 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_uid != geteuid())
		return 0;
	CLEANUP_FD int fd = tree_enter(dir, name);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)tree_remove(dir, name);
	return 0;
}

static void sweep(const char *place)
{
	CLEANUP_FD int dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0)
		(void)tree_each(dir, remove_if_left, NULL);
}

/* --- places -------------------------------------------------------------------------------------------------------------------------------- */

static bool takes_attributes(const char *path)
{
	return lsetxattr(path, "user.lichen", "1", 1, 0) == 0 && lremovexattr(path, "user.lichen") == 0;
}

/* Makes it in a place and locks it. 0 or negative errno. */
static int make_in(const char *place, struct mount_scratch *ret)
{
	for (;;) {
		struct stat st;

		if (snprintf(ret->path, sizeof(ret->path), "%s/" NAME "XXXXXX", place) >= (int)sizeof(ret->path))
			return -ENAMETOOLONG;
		if (!mkdtemp(ret->path))
			return -errno;
		ret->lock = open(ret->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (ret->lock >= 0 && flock(ret->lock, LOCK_SH | LOCK_NB) == 0 && fstat(ret->lock, &st) == 0 && st.st_nlink &&
		    fchmod(ret->lock, 0711) == 0)
			return 0;
		int error = errno;
		close_fd(&ret->lock);
		*ret = MOUNT_SCRATCH_NONE;
		if (error != EWOULDBLOCK && error != ENOENT) /* not taken for one that was left, between these two calls */
			return -error;
	}
}

/* A host's tmpfs that does for it. */
static bool is_good_tmpfs(const char *place)
{
	struct statvfs flags;
	struct statfs fs;

	return statfs(place, &fs) == 0 && fs.f_type == TMPFS_MAGIC && statvfs(place, &flags) == 0 && !(flags.f_flag & ST_NOEXEC) &&
	       (u64)flags.f_bavail * flags.f_frsize >= ROOM_WANTED;
}

#define PLACES 3

static void get_places(const char *places[PLACES])
{
	const char *temporary = getenv("TMPDIR");

	places[0] = temporary && temporary[0] == '/' ? temporary : "/tmp";
	places[1] = "/tmp";
	places[2] = "/var/tmp";
}

void mount_scratch_sweep_disk(void)
{
	const char *places[PLACES];

	get_places(places);
	for (size_t i = 0; i < PLACES; i++)
		if (i == 0 || strcmp(places[i], places[i - 1]) != 0)
			sweep(places[i]);
}

void mount_scratch_sweep(void)
{
	sweep("/dev/shm");
	mount_scratch_sweep_disk();
}

int mount_scratch_make_on_disk(struct mount_scratch *ret)
{
	const char *places[PLACES];
	int r = -ENOENT;

	*ret = MOUNT_SCRATCH_NONE;
	get_places(places);
	for (size_t i = 0; i < PLACES && r < 0; i++)
		r = make_in(places[i], ret);
	return r;
}

/* On a tmpfs that takes programs and attributes if there is one. */
static int mount_scratch_make(struct mount_scratch *ret)
{
	int r;

	*ret = MOUNT_SCRATCH_NONE;
	if (is_good_tmpfs("/dev/shm")) {
		sweep("/dev/shm");
		r = make_in("/dev/shm", ret);
		if (r == 0 && takes_attributes(ret->path))
			return 0;
		if (r == 0)
			mount_scratch_end(ret);
	}
	mount_scratch_sweep_disk();
	return mount_scratch_make_on_disk(ret);
}

int mount_scratch_stage(struct mount_scratch *ret, struct commons *commons)
{
	int r = mount_scratch_make(ret);

	memcpy(commons->scratch, ret->path, sizeof(commons->scratch));
	if (r == 0 && !commons->fs.table.layer_count)
		(void)root_layers_features(ret->path, &commons->fs);
	return r;
}

void mount_scratch_end(struct mount_scratch *scratch)
{
	if (scratch->lock >= 0)
		(void)tree_remove(AT_FDCWD, scratch->path);
	close_fd(&scratch->lock);
	*scratch = MOUNT_SCRATCH_NONE;
}
