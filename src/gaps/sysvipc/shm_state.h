/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory segments and who has attached them, in the commons. Theory of operation: shm_agent.c. */
#ifndef LICHEN_GAPS_SYSVIPC_SHM_STATE_H
#define LICHEN_GAPS_SYSVIPC_SHM_STATE_H

#include "gaps/sysvipc/ipc_state.h"

#define SHM_ATTACHES_MAX (1u << 18) /* attachments of all processes of the cell together */

struct shm_segment {
	struct ipc_rights perm;
	s32 cpid, lpid;
	u32 attaches; /* derived: first of its attachments, index + 1; 0 when none */
	u64 size;     /* bytes as asked for */
	u64 offset;   /* of its pages in the commons file */
	s64 atime, dtime, ctime;
	u32 lock_uid; /* who pays for SHM_LOCK */
	u32 reserved;
};
static_assert(sizeof(struct shm_segment) == 80, "shm_segment is shared between agents");

/* One mapping of a segment in one process. It exists while owner is not 0: written last, cleared first. */
struct shm_attach {
	u32 owner;        /* member index + 1 */
	u32 segment;      /* index */
	u64 address;      /* 0 while the owner is about to map it */
	u64 size;         /* bytes mapped, whole pages */
	u32 next_own;     /* derived: next of the same owner, or next free one: index + 1 */
	u32 next_segment; /* derived: next of the same segment: index + 1 */
	u32 seen;         /* its owner's, while comparing with /proc/self/maps */
	u32 reserved;
};
static_assert(sizeof(struct shm_attach) == 40, "shm_attach is shared between agents");

struct shm_area {
	struct ipc_ids ids;
	u64 pages;       /* derived: pages of all segments (the kernel's shm_tot) */
	u64 next_offset; /* where the search for file space goes on; only a hint */
	u32 attach_high; /* 1 + highest attachment ever used; never too low */
	u32 attach_free; /* derived: head of the free ones below attach_high, index + 1 */
	u64 dirty_end;   /* not 0: the host cannot punch holes, and file space below this may hold bytes of destroyed segments */
	u32 doomed;      /* derived: segments with SHM_DEST */
	u32 reserved;
	u32 own[COMMONS_MEMBERS_MAX]; /* derived: first attachment of each member, index + 1 */
	struct shm_segment segment[IPC_SLOTS];
	struct shm_attach attach[SHM_ATTACHES_MAX];
};

#endif
