// SPDX-License-Identifier: Apache-2.0
/*
 * Files without a name that processes have open or mapped, told by /proc. What readlink(2) says of such a file is the path that it had, as its process sees it, and
 * the roots lie at the same paths there: so what is a memfd, System V memory, or was deleted elsewhere, is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/disk_usage_int.h"
#include "cage/look_as.h"

#define DELETED " (deleted)"
#define OPEN_FILE UINT64_MAX /* in place of a device: the number alone */
#define PID_TEXT 16

static bool is_below_roots(const struct disk_usage *usage, const char *path)
{
	for (size_t i = 0; i < usage->root_count; i++)
		if (disk_is_below(path, usage->roots[i].path))
			return true;
	return false;
}

static int hidden(struct disk_total *total)
{
	total->why = "a process does not let its open files be looked at";
	return -EACCES;
}

/* It has ended, or closed that. */
static bool is_gone(int error)
{
	return error == ENOENT || error == ESRCH || error == ENOTDIR;
}

static int add_file(struct disk_usage *usage, const struct stat *st, struct disk_total *total)
{
	int r = disk_seen_add(usage, st->st_dev, st->st_ino, total);

	if (r > 0)
		total->bytes += (u64)st->st_blocks * 512;
	return r < 0 ? r : 0;
}

/* --- open files ---------------------------------------------------------------------------------------------------------------------------------- */

static int add_descriptor(struct disk_usage *usage, int dir, const char *name, struct disk_total *total)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t length;
	int r;

	if (fstatat(dir, name, &st, 0) < 0)
		return errno == EACCES || errno == EPERM ? hidden(total) : 0;
	if (!S_ISREG(st.st_mode) || st.st_nlink)
		return 0;
	length = readlinkat(dir, name, path, sizeof(path) - 1);
	path[length < 0 ? 0 : length] = 0;
	if (length < 0 ? errno != ENAMETOOLONG : !is_below_roots(usage, path)) /* too long to be told: it may be */
		return 0;
	r = disk_seen_add(usage, OPEN_FILE, st.st_ino, total);
	return r < 0 ? r : add_file(usage, &st, total);
}

static int add_descriptors(struct disk_usage *usage, int task, struct disk_total *total)
{
	int fd = openat(task, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		r = is_gone(errno) ? 0 : errno == EACCES || errno == EPERM ? hidden(total) : -errno;
		close_fd(&fd);
		return r;
	}
	errno = 0;
	while (r == 0 && (entry = readdir(stream))) {
		if (entry->d_name[0] != '.')
			r = add_descriptor(usage, dirfd(stream), entry->d_name, total);
		errno = 0;
	}
	if (r == 0 && (errno == EACCES || errno == EPERM))
		r = hidden(total);
	(void)closedir(stream);
	return r;
}

static bool shares_files(pid_t pid, pid_t thread)
{
	return syscall(SYS_kcmp, pid, thread, KCMP_FILES, 0, 0) == 0;
}

/* Threads may have descriptors of their own. */
static int add_threads(struct disk_usage *usage, int process, pid_t pid, struct disk_total *total)
{
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		r = is_gone(errno) ? 0 : -errno;
		close_fd(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(stream))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		CLEANUP_FD int task = FD_NONE;

		if (thread <= 0 || (thread != pid && shares_files(pid, thread)))
			continue;
		task = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (task >= 0)
			r = add_descriptors(usage, task, total);
	}
	(void)closedir(stream);
	return r;
}

/* --- mapped files -------------------------------------------------------------------------------------------------------------------------------- */

/* proc(5): "START-END PERMS OFFSET MAJOR:MINOR INODE PATH (deleted)". */
static int add_mapping(struct disk_usage *usage, int process, const char *line, struct disk_total *total)
{
	unsigned long long start, end, inode;
	unsigned major, minor;
	char name[64];
	struct stat st;
	int at = 0, r;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers */
	if (sscanf(line, "%llx-%llx %*s %*s %x:%x %llu %n", &start, &end, &major, &minor, &inode, &at) < 5 || !at || !inode ||
	    !is_below_roots(usage, line + at))
		return 0;
	(void)snprintf(name, sizeof(name), "map_files/%llx-%llx", start, end);
	if (fstatat(process, name, &st, 0) == 0)
		return st.st_nlink || !S_ISREG(st.st_mode) ? 0 : add_file(usage, &st, total);
	r = disk_seen_add(usage, OPEN_FILE, inode, total); /* each mapping of it but the first is left out */
	if (r > 0)
		total->bytes += end - start;
	return r < 0 ? r : 0;
}

static int add_mappings(struct disk_usage *usage, int process, pid_t pid, struct disk_total *total)
{
	int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC), r = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	CLEANUP_FREE char *line = NULL;
	size_t room = 0;
	ssize_t length;
	(void)pid;

	if (!file) {
		r = is_gone(errno) ? 0 : errno == EACCES || errno == EPERM ? hidden(total) : -errno;
		close_fd(&fd);
		return r;
	}
	while (r == 0 && (length = getline(&line, &room, file)) > 0) {
		line[length - 1] = 0;
		if ((size_t)length > sizeof(DELETED) && strcmp(line + length - sizeof(DELETED), DELETED) == 0)
			r = add_mapping(usage, process, line, total);
	}
	(void)fclose(file);
	return r;
}

static int open_process(pid_t pid, struct disk_total *total)
{
	char path[PID_TEXT + 8];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	total->why = "what its processes have open cannot be looked at";
	return fd < 0 ? -errno : fd;
}

/* Where we may not look, as who it is, by which the kernel judges: root of a container lacks CAP_SYS_PTRACE. What was counted before is not counted again. */
static int add_of(struct disk_usage *usage, pid_t pid, struct disk_total *total,
		  int (*add)(struct disk_usage *usage, int process, pid_t pid, struct disk_total *total))
{
	CLEANUP_FD int process = open_process(pid, total);
	struct stat st;
	int r;

	if (process < 0)
		return is_gone(-process) ? 0 : process;
	r = add(usage, process, pid, total);
	if (r != -EACCES || fstat(process, &st) < 0)
		return r;
	look_as(st.st_uid, st.st_gid);
	r = add(usage, process, pid, total);
	look_as(geteuid(), getegid());
	return r;
}

int disk_usage_add_open(struct disk_usage *usage, pid_t pid, struct disk_total *total)
{
	return add_of(usage, pid, total, add_threads);
}

int disk_usage_add_mapped(struct disk_usage *usage, pid_t pid, struct disk_total *total)
{
	return add_of(usage, pid, total, add_mappings);
}
