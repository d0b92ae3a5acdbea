// SPDX-License-Identifier: Apache-2.0
/*
 * Telephone numbers.
 *
 * International: '+' or 00, a country code, and as many digits as that country's numbers have. National: the North American plan with its rules for
 * area and exchange; numbers that begin with a trunk 0, in at least two groups. What has no form of its own (all digits in one, seven digits, groups
 * as in Spain) counts where the words before it say that it is a telephone.
 */
#include "pii/pii_int.h"

/* Country codes of two digits, by the first digit 2 … 9: bit n, the second digit n, is one. All others have three digits; 1 and 7 have one. */
static const u16 two_digits[] = {
	1 << 0 | 1 << 7,                                                                /* 20 27 */
	1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 9,                   /* 30 … */
	1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9, /* 40 … */
	0x1fe,                                                                          /* 51 … 58 */
	0x7f,                                                                           /* 60 … 66 */
	0,
	1 << 1 | 1 << 2 | 1 << 4 | 1 << 6,                            /* 81 82 84 86 */
	1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8, /* 90 … */
};

/* Digits of national numbers where they are known well; others have 6 to 12. */
static const struct country {
	u16 code;
	u8 least, most;
} countries[] = {
	{ 7, 10, 10 },  { 20, 8, 10 },  { 27, 9, 9 },   { 30, 10, 10 }, { 31, 9, 9 },   { 32, 8, 9 },  { 33, 9, 9 },
	{ 34, 9, 9 },   { 36, 8, 9 },   { 39, 8, 11 },  { 40, 9, 9 },   { 41, 9, 9 },   { 43, 7, 13 }, { 44, 9, 10 },
	{ 45, 8, 8 },   { 46, 7, 10 },  { 47, 8, 8 },   { 48, 9, 9 },   { 49, 6, 12 },  { 51, 8, 9 },  { 52, 10, 11 },
	{ 54, 10, 11 }, { 55, 10, 11 }, { 56, 9, 9 },   { 57, 8, 10 },  { 58, 10, 10 }, { 60, 8, 10 }, { 61, 9, 9 },
	{ 62, 8, 12 },  { 63, 8, 10 },  { 64, 8, 10 },  { 65, 8, 8 },   { 66, 8, 9 },   { 81, 9, 10 }, { 82, 8, 11 },
	{ 84, 9, 10 },  { 86, 9, 11 },  { 90, 10, 10 }, { 91, 10, 10 }, { 92, 9, 10 },  { 93, 9, 9 },  { 94, 9, 9 },
	{ 98, 10, 10 }, { 351, 9, 9 },  { 353, 7, 9 },  { 354, 7, 9 },  { 356, 8, 8 },  { 357, 8, 8 }, { 359, 8, 9 },
	{ 370, 8, 8 },  { 371, 8, 8 },  { 372, 7, 8 },  { 380, 9, 9 },  { 381, 8, 9 },  { 385, 8, 9 }, { 386, 8, 8 },
	{ 420, 9, 9 },  { 421, 9, 9 },  { 852, 8, 8 },  { 880, 8, 10 }, { 886, 8, 9 },  { 961, 7, 8 }, { 966, 9, 9 },
	{ 971, 8, 9 },  { 972, 8, 9 },
};

/* Ten digits of the North American plan: area NXX (second digit not 9, not N11), exchange NXX (not N11). */
static bool north_american(const u8 *digits)
{
	return digits[0] >= 2 && digits[1] != 9 && !(digits[1] == 1 && digits[2] == 1) && digits[3] >= 2 &&
	       !(digits[4] == 1 && digits[5] == 1);
}

/* Digits behind '+' or 00. */
static bool international(const u8 *digits, unsigned count)
{
	if (count < 7 || count > 15 || digits[0] == 0)
		return false;
	if (digits[0] == 1)
		return count == 11 && north_american(digits + 1);
	unsigned width = digits[0] == 7 ? 1 : two_digits[digits[0] - 2] >> digits[1] & 1 ? 2 : 3, code = 0;
	for (unsigned i = 0; i < width; i++)
		code = code * 10 + digits[i];
	for (unsigned i = 0; i < ARRAY_SIZE(countries); i++)
		if (countries[i].code == code)
			return count - width >= countries[i].least && count - width <= countries[i].most;
	return count - width >= 6 && count - width <= 12;
}

/* "+49 (0)30 …": the trunk prefix is written and not dialled. */
static unsigned drop_trunk(const struct candidate *c, u8 *digits)
{
	unsigned n = 0, at = 0;
	for (unsigned group = 0; group < c->groups; group++) {
		bool trunk = group == 1 && c->paren && c->sizes[1] == 1 && c->digits[at] == 0;
		for (unsigned i = 0; i < c->sizes[group]; i++, at++)
			if (!trunk)
				digits[n++] = c->digits[at];
	}
	return n;
}

static bool sizes_are(const struct candidate *c, unsigned first, unsigned a, unsigned b, unsigned d)
{
	return c->groups == first + (d ? 3 : 2) && c->sizes[first] == a && c->sizes[first + 1] == b &&
	       (!d || c->sizes[first + 2] == d);
}

