/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cell may use: memory, processors, processes. Each limit is kept by the cheapest mechanism that works here, found out by doing:
 *
 *   cgroup    v1 or v2, where one can be made below ours and does what it says (cell_cgroup.h)
 *   sampled   the monitor looks at the members now and then (cell_sampler.h), and kills or stops them: what happens between two looks is not seen
 *   affinity  --cpuset-cpus alone: sched_setaffinity(2), which a program may widen again
 */
#ifndef LICHEN_HOST_CELL_RESOURCES_H
#define LICHEN_HOST_CELL_RESOURCES_H

#include <jansson.h>
#include <sched.h>

#include "base/types.h"

#define CELL_MEMORY_MIN ((u64)6 * 1024 * 1024) /* docker's */

struct cell_resources {
	u64 memory;       /* bytes; 0 = no limit */
	s64 memory_swap;  /* bytes of memory and swap together; 0 = not told, -1 = no limit */
	u32 cpus;         /* thousandths of a processor; 0 = no limit */
	u32 pids;         /* processes and threads; 0 = no limit */
	char cpuset[128]; /* "0-2,5"; "" = any */
};

enum cell_mechanism { CELL_UNLIMITED, CELL_BY_CGROUP, CELL_SAMPLED, CELL_BY_AFFINITY };

enum cell_resource { CELL_MEMORY, CELL_CPUS, CELL_PIDS, CELL_CPUSET, CELL_RESOURCES };

struct cell_enforcement {
	enum cell_mechanism by[CELL_RESOURCES];
	char why[128]; /* why there is no cgroup where there might be one; "" = there is */
};

/* "cgroup", "sampled" … */
const char *cell_mechanism_name(enum cell_mechanism mechanism);
/* The option's name: "memory", "cpus", "pids-limit", "cpuset-cpus". */
const char *cell_resource_name(enum cell_resource resource);
bool cell_resource_given(const struct cell_resources *resources, enum cell_resource resource);

/* Finds out how the limits that are given can be kept here; those that are not are CELL_UNLIMITED. */
void cell_resources_plan(const struct cell_resources *resources, struct cell_enforcement *ret);

/* Member `resources` of config.json (docs/cell-json.md). NULL without memory. */
json_t *cell_resources_json(const struct cell_resources *resources, const struct cell_enforcement *by) MUST_CHECK;
/* What it says; a member that is not there is no limit. */
void cell_resources_read(const json_t *config, struct cell_resources *ret, struct cell_enforcement *ret_by);

/* The processors of a list, "0-2,5". 0 or -EINVAL. */
int cell_cpuset_parse(const char *text, cpu_set_t *ret) MUST_CHECK;

/* Lets the calling thread run on these alone; NULL or "": nothing is changed. 0 or negative errno. */
int cell_cpuset_choose(const char *text) MUST_CHECK;

#endif
