/* SPDX-License-Identifier: Apache-2.0 */
/* openat2(2): its argument, and the walk. */
#ifndef LICHEN_GAPS_NEWCALLS_OPENAT2_H
#define LICHEN_GAPS_NEWCALLS_OPENAT2_H

#include "gaps/newcalls/newcalls_int.h"

struct open_how { /* <linux/openat2.h> */
	u64 flags, mode, resolve;
};
#define RESOLVE_NO_XDEV_ 0x01u
#define RESOLVE_NO_MAGICLINKS_ 0x02u
#define RESOLVE_NO_SYMLINKS_ 0x04u
#define RESOLVE_BENEATH_ 0x08u
#define RESOLVE_IN_ROOT_ 0x10u
#define RESOLVE_CACHED_ 0x20u

/* Opens the guest's path under the conditions of how->resolve; how was checked. A descriptor or negative errno. */
long openat2_walk(s32 dirfd, u64 path, const struct open_how *how) MUST_CHECK;

#endif
