// SPDX-License-Identifier: Apache-2.0
/*
 * cpuacct.usage_percpu: what the threads of members used since the last look is booked for the processor that each ran on last (proc_pid_stat(5), field
 * 39). Only where a hierarchy of v1 has cpuacct: nothing else tells processors apart. A kernel that does not tell (gVisor) is found out once.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cgroup_enforcer_int.h"

#define THREADS_MAX 32768u /* a power of 2 */
#define PROBES 64u

/* A thread, by its number's hash. */
struct thread {
	pid_t tid;
	u32 look; /* when it was seen last */
	u64 used; /* microseconds */
};

struct cgroup_cpu_seen {
	u32 look;
	struct thread threads[THREADS_MAX];
};

/* What a thread has used, and where it ran last. False: it is gone. */
static bool read_stat(const char *path, u64 *ret_used, u32 *ret_cpu)
{
	unsigned long field[40] = { 0 };
	char text[768];
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *at = strrchr(text, ')');
	for (int i = 3; i < 40; i++) { /* each behind a blank; 3 is a letter */
		at = at ? strchr(at, ' ') : NULL;
		if (!at)
			return false;
		field[i] = strtoul(++at, NULL, 10);
	}
	*ret_used = (field[14] + field[15]) * 1000000 / (unsigned long)sysconf(_SC_CLK_TCK);
	*ret_cpu = (u32)field[39];
	return true;
}

/* In a scratch child, which goes to another processor than the first and asks where it is. */
static bool kernel_tells(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		cpu_set_t set, one;
		u64 used;
		u32 cpu;

		CPU_ZERO(&one);
		if (sched_getaffinity(0, sizeof(set), &set) < 0)
			_exit(1);
		for (int i = 1; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
			if (CPU_ISSET(i, &set))
				CPU_SET(i, &one);
		if (!CPU_COUNT(&one))
			_exit(0); /* there is but the first */
		_exit(sched_setaffinity(0, sizeof(one), &one) < 0 || !read_stat("/proc/self/stat", &used, &cpu) ||
		      !CPU_ISSET(cpu, &one));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The row of a thread; of one that is new, *new. A row that nobody was seen in since the look before this is free. */
static struct thread *row_of(struct cgroup_cpu_seen *seen, pid_t tid, bool *new)
{
	struct thread *free_row = NULL;

	for (u32 i = 0; i < PROBES; i++) {
		struct thread *row = &seen->threads[((u32)tid + i) % THREADS_MAX];
		bool stale = !row->tid || row->look + 1 < seen->look;

		if (row->tid == tid && !stale) {
			*new = false;
			return row;
		}
		if (stale && !free_row)
			free_row = row;
	}
	*new = true;
	return free_row;
}

static void book(struct cgroup_enforcer *e, u32 group, const struct cgroup_task *task, u32 tree, pid_t tid, const char *path)
{
	u64 used;
	u32 cpu;
	bool new;

	if (!read_stat(path, &used, &cpu))
		return;
	struct thread *row = row_of(e->cpu, tid, &new);
	if (!row)
		return;
	if (new) /* since it came into the group: a process that was moved has a row that says so */
		row->used = task->user[tree] || task->system[tree] ? used : 0;
	if (used > row->used)
		(void)__atomic_fetch_add(&e->state->group[group].percpu[cpu % CGROUP_CPUS_MAX], used - row->used, __ATOMIC_RELAXED);
	*row = (struct thread){ .tid = tid, .look = e->cpu->look, .used = used };
}

static void book_threads(struct cgroup_enforcer *e, const struct cgroup_member *member, u32 tree)
{
	const struct cgroup_task *task = &e->state->task[member->row];
	u32 group = cgroup_of_task(e->state, task, tree);
	const struct dirent *entry;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task", member->pid);
	DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", member->pid, tid);
		book(e, group, task, tree, tid, path);
	}
	if (dir)
		(void)closedir(dir);
}

void cgroup_cpu_look(struct cgroup_enforcer *e)
{
	u32 tree = 1;

	while (tree < CGROUP_TREES_MAX &&
	       !(e->state->tree[tree].state == CGROUP_READY && (e->state->tree[tree].controllers & 1u << CGROUP_CPUACCT)))
		tree++;
	if (tree == CGROUP_TREES_MAX || e->cpu_untold)
		return;
	if (!e->cpu)
		e->cpu = kernel_tells() ? calloc(1, sizeof(*e->cpu)) : NULL;
	e->cpu_untold = !e->cpu;
	if (!e->cpu)
		return;
	e->cpu->look++;
	for (u32 i = 0; i < e->member_count; i++)
		if (e->state->task[e->members[i].row].place[tree])
			book_threads(e, &e->members[i], tree);
}
