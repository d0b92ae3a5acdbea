/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `lichen why` records: the ring in the commons through which members hand records to the supervisor, and the raw trace file, which
 * is struct trace_file_header followed by struct trace_record after struct trace_record.
 *
 * Ring: a bounded queue of fixed slots, many producers, one consumer. A producer claims the slot of `head` by adding one, waits until its
 * `turn` says free, fills it, and stores turn = position + 1; the consumer takes slots in order and stores turn = position + slots. A
 * producer killed in mid slot leaves a turn that never comes: the consumer skips it once its pid (stored first) is dead, and counts it.
 */
#ifndef LICHEN_ABI_TRACE_H
#define LICHEN_ABI_TRACE_H

#include <assert.h>

#include "base/types.h"

enum trace_kind {
	TRACE_CALL = 1, /* a call that failed: nr, args, result = negative errno; payload: decoded pointer arguments */
	TRACE_TEXT =
		2, /* text written: args[0] = descriptor, args[1] = its length in all; payload: the bytes, then the descriptor's path */
	TRACE_EXEC = 3,  /* a new program runs: payload: path, then argv */
	TRACE_FORK = 4,  /* result: the child's pid */
	TRACE_EXIT = 5,  /* exit_group: args[0] = status */
	TRACE_CHILD = 6, /* wait4 or waitid told of a child: result = pid, args[0] = wait status */
	TRACE_START = 7, /* first record of a run, by the supervisor: payload: argv of the command */
	TRACE_END = 8,   /* last record, by the supervisor: args[0] = wait status of the command, args[1] = records lost */
	TRACE_OPEN = 9,  /* a path was opened for writing: result = descriptor; payload: path */
};

/* The payload is a row of strings, each behind this head and padded to a multiple of 2. */
struct trace_string {
	u8 arg;     /* which argument it decodes, 0xff: none */
	u8 flags;   /* enum trace_string_flag */
	u16 length; /* bytes that follow, without NUL */
};
enum trace_string_flag {
	TRACE_STRING_CUT = 1,      /* there was more */
	TRACE_STRING_SOCKADDR = 2, /* raw struct sockaddr */
	TRACE_STRING_BYTES = 4,    /* other raw memory */
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

struct trace_slot {
	u64 turn;
	s32 producer; /* pid that fills it */
	u32 reserved;
	struct trace_record record;
};

#define TRACE_SLOTS 16384u /* a power of two */
struct trace_ring {
	u64 head;    /* next position to claim */
	u64 tail;    /* next position to consume; the consumer's */
	u64 lost;    /* records given up: the ring stayed full for too long */
	u32 waiting; /* futex: the consumer sleeps on it */
	u32 reserved;
	struct trace_slot slots[TRACE_SLOTS];
};

#define TRACE_MAGIC "lichtrc1"
struct trace_file_header {
	char magic[8];
	u32 version; /* 1 */
	u32 record_size;
	u64 realtime; /* CLOCK_REALTIME when the run began, nanoseconds */
	u64 monotonic;
};

#endif
