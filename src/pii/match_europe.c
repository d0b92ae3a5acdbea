// SPDX-License-Identifier: Apache-2.0
/* Numbers of persons in Europe. */
#include <string.h>

#include "pii/checks.h"
#include "pii/pii_int.h"

/* --- United Kingdom ------------------------------------------------------------------------------------------------------------------- */

unsigned match_nhs(struct candidate *c)
{
	static const u8 weights[] = { 10, 9, 8, 7, 6, 5, 4, 3, 2 };
	unsigned check = (11 - check_weighted(c->digits, weights, 9, 11)) % 11;
	bool grouped = c->groups == 3 && c->sizes[0] == 3 && c->sizes[1] == 3 && (c->separator == ' ' || c->separator == '-');
	if (check == 10 || check != c->digits[9] || c->plus || c->paren || (c->groups > 1 && !grouped))
		return 0;
	/* A telephone number of North America may be grouped alike; one in eleven has this check digit. */
	if (match_context(c))
		return 88;
	return grouped && c->separator == ' ' && !match_in_table(c) ? 68 : 0;
}

/* Two letters, of which D F I Q U V are none, nor O the second; some pairs are not given out. */
static bool nino_prefix(int first, int second)
{
	char pair[] = { (char)first, (char)second, 0 };
	return is_upper(first) && is_upper(second) && !strchr("DFIQUV", first) && !strchr("DFIQUVO", second) &&
	       !strstr("BG GB KN NK NT TN ZZ", pair);
}

unsigned match_nino(struct candidate *c)
{
	const u8 *word = c->view->text + c->start;
	if (!nino_prefix(word[0], word[1]) || word[8] < 'A' || word[8] > 'D')
		return 0;
	for (unsigned i = 2; i < 8; i++)
		if (!is_digit(word[i]))
			return 0;
	return 85;
}

/* QQ 12 34 56 C: the number in groups of two, the letters around it. */
unsigned match_nino_spaced(struct candidate *c)
{
	struct view *view = c->view;
	size_t start = c->start, end = c->end;
	if (c->groups != 3 || c->sizes[0] != 2 || c->sizes[1] != 2 || (c->separator != ' ' && c->separator != '-'))
		return 0;
	int first = view_before(view, start, 3), second = view_before(view, start, 2), last = view_at(view, end + 1);
	if (view_before(view, start, 1) != c->separator || is_word(view_before(view, start, 4)) || !nino_prefix(first, second))
		return 0;
	if (view_at(view, end) != c->separator || last < 'A' || last > 'D' || word_at(view, end + 2))
		return 0;
	c->match_start = start - 3;
	c->match_end = end + 2;
	return 90;
}

/* --- Spain ---------------------------------------------------------------------------------------------------------------------------- */

static bool spanish_letter(u32 number, int letter)
{
	return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == to_upper(letter);
}

static bool all_digits(const u8 *text, unsigned count, u32 *number)
{
	for (unsigned i = 0; i < count; i++) {
		if (!is_digit(text[i]))
			return false;
		*number = *number * 10 + (text[i] - '0');
	}
	return true;
}

unsigned match_nif(struct candidate *c)
{
	const u8 *word = c->view->text + c->start;
	u32 number = 0;
	return all_digits(word, 8, &number) && number > 0 && spanish_letter(number, word[8]) ? 85 : 0;
}

/* A letter stands behind a number and a dash or blank, and is no word's first. */
static int letter_behind(struct candidate *c)
{
	int separator = view_at(c->view, c->end), letter = view_at(c->view, c->end + 1);
	if (separator != '-' || !is_letter(letter) || word_at(c->view, c->end + 2))
		return 0;
	c->match_end = c->end + 2;
	return letter;
}

unsigned match_nif_dashed(struct candidate *c)
{
	u32 number = 0;
	for (unsigned i = 0; i < c->count; i++)
		number = number * 10 + c->digits[i];
	bool form = c->groups == 1 || (c->groups == 3 && c->separator == '.' && c->sizes[0] == 2 && c->sizes[1] == 3);
	int letter = form && number > 0 ? letter_behind(c) : 0;
	return letter && spanish_letter(number, letter) ? 85 : 0;
}

