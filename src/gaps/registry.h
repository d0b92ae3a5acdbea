/* SPDX-License-Identifier: Apache-2.0 */
/* The gaps of gaps.def as a table: by id, by name, and which of them lichen can fill. */
#ifndef LICHEN_GAPS_REGISTRY_H
#define LICHEN_GAPS_REGISTRY_H

#include "gaps/gap.h"

#define GAP_BIT(id) (UINT32_C(1) << (id))
#define GAPS_ALL ((u32)((UINT64_C(1) << GAP_COUNT) - 1))

/* The gap of a row; id must be below GAP_COUNT. Never NULL. */
const struct gap *gap_by_id(enum gap_id id);

/* Bit per gap that has both halves, so that a run can fill it (GAP_BUILT in gaps.def). */
u32 gaps_built(void);

/* Those of them that are filled without being named (on_request in gap.h is false). */
u32 gaps_automatic(void);

/* The id of the gap with this name (exact, case matters), or -ENOENT. */
int gap_find(const char *name) MUST_CHECK;

#endif
