// SPDX-License-Identifier: Apache-2.0
/*
 * Looks into base64. A run of 16 and more characters is decoded in stretches of 4,096, each of which begins 3,072 behind the one before it, so that what
 * lies across their borders is in one of them whole. A stretch that does not begin with text is tried three more times, from its next
 * characters on: a path or a name may stand before it. Lines of 60 to 124 characters, a multiple of four, go on behind the line's end (RFC 2045 section 6.8, RFC 7468).
 */
#include <errno.h>
#include <stdlib.h>

#include "pii/base64.h"
#include "pii/normalise.h"
#include "pii/scan.h"

#define STRETCH 4096u
#define STRIDE 3072u
#define MARGIN 256u /* characters at the begin of a stretch in which nothing begins that is not the stretch's before it */
#define TEXT_LEAST 6u
#define LINE_LEAST 60u

struct base64_place {
	u8 characters[STRETCH];
	u16 at[STRETCH]; /* where they stand, behind the stretch's begin */
	u8 decoded[STRETCH / 4 * 3];
	struct text text;
	struct scanner inner;
	/* While the inner scanner runs: */
	const struct scanner *outer;
	size_t start, count; /* of the stretch in the outer view; its characters */
	size_t phase;        /* characters left out */
	size_t first, last;  /* characters in which a match must begin */
	size_t end;          /* behind the last match, in the outer view */
};

void base64_place_free(struct base64_place *place)
{
	if (!place)
		return;
	base64_place_free(place->inner.base64);
	text_done(&place->text);
	free(place);
}

/* A match in what was decoded: told on, as the characters that it is written with. */
static int take_inner(void *user, const struct match *match)
{
	struct base64_place *place = user;
	size_t first = text_raw_start(&place->text, match->start), last = text_raw_end(&place->text, match->end) - 1;
	/* Whole fours, so that what stands around them can be decoded still. */
	first = place->phase + first / 3 * 4;
	last = place->phase + last / 3 * 4 + 3;
	if (first < place->first || first >= place->last)
		return 0;
	last = last < place->count ? last : place->count - 1;
	struct match outer = *match;
	outer.start = place->start + place->at[first];
	outer.end = place->start + place->at[last] + 1u;
	if (!outer.value) {
		outer.value = place->text.bytes + match->start;
		outer.value_size = match->end - match->start;
	}
	place->end = outer.end;
	return place->outer->take(place->outer->user, &outer);
}

int base64_place_new(const struct scanner *scanner, unsigned depth, struct base64_place **ret_place)
{
	struct base64_place *place = calloc(1, sizeof(*place));
	if (!place || text_init(&place->text, sizeof(place->decoded)) < 0) {
		free(place);
		return -ENOMEM;
	}
	place->inner = *scanner;
	place->inner.take = take_inner;
	place->inner.user = place;
	place->inner.base64 = NULL;
	if (depth > 1 && base64_place_new(scanner, depth - 1, &place->inner.base64) < 0) {
		base64_place_free(place);
		return -ENOMEM;
	}
	*ret_place = place;
	return 0;
}

#define LINE_MOST 124u

/* Gathers the stretch's characters. Returns how many; *ret_goes_on: more of the run follow. */
static size_t gather(struct base64_place *place, struct view *view, size_t start, bool *ret_goes_on)
{
	size_t n = 0, line = 0, at = start;
	/* A stretch that goes on may begin in the middle of a line. */
	while (line <= LINE_MOST && base64_value(view_before(view, start, line + 1)) >= 0)
		line++;
	for (;; at++) {
		int byte = view_at(view, at);
		if (base64_value(byte) >= 0) {
			if (n == STRETCH)
				break;
			line++;
			place->characters[n] = (u8)byte;
			place->at[n++] = (u16)(at - start);
			continue;
		}
		/* The line's end, when the next one goes on. */
		size_t skip = byte == '\r' ? 1 : 0;
		if (line < LINE_LEAST || line > LINE_MOST || line % 4 || view_at(view, at + skip) != '\n' ||
		    base64_value(view_at(view, at + skip + 1)) < 0) {
			*ret_goes_on = false;
			return n;
		}
		at += skip;
		line = 0;
	}
	*ret_goes_on = true;
	return n;
}

static int scan_decoded(struct base64_place *place, size_t size)
{
	size_t next;
	text_clear(&place->text);
	if (text_append(&place->text, place->decoded, 0, size, false) < size)
		return -ENOBUFS;
	struct view view = { .text = place->text.bytes, .end = place->text.size };
	place->inner.chain = CHAIN_NONE;
	place->inner.covered = 0;
	return scan_text(&place->inner, &view, 0, &next);
}

/* The first twelve characters are text: worth decoding the rest. */
static bool begins_with_text(const struct base64_place *place, size_t phase, size_t count)
{
	u8 front[9];
	const u8 *at = place->characters + phase;
	/* Most are told by their first byte. */
	unsigned first = (unsigned)base64_value(at[0]) << 2 | (unsigned)base64_value(at[1]) >> 4;
	if (first < ' ' ? first != '\n' && first != '\t' && first != '\r' : first >= 0x7f && first < 0xc2)
		return false;
	size_t size = base64_decode(at, count - phase < 12 ? count - phase : 12, front);
	return text_prefix(front, size) >= TEXT_LEAST;
}

/* The characters left out before text begins: 0 … 3; 4: there is no text. */
static size_t find_phase(const struct base64_place *place, size_t count)
{
	size_t phase = 0;
	while (phase < 4 && !begins_with_text(place, phase, count))
		phase++;
	return phase;
}

/* The first characters, and no more of them, are worth gathering the others. */
static bool worth_it(struct base64_place *place, struct view *view, size_t at)
{
	for (size_t i = 0; i < BASE64_LEAST; i++) {
		int byte = view_at(view, at + i);
		if (base64_value(byte) < 0)
			return false;
		place->characters[i] = (u8)byte;
	}
	return find_phase(place, BASE64_LEAST) < 4;
}

int base64_scan(struct scanner *scanner, struct view *view, size_t at, size_t *ret_end)
{
	struct base64_place *place = scanner->base64;
	bool goes_on, chained = scanner->chain == at;
	if (!chained && (at < scanner->covered || !worth_it(place, view, at)))
		return 0;
	size_t count = gather(place, view, at, &goes_on), phase = 0;
	if (chained)
		scanner->chain = CHAIN_NONE;
	if (view->cut || count < BASE64_LEAST)
		return 0;
	phase = find_phase(place, count);
	if (phase == 4 || (chained && phase != 0))
		return 0;
	size_t size = base64_decode(place->characters + phase, count - phase, place->decoded);
	size_t text = text_prefix(place->decoded, size), last = phase + (text * 4 + 2) / 3;
	bool again = goes_on && text + 4 > size; /* the cut may be in the middle of a character */
	place->outer = scanner;
	place->start = at;
	place->count = count;
	place->phase = phase;
	place->first = chained ? MARGIN : 0;
	place->last = again ? phase + STRIDE + MARGIN : STRETCH;
	place->end = at;
	int error = scan_decoded(place, text);
	if (error)
		return error;
	scanner->covered = at + place->at[last < count ? last : count - 1];
	if (again)
		scanner->chain = at + place->at[phase + STRIDE];
	if (place->end > at)
		*ret_end = place->end;
	return 0;
}
