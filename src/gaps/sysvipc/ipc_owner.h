/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owner words: who claimed a piece of shared memory. Member index + 1 in bits 13-0, the low 16 bits of the member's epoch in bits
 * 29-14 (bits 31-30 are free for others). The epoch tells a living member from a dead one that had the same slot, and what threads left that an
 * execve ended, so that anybody may free what belongs to the gone, by compare-and-swap on the word.
 */
#ifndef LICHEN_GAPS_SYSVIPC_IPC_OWNER_H
#define LICHEN_GAPS_SYSVIPC_IPC_OWNER_H

#include "agent/agent.h"
#include "gaps/sysvipc/ipc_atomic.h"

#define IPC_OWNER_MEMBER_MASK 0x3fffu
#define IPC_OWNER_EPOCH_SHIFT 14
#define IPC_OWNER_MASK 0x3fffffffu
static_assert(COMMONS_MEMBERS_MAX < IPC_OWNER_MEMBER_MASK, "an owner word holds a member index + 1");

/* The word of a member as it is now. */
static inline u32 ipc_owner_word(u32 member)
{
	u32 epoch = IPC_LOAD(commons()->members[member].epoch) & 0xffff;
	return epoch << IPC_OWNER_EPOCH_SHIFT | (member + 1);
}

static inline u32 ipc_owner_member(u32 word)
{
	return (word & IPC_OWNER_MEMBER_MASK) - 1;
}

/* Whether nobody is there any more who wrote this word. Costs one F_GETLK, none for the caller's own process. */
static inline bool ipc_owner_gone(u32 word)
{
	u32 member = ipc_owner_member(word);
	return ipc_owner_word(member) != (word & IPC_OWNER_MASK) || !member_alive((int)member);
}

#endif
