/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the members of a cell, and stops or kills them. */
#include "host/cell_sampler.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SMAPS_SIZE (UINT64_C(256) << 10)
#define HOLD_TRIES 100
#define HOLD_QUIET 5
#define HOLD_STEP_NS 1000000
#define LOOK_SHARE 20     /* looking takes at most this part of the time */
#define ACCOUNT_US 200000 /* of a whole processor */

static s64 now_ms(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- stopping --------------------------------------------------------------------------------------------------------------------------- */

static bool is_held(const struct cell_held *held, pid_t pid)
{
	for (size_t i = 0; i < held->count; i++)
		if (held->pids[i] == pid)
			return true;
	return false;
}

/* Stops one. Returns whether it has still to be waited for: 2 if it is new, else 1; or negative errno. */
static int hold_one(struct cell_held *held, const struct cell_process *process)
{
	pid_t *more;

	if (is_held(held, process->pid))
		return process->state != 'T';
	if (process->state == 'T' || process->state == 't')
		return 0; /* somebody else's stop */
	more = reallocarray(held->pids, held->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	held->pids = more;
	if (kill(process->pid, SIGSTOP) < 0)
		return 0;
	held->pids[held->count++] = process->pid;
	return 2;
}

/* Stops all that are there. Returns the most that hold_one() said. */
static int hold_all(const char *id, enum cell_search search, struct cell_held *held)
{
	struct cell_process *all = NULL;
	int count = cell_processes(id, getpid(), search, &all, NULL), most = count < 0 ? count : 0;

	for (int i = 0; all && i < count && most >= 0; i++) {
		int r = hold_one(held, &all[i]);

		most = r < 0 || r > most ? r : most;
	}
	free(all);
	return most;
}

int cell_hold(const char *id, enum cell_search search, struct cell_held *held)
{
	static const struct timespec step = { 0, HOLD_STEP_NS };
	int r = 1;

	/* What sleeps in the kernel, or is not told to have stopped, stops before it makes others: none are new, a few times over. */
	for (int i = 0, quiet = 0; i < HOLD_TRIES && quiet < HOLD_QUIET && r > 0; i++) {
		r = hold_all(id, search, held);
		quiet = r == 2 ? 0 : quiet + 1;
		if (r > 0)
			(void)nanosleep(&step, NULL);
	}
	return r < 0 ? r : 0;
}

void cell_release(struct cell_held *held)
{
	for (size_t i = 0; i < held->count; i++)
		(void)kill(held->pids[i], SIGCONT);
	free(held->pids);
	*held = (struct cell_held){ 0 };
}

/* --- memory ----------------------------------------------------------------------------------------------------------------------------- */

/*
 * The sum of all lines "Pss:" of a file, but for mappings of the cell's commons, all of which gVisor takes for resident. False: there is no such file.
 * It is read at once: each read(2) of gVisor's makes the text anew, and where mappings have changed since the one before, the commons' head may be missed.
 */
static bool sum_pss(const char *path, u64 *ret)
{
	char line[PATH_MAX + 128];
	unsigned long long value;
	bool ours = false;
	CLEANUP_FREE char *buffer = NULL;
	FILE *file = fopen(path, "re");

	*ret = 0;
	if (!file)
		return false;
	buffer = malloc(SMAPS_SIZE); /* without memory for it, stdio reads in pieces */
	if (buffer)
		(void)setvbuf(file, buffer, _IOFBF, SMAPS_SIZE);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss: %llu kB", &value) == 1) /* NOLINT(cert-err34-c): the kernel writes numbers */
			*ret += ours ? 0 : value * 1024;
		else if (line[0] < 'A' || line[0] > 'Z') /* the head of a mapping begins with its address */
			ours = strstr(line, "/memfd:lichen-commons") != NULL;
	(void)fclose(file);
	return true;
}

u64 cell_process_memory(pid_t pid, bool exact)
{
	unsigned long long pages = 0;
	char path[64];
	u64 bytes;
	FILE *file;

	for (int i = 0; exact && i < 2; i++) {
		(void)snprintf(path, sizeof(path), i ? "/proc/%d/smaps" : "/proc/%d/smaps_rollup", pid);
		if (sum_pss(path, &bytes))
			return bytes;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%*u %llu", &pages) != 1) /* NOLINT(cert-err34-c) */
		pages = 0;
	if (file)
		(void)fclose(file);
	return pages * (u64)sysconf(_SC_PAGESIZE);
}

/* What all use; *largest: the index of the one that uses most. */
static u64 memory_of(const struct cell_process *all, int count, bool exact, int *largest)
{
	u64 sum = 0, most = 0;

	for (int i = 0; i < count; i++) {
		u64 bytes = cell_process_memory(cell_process_thread(&all[i]), exact);

		sum += bytes;
		if (bytes >= most) {
			most = bytes;
			*largest = i;
		}
	}
	return sum;
}

static void look_at_memory(struct cell_sampler *sampler, const struct cell_process *all, int count)
{
	u64 limit = sampler->limits->memory;
	int largest = -1;

	/* resident sets are told at once, and never smaller than Pss */
	if (memory_of(all, count, false, &largest) <= limit || memory_of(all, count, true, &largest) <= limit || largest < 0)
		return;
	sampler->killed_for_memory = true;
	(void)kill(all[largest].pid, SIGKILL);
}

/* --- processes ---------------------------------------------------------------------------------------------------------------------------- */

static void look_at_pids(const struct cell_sampler *sampler, struct cell_process *all, int count)
{
	u64 tasks = 0;

	for (int i = 0; i < count; i++)
		tasks += all[i].threads;
	while (tasks > sampler->limits->pids) {
		int youngest = -1;

		for (int i = 0; i < count; i++)
			if (all[i].threads && (youngest < 0 || all[i].started > all[youngest].started ||
					       (all[i].started == all[youngest].started && all[i].pid > all[youngest].pid)))
				youngest = i;
		if (youngest < 0)
			break;
		(void)kill(all[youngest].pid, SIGKILL);
		tasks -= all[youngest].threads;
		all[youngest].threads = 0;
	}
}

/* --- processors --------------------------------------------------------------------------------------------------------------------------- */

/* Of all members so far, in microseconds: what a member has used is its parent's once that has waited for it, and ours in the end. */
static u64 used_by(const struct cell_process *all, int count)
{
	u64 ticks = 0, per_second = (u64)sysconf(_SC_CLK_TCK);
	struct rusage ours;

	(void)getrusage(RUSAGE_CHILDREN, &ours);
	for (int i = 0; i < count; i++)
		ticks += all[i].ticks + all[i].waited;
	return ticks * 1000000 / per_second + (u64)(ours.ru_utime.tv_sec + ours.ru_stime.tv_sec) * 1000000 +
	       (u64)(ours.ru_utime.tv_usec + ours.ru_stime.tv_usec);
}

static void look_at_cpus(struct cell_sampler *sampler, const struct cell_process *all, int count, s64 now)
{
	s64 cpus = sampler->limits->cpus, most = ACCOUNT_US * cpus / 1000;
	u64 used = used_by(all, count);

	if (sampler->last) {
		sampler->account += (now - sampler->last) * cpus; /* ms × thousandths = microseconds */
		if (used > sampler->used)
			sampler->account -= (s64)(used - sampler->used);
	}
	sampler->used = used;
	if (sampler->account > most)
		sampler->account = most;
	if (sampler->account < 0 && !sampler->held.count) {
		if (cell_hold(sampler->id, sampler->search, &sampler->held) < 0)
			cell_release(&sampler->held); /* without memory: at the next look */
	} else if (sampler->account >= 0)
		cell_release(&sampler->held);
}

/* --- the look ----------------------------------------------------------------------------------------------------------------------------- */

bool cell_sampled(const struct cell_enforcement *by)
{
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (by->by[i] == CELL_SAMPLED)
			return true;
	return false;
}

static bool wants(const struct cell_sampler *sampler, enum cell_resource resource)
{
	return sampler->by->by[resource] == CELL_SAMPLED && cell_resource_given(sampler->limits, resource);
}

int cell_sampler_tick(struct cell_sampler *sampler)
{
	s64 now = now_ms(), took;
	struct cell_process *all = NULL;
	int count;

	if (now < sampler->next)
		return (int)(sampler->next - now);
	count = cell_processes(sampler->id, getpid(), sampler->search, &all, NULL);
	if (count > 0 && wants(sampler, CELL_MEMORY))
		look_at_memory(sampler, all, count);
	if (count > 0 && wants(sampler, CELL_PIDS))
		look_at_pids(sampler, all, count);
	if (count > 0 && wants(sampler, CELL_CPUS))
		look_at_cpus(sampler, all, count, now);
	free(all);
	sampler->last = now;
	took = now_ms() - now;
	sampler->next = now + (took * LOOK_SHARE > SAMPLER_PERIOD_MS ? took * LOOK_SHARE : SAMPLER_PERIOD_MS);
	return (int)(sampler->next - now - took);
}

void cell_sampler_end(struct cell_sampler *sampler)
{
	cell_release(&sampler->held);
}
