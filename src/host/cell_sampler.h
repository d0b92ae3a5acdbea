/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits without cgroups: the monitor looks at the cell's members every 100 ms (less often where a look takes more than a twentieth of that time).
 *
 *   memory  when what they use together (Pss; where the kernel does not know shares, as gVisor, pages that several use count for each) is more than
 *           the limit, the largest is killed. What is in swap does not count
 *   cpus    processor time is paid out of an account that fills at the limit's rate, and holds no more than 200 ms of it; while it is overdrawn all are
 *           stopped (SIGSTOP), which a debugger or a shell in the cell sees
 *   pids    the youngest processes beyond the limit are killed; threads count
 *
 * What a member does between two looks is not seen: a burst gets through.
 */
#ifndef LICHEN_HOST_CELL_SAMPLER_H
#define LICHEN_HOST_CELL_SAMPLER_H

#include "host/cell_process.h"
#include "host/cell_resources.h"

#define SAMPLER_PERIOD_MS 100

/* Members that were stopped from outside. */
struct cell_held {
	pid_t *pids;
	size_t count;
};

/* Stops all members that are not stopped, and those that they start meanwhile. 0 or negative errno. */
int cell_hold(const char *id, enum cell_search search, struct cell_held *held) MUST_CHECK;
/* Continues those that it stopped. */
void cell_release(struct cell_held *held);

struct cell_sampler {
	const char *id;
	enum cell_search search;
	const struct cell_resources *limits;
	const struct cell_enforcement *by;
	s64 next, last;         /* ms, monotonic: of the next look, and of the last one; last 0 = there was none */
	u64 used;               /* processor time at the last look, in microseconds */
	s64 account;            /* microseconds */
	struct cell_held held;  /* while the account is overdrawn */
	bool killed_for_memory; /* out */
};

/* Whether any limit is sampled. */
bool cell_sampled(const struct cell_enforcement *by);
/* Looks, if it is time. Returns the milliseconds until the next look. */
int cell_sampler_tick(struct cell_sampler *sampler);
/* Lets all go on. */
void cell_sampler_end(struct cell_sampler *sampler);

/* Memory of a process in bytes: Pss if exact, and the kernel tells it, else its resident set. 0: it has ended. */
u64 cell_process_memory(pid_t pid, bool exact);

#endif
