/* SPDX-License-Identifier: Apache-2.0 */
/* Text as matchers see it, with a map back to the bytes that it was made of. */
#ifndef LICHEN_PII_NORMALISE_H
#define LICHEN_PII_NORMALISE_H

#include "base/types.h"

/* From `at` on, bytes of the text are bytes of the input from `raw` on, one for one, up to the next step. */
struct step {
	u32 at;
	s32 raw;    /* less than 0: of input that is gone */
	s32 before; /* where the input of the byte before `at` ends; raw may be behind it */
};

struct text {
	u8 *block; /* PII_PADDING, the bytes, PII_PADDING */
	u8 *bytes;
	size_t size, room;
	struct step *steps; /* the first has at = 0 */
	size_t step_count;
	size_t last;     /* step that was looked for: the next one is near */
	unsigned erased; /* characters of no width at the end of the text */
};

#define TEXT_ERASED_MAX 8u /* more characters of no width in a row are left in place: the map stays small */
#define TEXT_RAW_MAX 32u   /* bytes of input that one byte of the text is made of, at most */

/* Returns 0 or -ENOMEM. */
int text_init(struct text *text, size_t room) MUST_CHECK;
void text_done(struct text *text);
void text_clear(struct text *text);

/*
 * Appends the normal form of raw[from … size), as much as there is room for. Returns where the rest begins: what could still become one byte with what
 * follows is left, if `more` follows.
 */
size_t text_append(struct text *text, const u8 *raw, size_t from, size_t size, bool more) MUST_CHECK;

/* Where the input of a byte of the text begins; where that of the byte before a position ends. */
size_t text_raw_start(struct text *text, size_t at) MUST_CHECK;
size_t text_raw_end(struct text *text, size_t at) MUST_CHECK;

/* Forgets the first bytes of the text, and counts the input from `raw` on. */
void text_drop(struct text *text, size_t bytes, size_t raw);

#endif
