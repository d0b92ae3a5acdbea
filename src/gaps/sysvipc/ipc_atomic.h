/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores of shared state that another process may read at any time, or find after the death of its writer. */
#ifndef LICHEN_GAPS_SYSVIPC_IPC_ATOMIC_H
#define LICHEN_GAPS_SYSVIPC_IPC_ATOMIC_H

#include "base/types.h"

/* Never torn, and visible in program order among themselves: what a dead process left is a prefix of its IPC_STORE()s. */
#define IPC_STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)
#define IPC_LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)

/* Turns 0 into `to`, or returns false. */
static inline bool ipc_claim(u32 *word, u32 to)
{
	u32 none = 0;
	return IPC_LOAD(*word) == 0 && __atomic_compare_exchange_n(word, &none, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Makes *high at least `to`. */
static inline void ipc_raise(u32 *high, u32 to)
{
	u32 now = IPC_LOAD(*high);
	while (now < to && !__atomic_compare_exchange_n(high, &now, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		continue;
}

#endif
