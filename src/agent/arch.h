/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to architecture-specific code of the agent. A second architecture is a second folder. */
#ifndef LICHEN_AGENT_ARCH_H
#define LICHEN_AGENT_ARCH_H

#if defined(__x86_64__)
#include "agent/x86_64/remap.h"
#include "agent/x86_64/sys.h"
#else
#error "lichen: no agent for this architecture yet: add src/agent/<arch>/"
#endif

#endif
