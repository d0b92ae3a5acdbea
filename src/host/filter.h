/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp filters of a cell: which system calls trap into the agent, and which the kernel shall refuse. */
#ifndef LICHEN_HOST_FILTER_H
#define LICHEN_HOST_FILTER_H

#include "abi/reserved.h"
#include "base/types.h"

struct filter_spec {
	u32 emulate;                      /* bit per gap_id whose calls trap; the engine's own calls always do */
	int reserved_fds[RESERVED_COUNT]; /* the cell's descriptors, negative = none, for tests of .def rows */
	bool sealed;                      /* the agent seals its memory itself (mseal(2)): no FILTER_AGENT_MEMORY */
	u32 text_size;                    /* bytes of agent text from LAYOUT_TEXT that are trusted */
	bool tree;                        /* the cell has a root of its own: every call that takes a path traps (agent/fs.def) */
	bool pids; /* the first process is pid 1: calls that name processes trap (gaps/namespaces/pids.def) */
	bool trace; /* calls are recorded: as trace_mode (abi/trace.h) says every call traps, but for those that cannot be refused (filter.c), or
	             * those of agent/trace_refusable.def */
	u32 trace_mode;
	const u64 *
		trace_numbers; /* TRACE_NUMBERS_SIZE words, a bit per number that traps besides; NULL = none. Not of TRACE_EVERYTHING */
};

/* Installs the trapping filter for the calling process and its descendants. The caller has set no_new_privs. Returns 0 or negative
 * errno (-EINVAL: no seccomp filters in this kernel; -E2BIG: does not fit). seccomp(2). */
int filter_install(const struct filter_spec *spec) MUST_CHECK;

/* Writes the filter that traps calls that name processes, for who gets to be in a pid namespace later: struct sock_filter. Returns their number; 0: no
 * room. */
u32 filter_write_pids(const struct filter_spec *spec, u64 *program, u32 room);

/* enum gap_paths of these gaps together (bit per gap_id). */
u32 filter_paths(u32 emulate);

/* Installs a filter that answers each gap's refuse_calls with its refuse_error (bit per gap_id). Returns 0 or negative errno. */
int filter_install_refusals(u32 gaps) MUST_CHECK;

#endif
