/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the processes of a cell. */
#include "host/cell_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define KILL_STEP_NS 2000000
#define KILL_STEPS 2500         /* five seconds */
#define UNKNOWN_MS 200          /* for what is in execve */
#define FLAG_KERNEL 0x00200000u /* include/linux/sched.h: PF_KTHREAD */
#define ENVIRONMENT_MAX (1u << 20)

/* Reads a file of /proc. Returns its size, with a NUL behind it. */
static size_t read_proc(int proc, const char *path, char *text, size_t size)
{
	CLEANUP_FD int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t n;

	while (fd >= 0 && done < size - 1 && (n = read(fd, text + done, size - 1 - done)) > 0)
		done += (size_t)n;
	text[done] = '\0';
	return done;
}

/* proc(5): the fields behind the name, which may have anything in it. */
static bool read_stat(int proc, pid_t pid, struct cell_process *ret)
{
	char path[32], text[1024];
	const char *at;
	unsigned long user = 0, system = 0;
	long waited_user = 0, waited_system = 0, threads = 1;
	unsigned long long started = 0;
	unsigned flags = 0;
	int parent = 0;
	char state = 0;

	(void)snprintf(path, sizeof(path), "%d/stat", pid);
	(void)read_proc(proc, path, text, sizeof(text));
	at = strrchr(text, ')');
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers */
	if (!at || sscanf(at + 1, " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %ld %*d %llu", &state, &parent,
			  &flags, &user, &system, &waited_user, &waited_system, &threads, &started) < 2)
		return false;
	*ret = (struct cell_process){ .pid = pid,
				      .parent = parent,
				      .state = state,
				      .ticks = user + system,
				      .waited = (u64)waited_user + (u64)waited_system,
				      .threads = (u32)threads,
				      .started = started,
				      .kernel = flags & FLAG_KERNEL };
	return (state != 'Z' && state != 'X') || threads > 1; /* its first thread alone may have ended */
}

/* Whether its environment names the cell. Counts it in *unknown if it may be read and is empty. */
static bool marked(int proc, pid_t pid, const char *id, char *buffer, int *unknown)
{
	char path[32], wanted[64];
	size_t size, length;

	(void)snprintf(path, sizeof(path), "%d/environ", pid);
	length = (size_t)snprintf(wanted, sizeof(wanted), CELL_VARIABLE "=%s", id) + 1;
	size = read_proc(proc, path, buffer, ENVIRONMENT_MAX);
	*unknown += size == 0 && faccessat(proc, path, R_OK, AT_EACCESS) == 0;
	for (const char *at = buffer; at < buffer + size; at += strlen(at) + 1)
		if ((size_t)(buffer + size + 1 - at) >= length &&
		    memcmp(at, wanted, length) == 0) /* the last one may lack its NUL */
			return true;
	return false;
}

static int read_all(int proc, struct cell_process **ret)
{
	int fd = dup(proc);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct cell_process *all = NULL;
	size_t count = 0, room = 0;
	const struct dirent *entry;

	if (!stream) {
		close_fd(&fd);
		return -EMFILE; /* or no memory, which is as good a reason */
	}
	rewinddir(stream);
	while ((entry = readdir(stream))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid <= 0)
			continue;
		if (count == room) {
			struct cell_process *more = reallocarray(all, room = room ? 2 * room : 64, sizeof(*all));

			if (!more) {
				free(all);
				(void)closedir(stream);
				return -ENOMEM;
			}
			all = more;
		}
		count += read_stat(proc, (pid_t)pid, &all[count]);
	}
	(void)closedir(stream);
	*ret = all;
	return (int)count;
}

/* Children of members, and of the monitor, are members. Returns whether one more was found. */
static bool spread(struct cell_process *all, int count, pid_t monitor)
{
	bool more = false;

	for (int i = 0; i < count; i++) {
		bool child = monitor && all[i].parent == monitor;

		for (int j = 0; j < count && !child && !all[i].member; j++)
			child = all[j].member && all[j].pid == all[i].parent;
		if (child && !all[i].member)
			more = all[i].member = true;
	}
	return more;
}

/* Marks the members among them. Returns how many others have no environment. */
static int mark(int proc, const char *id, pid_t monitor, enum cell_search search, struct cell_process *all, int count, char *buffer)
{
	int unknown = 0;

	while (spread(all, count, monitor))
		;
	if (search == CELL_BY_PARENT)
		return 0;
	for (int i = 0; i < count; i++)
		if (!all[i].member && !all[i].kernel && all[i].pid != monitor && all[i].pid != getpid())
			all[i].member = marked(proc, all[i].pid, id, buffer, &unknown);
	while (spread(all, count, monitor))
		;
	return unknown;
}

int cell_processes(const char *id, pid_t monitor, enum cell_search search, struct cell_process **ret, int *ret_unknown)
{
	CLEANUP_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cell_process *all = NULL;
	int count = proc < 0 ? -errno : read_all(proc, &all), members = 0, unknown;
	char *buffer = malloc(ENVIRONMENT_MAX);

	if (count < 0 || !buffer || !all) {
		free(buffer);
		free(all);
		return count < 0 ? count : -ENOMEM;
	}
	unknown = mark(proc, id, monitor, search, all, count, buffer);
	free(buffer);
	for (int i = 0; i < count; i++)
		if (all[i].member && all[i].pid != monitor && all[i].pid != getpid())
			all[members++] = all[i];
	*ret = all;
	if (ret_unknown)
		*ret_unknown = unknown;
	return members;
}

pid_t cell_process_thread(const struct cell_process *process)
{
	struct cell_process thread;
	char path[32];
	const struct dirent *entry;
	pid_t found = process->pid;
	DIR *stream;

	if (process->state != 'Z' && process->state != 'X')
		return found;
	(void)snprintf(path, sizeof(path), "/proc/%d/task", process->pid);
	stream = opendir(path);
	while (stream && found == process->pid && (entry = readdir(stream))) {
		pid_t number = (pid_t)strtol(entry->d_name, NULL, 10);

		if (number > 0 && read_stat(dirfd(stream), number, &thread) && thread.state != 'Z' && thread.state != 'X')
			found = number;
	}
	if (stream)
		(void)closedir(stream);
	return found;
}

static s64 now_ms(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Whether we have no descendant any more: what is orphaned becomes our child. */
static bool childless(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

int cell_processes_kill(const char *id, pid_t monitor, enum cell_search search)
{
	static const struct timespec step = { 0, KILL_STEP_NS };
	struct cell_process *all = NULL;
	s64 end = now_ms() + (monitor ? 0 : UNKNOWN_MS); /* of a living monitor all are descendants */

	if (monitor == getpid() && search == CELL_BY_PARENT && childless())
		return 0; /* without a look at every process of the machine */
	for (int i = 0; i < KILL_STEPS; i++) {
		int unknown = 0, count = cell_processes(id, monitor, search, &all, &unknown);

		for (int j = 0; all && j < count; j++)
			(void)kill(all[j].pid, SIGKILL);
		free(all);
		all = NULL;
		if (monitor == getpid())
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		if (count < 0 || (count == 0 && (unknown == 0 || now_ms() >= end)))
			return count < 0 ? count : 0;
		(void)nanosleep(&step, NULL);
	}
	return -ETIMEDOUT;
}
