// SPDX-License-Identifier: Apache-2.0
/* Numbers: digits in groups. Matchers are asked for each beginning of one that may be all of it. */
#include <emmintrin.h>

#include "pii/scan.h"

/* How many bytes stand between two groups at a position: 0 when the number ends there. */
static unsigned between_groups(struct candidate *c, size_t at, char *separator)
{
	struct view *view = c->view;
	int first = view_at(view, at), second;
	*separator = 0;
	switch (first) {
	case ' ':
	case '-':
		second = view_at(view, at + 1);
		if (second == '(' && is_digit(view_at(view, at + 2)))
			return 2;
		*separator = (char)first;
		return is_digit(second);
	case '.':
	case '/':
		*separator = (char)first;
		return is_digit(view_at(view, at + 1));
	case '(':
		return is_digit(view_at(view, at + 1));
	case ')':
		second = view_at(view, at + 1);
		if (is_digit(second)) {
			c->paren = true;
			return 1;
		}
		if ((second == ' ' || second == '-') && is_digit(view_at(view, at + 2))) {
			c->paren = true;
			return 2;
		}
		return 0;
	default:
		return 0;
	}
}

/* 2026-11-23, 23.11.2026, 11/23/2026. */
static bool is_date(const struct candidate *c)
{
	if (c->groups != 3 || !c->separator || c->separator == ' ' || c->plus || c->sizes[1] > 2)
		return false;
	return (c->sizes[0] == 4 && c->sizes[2] <= 2) || (c->sizes[0] <= 2 && c->sizes[2] == 4);
}

/* The number may end here: no letter follows, and no group that is tied to it; to an IPv4 address a network's size or the end of a range is not. */
static bool number_ends(struct candidate *c, unsigned gap, char separator, bool tied)
{
	int after = view_at(c->view, c->end);
	bool address = c->groups == 4 && c->separator == '.';
	if (is_word(after) || (tied && !address))
		return false;
	return gap == 0 || separator == ' ' || (address && (separator == '/' || separator == '-'));
}

/* The groups before the number, with blanks between them, lead to one of two letters and two digits: an IBAN, which was asked there. */
static bool in_iban(const struct view *view, size_t at)
{
	for (unsigned group = 0; group < 9 && view_before(view, at, 1) == ' '; group++) {
		for (unsigned i = 2; i <= 5; i++)
			if (!is_word(view_before(view, at, i)))
				return false;
		at -= 5;
		if (is_upper(view->text[at]) && is_upper(view->text[at + 1]) && is_digit(view->text[at + 2]) &&
		    is_digit(view->text[at + 3]))
			return !is_word(view_before(view, at, 1));
	}
	return false;
}

/* Sixteen bytes as digits; returns how many of them are some, from the first on. The padding behind the view is there to be read. */
static unsigned read_sixteen(const u8 *text, u8 *to)
{
	__m128i values = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)text), _mm_set1_epi8('0'));
	_mm_storeu_si128((__m128i *)(void *)to, values);
	unsigned are = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values));
	return (unsigned)__builtin_ctz(~are);
}

/* Reads the digits at a position into the candidate. Returns how many, or NUMBER_DIGITS + 1 when they are too many. */
static unsigned read_group(struct candidate *c, size_t at)
{
	const u8 *text = c->view->text + at;
	size_t left = c->view->end - at;
	unsigned size = read_sixteen(text, c->digits + c->count);
	if (size == 16 && left > 16 && c->count + 16u <= NUMBER_DIGITS)
		size += read_sixteen(text + 16, c->digits + c->count + 16);
	size = size < left ? size : (unsigned)left;
	if (c->count + size > NUMBER_DIGITS)
		return NUMBER_DIGITS + 1;
	c->view->cut |= size == left && c->view->more;
	c->count = (u8)(c->count + size);
	c->sizes[c->groups++] = (u8)size;
	return size;
}

/* The group of a UUID (RFC 9562 section 4) that begins `offset` behind its begin. */
static bool in_uuid_at(struct view *view, size_t at, size_t offset)
{
	if (at < view->begin + offset)
		return false;
	size_t start = at - offset;
	if (view_at(view, start + 8) != '-' || view_at(view, start + 13) != '-' || view_at(view, start + 18) != '-' ||
	    view_at(view, start + 23) != '-' || is_word(view_before(view, start, 1)))
		return false;
	for (size_t i = 0; i < 36; i++)
		if (i != 8 && i != 13 && i != 18 && i != 23 && !is_hex(view_at(view, start + i)))
			return false;
	return !word_at(view, start + 36);
}

/* A group that is all digits is no number of its own. */
static bool in_uuid(struct view *view, size_t at)
{
	if (view_before(view, at, 1) != '-')
		return view_at(view, at + 8) == '-' && in_uuid_at(view, at, 0);
	if (!is_hex(view_before(view, at, 2)))
		return false;
	if (view_at(view, at + 4) == '-')
		return in_uuid_at(view, at, 9) || in_uuid_at(view, at, 14) || in_uuid_at(view, at, 19);
	return view_before(view, at, 6) == '-' && in_uuid_at(view, at, 24);
}

void scan_number(const struct scanner *scanner, struct candidate *c, struct match *best)
{
	struct view *view = c->view;
	int before = view_before(view, c->trigger, 1);
	bool separated = false, tied = is_digit(view_before(view, c->trigger, 2));
	if ((before == '.' && tied) || (before == ' ' && in_iban(view, c->start)) || in_uuid(view, c->start))
		return;
	tied &= before == '-' || before == '/';
	c->plus = before == '+' || (before == '(' && view_before(view, c->trigger, 2) == '+');
	c->end = c->start;
	while (c->groups < NUMBER_GROUPS) {
		unsigned size = read_group(c, c->end), gap;
		if (size > NUMBER_DIGITS)
			return;
		c->end += size;
		char separator;
		gap = between_groups(c, c->end, &separator);
		if (c->groups == 1 && !tied && scanner->rows.sizes[TRIGGER_FIRST] >> size & 1)
			scan_ask(scanner, c, TRIGGER_FIRST, size, best);
		if (number_ends(c, gap, separator, tied)) {
			if (is_date(c))
				return;
			scan_ask(scanner, c, TRIGGER_NUMBER, c->count, best);
		}
		if (!gap)
			return;
		if (separator && !separated)
			c->separator = separator;
		else if (separator && separator != c->separator)
			c->separator = 0;
		separated |= separator != 0;
		c->end += gap;
	}
}
