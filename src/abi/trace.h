/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `lichen why` records: the ring in the commons through which members hand records to the supervisor, and the trace file, which
 * is struct trace_file_header and then one record after the other, each cut to its first TRACE_HEAD + size bytes and padded with zeros to
 * a multiple of 8 (host/trace_file.h reads it).
 *
 * Ring: a bounded queue of fixed slots, many producers, one consumer. Position p is slot p mod TRACE_SLOTS in lap p / TRACE_SLOTS; zeroed
 * memory is an empty ring. A slot's `turn` is its lap, whether it is filled, and who fills it: free → claimed (compare-and-swap by a producer, which
 * thereby leaves its pid) → filled → free in the next lap (by the consumer). `head` follows: who finds its slot claimed moves it on, so a
 * producer killed at any instruction blocks nobody. The consumer takes slots in order; one whose producer died before it was filled
 * is freed and counted in `lost`.
 */
#ifndef LICHEN_ABI_TRACE_H
#define LICHEN_ABI_TRACE_H

#include <assert.h>

#include "base/types.h"

enum trace_kind {
	TRACE_CALL = 1, /* a call that failed: nr, args, result = negative errno; payload: decoded arguments */
	TRACE_TEXT = 2, /* text about to be written: args[0] = descriptor, args[1] = its length in all; payload: first the bytes
	                 * (arg 1), then the descriptor's path (arg 0) */
	TRACE_EXEC = 3, /* a new program runs: args[0] = parent pid; payload: path (arg 0), then argv (arg 1 each) */
	TRACE_FORK =
		4, /* result: the child's pid or tid; args[0] = clone flags. After vfork it comes behind the child's TRACE_EXEC */
	TRACE_EXIT = 5,  /* exit_group: args[0] = status */
	TRACE_CHILD = 6, /* wait4 or waitid told of a child: result = pid, args[0] = wait status as wait4 gives it */
	TRACE_START = 7, /* first record of a run, by the supervisor: payload: argv of the command */
	TRACE_END =
		8, /* last record, by the supervisor: args[0] = exit status of the run (128+n: signal n), args[1] = records lost */
	TRACE_OPEN = 9, /* a path was opened for writing: result = descriptor; payload: path */
	TRACE_USED =
		10, /* a call of trace_refusable.def that worked: as TRACE_CALL (openat2: args[2] = the flags; of refusals, too) */
};

/* What is recorded: TRACE_EVERYTHING, or some of the others together. Those only see the calls of agent/trace_refusable.def and further numbers
 * that the caller names (host/filter.h): nothing else traps for them. */
enum trace_mode {
	TRACE_EVERYTHING = 0,
	TRACE_REFUSALS = 1, /* TRACE_CALL, when the error is one that a refusal has (agent/trace.c: is_refusal()) */
	TRACE_HIDDEN = 2,   /* with it: ENOENT as well, also of calls that only look: what is refused is not there */
	TRACE_USES = 4,     /* TRACE_USED and TRACE_EXEC */
};

/* Bit per system call number, of those that exist or may one day. */
#define TRACE_NUMBERS_SIZE 8u
#define TRACE_NUMBERS_HAS(set, nr) ((u64)(nr) < 64 * TRACE_NUMBERS_SIZE && ((set)[(u64)(nr) / 64] >> ((u64)(nr) % 64) & 1))
#define TRACE_NUMBERS_ADD(set, nr) ((set)[(u64)(nr) / 64] |= UINT64_C(1) << ((u64)(nr) % 64))

/* The payload is a row of strings, each behind this head and padded to a multiple of 2. */
struct trace_string {
	u8 arg;     /* which argument it decodes (a descriptor: by the path it stands for), 0xff: none */
	u8 flags;   /* enum trace_string_flag */
	u16 length; /* bytes that follow, without NUL */
};
enum trace_string_flag {
	TRACE_STRING_CUT = 1,      /* there was more */
	TRACE_STRING_SOCKADDR = 2, /* raw struct sockaddr */
	TRACE_STRING_BYTES = 4,    /* other raw memory */
	TRACE_STRING_CWD = 8,      /* the working directory, of a call with a relative path; not of TRACE_EVERYTHING */
};

#define TRACE_PAYLOAD 384u
struct trace_record {
	u16 kind;     /* enum trace_kind */
	u16 size;     /* bytes of payload in use */
	s32 pid, tid; /* as the recording process sees itself */
	s32 nr;       /* system call number */
	u64 time;     /* CLOCK_MONOTONIC, nanoseconds */
	s64 result;
	u64 args[6];
	char comm[16]; /* not NUL-terminated when full */
	u8 payload[TRACE_PAYLOAD];
};
static_assert(sizeof(struct trace_record) == 96 + TRACE_PAYLOAD, "shared and stored");

#define TRACE_HEAD 96u /* bytes before the payload */

#define TRACE_TURN_LAP(turn) ((u32)((turn) >> 32))
#define TRACE_TURN_FILLED (UINT64_C(1) << 31)
#define TRACE_TURN_PID(turn) ((s32)((turn)&0x7fffffffu))
struct trace_slot {
	u64 turn;
	u64 reserved;
	struct trace_record record;
};

#define TRACE_SLOTS 2048u /* a power of two */
struct trace_ring {
	u64 head;    /* next position to claim; may lag behind by the claims of the dead */
	u64 tail;    /* next position to consume; the consumer's */
	u64 lost;    /* records given up */
	u64 stuck;   /* tail + 1 when a producer last gave up waiting: nobody waits again until the consumer has moved on */
	u32 waiting; /* futex: the consumer sleeps on it */
	u32 closed;  /* the consumer has gone: nothing is recorded any more */
	u64 reserved[3];
	struct trace_slot slots[TRACE_SLOTS];
};
static_assert(offsetof(struct trace_ring, slots) == 64 && sizeof(struct trace_slot) == 16 + sizeof(struct trace_record), "shared");

/* The call with which a guest, in the agent's text, tells that a passed-on call has a result to look at; outside every table. */
#define TRACE_REPORT_NR 0x4c43
/* Sixth argument of a call that is let through: what lichen's child does between the filter and the agent's start. */
#define TRACE_UNOBSERVED UINT64_C(0x6c696368656e7472)

#define TRACE_MAGIC "lichtrc1"
#define TRACE_VERSION 1u
struct trace_file_header {
	char magic[8];
	u32 version;     /* TRACE_VERSION */
	u32 record_size; /* sizeof(struct trace_record) */
	u64 realtime;    /* CLOCK_REALTIME when the run began, nanoseconds */
	u64 monotonic;
};

#endif
