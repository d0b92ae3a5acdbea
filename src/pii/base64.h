/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 sections 4 and 5: both alphabets at once). */
#ifndef LICHEN_PII_BASE64_H
#define LICHEN_PII_BASE64_H

#include "base/types.h"

/* What a character stands for, or -1. */
static inline int base64_value(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Decodes characters up to the first that is none; room: three bytes for four of them. Returns how many bytes there are. */
size_t base64_decode(const u8 *text, size_t size, u8 *to) MUST_CHECK;

/* How much of the front is text in UTF-8 without control characters but tab, line feed and carriage return. A character that is cut off at the end counts. */
size_t text_prefix(const u8 *bytes, size_t size) MUST_CHECK;

#endif
