/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statx(2). A host that has it, but not AT_NO_AUTOMOUNT (gVisor of 2022) or NULL for the path (Linux before 6.11), is asked without them;
 * both lose nothing there. A host without it is asked by newfstatat(2): stx_mask then is STATX_BASIC_STATS, no attribute is
 * known, and which mask bits were asked for does not matter.
 */
#include "gaps/newcalls/newcalls_int.h"

#define STATX_RESERVED 0x80000000u

static long statx_by_fstatat(s32 dirfd, u64 path, u32 flags, u32 mask, u64 buffer)
{
	u32 known = AT_SYMLINK_NOFOLLOW_ | AT_NO_AUTOMOUNT_ | AT_EMPTY_PATH_;
	struct kernel_stat st = { 0 };
	struct kernel_statx out;
	long r;

	if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE_) == AT_STATX_SYNC_TYPE_ ||
	    (flags & ~(known | AT_STATX_SYNC_TYPE_)))
		return -EINVAL;
	r = sys4(__NR_newfstatat, dirfd, path, &st, flags & known);
	if (r == -EINVAL && (flags & AT_NO_AUTOMOUNT_))
		r = sys4(__NR_newfstatat, dirfd, path, &st, flags & known & ~AT_NO_AUTOMOUNT_);
	if (r < 0)
		return r;
	kernel_statx_from(&out, &st);
	return guest_write(buffer, &out, sizeof(out));
}

enum verdict newcalls_statx(struct call *call)
{
	u32 flags = (u32)call->arg[2];

	if (!call->arg[1] && (flags & AT_EMPTY_PATH_) && !newcall_there(NEWCALL_STATX_NULL))
		call->arg[1] = (u64) "";
	if (newcall_there(NEWCALL_STATX)) {
		if ((flags & AT_NO_AUTOMOUNT_) && !newcall_there(NEWCALL_STATX_AUTOMOUNT))
			call->arg[2] = flags & ~AT_NO_AUTOMOUNT_;
		return CALL_PASS;
	}
	return done(call, statx_by_fstatat((s32)call->arg[0], call->arg[1], flags, (u32)call->arg[3], call->arg[4]));
}
