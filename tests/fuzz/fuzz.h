/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets share: the entry that libFuzzer (or replay.c) calls, and a reader that takes an input apart. */
#ifndef LICHEN_FUZZ_H
#define LICHEN_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"

/* One input. Returns 0; a finding ends the process. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* A property that must hold whatever the input. */
#define MUST(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

struct input {
	const u8 *at;
	size_t left;
};

/* Numbers from the input's front; 0 when it is used up. */
static inline u64 input_number(struct input *in, size_t bytes)
{
	u64 value = 0;

	for (; bytes && in->left; bytes--, in->left--)
		value = value << 8 | *in->at++;
	return value;
}

/* The next bytes, at most `size` of them. */
static inline struct input input_take(struct input *in, size_t size)
{
	struct input part = { in->at, size < in->left ? size : in->left };

	in->at += part.left;
	in->left -= part.left;
	return part;
}

/* The next text up to a newline (which is skipped), NUL-terminated in `to`. */
static inline void input_line(struct input *in, char *to, size_t size)
{
	size_t n = 0;

	while (in->left && *in->at != '\n' && *in->at && n + 1 < size) {
		to[n++] = (char)*in->at++;
		in->left--;
	}
	if (in->left) {
		in->at++;
		in->left--;
	}
	to[n] = 0;
}

#endif
