/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of bytes, 64 bytes at a time: bit n of a mask is byte n. */
#ifndef LICHEN_PII_CLASSIFY_H
#define LICHEN_PII_CLASSIFY_H

#include "base/types.h"

struct masks {
	u64 digit;
	u64 word;   /* letters and digits of ASCII */
	u64 hex;    /* hexadecimal digits */
	u64 number; /* digits, and what stands between groups of them: blank ( ) + - . / */
	u64 base64; /* both alphabets, without '=' */
	u64 mark;   /* what a prefix of a key has in it: _ - . G I J K */
	u64 at, colon, dash, dot;
};

/* Classifies `blocks` times 64 bytes. */
typedef void classifier(const u8 *text, size_t blocks, struct masks *masks);

classifier classify_sse2;
classifier classify_avx2;

/* The best one for this processor. */
classifier *classifier_choose(void) MUST_CHECK;

#endif
