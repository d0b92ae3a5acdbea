/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three kinds of System V objects share in the commons: the table of identifiers, permissions, and a heap.
 *
 * The truth is in few places and each change of it is one store; everything else is derived from it and recomputed by whoever
 * finds that a lock's owner died. An object exists if, and only if, its slot word is not 0.
 */
#ifndef LICHEN_GAPS_SYSVIPC_IPC_STATE_H
#define LICHEN_GAPS_SYSVIPC_IPC_STATE_H

#include <assert.h>

#include "abi/commons.h"
#include "base/types.h"

#define IPC_SLOTS 32768u                         /* the kernel's IPCMNI: indexes an identifier can name */
#define IPC_SEQ_SHIFT 15                         /* id = sequence << 15 | index */
#define IPC_SEQ_MAX (INT32_MAX >> IPC_SEQ_SHIFT) /* sequence numbers run from 0 to IPC_SEQ_MAX - 1 */
#define IPC_MIN_CYCLE 64u                        /* the kernel's ipc_min_cycle */

/* A struct lock (agent/agent.h) as the host half sees it. */
struct ipc_lock {
	u32 word;
};

/*
 * The identifiers of one kind. slot[index] = key << 32 | sequence << 8 | IPC_SLOT_USED, 0 when free: published by one store
 * after the object at that index is complete, cleared by one store before anything of the object is given back.
 * lock guards all of it and the objects. A slot may be read without the lock; an object only with it.
 */
#define IPC_SLOT_USED UINT64_C(1)

struct ipc_ids {
	struct ipc_lock lock;
	u32 in_use;   /* derived: used slots */
	u32 high;     /* derived: 1 + highest used index; never too low, not even between two stores */
	u32 next;     /* where the cyclic search for a free index goes on */
	s32 last;     /* index given out last; -1 at first */
	u32 sequence; /* sequence number given out last */
	u32 reserved[2];
	u64 slot[IPC_SLOTS];
};
static_assert(sizeof(struct ipc_ids) == 32 + 8 * IPC_SLOTS, "ipc_ids is shared between agents");

/* The kernel's kern_ipc_perm (libc has taken the name ipc_perm) without key, id and sequence, which the slot holds. */
struct ipc_rights {
	u32 uid, gid, cuid, cgid;
	u32 mode; /* 0777, for shared memory also SHM_DEST and SHM_LOCKED */
};
static_assert(sizeof(struct ipc_rights) == 20, "ipc_rights is shared between agents");

/*
 * A first-fit heap of fixed granules, whose bitmap is derived: the objects that own bytes of it are the truth. After the death
 * of a lock owner: ipc_heap_clear(), then ipc_heap_mark() for every piece that a live object owns.
 * The owner places the bitmap (one bit a granule) and the bytes behind it in the same structure.
 */
struct ipc_heap {
	u32 granules; /* set at install */
	u32 granule;  /* bytes, a power of two; set at install */
	u32 used;     /* granules in use */
	u32 hint;     /* no granule below it is free */
};
static_assert(sizeof(struct ipc_heap) == 16, "ipc_heap is shared between agents");

#define IPC_HEAP_BITMAP_WORDS(bytes, granule) ((bytes) / (granule) / 64)

/* What the gap remembers of a member besides the state of the three kinds. */
struct ipc_member {
	u32 stamp; /* epoch << 2 | enum ipc_creds_state: counts only while the member's epoch is this one */
	u32 euid, egid;
	u32 caps; /* enum ipc_cap bits */
};
static_assert(sizeof(struct ipc_member) == 16, "ipc_member is shared between agents");

/* Limits, by the names of the sysctls. Written at install only. */
struct ipc_limits {
	u64 shmmax; /* bytes of one segment */
	u64 shmall; /* pages of all segments */
	u64 msgmax; /* bytes of one message */
	u64 msgmnb; /* bytes on a new queue */
	u32 shmmni; /* segments */
	u32 msgmni; /* queues */
	u32 semmsl; /* semaphores of a set */
	u32 semmns; /* semaphores of all sets */
	u32 semopm; /* operations of one semop() */
	u32 semmni; /* sets */
};
static_assert(sizeof(struct ipc_limits) == 56, "ipc_limits is shared between agents");

#endif
