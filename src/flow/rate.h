/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A limit of so many a minute, as the generic cell rate algorithm: one number is the state, the time at which a bucket that leaks at that rate is empty. A
 * minute's worth may come at once.
 */
#ifndef LICHEN_FLOW_RATE_H
#define LICHEN_FLOW_RATE_H

#include "base/types.h"

#define RATE_MINUTE 60000000000ull /* nanoseconds */

/* Takes one. Returns the time at which it is due: `now`, or later. Times are nanoseconds. */
static inline u64 rate_take(u64 *empty, u64 now, u64 per_minute)
{
	u64 interval = RATE_MINUTE / per_minute, at = *empty > now ? *empty : now;
	*empty = at + interval;
	return at - now > RATE_MINUTE - interval ? at - (RATE_MINUTE - interval) : now;
}

#endif
