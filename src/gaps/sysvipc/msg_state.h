/* SPDX-License-Identifier: Apache-2.0 */
/* Message queues in the commons. Theory of operation: msg_agent.c. */
#ifndef LICHEN_GAPS_SYSVIPC_MSG_STATE_H
#define LICHEN_GAPS_SYSVIPC_MSG_STATE_H

#include "gaps/sysvipc/ipc_state.h"

#define MSG_HEAP_BYTES (64u << 20)
#define MSG_HEAP_GRANULE 64u

struct msg_area {
	struct ipc_ids ids;
	struct ipc_heap heap;
	u64 bitmap[IPC_HEAP_BITMAP_WORDS(MSG_HEAP_BYTES, MSG_HEAP_GRANULE)];
	u8 bytes[MSG_HEAP_BYTES];
};

#endif
