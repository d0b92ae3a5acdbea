/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A first-fit heap of fixed granules with one bit a granule. First fit from the lowest free granule keeps a busy queue on the
 * same few pages. The bitmap is derived state: see ipc_state.h.
 */
#include "gaps/sysvipc/sysvipc_int.h"

#define WORD_BITS 64u

static u64 granules_for(const struct ipc_heap *heap, u64 size)
{
	return size ? (size + heap->granule - 1) / heap->granule : 1;
}

static bool is_set(const u64 *bitmap, u64 bit)
{
	return bitmap[bit / WORD_BITS] >> (bit % WORD_BITS) & 1;
}

/* Sets or clears the bits [from, from + count). */
static void set_range(u64 *bitmap, u64 from, u64 count, bool set)
{
	while (count) {
		u64 low = from % WORD_BITS;
		u64 bits = WORD_BITS - low < count ? WORD_BITS - low : count;
		u64 mask = (bits == WORD_BITS ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1) << low;
		if (set)
			bitmap[from / WORD_BITS] |= mask;
		else
			bitmap[from / WORD_BITS] &= ~mask;
		from += bits;
		count -= bits;
	}
}

/* The first bit at or after `from` whose value is `set`; `end` when there is none. */
static u64 next_bit(const u64 *bitmap, u64 from, u64 end, bool set)
{
	while (from < end) {
		u64 word = bitmap[from / WORD_BITS];
		if (!set)
			word = ~word;
		word >>= from % WORD_BITS;
		if (word) {
			from += (u64)__builtin_ctzll(word);
			return from < end ? from : end;
		}
		from = (from | (WORD_BITS - 1)) + 1;
	}
	return end;
}

s64 ipc_heap_alloc(struct ipc_heap *heap, u64 *bitmap, u64 size)
{
	if (size > (u64)heap->granules * heap->granule)
		return -ENOMEM;
	u64 count = granules_for(heap, size);
	u64 end = heap->granules;
	u64 first_free = next_bit(bitmap, heap->hint, end, false);
	for (u64 at = first_free; at + count <= end;) {
		u64 stop = next_bit(bitmap, at, at + count, true);
		if (stop == at + count) {
			set_range(bitmap, at, count, true);
			heap->used += (u32)count;
			heap->hint = (u32)(at == first_free ? at + count : first_free);
			return (s64)(at * heap->granule);
		}
		at = next_bit(bitmap, stop, end, false);
	}
	heap->hint = (u32)first_free;
	return -ENOMEM;
}

void ipc_heap_free(struct ipc_heap *heap, u64 *bitmap, u64 offset, u64 size)
{
	u64 at = offset / heap->granule;
	u64 count = granules_for(heap, size);
	if (at >= heap->granules || count > heap->granules - at || !is_set(bitmap, at))
		agent_die("sysvipc: a piece of the heap was freed twice", (long)offset);
	set_range(bitmap, at, count, false);
	heap->used -= (u32)count;
	if (at < heap->hint)
		heap->hint = (u32)at;
}

void ipc_heap_clear(struct ipc_heap *heap, u64 *bitmap)
{
	memset(bitmap, 0, heap->granules / 8);
	heap->used = 0;
	heap->hint = 0;
}

void ipc_heap_mark(struct ipc_heap *heap, u64 *bitmap, u64 offset, u64 size)
{
	u64 count = granules_for(heap, size);
	set_range(bitmap, offset / heap->granule, count, true);
	heap->used += (u32)count;
}
