/* SPDX-License-Identifier: Apache-2.0 */
/* Message queues in the commons. Theory of operation: msg_queue.c (queues), msg_store.c (where messages live). */
#ifndef LICHEN_GAPS_SYSVIPC_MSG_STATE_H
#define LICHEN_GAPS_SYSVIPC_MSG_STATE_H

#include "gaps/sysvipc/ipc_state.h"

#define MSG_CHUNK 256u        /* bytes; a message takes a run of them */
#define MSG_CHUNKS (1u << 18) /* 64 MiB of queued messages */
#define MSG_HINTS 256u
#define MSG_WAITERS 16384u /* threads asleep in msgsnd() and msgrcv() at one time */

/* Who owns a chunk: kind << 30 | who. One word a chunk, and the only truth about it. */
enum msg_owner {
	MSG_OWNER_FREE = 0,
	MSG_OWNER_MEMBER = 1, /* being filled or read; who: ipc_owner.h */
	MSG_OWNER_HEAD = 2,   /* first chunk of a message of a queue; who: its slot */
	MSG_OWNER_TAIL = 3,   /* further chunk of one */
};

/* At the start of a message's first chunk; the text follows and runs on through the run. */
#define MSG_TAKEN UINT32_MAX
struct msg_head {
	s64 type;
	u64 size; /* bytes of text */
	u32 chunks;
	u32 next, prev; /* in the queue, chunk index + 1; the links forward are the truth */
	u32 taker;      /* 0 none; waiter (index + 1) it is handed to; MSG_TAKEN: being received */
	u64 mark;       /* used while a queue is rebuilt */
};
static_assert(sizeof(struct msg_head) == 40, "msg_head is shared between agents");

/* Doubly linked, index + 1, 0 ends; the links forward are the truth, prev and last are derived. */
struct msg_chain {
	u32 first, last;
};

struct msg_queue {
	struct ipc_rights perm;
	struct ipc_lock lock; /* guards the queue, its messages and its waiters */
	s64 stime, rtime, ctime;
	s32 lspid, lrpid;
	u64 qbytes;
	u64 cbytes; /* derived */
	u64 qnum;   /* derived */
	struct msg_chain messages;
	struct msg_chain receivers, senders;
	u64 mark; /* counts rebuilds */
};
static_assert(sizeof(struct msg_queue) == 112, "msg_queue is shared between agents");

enum msg_waiter_status {
	MSG_WAITER_IDLE = 0, /* slot free, or its owner is not in a queue */
	MSG_WAITER_WAITING,  /* in a chain of `queue` */
	MSG_WAITER_RETRY,    /* look again; a sender is still in its chain, a receiver too */
	MSG_WAITER_ERROR,    /* out of the chain; `error` is the result */
	MSG_WAITER_MESSAGE,  /* out of the chain; `message` is its own */
};

struct msg_waiter {
	u32 status; /* enum msg_waiter_status: the word it sleeps on */
	s32 error;
	u32 message; /* chunk index */
	s32 queue;   /* id */
	u32 owner;   /* ipc_owner.h; as waiter_owner[] */
	s32 pid;
	u32 reserved2;
	u32 next, prev;
	u32 receiver; /* 1 receiver, 0 sender */
	s64 type;     /* receiver: as in enum msg_search */
	u64 size;     /* receiver: room; sender: bytes to send */
	u32 search;   /* enum msg_search */
	u32 reserved;
	u64 mark; /* used while a queue is rebuilt */
};
static_assert(sizeof(struct msg_waiter) == 72, "msg_waiter is shared between agents");

struct msg_area {
	struct ipc_ids ids;
	u32 chunk_high;      /* 1 + highest chunk ever used */
	u32 waiter_high;     /* 1 + highest waiter ever used */
	u32 hint[MSG_HINTS]; /* where to look for free chunks, by queue; never wrong, at worst slow */
	u32 owner[MSG_CHUNKS];
	u32 waiter_owner[MSG_WAITERS]; /* ipc_owner.h, 0 free: claimed by compare-and-swap */
	struct msg_queue queue[IPC_SLOTS];
	struct msg_waiter waiter[MSG_WAITERS];
	u8 chunk[MSG_CHUNKS][MSG_CHUNK] __attribute__((aligned(4096)));
};

#endif
