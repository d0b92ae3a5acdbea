/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sysctl gap's area of the commons: the values that were written in this cell.
 *
 * A value is the text that a read says, without the newline. It is kept twice: a writer, under the lock, fills the copy that is not read
 * and publishes it by one store of `seq`; a reader copies and looks whether seq still is what it was. So a reader never waits and
 * never sees a torn text, and a writer killed at any instruction leaves the value that was. Slots are claimed, never freed.
 */
#ifndef LICHEN_GAPS_SYSCTL_H
#define LICHEN_GAPS_SYSCTL_H

#include <assert.h>

#include "abi/layout.h"
#include "base/mem.h"
#include "base/types.h"

#define SYSCTL_VALUES_MAX 2048u /* written values in a cell, each interface's own counted */
#define SYSCTL_WIDE_MAX 4u      /* among them sets of ports and the like */
#define SYSCTL_TEXT_SIZE 256u   /* kernel: the longest string is 255 bytes */
#define SYSCTL_WIDE_SIZE 4096u
#define SYSCTL_INSTANCE_SIZE 16u /* IFNAMSIZ */
#define SYSCTL_BLOOM_BITS 8192u
#define SYSCTL_ROWS_MAX 1024u

struct sysctl_value {
	u32 row; /* row of the table + 1, 0 = free; stored last */
	u32 seq; /* 0: nothing written yet; the current text is text[seq & 1] */
	char instance[SYSCTL_INSTANCE_SIZE];
	u32 wide; /* 1 + index of the wide text that is used instead, 0 = none */
	u32 length[2];
	char text[2][SYSCTL_TEXT_SIZE];
};
static_assert(sizeof(struct sysctl_value) == 548, "sysctl_value is shared between agents");

struct sysctl_wide {
	char text[2][SYSCTL_WIDE_SIZE];
};

struct sysctl_area {
	u32 lock; /* struct lock: one writer at a time */
	u32 wide_used;
	char boot_id[40];
	u64 bloom[SYSCTL_BLOOM_BITS / 64]; /* last parts of the paths in the table: sysctl_bloom() */
	u64 deaf[SYSCTL_ROWS_MAX / 64];    /* rows whose file the kernel opens for writing but then refuses */
	struct sysctl_value values[SYSCTL_VALUES_MAX];
	struct sysctl_wide wide[SYSCTL_WIDE_MAX];
};
static_assert(offsetof(struct sysctl_area, bloom) == 48, "sysctl_area is shared between agents");

#define SYSCTL_AREA_SIZE ALIGN_UP((u64)sizeof(struct sysctl_area), LAYOUT_PAGE)

/* The bit of a path's last part, which ends at a slash or NUL. */
static inline u32 sysctl_bloom(const char *part)
{
	u32 hash = 2166136261u;

	for (; *part && *part != '/'; part++)
		hash = (hash ^ (u8)*part) * 16777619u; /* FNV-1a */
	return (hash ^ hash >> 16) % SYSCTL_BLOOM_BITS;
}

#endif
