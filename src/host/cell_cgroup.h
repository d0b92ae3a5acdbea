/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroups of a cell: lichen/ID.PID below the one that its monitor (PID) is in, v1 or v2 as the controller is mounted; only for limits that are given.
 * Whether a controller works is tried, once for each limit that is asked for: gVisor takes limits that it does not keep.
 *
 * A cgroup goes when its cell is over. One whose monitor was killed is removed by the next lichen that makes one, if it is empty.
 */
#ifndef LICHEN_HOST_CELL_CGROUP_H
#define LICHEN_HOST_CELL_CGROUP_H

#include <limits.h>

#include "host/cell_resources.h"

struct cell_cgroup {
	char path[CELL_RESOURCES][PATH_MAX]; /* absolute; "" = none */
};

/* Whether a limit of this kind is kept here. 0, or negative errno, with the reason in `why` (128 bytes). */
int cell_cgroup_probe(enum cell_resource resource, char why[128]) MUST_CHECK;

/* Makes those that `by` wants, and sets the limits. 0 or negative errno. */
int cell_cgroup_make(const char *id, const struct cell_resources *resources, const struct cell_enforcement *by,
		     struct cell_cgroup *ret) MUST_CHECK;
/* The limits again, as they are now. 0 or negative errno. */
int cell_cgroup_set(const struct cell_cgroup *cgroup, const struct cell_resources *resources) MUST_CHECK;
/* Puts the calling process into them (NULL: none), and on the processors of a list (NULL or "": any). 0 or negative errno. */
int cell_cgroup_enter(const struct cell_cgroup *cgroup, const char *cpuset) MUST_CHECK;
/* Writes their paths to the file `cgroup` of a cell's directory, for who joins it, and reads them; none if there is no file. */
int cell_cgroup_save(const struct cell_cgroup *cgroup, int dir) MUST_CHECK;
void cell_cgroup_load(int dir, struct cell_cgroup *ret);
/* How often the kernel has killed for want of memory. */
u64 cell_cgroup_oom_kills(const struct cell_cgroup *cgroup);
/* Removes them, once they are empty. */
void cell_cgroup_remove(const struct cell_cgroup *cgroup);

#endif
