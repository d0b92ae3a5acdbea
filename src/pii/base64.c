// SPDX-License-Identifier: Apache-2.0
/* Base64, and whether what it stands for is text. */
#include "pii/base64.h"

size_t base64_decode(const u8 *text, size_t size, u8 *to)
{
	u32 bits = 0;
	size_t n = 0;
	for (size_t i = 0; i < size; i++) {
		int value = base64_value(text[i]);
		if (value < 0)
			break;
		bits = bits << 6 | (u32)value;
		if (i % 4)
			to[n++] = (u8)(bits >> (6 - i % 4 * 2));
	}
	return n;
}

/* Bytes that follow a first byte of UTF-8, or -1 where it is none. */
static int followers(u8 byte)
{
	if (byte < 0x80)
		return byte >= ' ' ? byte == 0x7f ? -1 : 0 : byte == '\n' || byte == '\t' || byte == '\r' ? 0 : -1;
	if (byte >= 0xc2 && byte <= 0xdf)
		return 1;
	if (byte >= 0xe0 && byte <= 0xef)
		return 2;
	return byte >= 0xf0 && byte <= 0xf4 ? 3 : -1;
}

size_t text_prefix(const u8 *bytes, size_t size)
{
	size_t at = 0;
	while (at < size) {
		int more = followers(bytes[at]);
		if (more < 0)
			return at;
		for (int i = 1; i <= more; i++) {
			if (at + (size_t)i == size)
				return size;
			if ((bytes[at + (size_t)i] & 0xc0) != 0x80)
				return at;
		}
		at += 1 + (size_t)more;
	}
	return at;
}
