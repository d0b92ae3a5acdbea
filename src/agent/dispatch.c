/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switches from a call's number to its handler, made of the .def rows: NAME_dispatch() of each gap, vfs_dispatch(), engine_dispatch().
 * A row's filter test is asked again: a call reaches the agent when any row of any gap wants it, or because all calls are recorded, but a
 * handler shall only see calls that its own row lets through. Adding a gap: two lines below, as in host/filter.c.
 */
#include "abi/filter_test.h"
#include "agent/engine.h"
#include "agent/fs.h"
#include "agent/fs_quota.h"
#include "agent/vfs.h"

static bool reserved(u64 fd)
{
	for (u32 i = 0; i < RESERVED_COUNT; i++)
		if (private()->reserved_fds[i] >= 0 && (s32)fd == private()->reserved_fds[i])
			return true;
	return false;
}

static bool reaches_reserved(u32 fd)
{
	for (u32 i = 0; i < RESERVED_COUNT; i++)
		if (private()->reserved_fds[i] >= 0 && fd >= (u32) private()->reserved_fds[i])
			return true;
	return false;
}

static inline __attribute__((always_inline)) bool holds(const struct call *call, struct filter_test test)
{
	u64 arg = call->arg[test.arg];

	switch (test.kind) {
	case FILTER_ALWAYS:
	case FILTER_ADDED_LATER:
		return true;
	case FILTER_NONZERO:
		return arg != 0;
	case FILTER_EQUAL:
		return (u32)arg == test.value;
	case FILTER_PAIR:
		return (u32)arg - test.value < 2;
	case FILTER_PAIRS:
		return (u32)arg - (test.value & 0xffff) < 2 || (u32)arg - (test.value >> 16) < 2;
	case FILTER_AT_LEAST:
		return (u32)arg >= test.value;
	case FILTER_RESERVED:
		return reserved(arg);
	case FILTER_NOT_RESERVED:
		return !reserved(arg);
	case FILTER_RESERVED_2:
		return reserved(call->arg[0]) || reserved(call->arg[1]);
	case FILTER_AGENT_MEMORY:
		return !(commons()->features & COMMONS_MSEAL) && arg >> 32 >= LAYOUT_COMMONS >> 32 &&
		       arg >> 32 <= LAYOUT_TEXT >> 32;
	case FILTER_REACHES_RESERVED:
		return reaches_reserved((u32)arg);
	}
	return true;
}

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/cgroup/cgroup.def"
#include "gaps/devices/devices.def"
#include "gaps/fstype/fstype.def"
#include "gaps/identity/identity.def"
#include "gaps/keyring/keyring.def"
#include "gaps/namespaces/namespaces.def"
#include "gaps/namespaces/pids.def"
#include "gaps/newcalls/newcalls.def"
#include "gaps/processes/processes.def"
#include "gaps/sysctl/sysctl.def"
#include "gaps/sysvipc/sysvipc.def"
#include "gaps/xattr/xattr.def"
#undef GAP_CALL

static inline __attribute__((always_inline)) enum verdict answer(struct call *call, struct filter_test test,
								 enum verdict (*handler)(struct call *call))
{
	return holds(call, test) ? handler(call) : CALL_PASS;
}

#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return answer(call, test, handler);
#define DISPATCH(name)                                  \
	enum verdict name##_dispatch(struct call *call) \
	{                                               \
		switch (call->nr) {
#define DISPATCH_END              \
	default:                  \
		return CALL_PASS; \
		}                 \
		}

/* clang-format off */
DISPATCH(engine)
#include "agent/engine.def"
DISPATCH_END
DISPATCH(vfs)
#include "agent/vfs_open.def"
#include "agent/vfs_stat.def"
DISPATCH_END
DISPATCH(fs)
#include "agent/fs.def"
DISPATCH_END
DISPATCH(quota)
#include "agent/fs_quota.def"
DISPATCH_END
DISPATCH(namespaces)
#include "gaps/namespaces/namespaces.def"
DISPATCH_END
DISPATCH(processes)
#include "gaps/processes/processes.def"
DISPATCH_END
DISPATCH(pids)
#include "gaps/namespaces/pids.def"
DISPATCH_END
DISPATCH(sysvipc)
#include "gaps/sysvipc/sysvipc.def"
DISPATCH_END
DISPATCH(sysctl)
#include "gaps/sysctl/sysctl.def"
DISPATCH_END
DISPATCH(devices)
#include "gaps/devices/devices.def"
DISPATCH_END
DISPATCH(newcalls)
#include "gaps/newcalls/newcalls.def"
DISPATCH_END
DISPATCH(fstype)
#include "gaps/fstype/fstype.def"
DISPATCH_END
DISPATCH(mounts)
#include "gaps/mounts/mounts.def"
DISPATCH_END
DISPATCH(cgroup)
#include "gaps/cgroup/cgroup.def"
DISPATCH_END
DISPATCH(identity)
#include "gaps/identity/identity.def"
DISPATCH_END
DISPATCH(keyring)
#include "gaps/keyring/keyring.def"
DISPATCH_END
DISPATCH(xattr)
#include "gaps/xattr/xattr.def"
DISPATCH_END
