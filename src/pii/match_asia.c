// SPDX-License-Identifier: Apache-2.0
/* Numbers of persons and businesses in India, Singapore, Korea and Australia. */
#include <string.h>

#include "pii/checks.h"
#include "pii/pii_int.h"

/* --- India ---------------------------------------------------------------------------------------------------------------------------- */

unsigned match_aadhaar(struct candidate *c)
{
	bool grouped = c->groups == 3 && c->sizes[0] == 4 && c->sizes[1] == 4 && (c->separator == ' ' || c->separator == '-');
	if (c->digits[0] < 2 || c->plus || c->paren || (c->groups > 1 && !grouped) || !check_verhoeff(c->digits, 12))
		return 0;
	bool palindrome = true;
	for (unsigned i = 0; i < 6; i++)
		palindrome &= c->digits[i] == c->digits[11 - i];
	if (palindrome)
		return 0;
	if (match_context(c))
		return 92;
	return grouped && !match_in_table(c) && !match_in_dump(c) ? 80 : 0;
}

unsigned match_pan(struct candidate *c)
{
	const u8 *word = c->view->text + c->start;
	/* The fourth letter is the kind of holder. */
	for (unsigned i = 0; i < 10; i++)
		if (i >= 5 && i < 9 ? !is_digit(word[i]) : !is_upper(word[i]))
			return 0;
	bool zero = memcmp(word + 5, "0000", 4) == 0;
	return strchr("ABCFGHJLPTEK", word[3]) && !zero ? 80 : 0;
}

/* --- Singapore, Korea ----------------------------------------------------------------------------------------------------------------- */

unsigned match_nric(struct candidate *c)
{
	static const u8 weights[] = { 2, 7, 6, 5, 4, 3, 2 };
	const u8 *word = c->view->text + c->start;
	const u8 *letters;
	u8 digits[7];
	unsigned offset = 0;
	switch (word[0]) {
	case 'S':
	case 'T':
		letters = (const u8 *)"JZIHGFEDCBA";
		offset = word[0] == 'T' ? 4 : 0;
		break;
	case 'F':
	case 'G':
		letters = (const u8 *)"XWUTRQPNMLK";
		offset = word[0] == 'G' ? 4 : 0;
		break;
	case 'M':
		letters = (const u8 *)"XWUTRQPNJLK";
		offset = 3;
		break;
	default:
		return 0;
	}
	for (unsigned i = 0; i < 7; i++) {
		if (!is_digit(word[1 + i]))
			return 0;
		digits[i] = (u8)(word[1 + i] - '0');
	}
	unsigned at = (check_weighted(digits, weights, 7, 11) + offset) % 11;
	return letters[word[0] == 'M' ? 10 - at : at] == word[8] ? 85 : 0;
}

unsigned match_rrn(struct candidate *c)
{
	static const u8 weights[] = { 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5 };
	unsigned month = c->digits[2] * 10u + c->digits[3], day = c->digits[4] * 10u + c->digits[5];
	if (c->groups != 2 || c->separator != '-' || c->sizes[0] != 6 || month < 1 || month > 12 || day < 1 || day > 31)
		return 0;
	if (c->digits[6] < 1 || c->digits[6] > 8)
		return 0;
	/* Numbers given out since October 2020 have no check digit; the form and the date are enough, the check makes it surer. */
	return (11 - check_weighted(c->digits, weights, 12, 11)) % 10 == c->digits[12] ? 92 : 70;
}

/* --- Australia ------------------------------------------------------------------------------------------------------------------------ */

unsigned match_abn(struct candidate *c)
{
	static const u8 weights[] = { 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 };
	u8 digits[11];
	bool grouped = c->groups == 4 && c->separator == ' ' && c->sizes[0] == 2 && c->sizes[1] == 3 && c->sizes[2] == 3;
	if (c->digits[0] * 10u + c->digits[1] < 11 || c->plus || c->paren || (c->groups > 1 && !grouped))
		return 0;
	memcpy(digits, c->digits, sizeof(digits));
	digits[0]--;
	if (check_weighted(digits, weights, 11, 89) != 0)
		return 0;
	if (match_context(c))
		return 90;
	return grouped && !match_in_table(c) ? 80 : 0;
}

unsigned match_tfn(struct candidate *c)
{
	static const u8 weights[] = { 1, 4, 3, 7, 5, 8, 6, 9, 10 }, short_weights[] = { 10, 7, 8, 4, 6, 3, 5, 1 };
	if (c->plus || c->paren || c->groups > 3 || (c->groups > 1 && c->separator != ' '))
		return 0;
	if (check_weighted(c->digits, c->count == 9 ? weights : short_weights, c->count, 11) != 0)
		return 0;
	return match_context(c) ? 88 : 0;
}

unsigned match_medicare(struct candidate *c)
{
	static const u8 weights[] = { 1, 3, 7, 9, 1, 3, 7, 9 };
	if (c->digits[0] < 2 || c->digits[0] > 6 || c->plus || c->paren)
		return 0;
	if (check_weighted(c->digits, weights, 8, 10) != c->digits[8] || !match_context(c))
		return 0;
	return 88;
}
