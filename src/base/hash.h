/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a, 64 bits, for tables (https://www.rfc-editor.org/rfc/rfc9923): not for who chooses what is hashed. */
#ifndef LICHEN_BASE_HASH_H
#define LICHEN_BASE_HASH_H

#include "base/types.h"

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* Goes on from `state`, which is HASH_BEGIN at first. */
static inline u64 hash_bytes(u64 state, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		state = (state ^ ((const u8 *)bytes)[i]) * UINT64_C(0x100000001b3);
	return state;
}

#endif
