/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that take paths, for virtual files: see vfs.h. */
#include "agent/vfs.h"

#include "agent/engine.h"

enum verdict vfs_dispatch(struct call *call)
{
	switch (call->nr) {
#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return handler(call);
#include "agent/vfs_open.def"
#include "agent/vfs_stat.def"
#undef GAP_CALL
	default:
		return CALL_PASS;
	}
}

#define GAP_CALL(name, test, handler)           \
	enum verdict handler(struct call *call) \
	{                                       \
		(void)call;                     \
		return CALL_PASS;               \
	}
#include "agent/vfs_open.def"
#include "agent/vfs_stat.def"
#undef GAP_CALL
