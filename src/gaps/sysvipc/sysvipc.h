/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The area of gap sysvipc in the commons: three independent parts, each with its own lock. Parts never touch one another, so no
 * lock order is needed. The area is sparse: what no guest uses costs no memory.
 *
 * Limits: 32768 identifiers of each kind (Linux's IPCMNI), 262144 attachments in the cell, segments of together 1 TiB, 64 MiB
 * of semaphore arrays, 64 MiB of queued messages.
 */
#ifndef LICHEN_GAPS_SYSVIPC_SYSVIPC_H
#define LICHEN_GAPS_SYSVIPC_SYSVIPC_H

#include "gaps/sysvipc/ipc_state.h"
#include "gaps/sysvipc/msg_state.h"
#include "gaps/sysvipc/sem_state.h"
#include "gaps/sysvipc/shm_state.h"

#define IPC_SPACES 64u /* IPC namespaces (ipc_space.c): areas, one behind the other, where gap namespaces is filled too */

struct sysvipc_area {
	struct ipc_limits limits;
	struct ipc_limits defaults; /* what it begins with */
	u32 spaces;                 /* in area 0: the highest area that was ever used */
	u32 reserved;
	s64 since[IPC_SPACES]; /* in area 0: when each was given to a new namespace, in seconds; 0: never */
	struct ipc_member member[COMMONS_MEMBERS_MAX];
	struct shm_area shm;
	struct sem_area sem;
	struct msg_area msg;
};

#define SYSVIPC_AREA_SIZE ALIGN_UP((u64)sizeof(struct sysvipc_area), LAYOUT_PAGE)

#endif
