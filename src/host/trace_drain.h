/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer of the trace ring (abi/trace.h): a thread of the supervisor that hands on what members record, and writes it to a trace file. */
#ifndef LICHEN_HOST_TRACE_DRAIN_H
#define LICHEN_HOST_TRACE_DRAIN_H

#include <pthread.h>
#include <sys/types.h>

#include "abi/trace.h"
#include "host/launch.h"

#define TRACE_BUFFER 65536u

struct trace_drain {
	struct trace_ring *ring;
	struct launch_trace *trace;
	pthread_t thread;
	u32 stop;         /* set by trace_drain_finish() */
	u64 begun;        /* CLOCK_MONOTONIC, nanoseconds */
	bool other_pids;  /* the guest's pids are those of a namespace of its own */
	u64 waited_since; /* when the slot at ring->tail was first seen claimed; 0 = it was not */
	u64 malformed;
	size_t used; /* bytes of `buffer` */
	u8 buffer[TRACE_BUFFER];
};

/* Before the command is forked: the run begins now. */
void trace_drain_init(struct trace_drain *drain, struct trace_ring *ring, struct launch_trace *trace);
/* Writes the first record and starts the thread; the ring stays mapped and all signals blocked until trace_drain_finish(). argv, pid: the
 * command's. 0 or negative errno: there is no thread then. */
int trace_drain_start(struct trace_drain *drain, char *const *argv, pid_t pid) MUST_CHECK;
/* Takes what is there, ends the recording (members that live on record no more), writes the last record, fills what struct launch_trace
 * gives out. status: the run's exit status. */
void trace_drain_finish(struct trace_drain *drain, int status);

#endif