unsigned match_nie(struct candidate *c)
{
	const u8 *word = c->view->text + c->start;
	int first = to_upper(word[0]);
	u32 number = (u32)(first - 'X');
	return first >= 'X' && first <= 'Z' && all_digits(word + 1, 7, &number) && spanish_letter(number, word[8]) ? 85 : 0;
}

unsigned match_nie_dashed(struct candidate *c)
{
	int first = to_upper(view_before(c->view, c->start, 2));
	if (c->groups > 1 || view_before(c->view, c->start, 1) != '-' || first < 'X' || first > 'Z' ||
	    is_word(view_before(c->view, c->start, 3)))
		return 0;
	u32 number = (u32)(first - 'X');
	for (unsigned i = 0; i < c->count; i++)
		number = number * 10 + c->digits[i];
	int letter = letter_behind(c);
	c->match_start = c->start - 2;
	return letter && spanish_letter(number, letter) ? 85 : 0;
}

/* --- Italy ---------------------------------------------------------------------------------------------------------------------------- */

/* Letters that stand for digits where two persons' codes would be the same (omocodia): L is 0, M is 1 … V is 9. */
static int fiscal_digit(int c)
{
	const char *found = is_upper(c) ? strchr("LMNPQRSTUV", c) : NULL;
	return is_digit(c) ? c - '0' : found ? (int)(found - "LMNPQRSTUV") : -1;
}

/* What a character counts at an odd place: letters by their place in the alphabet, digits as the letters of the same number. */
static unsigned fiscal_odd(unsigned value)
{
	static const u8 odd[] = { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23 };
	return odd[value];
}

unsigned match_fiscal_code(struct candidate *c)
{
	static const char form[] = "LLLLLLNNMNNLNNNL";
	char code[16];
	unsigned sum = 0;
	for (unsigned i = 0; i < 16; i++) {
		int byte = to_upper(c->view->text[c->start + i]);
		code[i] = (char)byte;
		if ((form[i] == 'L' && !is_upper(byte)) || (form[i] == 'M' && !strchr("ABCDEHLMPRST", byte)) ||
		    (form[i] == 'N' && fiscal_digit(byte) < 0))
			return 0;
		unsigned value = (unsigned)(is_digit(byte) ? byte - '0' : byte - 'A');
		if (i < 15)
			sum += i % 2 ? value : fiscal_odd(value);
	}
	int day = fiscal_digit(code[9]) * 10 + fiscal_digit(code[10]);
	if (sum % 26 != (unsigned)(code[15] - 'A') || day == 0 || (day > 31 && day < 41) || day > 71)
		return 0;
	return 97;
}

/* --- Poland, Finland ------------------------------------------------------------------------------------------------------------------ */

unsigned match_pesel(struct candidate *c)
{
	static const u8 weights[] = { 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1 },
			days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned month = (c->digits[2] % 2) * 10u + c->digits[3], day = c->digits[4] * 10u + c->digits[5];
	if (c->groups > 1 || c->plus || month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return 0;
	return check_weighted(c->digits, weights, 11, 10) == 0 ? 85 : 0;
}

/* DDMMYY, a sign for the century, three digits and a check character: 131052-308T. The sign may be a letter or a dash. */
unsigned match_hetu(struct candidate *c)
{
	struct view *view = c->view;
	unsigned digits[9] = { 0 }, n = 0;
	u32 number = 0;
	for (size_t at = c->start; at < c->start + 10; at++) {
		int byte = view_at(view, at);
		if (at == c->start + 6) {
			if (byte <= 0 || !strchr("-+YXWVUABCDEF", byte))
				return 0;
			continue;
		}
		if (!is_digit(byte))
			return 0;
		digits[n] = (unsigned)(byte - '0');
		number = number * 10 + digits[n++];
	}
	unsigned day = digits[0] * 10 + digits[1], month = digits[2] * 10 + digits[3];
	int check = view_at(view, c->start + 10), after = view_at(view, c->start + 11);
	if (day < 1 || day > 31 || month < 1 || month > 12 || number % 1000 < 2 || is_word(after) || after == '_')
		return 0;
	c->match_end = c->start + 11;
	return check == "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] ? 88 : 0;
}
