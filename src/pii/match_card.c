// SPDX-License-Identifier: Apache-2.0
/* Payment cards, bank accounts, addresses of cryptocurrencies. */
#include <string.h>

#include "pii/checks.h"
#include "pii/pii_int.h"

/* The first n digits as a number. */
static u32 leading(const struct candidate *c, unsigned n)
{
	u32 value = 0;
	for (unsigned i = 0; i < n; i++)
		value = value * 10 + c->digits[i];
	return value;
}

/* Ranges of first digits (of six), and the lengths that they come with: ISO/IEC 7812-1, and the networks' own lists of ranges. */
static const struct issuer {
	u32 from, to;
	u8 least, most;
} issuers[] = {
	{ 400000, 499999, 13, 19 }, /* Visa: 13, 16, 19 */
	{ 510000, 559999, 16, 16 }, /* Mastercard */
	{ 222100, 272099, 16, 16 }, /* Mastercard */
	{ 340000, 349999, 15, 15 }, /* American Express */
	{ 370000, 379999, 15, 15 }, /* American Express */
	{ 601100, 601199, 16, 19 }, /* Discover */
	{ 622126, 622925, 16, 19 }, /* Discover and UnionPay */
	{ 644000, 659999, 16, 19 }, /* Discover, RuPay */
	{ 300000, 305999, 14, 19 }, /* Diners Club */
	{ 309500, 309599, 14, 19 }, /* Diners Club */
	{ 360000, 369999, 14, 19 }, /* Diners Club */
	{ 380000, 399999, 14, 19 }, /* Diners Club */
	{ 352800, 358999, 16, 19 }, /* JCB */
	{ 620000, 629999, 16, 19 }, /* UnionPay */
	{ 810000, 817199, 16, 19 }, /* UnionPay, RuPay */
	{ 500000, 509999, 12, 19 }, /* Maestro, RuPay (508) */
	{ 560000, 589999, 12, 19 }, /* Maestro */
	{ 630400, 630499, 12, 19 }, /* Maestro */
	{ 670000, 679999, 12, 19 }, /* Maestro */
	{ 600000, 601099, 16, 16 }, /* RuPay */
	{ 607000, 608999, 16, 16 }, /* RuPay */
	{ 652100, 653199, 16, 16 }, /* RuPay */
	{ 220000, 220499, 16, 19 }, /* Mir */
	{ 606282, 606282, 16, 16 }, /* Hipercard */
	{ 636297, 636297, 16, 16 }, /* Elo */
	{ 636368, 636369, 16, 16 }, /* Elo */
	{ 979200, 979289, 16, 16 }, /* Troy */
};

/* How numbers are grouped on cards: not at all, 4-4-4-4(-n), 4-6-5 (American Express), 4-6-4 (Diners Club), 4-4-5 (Visa of 13). */
static bool grouped_as_card(const struct candidate *c)
{
	if (c->groups == 1)
		return true;
	if (!c->separator || c->separator == '/' || c->separator == '.' || c->sizes[0] != 4)
		return false;
	if (c->groups == 3) {
		bool american = c->digits[0] == 3 && (c->digits[1] == 4 || c->digits[1] == 7);
		if (c->sizes[1] == 6)
			return american ? c->sizes[2] == 5 : c->digits[0] == 3 && c->sizes[2] == 4;
		return c->sizes[1] == 4 && (c->sizes[2] == 5 || c->sizes[2] == 4);
	}
	for (unsigned i = 1; i + 1 < c->groups; i++)
		if (c->sizes[i] != 4)
			return false;
	return c->sizes[c->groups - 1] <= 4;
}

static bool is_issued(const struct candidate *c)
{
	u32 first = leading(c, 6);
	for (size_t i = 0; i < ARRAY_SIZE(issuers); i++)
		if (first >= issuers[i].from && first <= issuers[i].to && c->count >= issuers[i].least &&
		    c->count <= issuers[i].most)
			return c->digits[0] != 4 || c->count == 13 || c->count == 16 || c->count == 19;
	return false;
}

