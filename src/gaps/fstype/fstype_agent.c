/* SPDX-License-Identifier: Apache-2.0 */
/* Gap fstype, agent half. */
#include "agent/vfs.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/fstype/fstype.def"
#undef GAP_CALL

enum verdict fstype_dispatch(struct call *call)
{
	switch (call->nr) {
#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return handler(call);
#include "gaps/fstype/fstype.def"
#undef GAP_CALL
	default:
		return CALL_PASS;
	}
}

void fstype_event(enum agent_event event, long arg)
{
	(void)event, (void)arg;
}

void fstype_member_reap(int member)
{
	(void)member;
}

VFS_NONE(fstype)
