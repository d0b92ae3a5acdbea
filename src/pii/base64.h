/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 sections 4 and 5: both alphabets at once). */
#ifndef LICHEN_PII_BASE64_H
#define LICHEN_PII_BASE64_H

#include "base/types.h"

/* What characters stand for; 64: they are none. */
extern const u8 base64_values[256];

static inline bool is_base64(int c)
{
	return c >= 0 && base64_values[c] < 64;
}

/* Decodes characters up to the first that is none; room: three bytes for four of them. Returns how many bytes there are. */
size_t base64_decode(const u8 *text, size_t size, u8 *to) MUST_CHECK;

/* How much of the front is text in UTF-8 without control characters but tab, line feed and carriage return. A character that is cut off at the end counts. */
size_t text_prefix(const u8 *bytes, size_t size) MUST_CHECK;

/* How many of sixteen characters must be left out, 0 … 3, before what they stand for begins with text; 4: it does not, or they are no base64. */
unsigned base64_phase(const u8 *text) MUST_CHECK;

/* Sixteen characters of base64 may stand for text: base64_phase() is not 4 unless it is false. Needs AVX2. */
bool base64_may_be_text(const u8 *text) MUST_CHECK;

#endif
