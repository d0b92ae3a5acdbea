/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers of System V objects, numbered exactly as Linux numbers them (ipc/util.c: ipc_idr_alloc, ipc_addid, ipc_rmid).
 *
 * An id is sequence << 15 | index. Indexes are given out cyclically within the first max(in_use * 3 / 2, 64), so that an id
 * comes back as late as possible; the sequence grows each time the search wraps.
 *
 * Prefix rule: next, last and sequence move before the slot is written (a death in between skips an id, nothing more); high
 * grows before the slot is written and shrinks after it is cleared.
 */
#include "gaps/sysvipc/sysvipc_int.h"

static u64 slot_word(s32 key, u32 sequence)
{
	return (u64)(u32)key << 32 | (u64)sequence << 8 | IPC_SLOT_USED;
}

static u64 slot_read(const struct ipc_ids *ids, u32 index)
{
	return __atomic_load_n(&ids->slot[index], __ATOMIC_ACQUIRE);
}

static void slot_write(struct ipc_ids *ids, u32 index, u64 word)
{
	__atomic_store_n(&ids->slot[index], word, __ATOMIC_RELEASE);
}

static u32 slot_sequence(u64 word)
{
	return (u32)(word >> 8) & 0xffff;
}

int ipc_ids_find_key(const struct ipc_ids *ids, s32 key)
{
	if (key == IPC_PRIVATE)
		return -ENOENT;
	for (u32 i = 0; i < ids->high; i++) {
		u64 word = slot_read(ids, i);
		if (word && (s32)(word >> 32) == key)
			return (int)i;
	}
	return -ENOENT;
}

int ipc_ids_find_index(const struct ipc_ids *ids, s32 id)
{
	u32 index = (u32)id & (IPC_SLOTS - 1);
	return slot_read(ids, index) ? (int)index : -EINVAL;
}

int ipc_ids_find(const struct ipc_ids *ids, s32 id)
{
	u32 index = (u32)id & (IPC_SLOTS - 1);
	u64 word = slot_read(ids, index);
	if (id < 0 || !word || slot_sequence(word) != (u32)id >> IPC_SEQ_SHIFT)
		return -EINVAL;
	return (int)index;
}

/* The lowest free index in [from, to), or -ENOSPC. */
static int find_free(const struct ipc_ids *ids, u32 from, u32 to)
{
	for (u32 i = from; i < to; i++) {
		if (!slot_read(ids, i))
			return (int)i;
	}
	return -ENOSPC;
}

int ipc_ids_reserve(struct ipc_ids *ids, u32 limit)
{
	if (limit > IPC_SLOTS)
		limit = IPC_SLOTS;
	if (ids->in_use >= limit)
		return -ENOSPC;
	u32 end = ids->in_use * 3 / 2;
	if (end < IPC_MIN_CYCLE)
		end = IPC_MIN_CYCLE;
	if (end > IPC_SLOTS)
		end = IPC_SLOTS;
	int index = find_free(ids, ids->next, end);
	if (index < 0)
		index = find_free(ids, 0, end);
	if (index < 0)
		return index;
	if (index <= ids->last)
		ids->sequence = ids->sequence + 1 < IPC_SEQ_MAX ? ids->sequence + 1 : 0;
	ids->last = index;
	ids->next = (u32)index + 1;
	return index;
}

s32 ipc_ids_publish(struct ipc_ids *ids, int index, s32 key)
{
	if (ids->high < (u32)index + 1)
		ids->high = (u32)index + 1;
	slot_write(ids, (u32)index, slot_word(key, ids->sequence));
	ids->in_use++;
	return ipc_ids_id(ids, index);
}

static void lower_high(struct ipc_ids *ids)
{
	u32 high = ids->high;
	while (high && !ids->slot[high - 1])
		high--;
	ids->high = high;
}

void ipc_ids_remove(struct ipc_ids *ids, int index)
{
	slot_write(ids, (u32)index, 0);
	ids->in_use--;
	lower_high(ids);
}

void ipc_ids_hide_key(struct ipc_ids *ids, int index)
{
	slot_write(ids, (u32)index, slot_word(IPC_PRIVATE, slot_sequence(ids->slot[index])));
}

void ipc_ids_rebuild(struct ipc_ids *ids)
{
	lower_high(ids);
	u32 used = 0;
	for (u32 i = 0; i < ids->high; i++)
		used += ids->slot[i] != 0;
	ids->in_use = used;
}

s32 ipc_ids_id(const struct ipc_ids *ids, int index)
{
	return (s32)(slot_sequence(ids->slot[index]) << IPC_SEQ_SHIFT | (u32)index);
}

s32 ipc_ids_key(const struct ipc_ids *ids, int index)
{
	return (s32)(ids->slot[index] >> 32);
}
