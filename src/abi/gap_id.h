/* SPDX-License-Identifier: Apache-2.0 */
/* enum gap_id: one number per row of gaps/gaps.def, in dispatch order. */
#ifndef LICHEN_ABI_GAP_ID_H
#define LICHEN_ABI_GAP_ID_H

enum gap_id {
#define GAP_BUILT(name) GAP_##name,
#define GAP_LISTED(name) GAP_##name,
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED
	GAP_COUNT
};

#endif
