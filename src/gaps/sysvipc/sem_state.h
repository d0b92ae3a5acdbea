/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphore sets in the commons. Theory of operation: sem_ops.c (transactions), sem_wait.c (sleepers), sem_undo.c (undo). */
#ifndef LICHEN_GAPS_SYSVIPC_SEM_STATE_H
#define LICHEN_GAPS_SYSVIPC_SEM_STATE_H

#include "gaps/sysvipc/ipc_state.h"

#define SEM_HEAP_BYTES (64u << 20) /* semaphores of all sets: 2.8 million; counts against RLIMIT_AS */
#define SEM_HEAP_GRANULE 256u
#define SEM_WAITERS 8192u   /* threads asleep in semop(), or in one of many operations, at one time */
#define SEM_UNDOS 65536u    /* (process, semaphore) pairs with an adjustment that is not 0 */
#define SEM_VALUE_MAX 32767 /* the kernel's SEMVMX */

/* One semaphore. now and next: pid of the last process that operated on it << 32 | value. next counts only while tag is the
 * set's current transaction. */
struct sem {
	u64 now;
	u64 next;
	u64 tag;
};
static_assert(sizeof(struct sem) == 24, "sem is shared between agents");

/* The two queues of a set, as in the kernel: operations that change a semaphore, and those that only wait for zeros. */
enum sem_chain_kind {
	SEM_CHAIN_ALTER,
	SEM_CHAIN_CONST,
	SEM_CHAIN_COUNT,
};

/* Doubly linked waiters, index + 1, 0 ends. The links forward are the truth, prev and last are derived from them. */
struct sem_chain {
	u32 first, last;
};

struct sem_set {
	struct ipc_rights perm;
	struct ipc_lock lock; /* guards the set, its semaphores, its waiters that wait and its undo entries */
	u64 sems;             /* offset in the heap's bytes of struct sem[nsems] */
	u32 nsems;
	u32 undo;        /* derived: first undo entry, index + 1 */
	u64 transaction; /* number of the latest transaction begun; never falls, not even when the slot gets a new set */
	u64 commit;      /* number of a transaction that holds but is not applied everywhere yet; 0 when there is none */
	s64 otime, ctime;
	struct sem_chain chain[SEM_CHAIN_COUNT];
	u32 complex; /* derived: waiters with more than one operation */
	u32 reserved;
};
static_assert(sizeof(struct sem_set) == 96, "sem_set is shared between agents");

struct sem_sembuf { /* the kernel's struct sembuf */
	u16 num;
	s16 op;
	s16 flags;
};

enum sem_waiter_status {
	SEM_WAITER_IDLE = 0, /* slot free, or its owner is not in a queue */
	SEM_WAITER_WAITING,  /* in a queue of `set`; changed only under that set's lock */
	SEM_WAITER_DONE,     /* `error` is the result; only the owner may touch the slot now */
};

/* A sleeper, or scratch space of a thread. One page, so that an unused one costs no memory. */
#define SEM_WAITER_OPS 672u /* SEMOPM never exceeds this here */
struct sem_waiter {
	u32 status; /* enum sem_waiter_status: the word it sleeps on */
	s32 error;
	s32 set;   /* id */
	u32 owner; /* ipc_owner.h; as waiter_owner[] */
	u32 next, prev;
	s32 pid;
	u32 reserved2;
	u64 tag;      /* transaction that completes it */
	u64 mark;     /* used while a queue is rebuilt */
	u16 count;    /* operations */
	u16 blocking; /* the first one that cannot proceed */
	u32 chain;    /* enum sem_chain_kind */
	u32 reserved;
	union {
		struct sem_sembuf ops[SEM_WAITER_OPS];
		u16 values[2016];
	};
};
static_assert(sizeof(struct sem_waiter) == 4096, "sem_waiter is shared between agents");

/* An adjustment that a process's end makes to one semaphore. It exists while set is not 0; a free one has adjust and tag 0. */
#define SEM_UNDO_USED 0x80000000u
struct sem_undo {
	u32 set; /* SEM_UNDO_USED | id */
	u32 member;
	s32 pid;
	u16 num;
	u16 reserved;
	s32 adjust;
	s32 next_adjust; /* counts only while tag is the set's current transaction */
	u64 tag;
	u32 next; /* derived: next of the set, index + 1 */
	u32 reserved2;
};
static_assert(sizeof(struct sem_undo) == 40, "sem_undo is shared between agents");

struct sem_area {
	struct ipc_ids ids;
	struct ipc_heap heap;
	u64 bitmap[IPC_HEAP_BITMAP_WORDS(SEM_HEAP_BYTES, SEM_HEAP_GRANULE)];
	u32 used_sems;   /* derived: semaphores of all sets */
	u32 waiter_high; /* 1 + highest waiter ever used */
	u32 undo_high;   /* 1 + highest undo entry ever used */
	u32 undo_hint;
	u8 undo_member[COMMONS_MEMBERS_MAX]; /* 1: the member may have undo entries */
	u32 waiter_owner[SEM_WAITERS];       /* ipc_owner.h, 0 free: claimed by compare-and-swap */
	struct sem_set set[IPC_SLOTS];
	struct sem_undo undo[SEM_UNDOS];
	struct sem_waiter waiter[SEM_WAITERS] __attribute__((aligned(4096)));
	u8 bytes[SEM_HEAP_BYTES];
};

#endif
