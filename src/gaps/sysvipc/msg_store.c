/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where messages live: 262144 chunks of 256 bytes, one message in a run of neighbours, so that its text is one piece.
 *
 * Each chunk has one word that says who owns it, and nothing else does: a free chunk is claimed by compare-and-swap on its word, so
 * no lock is taken and nothing can leak: what a dead process had claimed still bears its name and is freed with its member slot.
 * A message belongs to a queue from the store of its head's word on (the tails are marked before), and ceases to with the store
 * that changes that word (the tails follow). Tails that no head covers are garbage of a death in between; msg_queue.c sweeps them.
 *
 * Each queue searches from where it freed last, so that a queue in steady use stays on the same few cache lines.
 * Memory that once held messages is not returned to the host before the cell ends.
 */
#include "gaps/sysvipc/msg_int.h"

static u32 chunks_for(u64 size)
{
	return (u32)((sizeof(struct msg_head) + size + MSG_CHUNK - 1) / MSG_CHUNK);
}

/* Gives chunks back, the first one first. */
static void free_run(struct msg_area *area, u32 first, u32 count)
{
	for (u32 i = 0; i < count; i++)
		IPC_STORE(area->owner[first + i], MSG_OWNER_FREE);
}

/* Claims a run whose first chunk lies in [from, to). */
static s64 claim_run(struct msg_area *area, u32 from, u32 to, u32 count, u32 word)
{
	for (u32 at = from; at < to && count <= MSG_CHUNKS - at;) {
		u32 got = 0;
		if (IPC_LOAD(area->owner[at])) {
			at++;
			continue;
		}
		ipc_raise(&area->chunk_high, at + count);
		while (got < count && ipc_claim(&area->owner[at + got], word))
			got++;
		if (got == count)
			return at;
		free_run(area, at, got);
		at += got + 1;
	}
	return -ENOMEM;
}

static s64 claim_near(struct msg_area *area, u32 from, u32 count, u32 word)
{
	u32 high = IPC_LOAD(area->chunk_high);
	s64 first = claim_run(area, from, from < high ? high : MSG_CHUNKS, count, word);
	return first < 0 ? claim_run(area, 0, MSG_CHUNKS, count, word) : first;
}

s64 msg_claim(struct msg_area *area, u64 size, u32 self, u32 hint)
{
	if (size > (u64)MSG_CHUNKS * MSG_CHUNK / 2)
		return -ENOMEM;
	u32 *start = &area->hint[hint % MSG_HINTS];
	u32 from = IPC_LOAD(*start) % MSG_CHUNKS;
	u32 count = chunks_for(size);
	u32 word = msg_owner_word(MSG_OWNER_MEMBER, ipc_owner_word(self));
	s64 first = claim_near(area, from, count, word);
	if (first < 0) {
		msg_store_reap(area, -1);
		first = claim_near(area, from, count, word);
	}
	if (first < 0)
		return first;
	IPC_STORE(*start, (u32)first + count);
	struct msg_head *head = msg_at(area, (u32)first);
	head->size = size;
	head->chunks = count;
	head->next = 0;
	head->prev = 0;
	head->taker = 0;
	head->mark = 0;
	return first;
}

void msg_free(struct msg_area *area, u32 first, u32 hint)
{
	free_run(area, first, msg_at(area, first)->chunks);
	IPC_STORE(area->hint[hint % MSG_HINTS], first);
}

void msg_give(struct msg_area *area, u32 first, u32 queue)
{
	u32 count = msg_at(area, first)->chunks;
	for (u32 i = 1; i < count; i++)
		IPC_STORE(area->owner[first + i], msg_owner_word(MSG_OWNER_TAIL, queue));
	IPC_STORE(area->owner[first], msg_owner_word(MSG_OWNER_HEAD, queue));
}

void msg_take(struct msg_area *area, u32 first, u32 self)
{
	u32 count = msg_at(area, first)->chunks;
	u32 word = msg_owner_word(MSG_OWNER_MEMBER, ipc_owner_word(self));
	for (u32 i = 0; i < count; i++)
		IPC_STORE(area->owner[first + i], word);
}

void msg_store_reap(struct msg_area *area, int member)
{
	u32 gone = 0; /* runs of one owner need one question */
	u32 high = IPC_LOAD(area->chunk_high);
	for (u32 i = 0; i < high && i < MSG_CHUNKS; i++) {
		u32 word = IPC_LOAD(area->owner[i]);
		u32 owner = word & IPC_OWNER_MASK;
		if (word >> 30 != MSG_OWNER_MEMBER || (member >= 0 && ipc_owner_member(owner) != (u32)member))
			continue;
		if (owner != gone && !ipc_owner_gone(owner))
			continue;
		gone = owner;
		(void)__atomic_compare_exchange_n(&area->owner[i], &word, MSG_OWNER_FREE, false, __ATOMIC_ACQ_REL,
						  __ATOMIC_RELAXED);
	}
}
