/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphore sets in the commons. Theory of operation: sem_agent.c. */
#ifndef LICHEN_GAPS_SYSVIPC_SEM_STATE_H
#define LICHEN_GAPS_SYSVIPC_SEM_STATE_H

#include "gaps/sysvipc/ipc_state.h"

#define SEM_HEAP_BYTES (256u << 20)
#define SEM_HEAP_GRANULE 256u

struct sem_area {
	struct ipc_ids ids;
	struct ipc_heap heap;
	u64 bitmap[IPC_HEAP_BITMAP_WORDS(SEM_HEAP_BYTES, SEM_HEAP_GRANULE)];
	u8 bytes[SEM_HEAP_BYTES];
};

#endif
