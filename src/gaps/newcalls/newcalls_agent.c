/* SPDX-License-Identifier: Apache-2.0 */
/* Gap newcalls, agent half. */
#include "agent/vfs.h"
#include "gaps/newcalls/newcalls_int.h"

enum verdict newcalls_dispatch(struct call *call)
{
	switch (call->nr) {
#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return handler(call);
#include "gaps/newcalls/newcalls.def"
#undef GAP_CALL
	default:
		return CALL_PASS;
	}
}

void newcalls_event(enum agent_event event, long arg)
{
	(void)event, (void)arg;
}

void newcalls_member_reap(int member)
{
	(void)member;
}

VFS_NONE(newcalls)