/* 415-555-2671, (415) 555-2671, 1-415-555-2671, 1 (415) 555-2671; with blanks alone (415 555 2671) it may be a row of a table. */
static bool american_form(const struct candidate *c)
{
	unsigned first = c->count == 11;
	if ((c->count != 10 && c->count != 11) || c->separator == '/' || (first && (c->digits[0] != 1 || c->sizes[0] != 1)))
		return false;
	return sizes_are(c, first, 3, 3, 4) && north_american(c->digits + first) &&
	       (c->paren || c->separator == '-' || c->separator == '.' || (first && c->separator));
}

/* 01 02 03 04 05. */
static bool counts_up(const struct candidate *c)
{
	for (unsigned i = 2; i + 1 < c->count; i += 2)
		if (c->digits[i] * 10 + c->digits[i + 1] != c->digits[i - 2] * 10 + c->digits[i - 1] + 1)
			return false;
	return true;
}

/* 20261123. */
static bool is_short_date(const struct candidate *c)
{
	unsigned century = c->digits[0] * 10u + c->digits[1], month = c->digits[4] * 10u + c->digits[5],
		 day = c->digits[6] * 10u + c->digits[7];
	return c->count == 8 && c->groups == 1 && (century == 19 || century == 20) && month >= 1 && month <= 12 && day >= 1 &&
	       day <= 31;
}

/* 030 123456, 020 7946 0958, 06 12 34 56 78: a trunk 0 and groups that are no date. */
static bool trunk_form(const struct candidate *c)
{
	if (c->digits[0] != 0 || c->digits[1] == 0 || c->count < 9 || c->count > 12 || c->groups < 2 ||
	    (!c->separator && !c->paren))
		return false;
	if (c->groups == 5)
		return c->count == 10 && c->sizes[0] == 2 && c->sizes[1] == 2 && c->sizes[2] == 2 && c->sizes[3] == 2 &&
		       !counts_up(c);
	if (c->separator == '.' || c->groups > 4)
		return false;
	for (unsigned i = 1; i < c->groups; i++)
		if (c->sizes[i] < 2)
			return false;
	if (c->groups == 3 && (c->count < 10 || c->count > 11))
		return false;
	if (c->groups == 2)
		return c->sizes[0] >= 2 && c->sizes[0] <= 5 && c->sizes[1] >= 5; /* 02110-1301 is a postal code */
	return c->sizes[0] >= 2 && c->sizes[0] <= 5 && (c->sizes[1] >= 3 || c->groups == 4) && (c->sizes[2] >= 3 || c->groups == 4);
}

/* Where words say that it is a telephone, more counts. */
static bool told_form(const struct candidate *c)
{
	if (c->groups > 5 || c->count > 15 || (c->groups == 2 && c->separator == '.') || is_short_date(c))
		return false;
	if (c->count == 7)
		return c->digits[0] >= 2 && (c->groups == 1 || sizes_are(c, 0, 3, 4, 0));
	if (c->count == 8 && c->groups > 1 && c->sizes[0] == 4 && c->sizes[1] == 2)
		return false; /* a date */
	return true;
}

/* 082 123 4567: grouped as the numbers of the NHS are, so it is none where the words before it say that it is such a one. */
unsigned match_phone_short(struct candidate *c)
{
	return trunk_form(c) && sizes_are(c, 0, 3, 3, 4) && !match_in_table(c) && !match_context(c) ? 60 : 0;
}

/* 00 49 30 123456, 0044 20 7946 0958: the prefix of calls abroad, in groups that are not all of two digits. */
static bool dialled_abroad(const struct candidate *c)
{
	bool wide = false;
	for (unsigned i = 1; i < c->groups; i++)
		wide |= c->sizes[i] > 2;
	return wide && c->count > 9 && c->separator != '.' && c->sizes[0] >= 2 && c->sizes[0] <= 5 && c->digits[0] == 0 &&
	       c->digits[1] == 0 && c->digits[2] != 0;
}

unsigned match_phone(struct candidate *c)
{
	u8 digits[NUMBER_DIGITS];
	if (c->paren && view_before(c->view, c->match_start, 1) == '(')
		c->match_start--;
	if (c->plus)
		c->match_start--;
	if (c->plus) {
		unsigned count = drop_trunk(c, digits);
		return international(digits, count) ? 85 : 0;
	}
	/* 12:00 is a time, /0104/010417 a path. */
	int before = view_before(c->view, c->start, 1);
	if ((before == ':' && is_digit(view_before(c->view, c->start, 2))) || (before == '/' && c->separator == '/'))
		return 0;
	if (match_in_dump(c))
		return 0;
	if (dialled_abroad(c)) {
		unsigned count = drop_trunk(c, digits);
		return international(digits + 2, count - 2) ? 70 : 0;
	}
	if (match_in_table(c))
		return 0;
	if (american_form(c))
		return 70;
	if (trunk_form(c) && !sizes_are(c, 0, 3, 3, 4))
		return 60;
	return told_form(c) && match_context(c) ? 55 : 0;
}
