// SPDX-License-Identifier: Apache-2.0
/* Base64, and whether what it stands for is text. */
#include "pii/base64.h"

/* clang-format off: rows of sixteen */
const u8 base64_values[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 62, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
	64, 64, 64, 64, 64, 64, 64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, 64, 64, 64, 64, 63, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44,
	45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};

/* Bytes of a character of UTF-8 by its first; 0: none begins so, or it is a control character. */
static const u8 sizes[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
/* clang-format on */

size_t base64_decode(const u8 *text, size_t size, u8 *to)
{
	size_t n = 0, i = 0;
	for (; i + 4 <= size; i += 4, n += 3) {
		u32 a = base64_values[text[i]], b = base64_values[text[i + 1]], c = base64_values[text[i + 2]],
		    d = base64_values[text[i + 3]];
		if ((a | b | c | d) > 63)
			break;
		u32 bits = a << 18 | b << 12 | c << 6 | d;
		to[n] = (u8)(bits >> 16);
		to[n + 1] = (u8)(bits >> 8);
		to[n + 2] = (u8)bits;
	}
	u32 bits = 0;
	for (size_t k = 0; i + k < size && is_base64(text[i + k]); k++) {
		bits = bits << 6 | base64_values[text[i + k]];
		if (k > 0)
			to[n++] = (u8)(bits >> (6 - k * 2));
	}
	return n;
}

size_t text_prefix(const u8 *bytes, size_t size)
{
	size_t at = 0;
	while (at < size) {
		size_t more = sizes[bytes[at]];
		if (!more)
			return at;
		for (size_t i = 1; i < more; i++) {
			if (at + i == size)
				return size;
			if ((bytes[at + i] & 0xc0) != 0x80)
				return at;
		}
		at += more;
	}
	return at;
}

/* Six characters of nine bytes at the front (the first highest, the ninth apart) are text. */
static bool begins_with_text(u64 front, u8 ninth)
{
	for (unsigned shift = 56; shift > 8; shift -= 8) {
		u8 size = sizes[front >> shift & 255];
		if (!size)
			return false;
		if (size > 1) {
			u8 bytes[9];
			for (unsigned i = 0; i < 8; i++)
				bytes[i] = (u8)(front >> (56 - 8 * i));
			bytes[8] = ninth;
			return text_prefix(bytes, sizeof(bytes)) >= 6;
		}
	}
	return true;
}

unsigned base64_phase(const u8 *text)
{
	u64 high = 0, low = 0;
	unsigned phase = 0, wrong = 0;
	for (unsigned i = 0; i < 8; i++) {
		wrong |= base64_values[text[i]] | base64_values[text[8 + i]];
		high = high << 6 | base64_values[text[i]];
		low = low << 6 | base64_values[text[8 + i]];
	}
	if (wrong > 63)
		return 4;
	/* 48 bits each. */
	high = high << 16 | low >> 32;
	low <<= 32;
	for (; phase < 4 && !begins_with_text(high, (u8)(low >> 56)); phase++) {
		high = high << 6 | low >> 58;
		low <<= 6;
	}
	return phase;
}
