/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and attachments as the shared-memory system calls see them (shm_store.c). The lock is held unless said otherwise. */
#ifndef LICHEN_GAPS_SYSVIPC_SHM_INT_H
#define LICHEN_GAPS_SYSVIPC_SHM_INT_H

#include "gaps/sysvipc/sysvipc_int.h"

#define SHM_DEST 01000u /* bits of ipc_perm.mode, as IPC_STAT shows them */
#define SHM_LOCKED 02000u

static inline struct shm_area *shm_area(void)
{
	return &sysvipc_area()->shm;
}

static inline u64 shm_pages(u64 size)
{
	return size / LAYOUT_PAGE + (size % LAYOUT_PAGE != 0);
}

/* Makes this process a member, gets its identity, takes the lock. Returns the member index or -ENOMEM (then nothing is locked). */
int shm_enter(struct ipc_creds *creds) MUST_CHECK;
/* Takes the lock for a caller that is a member, or is about to be one (reap). */
void shm_lock(void);
void shm_unlock(void);

/* A new segment of `size` bytes that nobody has attached. Returns its id, -ENOMEM (no file space) or -ENOSPC (limits). */
s32 shm_segment_create(s32 key, u64 size, int flags, const struct ipc_creds *creds) MUST_CHECK;
/* Index of the segment with this id, or -EINVAL; a doomed segment whose last user was killed is destroyed here, not found. */
int shm_segment_find(s32 id) MUST_CHECK;
/* As shm_segment_find(), by the index bits of id alone. */
int shm_segment_find_index(s32 id) MUST_CHECK;
/* Its attachments in living processes; those of dead ones are dropped. */
u32 shm_segment_users(int index);
/* IPC_RMID: destroys it, or dooms it when somebody has it attached. */
void shm_segment_remove(int index);
/* Destroys all doomed segments without a living user. */
void shm_sweep(void);
/* Bytes of it that occupy memory; 0 where the host does not tell. */
u64 shm_segment_resident(const struct shm_segment *segment);

/* A new attachment of `member`, at an address yet unknown. Returns its index or -ENOMEM. */
int shm_attach_add(int member, int segment) MUST_CHECK;
/* Ends an attachment whose mapping failed. */
void shm_attach_cancel(u32 attach);
/* Ends an attachment by process pid. Destroys the segment if it is doomed and this was its last user. */
void shm_attach_drop(u32 attach, s32 pid);
/* Ends all attachments of a member. */
void shm_attach_drop_all(int member, s32 pid);
/* Ends the caller's attachments of a segment that it has unmapped by other means than shmdt (shm_maps.c). */
void shm_attach_refresh(int self, int segment);
/* The member's attachment that starts at address, or -ENOENT. */
int shm_attach_find(int member, u64 address) MUST_CHECK;

#endif
