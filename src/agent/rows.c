/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter tests of .def rows, asked again by the agent: a call reaches it when any row of any gap wants it, or because all calls are
 * recorded, but a handler shall only see calls that its own row lets through. Adding a gap: one block below, as in host/filter.c.
 */
#include "abi/filter_test.h"
#include "agent/engine.h"

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

#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return holds(call, test);
#define ROWS(name)                                \
	bool rows_##name(const struct call *call) \
	{                                         \
		switch (call->nr) {
#define ROWS_END              \
	default:              \
		return false; \
		}             \
		}

/* clang-format off */
ROWS(engine)
#include "agent/engine.def"
ROWS_END
ROWS(vfs)
#include "agent/vfs_open.def"
#include "agent/vfs_stat.def"
ROWS_END
ROWS(sysvipc)
#include "gaps/sysvipc/sysvipc.def"
ROWS_END
ROWS(sysctl)
#include "gaps/sysctl/sysctl.def"
ROWS_END
ROWS(devices)
#include "gaps/devices/devices.def"
ROWS_END
ROWS(newcalls)
#include "gaps/newcalls/newcalls.def"
ROWS_END
ROWS(fstype)
#include "gaps/fstype/fstype.def"
ROWS_END
