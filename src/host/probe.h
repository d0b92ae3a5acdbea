/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs probes, each in a scratch child of its own, all at the same time.
 *
 * A probe may do what it likes to its process: it may die, hang, or come back with another identity. Its finding lies in memory that it
 * shares with the caller, so that what it last tried is known however it ends. A child leads its own process group; when it has
 * ended, or its time is up, the whole group is killed, and after an untidy end its scratch directory is removed.
 */
#ifndef LICHEN_HOST_PROBE_H
#define LICHEN_HOST_PROBE_H

#include "gaps/registry.h"

#define PROBE_TIMEOUT_MS 2000u

/* One probe to run. */
struct probe_job {
	void (*probe)(struct gap_finding *finding);
	u32 refuse; /* gaps whose system calls the kernel shall refuse to this child first (launch_install_refusals) */
};

/*
 * Runs `count` jobs at once and writes one finding for each. A job that is killed by SIGSYS is BLOCKED (some filter kills rather than
 * refuses); one that is killed by another signal, ends early, cannot be started or exceeds timeout_ms is UNKNOWN; the detail says so
 * in words and `tried` names its last step. No child outlives the call, unless the kernel cannot kill it within a second.
 * Blocks SIGCHLD meanwhile; the caller must have no other children that it wants to hear of. No descriptor is needed.
 * Returns 0, or the negative errno of getting shared memory (findings are then untouched).
 */
int probe_run(const struct probe_job *jobs, size_t count, unsigned timeout_ms, struct gap_finding *findings) MUST_CHECK;

/*
 * Probes the gaps of a set (bit per enum gap_id), those also in `refuse` with their calls refused. Writes findings[id] for each bit
 * of `gaps` and leaves the others alone. Returns 0 or negative errno.
 */
int probe_gaps(u32 gaps, u32 refuse, struct gap_finding findings[GAP_COUNT]) MUST_CHECK;

#endif
