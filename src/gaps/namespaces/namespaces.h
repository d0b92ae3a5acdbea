/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The area of gap namespaces in the commons: what the namespaces of a cell hold.
 *
 * A UTS namespace has two names. Both are kept twice: a writer, under the row's lock, fills the copy that is not read and publishes it by one store of
 * `seq`; a reader copies, and looks whether seq still is what it was. So a reader never waits nor sees a torn name, and a writer
 * killed at any instruction leaves the names that were.
 */
#ifndef LICHEN_GAPS_NAMESPACES_NAMESPACES_H
#define LICHEN_GAPS_NAMESPACES_NAMESPACES_H

#include <assert.h>

#include "abi/commons.h"
#include "base/mem.h"
#include "base/types.h"

#define UTS_ROWS 16384u

struct uts_names {
	char host[72]; /* sethostname(2): at most 64 bytes and a NUL; the rest is zeros */
	char domain[72];
};

struct uts_row {
	u32 lock; /* struct lock: one writer at a time */
	u32 seq;  /* the current names are names[seq & 1] */
	struct uts_names names[2];
};
static_assert(sizeof(struct uts_row) == 296, "shared between agents");

struct namespaces_area {
	u32 uts_used; /* rows that are some namespace's; never given back */
	u32 reserved;
	struct uts_row uts[UTS_ROWS]; /* 0: the cell's */
};

#define NAMESPACES_AREA_SIZE ALIGN_UP((u64)sizeof(struct namespaces_area), LAYOUT_PAGE)

#endif
