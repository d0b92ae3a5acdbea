/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the processes of an agent by what they execute. */
#include "host/cell_members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"

#define STEP_NS 1000000
#define STEPS 5000 /* five seconds */

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

int cell_members_kill(int agent)
{
	static const struct timespec step = { 0, STEP_NS };
	DIR *proc = opendir("/proc");
	struct stat st;
	int r = -ETIMEDOUT;

	if (!proc || fstat(agent, &st) < 0) {
		r = -errno;
		if (proc)
			(void)closedir(proc);
		return r;
	}
	for (int i = 0; i < STEPS && r < 0; i++) {
		if (kill_once(proc, &st) == 0)
			r = 0;
		else
			(void)nanosleep(&step, NULL);
	}
	(void)closedir(proc);
	return r;
}
