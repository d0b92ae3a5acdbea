/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which triggers of a block of 64 bytes are worth asking about, by the masks of its bytes (m[0]) and those of its neighbours (m[-1], m[1]). What is left
 * out has no match; what is left in may have none.
 */
#ifndef LICHEN_PII_PREFILTER_H
#define LICHEN_PII_PREFILTER_H

#include "pii/scan.h"

/* A first digit. */
struct digit {
	u8 front, size; /* characters of its word before it, and from it on */
	bool word;      /* of a length and with letters before it as some entity has them */
	bool number;    /* begins one that is long enough */
};

struct triggers {
	u64 digits; /* the first of a word */
	u64 base64; /* where a run of it begins */
	u64 others;
	struct digit digit[64]; /* of `digits`; not from prefilter_none() */
};

/* Where the block behind is there, or nothing comes behind. `text`: the block. */
prefilter prefilter_plain, prefilter_avx2;
/* Where more may come: leaves out nothing. */
prefilter prefilter_none;

#endif
