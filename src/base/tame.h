/* SPDX-License-Identifier: Apache-2.0 */
/* Text of strangers on its way to a terminal, as UTF-8: what would be obeyed there becomes question marks. */
#ifndef LICHEN_BASE_TAME_H
#define LICHEN_BASE_TAME_H

#include "base/types.h"

/*
 * The bytes of what must not reach a terminal at a place of a text that ends with a NUL: control characters, also those of Unicode's second set (U+009B begins what ESC [
 * does), and what breaks a line or turns its direction (U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069). 0: it may.
 */
static inline size_t tame_wild(const char *text)
{
	const u8 *at = (const u8 *)text;

	if (at[0] < 0x80)
		return at[0] == 0x7f || (at[0] && at[0] < ' ');
	if (at[0] == 0xc2)
		return at[1] >= 0x80 && at[1] < 0xa0 ? 2 : 0;
	if (at[0] != 0xe2 || (at[1] != 0x80 && at[1] != 0x81))
		return 0;
	if (at[1] == 0x81)
		return at[2] >= 0xa6 && at[2] <= 0xa9 ? 3 : 0;
	return (at[2] >= 0x8e && at[2] <= 0x8f) || (at[2] >= 0xa8 && at[2] <= 0xae) ? 3 : 0;
}

/* The bytes of the UTF-8 character at a place of such a text (RFC 3629). 0: there is none. */
static inline size_t tame_character(const char *text)
{
	const u8 *at = (const u8 *)text;
	size_t size = at[0] < 0x80                  ? 1
		    : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
		    : (at[0] & 0xf0) == 0xe0        ? 3
		    : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
						    : 0;

	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
	    (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return size;
}

static inline void tame(char *text)
{
	while (*text) {
		size_t size = tame_wild(text);

		text += size == 0;
		for (; size; size--)
			*text++ = '?';
	}
}

#endif
