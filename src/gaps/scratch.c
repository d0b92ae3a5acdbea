// SPDX-License-Identifier: Apache-2.0
/* A directory for one probe, which can be cleared up by pid after the probe was killed. */
#include "gaps/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES 5

/* The place of this number, or NULL. */
static const char *place(unsigned number)
{
	static const char *const fixed[PLACES - 1] = { "/tmp", "/var/tmp", "/dev/shm", "/run" };
	if (number > 0)
		return fixed[number - 1];
	const char *dir = getenv("TMPDIR");
	return dir && dir[0] == '/' ? dir : NULL;
}

/* Writes place/lichen-probe-PID. Returns false when there is no such place or its name is too long. */
static bool path_of(unsigned number, pid_t pid, char path[SCRATCH_PATH_MAX])
{
	const char *dir = place(number);
	if (!dir)
		return false;
	int length = snprintf(path, SCRATCH_PATH_MAX, "%s/lichen-probe-%d", dir, (int)pid);
	return length > 0 && length < SCRATCH_PATH_MAX;
}

int scratch_make(char path[SCRATCH_PATH_MAX])
{
	int error = ENOENT;
	for (unsigned i = 0; i < PLACES; i++) {
		if (!path_of(i, getpid(), path))
			continue;
		/* mkdir neither follows a link nor takes what is there already: a name that others can guess is safe. */
		if (mkdir(path, 0700) == 0)
			return 0;
		error = errno;
	}
	return -error;
}

void scratch_remove(pid_t pid)
{
	/* What probes make, the deepest first; needs no descriptor, and unlink and rmdir follow no link. */
	static const char *const mounts[] = { "/merged", "/old", "/bound", "" };
	static const char *const files[] = { "/node", "/file", "/lower/file", "/upper/file" };
	static const char *const dirs[] = { "/work/work", "/work/index", "/lower", "/upper", "/work",
					    "/merged",    "/old",        "/bound", "" };
	char path[SCRATCH_PATH_MAX], target[SCRATCH_PATH_MAX + 16];
	for (unsigned i = 0; i < PLACES; i++) {
		struct stat st;
		if (!path_of(i, pid, path) || lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		for (size_t n = 0; n < ARRAY_SIZE(mounts); n++) {
			snprintf(target, sizeof(target), "%s%s", path, mounts[n]);
			for (int layers = 0; layers < 8 && umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;)
				layers++;
		}
		for (size_t n = 0; n < ARRAY_SIZE(files); n++) {
			snprintf(target, sizeof(target), "%s%s", path, files[n]);
			unlink(target);
		}
		for (size_t n = 0; n < ARRAY_SIZE(dirs); n++) {
			snprintf(target, sizeof(target), "%s%s", path, dirs[n]);
			rmdir(target);
		}
	}
}

int scratch_file(void)
{
	char dir[SCRATCH_PATH_MAX];
	int error = scratch_make(dir);
	if (error)
		return error;
	char path[SCRATCH_PATH_MAX + 8];
	snprintf(path, sizeof(path), "%s/file", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	error = fd < 0 ? -errno : 0;
	if (fd >= 0)
		unlink(path);
	rmdir(dir);
	return fd >= 0 ? fd : error;
}
