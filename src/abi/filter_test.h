/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which invocations of a planned system call reach the agent; the last-but-one column of every .def row. The filter (host)
 * is generated from it. Argument tests see registers only, never memory.
 */
#ifndef LICHEN_ABI_FILTER_TEST_H
#define LICHEN_ABI_FILTER_TEST_H

#include "base/types.h"

/* Numbers of calls that Debian 12's headers do not have: Linux 6.6, 6.8, 6.13, 6.15, 6.17. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_statmount
#define __NR_statmount 457
#define __NR_listmount 458
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#define __NR_getxattrat 464
#define __NR_listxattrat 465
#define __NR_removexattrat 466
#endif
#ifndef __NR_open_tree_attr
#define __NR_open_tree_attr 467
#endif
#ifndef __NR_file_getattr
#define __NR_file_getattr 468
#define __NR_file_setattr 469
#endif

enum filter_test_kind {
	FILTER_ALWAYS,           /* every invocation */
	FILTER_NONZERO,          /* argument `arg` (64 bits) is not 0 */
	FILTER_EQUAL,            /* the low 32 bits of argument `arg` equal `value` */
	FILTER_PAIR,             /* … equal `value` or the number behind it */
	FILTER_PAIRS,            /* … equal one of two 16-bit halves of `value`, or the number behind it */
	FILTER_AT_LEAST,         /* the low 32 bits of argument `arg`, unsigned, are not below `value` */
	FILTER_RESERVED,         /* argument `arg` is one of the cell's reserved descriptors (abi/reserved.h) */
	FILTER_NOT_RESERVED,     /* argument `arg` is none of them */
	FILTER_RESERVED_2,       /* argument 0 or 1 is */
	FILTER_AGENT_MEMORY,     /* argument `arg` is an address near the agent's memory; only where mseal(2) does not protect it */
	FILTER_ADDED_LATER,      /* not by this filter: by one that the agent adds in a process that needs it */
	FILTER_REACHES_RESERVED, /* argument `arg` (unsigned, low 32 bits) is not below the reserved descriptors */
};

struct filter_test {
	enum filter_test_kind kind;
	u8 arg;
	u32 value;
};

#define ALWAYS ((struct filter_test){ FILTER_ALWAYS, 0, 0 })
#define ARG_NONZERO(n) ((struct filter_test){ FILTER_NONZERO, (n), 0 })
#define ARG_EQUAL(n, v) ((struct filter_test){ FILTER_EQUAL, (n), (v) })
#define ARG_PAIR(n, v) ((struct filter_test){ FILTER_PAIR, (n), (v) })
#define ARG_PAIRS(n, v, w) ((struct filter_test){ FILTER_PAIRS, (n), (v) | (w) << 16 })
#define ARG_AT_LEAST(n, v) ((struct filter_test){ FILTER_AT_LEAST, (n), (v) })
#define ARG_RESERVED(n) ((struct filter_test){ FILTER_RESERVED, (n), 0 })
#define ARG_NOT_RESERVED(n) ((struct filter_test){ FILTER_NOT_RESERVED, (n), 0 })
#define ARG01_RESERVED ((struct filter_test){ FILTER_RESERVED_2, 0, 0 })
#define ARG_AGENT_MEMORY(n) ((struct filter_test){ FILTER_AGENT_MEMORY, (n), 0 })
#define ADDED_LATER ((struct filter_test){ FILTER_ADDED_LATER, 0, 0 })
#define ARG_REACHES_RESERVED(n) ((struct filter_test){ FILTER_REACHES_RESERVED, (n), 0 })

#endif
