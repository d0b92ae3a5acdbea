/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the processes of an agent by what they execute. */
#include "host/cell_members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/types.h"

#define STEP_NS 1000000
#define STEPS 5000 /* five seconds */
#define NOTE "agent"
#define NOTE_SIZE 160u
#define BOOT_SIZE 48u

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
	       one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* Kills those that are there. Their number. */
static int kill_once(DIR *proc, const struct stat *agent)
{
	const struct dirent *entry;
	int count = 0;

	rewinddir(proc);
	while ((entry = readdir(proc))) {
		long pid = strtol(entry->d_name, NULL, 10);
		char path[64];
		struct stat st;

		if (pid <= 0)
			continue;
		(void)snprintf(path, sizeof(path), "%ld/exe", pid);
		if (fstatat(dirfd(proc), path, &st, 0) < 0 || !is_same(&st, agent))
			continue;
		(void)kill((pid_t)pid, SIGKILL);
		count++;
	}
	return count;
}

static int kill_all(const struct stat *agent)
{
	static const struct timespec step = { 0, STEP_NS };
	DIR *proc = opendir("/proc");
	int r = -ETIMEDOUT;

	if (!proc)
		return -errno;
	for (int i = 0; i < STEPS && r < 0; i++) {
		if (kill_once(proc, agent) == 0)
			r = 0;
		else
			(void)nanosleep(&step, NULL);
	}
	(void)closedir(proc);
	return r;
}

/*
 * Whether nobody executes it, by the kernel's own count: a lease for writing is given to who alone has a file open, and a process has its program open
 * (fcntl(2)). The description that the agent was written by does not count; one for reading does. Who has no leases answers no.
 */
static bool unused(int agent)
{
	char path[32];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", agent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		close_fd(&fd);
		return false;
	}
	(void)close(fd); /* and the lease with it */
	return true;
}

int cell_members_kill(int agent)
{
	struct stat st;

	if (unused(agent))
		return 0;
	return fstat(agent, &st) < 0 ? -errno : kill_all(&st);
}

/* The boot that inode numbers are of, without an end of line; "-": this machine does not tell. */
static void boot_of(char id[BOOT_SIZE])
{
	CLEANUP_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, BOOT_SIZE - 1);

	id[n > 0 ? n : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	if (!*id)
		memcpy(id, "-", 2);
}

/* What a note says of an agent; its time, since an inode's number is given again once the file is gone. */
static int print(char text[NOTE_SIZE], const struct stat *st)
{
	char boot[BOOT_SIZE];

	boot_of(boot);
	return snprintf(text, NOTE_SIZE, "%ju %ju %jd.%09ld %s\n", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino,
			(intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, boot);
}

int cell_members_note(int dir, int agent)
{
	struct stat st;
	char text[NOTE_SIZE];
	int size;

	CLEANUP_FD int fd = openat(dir, NOTE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(agent, &st) < 0)
		return -errno;
	size = print(text, &st);
	return write(fd, text, (size_t)size) == size ? 0 : -EIO;
}

void cell_members_forget(int dir)
{
	(void)unlinkat(dir, NOTE, 0);
}

/* Reads a note into what it says of the agent. False: who wrote it was killed before it had, or it is of another boot. */
static bool parse(const char *text, struct stat *ret)
{
	char again[NOTE_SIZE], *end;

	*ret = (struct stat){ .st_dev = strtoull(text, &end, 10) };
	ret->st_ino = strtoull(end, &end, 10);
	ret->st_mtim.tv_sec = strtoll(end, &end, 10);
	if (*end != '.')
		return false;
	ret->st_mtim.tv_nsec = strtol(end + 1, NULL, 10);
	(void)print(again, ret);
	return strcmp(text, again) == 0;
}

int cell_members_kill_noted(int dir)
{
	struct stat agent;
	char text[NOTE_SIZE];
	ssize_t n;

	CLEANUP_FD int fd = openat(dir, NOTE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	text[n] = '\0';
	return parse(text, &agent) ? kill_all(&agent) : 0;
}
