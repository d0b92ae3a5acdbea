/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.* of a policy, and who keeps them:
 *
 *   open_files, file_size              setrlimit(2), each process for itself
 *   cpu_time                           likewise: SIGXCPU, and SIGKILL a second later; or by lichen's looks, for gVisor, and for who does not mind SIGXCPU
 *   memory, cpu, processes             control groups where they work, else lichen looks ten times a second, and says so (host/cell_sampler.h)
 *   wall                               lichen's clock: SIGKILL, exit status 124
 *   output                             standard output and error go through pipes and are counted; what is more ends the command. When a limit has ended it, who does not
 *                                      read what it has written is not waited for
 *   disk                               lichen counts what may be written now and then (disk_watch.h): SIGKILL; and setrlimit(2), as far as one file goes
 */
#ifndef LICHEN_CAGE_CAGE_LIMITS_H
#define LICHEN_CAGE_CAGE_LIMITS_H

#include <pthread.h>

#include "cage/disk_watch.h"
#include "cage/policy.h"
#include "host/cell_cgroup.h"
#include "host/cell_sampler.h"
#include "host/launch.h"
#include "host/supervise.h"

#define CAGE_RLIMITS 4u

/* One stream of the guest's on its way to ours. */
struct cage_stream {
	struct cage_run_limits *of;
	int from, to; /* negative: none */
	bool started;
	pthread_t thread;
};

/* While a command runs. */
struct cage_run_limits {
	const struct cage_limits *limits;
	struct cell_resources resources;
	struct cell_cgroup cgroup;
	struct cell_sampler sampler;
	struct disk_watch disk;       /* with limits->disk */
	struct launch_limit *rlimits; /* what the setup has, and one more */
	struct cage_stream streams[2];
	int ends[2];             /* the guest's ends of them; negative: none */
	int enough;              /* an eventfd: a limit has ended the command, and readers are waited for until … */
	s64 patience;            /* … ms, monotonic */
	pthread_mutex_t writing; /* both may go to one pipe */
	pid_t guest;
	u64 begun;       /* when the guest was, in clock ticks after boot; 0: not known yet */
	s64 deadline;    /* ms, monotonic; 0: none */
	u64 written;     /* bytes of output, atomic */
	bool over_time;  /* a process was killed for what it had of the processor */
	const char *hit; /* which limit ended it; NULL: none */
};

/* What setrlimit(2) gets. Returns how many. */
size_t cage_rlimits(const struct cage_limits *limits, struct launch_limit ret[CAGE_RLIMITS]);
/* Which mechanism keeps memory, cpu and processes: tried by doing. */
void cage_limits_plan(const struct cage_limits *limits, struct cell_enforcement *ret);

/* Before the fork: control groups, pipes, and what is on the disk; changes `setup`. 0 or negative errno, then *why may be half a sentence (else NULL); cage_limits_end() in
 * any case. */
int cage_limits_begin(struct cage_run_limits *run, const struct cage_limits *limits, const struct cell_enforcement *by,
		      const struct disk_place *place, struct launch_setup *setup, const char **why) MUST_CHECK;
/* When the guest is there: clocks, and who looks; init: it is lichen's own pid 1. 0 or negative errno: the guest must be killed. */
int cage_limits_watch(struct cage_run_limits *run, pid_t guest, bool init, struct supervisor *supervisor) MUST_CHECK;
/* When all of it has ended: hands on the last output; run->hit is final. */
void cage_limits_end(struct cage_run_limits *run);

#endif
