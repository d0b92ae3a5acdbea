/* SPDX-License-Identifier: Apache-2.0 */
/* The switch over engine.def. */
#include "agent/engine.h"

enum verdict engine_dispatch(struct call *call)
{
	switch (call->nr) {
#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return handler(call);
#include "agent/engine.def"
#undef GAP_CALL
	default:
		return CALL_PASS;
	}
}
