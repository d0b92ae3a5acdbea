// SPDX-License-Identifier: Apache-2.0
/* A disk that loses its power: see the header. Inodes are files of WORK/inodes; WORK/durable has the directories, its files are links to those. */
#include "audit_disk.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/tree.h"

static struct {
	char work[PATH_MAX / 4], log[PATH_MAX / 2], durable[PATH_MAX / 2];
	enum disk_fault fault;
	unsigned calls, at;
	bool came;
} disk;

static void forget(const char *path)
{
	assert_int_equal(tree_remove(AT_FDCWD, path), 0);
}

static void copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	(void)close(in);
	(void)close(out);
}

static void copy_tree(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	const struct dirent *entry;

	assert_non_null(dir);
	assert_int_equal(mkdir(to, 0700), 0);
	while ((entry = readdir(dir)) != NULL) {
		char source[PATH_MAX], target[PATH_MAX];
		struct stat st;

		(void)snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
		(void)snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
		assert_int_equal(lstat(source, &st), 0);
		if (*entry->d_name != '.' && S_ISDIR(st.st_mode))
			copy_tree(source, target);
		else if (*entry->d_name != '.')
			copy_file(source, target);
	}
	(void)closedir(dir);
}

void disk_begin(const char *work, enum disk_fault fault, unsigned at)
{
	char inodes[PATH_MAX];

	(void)snprintf(disk.work, sizeof(disk.work), "%s", work);
	(void)snprintf(disk.log, sizeof(disk.log), "%s/log", work);
	(void)snprintf(disk.durable, sizeof(disk.durable), "%s/durable", work);
	(void)snprintf(inodes, sizeof(inodes), "%s/inodes", work);
	forget(disk.log);
	forget(disk.durable);
	forget(inodes);
	assert_int_equal(mkdir(inodes, 0700) | mkdir(disk.log, 0700) | mkdir(disk.durable, 0700), 0);
	disk.fault = fault;
	disk.calls = 0;
	disk.at = at;
	disk.came = false;
}

unsigned disk_calls(void)
{
	return disk.calls;
}

bool disk_fault_came(void)
{
	return disk.came;
}

void disk_repair(void)
{
	disk.fault = DISK_FINE;
}

const char *disk_log(void)
{
	return disk.log;
}

/* Whether this call is to fail; errno is set. */
static bool fails(void)
{
	bool now = ++disk.calls == disk.at && disk.fault != DISK_FINE;

	if (now)
		disk.came = true;
	errno = disk.fault == DISK_FULL ? ENOSPC : EIO;
	return now || (disk.came && disk.fault == DISK_KILLED);
}

/* --- what is durable --------------------------------------------------------------------------------------------------------------------- */

static void inode_path(ino_t inode, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s/inodes/%lu", disk.work, (unsigned long)inode);
}

static void keep_file(int fd, ino_t inode)
{
	char path[PATH_MAX], from[64];

	inode_path(inode, path);
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	copy_file(from, path);
}

static void keep_name(const char *live, const char *durable, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX], inode[PATH_MAX];
	struct stat st;

	(void)snprintf(from, sizeof(from), "%s/%s", live, name);
	(void)snprintf(to, sizeof(to), "%s/%s", durable, name);
	if (lstat(from, &st) < 0) {
		forget(to);
	} else if (S_ISDIR(st.st_mode)) {
		assert_true(mkdir(to, 0700) == 0 || errno == EEXIST);
	} else {
		inode_path(st.st_ino, inode);
		(void)close(open(inode, O_WRONLY | O_CREAT, 0600));
		(void)unlink(to);
		assert_int_equal(link(inode, to), 0);
	}
}

static void keep_names_of(const char *list, const char *live, const char *durable)
{
	DIR *dir = opendir(list);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		if (*entry->d_name != '.')
			keep_name(live, durable, entry->d_name);
	if (dir)
		(void)closedir(dir);
}

static void keep_dir(int fd)
{
	char link_path[64], live[PATH_MAX / 2], durable[PATH_MAX];
	ssize_t n;

	(void)snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", fd);
	n = readlink(link_path, live, sizeof(live) - 1);
	assert_true(n > 0);
	live[n] = 0;
	if (strncmp(live, disk.log, strlen(disk.log)) != 0)
		return;
	(void)snprintf(durable, sizeof(durable), "%s%s", disk.durable, live + strlen(disk.log));
	if (access(durable, F_OK) < 0)
		return; /* nobody could reach it */
	keep_names_of(live, live, durable);
	keep_names_of(durable, live, durable);
}

/* --- the calls --------------------------------------------------------------------------------------------------------------------------- */

static int disk_create(int dir, const char *path, int flags, mode_t mode)
{
	return fails() ? -1 : audit_io_system.create(dir, path, flags, mode);
}

static ssize_t disk_write(int fd, const void *bytes, size_t size)
{
	bool last = disk.came;

	if (!fails())
		return audit_io_system.write(fd, bytes, size);
	if (!last || disk.fault == DISK_FULL) {
		int kept = errno;

		assert_int_equal(audit_io_system.write(fd, bytes, size / 2), size / 2);
		errno = kept;
	}
	return -1;
}

static int disk_sync(int fd)
{
	struct stat st;

	if (fails())
		return -1;
	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		keep_dir(fd);
	else
		keep_file(fd, st.st_ino);
	return 0;
}

static int disk_truncate(int fd, off_t size)
{
	return fails() ? -1 : audit_io_system.truncate(fd, size);
}

static int disk_rename(int dir, const char *from, const char *to)
{
	return fails() ? -1 : audit_io_system.rename(dir, from, to);
}

static int disk_mkdir(int dir, const char *path, mode_t mode)
{
	return fails() ? -1 : audit_io_system.mkdir(dir, path, mode);
}

const struct audit_io disk_io = {
	.create = disk_create,
	.write = disk_write,
	.sync = disk_sync,
	.truncate = disk_truncate,
	.rename = disk_rename,
	.mkdir = disk_mkdir,
};

/* Of the bytes behind those that were synced, any beginning may have reached the disk, and blocks of zeros. */
static void tear_journal(const char *live, const char *durable, unsigned seed)
{
	char bytes[1 << 18];
	FILE *from = fopen(live, "r"), *to = fopen(durable, "r+");
	long synced = 0;
	size_t size = from ? fread(bytes, 1, sizeof(bytes), from) : 0, kept;

	if (to) {
		(void)fseek(to, 0, SEEK_END);
		synced = ftell(to);
	}
	if (to && (long)size > synced) {
		kept = (size_t)synced + seed % (size - (size_t)synced + 1);
		if (seed & 1)
			memset(bytes + synced + (kept - (size_t)synced) / 2, 0, (kept - (size_t)synced + 1) / 2);
		assert_int_equal(fwrite(bytes + synced, 1, kept - (size_t)synced, to), kept - (size_t)synced);
	}
	if (from)
		(void)fclose(from);
	if (to)
		(void)fclose(to);
}

void disk_power_failure(unsigned seed)
{
	char live[PATH_MAX], durable[PATH_MAX];

	(void)snprintf(live, sizeof(live), "%s/journal", disk.log);
	(void)snprintf(durable, sizeof(durable), "%s/journal", disk.durable);
	tear_journal(live, durable, seed);
	forget(disk.log);
	copy_tree(disk.durable, disk.log);
}
