// SPDX-License-Identifier: Apache-2.0
/*
 * The normal form of text, for finding only: what is handed on is the input.
 *
 *   %40                 a byte (RFC 3986 section 2.1)
 *   \n \" \/ \u0040 \x40   JSON (RFC 8259 section 7) and C escapes
 *   U+FF01 … U+FF5E     full-width forms: the ASCII character
 *   U+00A0 U+2000 … U+200A U+202F U+3000   a blank;  U+2010 … U+2015 U+2212: a dash
 *   U+00AD U+200B … U+200F U+202A … U+202E U+2060 … U+2064 U+2066 … U+2069 U+FEFF U+180E   nothing
 *
 * One level: %2540 becomes %40 and stays that.
 */
#include "pii/normalise.h"

#include <emmintrin.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pii/pii_int.h"

int text_init(struct text *text, size_t room)
{
	*text = (struct text){
		.block = malloc(room + 2 * PII_PADDING),
		.room = room,
		.steps = malloc((room + 2) * sizeof(*text->steps)),
	};
	if (!text->block || !text->steps) {
		text_done(text);
		return -ENOMEM;
	}
	memset(text->block, 0, PII_PADDING);
	text->bytes = text->block + PII_PADDING;
	text_clear(text);
	return 0;
}

void text_done(struct text *text)
{
	free(text->block);
	free(text->steps);
	*text = (struct text){ 0 };
}

void text_clear(struct text *text)
{
	text->size = 0;
	text->erased = 0;
	text->steps[0] = (struct step){ 0 };
	text->step_count = 1;
	text->last = 0;
}

/* --- the map -------------------------------------------------------------------------------------------------------------------------- */

/* What comes next in the text comes from `raw` on; what is there ends in the input at `before`. */
static void add_step(struct text *text, size_t raw, size_t before)
{
	struct step *last = &text->steps[text->step_count - 1];
	if (last->at == text->size) {
		last->raw = (s32)raw;
		return;
	}
	text->steps[text->step_count++] = (struct step){ (u32)text->size, (s32)raw, (s32)before };
}

