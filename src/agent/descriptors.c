/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two descriptors that every member carries for its next execve, the agent's image and the commons, are not the guest's: for close,
 * dup and their kin these numbers are not open. The filter sends only calls that name them.
 */
#include "agent/engine.h"

enum verdict engine_reserved(struct call *call)
{
	call->ret = -EBADF;
	return CALL_DONE;
}

/* close_range(first, last, flags) around the two: what lies below, between and above, with the flags of the first call made. */
enum verdict engine_close_range(struct call *call)
{
	u32 first = (u32)call->arg[0], last = (u32)call->arg[1], flags = (u32)call->arg[2];
	u32 a = (u32)private()->agent_fd, b = (u32)private()->commons_fd, low = a < b ? a : b, high = a < b ? b : a;
	u32 parts[3][2] = { { first, low - 1 }, { low + 1, high - 1 }, { high + 1, last } };

	if (first > last || last < low)
		return CALL_PASS;
	call->ret = 0;
	for (u32 i = 0; i < 3 && call->ret == 0; i++) {
		u32 from = parts[i][0] > first ? parts[i][0] : first, to = parts[i][1] < last ? parts[i][1] : last;

		if (from > to)
			continue;
		call->ret = agent_reissue(__NR_close_range, (u64[6]){ from, to, flags });
		flags &= ~2u; /* CLOSE_RANGE_UNSHARE: once */
	}
	return CALL_DONE;
}
