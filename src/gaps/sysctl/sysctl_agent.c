/* SPDX-License-Identifier: Apache-2.0 */
/* Gap sysctl, agent half. */
#include "agent/vfs.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/sysctl/sysctl.def"
#undef GAP_CALL

enum verdict sysctl_dispatch(struct call *call)
{
	switch (call->nr) {
#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return handler(call);
#include "gaps/sysctl/sysctl.def"
#undef GAP_CALL
	default:
		return CALL_PASS;
	}
}

void sysctl_event(enum agent_event event, long arg)
{
	(void)event, (void)arg;
}

void sysctl_member_reap(int member)
{
	(void)member;
}

VFS_NONE(sysctl)
