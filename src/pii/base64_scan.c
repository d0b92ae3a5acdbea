// SPDX-License-Identifier: Apache-2.0
/*
 * Looks into base64. A run of 16 and more characters is decoded in stretches of 4,096, each of which begins 3,072 behind the one before it, so that what
 * lies across their borders is in one of them whole. A stretch that does not begin with text is tried three more times, from its next
 * characters on: a path or a name may stand before it. Lines of 60 to 124 characters, a multiple of four, go on behind the line's end (RFC 2045 section 6.8, RFC 7468).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pii/base64.h"
#include "pii/normalise.h"
#include "pii/scan.h"

#define STRETCH 4096u
#define STRIDE 3072u
#define FRONT 96u
#define MARGIN 256u /* characters at the begin of a stretch in which nothing begins that is not the stretch's before it */
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

/* Room to look into base64, the first time that there is some. Returns 0 or -ENOMEM. */
static int make_place(struct scanner *scanner)
{
	if (scanner->base64)
		return 0;
	struct base64_place *place = calloc(1, sizeof(*place));
	if (!place || text_init(&place->text, sizeof(place->decoded)) < 0) {
		free(place);
		return -ENOMEM;
	}
	place->inner = *scanner;
	place->inner.take = take_inner;
	place->inner.user = place;
	place->inner.before = NULL;
	place->inner.until = SIZE_MAX;
	place->inner.base64_depth--;
	scanner->base64 = place;
	return 0;
}

#define LINE_MOST 124u

/* The line ends here, and the run goes on in the next one: returns how many bytes are between, else 0. */
static size_t line_end(struct view *view, size_t at, size_t line)
{
	if (line < LINE_LEAST || line > LINE_MOST || line % 4)
		return 0;
	size_t skip = view_at(view, at) == '\r' ? 2 : 1;
	return view_at(view, at + skip - 1) == '\n' && is_base64(view_at(view, at + skip)) ? skip : 0;
}

/* Gathers the stretch's characters, `most` of them. Returns how many; *ret_goes_on: more of the run follow. */
static size_t gather(struct base64_place *place, struct view *view, size_t start, size_t most, bool *ret_goes_on)
{
	size_t n = 0, line = 0, at = start;
	/* A stretch that goes on may begin in the middle of a line. */
	while (line <= LINE_MOST && is_base64(view_before(view, start, line + 1)))
		line++;
	for (;;) {
		size_t from = at, limit = most - n < view->end - at ? at + most - n : view->end;
		while (at < limit && is_base64(view->text[at]))
			at++;
		for (size_t i = 0; i < at - from; i++)
			place->at[n + i] = (u16)(from + i - start);
		memcpy(place->characters + n, view->text + from, at - from);
		n += at - from;
		line += at - from;
		if (is_base64(view_at(view, at))) {
			*ret_goes_on = true;
			return n;
		}
		size_t skip = line_end(view, at, line);
		*ret_goes_on = skip > 0;
		if (!skip || n == most)
			return n;
		at += skip;
		line = 0;
	}
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

/* Decodes what was gathered. Returns how much of it is text. */
static size_t decode(struct base64_place *place, size_t phase, size_t count, size_t *ret_size)
{
	*ret_size = base64_decode(place->characters + phase, count - phase, place->decoded);
	return text_prefix(place->decoded, *ret_size);
}

/* What base64_phase() says of the characters at a position; 4: they are too few, or not yet enough. */
static unsigned phase_at(struct view *view, size_t at)
{
	if (view->end - at >= BASE64_LEAST)
		return base64_phase(view->text + at);
	while (is_base64(view_at(view, at)))
		at++;
	return 4;
}

int base64_scan(struct scanner *scanner, struct view *view, size_t at, size_t *ret_end)
{
	bool goes_on, chained = scanner->chain == at;
	size_t phase = chained || at < scanner->covered ? 4 : phase_at(view, at), size, text;
	if (!chained && phase == 4)
		return 0;
	int error = make_place(scanner);
	if (error)
		return error;
	struct base64_place *place = scanner->base64;
	/* Most of what begins like text is none soon. */
	size_t count = gather(place, view, at, FRONT, &goes_on);
	if (chained)
		scanner->chain = CHAIN_NONE;
	if (view->cut || count < BASE64_LEAST)
		return 0;
	if (chained && base64_phase(place->characters) != 0)
		return 0;
	phase = chained ? 0 : phase;
	text = decode(place, phase, count, &size);
	if (goes_on && text + 4 > size) {
		count = gather(place, view, at, STRETCH, &goes_on);
		if (view->cut)
			return 0;
		text = decode(place, phase, count, &size);
	}
	size_t last = phase + (text * 4 + 2) / 3;
	bool again = goes_on && text + 4 > size; /* the cut may be in the middle of a character */
	place->outer = scanner;
	place->start = at;
	place->count = count;
	place->phase = phase;
	place->first = chained ? MARGIN : 0;
	place->last = again ? phase + STRIDE + MARGIN : STRETCH;
	place->end = at;
	error = scan_decoded(place, text);
	if (error)
		return error;
	scanner->covered = at + place->at[last < count ? last : count - 1];
	if (again)
		scanner->chain = at + place->at[phase + STRIDE];
	if (place->end > at)
		*ret_end = place->end;
	return 0;
}