/* The last step that begins at a position or before it. Positions that are asked for go on, by little. */
static const struct step *find_step(struct text *text, size_t at)
{
	size_t low = text->steps[text->last].at <= at ? text->last : 0, high = text->step_count;
	for (size_t near = low + 1; near < high && near < low + 8; near++)
		if (text->steps[near].at > at)
			high = near;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (text->steps[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	text->last = low;
	return &text->steps[low];
}

size_t text_raw_start(struct text *text, size_t at)
{
	const struct step *step = find_step(text, at);
	return (size_t)(step->raw + (s64)(at - step->at));
}

size_t text_raw_end(struct text *text, size_t at)
{
	const struct step *step = find_step(text, at);
	return (size_t)(step->at == at ? step->before : step->raw + (s64)(at - step->at));
}

void text_drop(struct text *text, size_t bytes, size_t raw)
{
	size_t first = (size_t)(find_step(text, bytes) - text->steps);
	memmove(text->bytes, text->bytes + bytes, text->size - bytes);
	text->size -= bytes;
	struct step step = text->steps[first];
	step.raw += (s32)(bytes - step.at);
	if (step.at < bytes)
		step.before = step.raw;
	step.at = (u32)bytes;
	text->step_count -= first;
	text->last = 0;
	memmove(text->steps, text->steps + first, text->step_count * sizeof(*text->steps));
	text->steps[0] = step;
	for (size_t i = 0; i < text->step_count; i++) {
		text->steps[i].at -= (u32)bytes;
		text->steps[i].raw -= (s32)raw;
		text->steps[i].before -= (s32)raw;
	}
}

/* --- what stands for one character ---------------------------------------------------------------------------------------------------- */

#define ERASED (-1)    /* nothing */
#define ITSELF (-2)    /* is as it is */
#define TOO_SHORT (-3) /* cannot be told before more is there */

struct unit {
	int byte; /* what stands for it, or one of the above */
	u8 size;  /* bytes of the input */
};

static int hex_value(int c)
{
	return is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10;
}

/* What a character beyond ASCII stands for. */
static int plain_of(u32 code)
{
	if (code >= 0xff01 && code <= 0xff5e)
		return (int)(code - 0xff01 + '!');
	if (code == 0xa0 || (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x3000)
		return ' ';
	if ((code >= 0x2010 && code <= 0x2015) || code == 0x2212)
		return '-';
	if (code == 0xad || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x2069 && code != 0x2065) || code == 0xfeff || code == 0x180e)
		return ERASED;
	return ITSELF;
}

static struct unit read_utf8(const u8 *at, size_t left)
{
	unsigned size = *at == 0xc2 ? 2 : *at == 0xe1 || *at == 0xe2 || *at == 0xe3 || *at == 0xef ? 3 : 1;
	if (size == 1)
		return (struct unit){ ITSELF, 1 };
	for (unsigned i = 1; i < size; i++) {
		if (i == left)
			return (struct unit){ TOO_SHORT, 1 };
		if ((at[i] & 0xc0) != 0x80)
			return (struct unit){ ITSELF, 1 };
	}
	u32 code = size == 2 ? (at[0] & 0x1fu) << 6 | (at[1] & 0x3f) : (at[0] & 0xfu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3f);
	int byte = plain_of(code);
	return byte == ITSELF ? (struct unit){ ITSELF, 1 } : (struct unit){ byte, (u8)size };
}

/* Behind `skip` bytes, `count` hexadecimal digits. */
static struct unit read_hex(const u8 *at, size_t left, unsigned skip, unsigned count)
{
	u32 code = 0;
	for (unsigned i = skip; i < skip + count; i++) {
		if (i >= left)
			return (struct unit){ TOO_SHORT, 1 };
		if (!is_hex(at[i]))
			return (struct unit){ ITSELF, 1 };
		code = code << 4 | (u32)hex_value(at[i]);
	}
	int byte = count == 2 || code < 0x80 ? (int)code : plain_of(code);
	return byte == ITSELF ? (struct unit){ ITSELF, 1 } : (struct unit){ byte, (u8)(skip + count) };
}

static struct unit read_escape(const u8 *at, size_t left)
{
	if (left < 2)
		return (struct unit){ TOO_SHORT, 1 };
	switch (at[1]) {
	case 'n':
		return (struct unit){ '\n', 2 };
	case 'r':
		return (struct unit){ '\r', 2 };
	case 't':
		return (struct unit){ '\t', 2 };
	case 'b':
	case 'f':
		return (struct unit){ ' ', 2 };
	case '"':
	case '/':
	case '\\':
	case '\'':
		return (struct unit){ at[1], 2 };
	case 'u':
		return read_hex(at, left, 2, 4);
	case 'x':
		return read_hex(at, left, 2, 2);
	default:
		return (struct unit){ ITSELF, 1 };
	}
}

/* --- the pass ------------------------------------------------------------------------------------------------------------------------- */

/* Copies up to the first byte that may need a look; sixteen at a time. */
static size_t copy_plain(struct text *text, const u8 *raw, size_t from, size_t size)
{
	const __m128i percent = _mm_set1_epi8('%'), escape = _mm_set1_epi8('\\');
	u8 *to = text->bytes + text->size;
	size_t at = from, limit = text->room - text->size < size - from ? from + (text->room - text->size) : size;
	for (; limit - at >= 16; at += 16, to += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(raw + at));
		_mm_storeu_si128((__m128i *)(void *)to, bytes);
		int special = _mm_movemask_epi8(
			_mm_or_si128(bytes, _mm_or_si128(_mm_cmpeq_epi8(bytes, percent), _mm_cmpeq_epi8(bytes, escape))));
		if (special) {
			at += (unsigned)__builtin_ctz((unsigned)special);
			limit = at;
			break;
		}
	}
	for (; at < limit && raw[at] < 0x80 && raw[at] != '%' && raw[at] != '\\'; at++)
		*to++ = raw[at];
	if (at > from)
		text->erased = 0;
	text->size += at - from;
	return at;
}

static struct unit read_unit(const u8 *at, size_t left)
{
	if (*at >= 0x80)
		return read_utf8(at, left);
	return *at == '%' ? read_hex(at, left, 1, 2) : read_escape(at, left);
}

size_t text_append(struct text *text, const u8 *raw, size_t from, size_t size, bool more)
{
	size_t at = from;
	while (at < size && text->size < text->room) {
		at = copy_plain(text, raw, at, size);
		if (at == size || text->size == text->room)
			break;
		struct unit unit = read_unit(raw + at, size - at);
		if (unit.byte == TOO_SHORT && more)
			break;
		if (unit.byte == ERASED && text->erased < TEXT_ERASED_MAX) {
			add_step(text, at + unit.size, at);
			text->erased++;
		} else if (unit.byte >= 0) {
			text->bytes[text->size++] = (u8)unit.byte;
			add_step(text, at + unit.size, at + unit.size);
			text->erased = 0;
		} else {
			unit.size = 1;
			text->bytes[text->size++] = raw[at];
			text->erased = 0;
		}
		at += unit.size;
	}
	memset(text->bytes + text->size, 0, PII_PADDING);
	return at;
}
