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
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/types.h"

#define STEP_NS 1000000
#define STEPS 5000 /* five seconds */
#define NOTE "agent"

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
		if (fstatat(dirfd(proc), path, &st, 0) < 0 || st.st_dev != agent->st_dev || st.st_ino != agent->st_ino)
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

int cell_members_note(int dir, int agent)
{
	struct stat st;
	char text[64];
	int size;

	CLEANUP_FD int fd = openat(dir, NOTE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(agent, &st) < 0)
		return -errno;
	size = snprintf(text, sizeof(text), "%ju %ju\n", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return write(fd, text, (size_t)size) == size ? 0 : -EIO;
}

int cell_members_kill_noted(int dir)
{
	struct stat agent = { .st_dev = 0 };
	char text[64], *end;
	ssize_t n;

	CLEANUP_FD int fd = openat(dir, NOTE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	text[n] = '\0';
	agent.st_dev = strtoull(text, &end, 10);
	agent.st_ino = strtoull(end, &end, 10);
	return *end == '\n' && agent.st_ino ? kill_all(&agent) : 0; /* who noted it was killed before it had written */
}