unsigned match_card(struct candidate *c)
{
	if (c->plus || !grouped_as_card(c) || !check_luhn(c->digits, c->count) || !is_issued(c))
		return 0;
	/* Three groups of a longer number are none, nor are groups of a list. */
	if ((c->count < 14 && match_in_table(c)) || match_in_dump(c))
		return 0;
	for (unsigned i = 1; i < c->count; i++)
		if (c->digits[i] != c->digits[0])
			return c->count >= 14 ? 95 : 75;
	return 0;
}

/* --- IBAN ----------------------------------------------------------------------------------------------------------------------------- */

/* Country and length, by their first letters, from the registry that SWIFT keeps for ISO 13616. */
static const char iban_lengths[] =
	"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27"
	"GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22"
	"MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28"
	"TL23TN24TR26UA29VA22VG24XK20YE30";

static unsigned iban_length(int first, int second)
{
	for (const char *at = iban_lengths; *at && at[0] <= first; at += 4)
		if (at[0] == first && at[1] == second)
			return (unsigned)(at[2] - '0') * 10 + (unsigned)(at[3] - '0');
	return 0;
}

/* Countries whose account numbers have no letters, by the same registry. */
static bool is_all_digits(int first, int second)
{
	static const char countries[] = "AEATBABEBICRCZDEDJDKEEEGESFIFOGLHRHUILISLTLYMEMNMRNOPLPTRSSDSESISKSOTLTNVAXK";
	for (const char *at = countries; *at; at += 2)
		if (at[0] == first && at[1] == second)
			return true;
	return false;
}

unsigned match_iban(struct candidate *c)
{
	char iban[36] = { 0 };
	struct view *view = c->view;
	size_t at = c->start, n = 0;
	char separator = 0;
	if (c->trigger != c->start + 2 || !is_digit(view->text[at + 3]))
		return 0;
	unsigned length = iban_length(to_upper(view->text[at]), to_upper(view->text[at + 1]));
	/* Groups of four, between which a blank or a dash may stand, the same everywhere. */
	while (n < length) {
		int byte = view_at(view, at);
		if (n % 4 == 0 && n > 0 && (byte == ' ' || byte == '-') && (n == 4 || separator == byte)) {
			separator = (char)byte;
			byte = view_at(view, ++at);
		} else if (n % 4 == 0 && n > 4 && separator) {
			return 0;
		}
		if (!is_word(byte) || ((n == 2 || n == 3) && !is_digit(byte)))
			return 0;
		iban[n++] = (char)to_upper(byte);
		at++;
	}
	if (!length || word_at(view, at) || !check_iban(iban, length))
		return 0;
	if (is_all_digits(iban[0], iban[1]))
		for (size_t i = 4; i < length; i++)
			if (!is_digit(iban[i]))
				return 0;
	c->match_end = at;
	return 98;
}

/* --- accounts of the United States ---------------------------------------------------------------------------------------------------- */

unsigned match_aba(struct candidate *c)
{
	static const u8 weights[] = { 3, 7, 1, 3, 7, 1, 3, 7, 1 };
	u32 first = leading(c, 2);
	bool region = first <= 12 || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) || first == 80;
	bool form = c->groups == 1 || (c->groups == 3 && c->separator == '-' && c->sizes[0] == 4 && c->sizes[1] == 4);
	if (!region || !form || c->plus || leading(c, 9) == 0 || check_weighted(c->digits, weights, 9, 10) != 0)
		return 0;
	return match_context(c) ? 90 : 0;
}

unsigned match_bank_number(struct candidate *c)
{
	if (c->groups > 1 || c->plus || c->paren || !match_context(c))
		return 0;
	/* One in fifty of these is a short card number, too. */
	return c->count < 14 ? 78 : 60;
}

/* --- cryptocurrencies ----------------------------------------------------------------------------------------------------------------- */

unsigned match_crypto(struct candidate *c)
{
	const u8 *word = c->view->text + c->start;
	size_t size = c->end - c->start;
	c->match_end = c->end;
	if (size == 42 && word[0] == '0' && (word[1] | 0x20) == 'x') {
		for (size_t i = 2; i < size; i++)
			if (!is_hex(word[i]))
				return 0;
		return check_ethereum(word + 2) ? 80 : 0;
	}
	if ((word[0] == '1' || word[0] == '3') && check_base58(word, size))
		return 98;
	return (size == 42 || size == 62) && check_bech32(word, size) ? 98 : 0;
}
