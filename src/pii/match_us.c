// SPDX-License-Identifier: Apache-2.0
/* Numbers of persons in the United States. */
#include <string.h>

#include "pii/checks.h"
#include "pii/pii_int.h"

static unsigned three(const u8 *digits)
{
	return digits[0] * 100u + digits[1] * 10u + digits[2];
}

/* 123-45-6789 or 123 45 6789. */
static bool grouped_as_ssn(const struct candidate *c)
{
	return c->groups == 3 && c->sizes[0] == 3 && c->sizes[1] == 2 &&
	       (c->separator == '-' || (c->separator == ' ' && !match_in_table(c)));
}

unsigned match_ssn(struct candidate *c)
{
	static const char *const never[] = { "\0\7\x8\0\5\1\1\2\0", "\2\1\x9\0\x9\x9\x9\x9\x9",
					     "\4\5\7\5\5\5\4\6\2" }; /* of advertisements */
	unsigned area = three(c->digits), group = c->digits[3] * 10u + c->digits[4];
	unsigned serial = c->digits[5] * 1000u + three(c->digits + 6);
	if (area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0 || c->plus || c->paren)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (memcmp(c->digits, never[i], 9) == 0)
			return 0;
	/* One digit throughout, and 123456789, are examples. */
	bool same = true, rising = true;
	for (unsigned i = 1; i < 9; i++) {
		same &= c->digits[i] == c->digits[0];
		rising &= c->digits[i] == c->digits[i - 1] + 1;
	}
	if (same || (rising && c->groups == 1))
		return 0;
	if (grouped_as_ssn(c))
		return 85;
	return c->groups == 1 && match_context(c) ? 75 : 0;
}

unsigned match_itin(struct candidate *c)
{
	unsigned group = c->digits[3] * 10u + c->digits[4];
	bool range = (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group <= 92) || group >= 94;
	if (c->digits[0] != 9 || !range || c->plus || c->paren)
		return 0;
	if (grouped_as_ssn(c))
		return 80;
	return c->groups == 1 && match_context(c) ? 75 : 0;
}

unsigned match_npi(struct candidate *c)
{
	u8 digits[15] = { 8, 0, 8, 4, 0 };
	if (c->groups > 1 || c->plus || (c->digits[0] != 1 && c->digits[0] != 2))
		return 0;
	memcpy(digits + 5, c->digits, 10);
	return check_luhn(digits, sizeof(digits)) && match_context(c) ? 90 : 0;
}

/*
 * Eleven places, with or without dashes behind the fourth and the seventh: C A AN N A AN N A A N N, where C is 1 … 9, N a digit, A a letter but
 * S, L, O, I, B, Z, and AN one of both.
 */
unsigned match_mbi(struct candidate *c)
{
	static const char form[] = "CAXNAXNAANN";
	struct view *view = c->view;
	size_t at = c->start;
	bool dashes = c->end - c->start == 4, upper = false, lower = false;
	if (c->end - c->start != 11 && !dashes)
		return 0;
	for (unsigned i = 0; i < 11; i++, at++) {
		if (dashes && (i == 4 || i == 7) && view_at(view, at++) != '-')
			return 0;
		int byte = view_at(view, at);
		bool letter = is_letter(byte) && !strchr("SLOIBZ", to_upper(byte));
		bool digit = is_digit(byte);
		upper |= is_upper(byte);
		lower |= letter && !is_upper(byte);
		if ((form[i] == 'C' && (!digit || byte == '0')) || (form[i] == 'A' && !letter) || (form[i] == 'N' && !digit) ||
		    (!letter && !digit))
			return 0;
	}
	int after = view_at(view, at);
	if (is_word(after) || after == '_' || (upper && lower) || (after == '-' && is_word(view_at(view, at + 1))))
		return 0;
	c->match_end = at;
	return dashes ? 85 : 75;
}
