// SPDX-License-Identifier: Apache-2.0
/*
 * Most triggers come to nothing, and the masks tell: a timestamp's colon is not one of five at distances of three, nor one of seven with hexadecimal
 * digits between. Where they do not, the bytes next to the trigger do. Bytes beyond the view, which mean nothing, can only let something through: what is
 * asked for are bytes that a match must have.
 */
#include "pii/prefilter.h"

#include <string.h>
#include <sys/platform/x86.h>

#include "pii/base64.h"

#define INLINE static inline __attribute__((always_inline))

/* 64 bits from bit n of one mask and the next on. */
INLINE u64 from_bit(u64 mask, u64 next, unsigned n)
{
	return n ? mask >> n | next << (64 - n) : mask;
}

/* The bits below the first one that is not set. */
INLINE u64 run_of(u64 mask)
{
	return mask & ~(mask + 1);
}

/* --- digits --------------------------------------------------------------------------------------------------------------------------- */

INLINE u64 first_digits(const struct masks *m)
{
	u64 letters = m->word & ~m->digit, starts = m->word & ~(m->word << 1 | m[-1].word >> 63);
	/* The word that reaches up to this block, and has no digit before it. */
	u64 end = m[-1].word != ~(u64)0 ? ~(~(u64)0 >> __builtin_clzll(~m[-1].word)) : ~(u64)0;
	u64 open = m[-1].word >> 63 & ((m[-1].digit & end) == 0);
	/* Letters at the begin of words: added to, they carry to what is behind them. */
	u64 carried = (letters + (letters & (starts | open))) & ~letters;
	return m->digit & (starts | carried | open);
}

/* What the first digit at `bit` is in: no branches, none of which could be foretold. */
INLINE struct digit look_at(const struct scanner *scanner, const struct masks *m, unsigned bit)
{
	u64 before = bit ? (m[0].word << (64 - bit) | m[-1].word >> bit) : m[-1].word;
	u64 word = from_bit(m[0].word, m[1].word, bit), digit = from_bit(m[0].digit, m[1].digit, bit);
	u64 number = from_bit(m[0].number, m[1].number, bit), dash = from_bit(m[0].dash, m[1].dash, bit);
	/* No word that is a candidate reaches over 63 characters: what is longer is as good as that. */
	unsigned front = (unsigned)__builtin_clzll(~before | 1), size = (unsigned)__builtin_ctzll(~word | (u64)1 << 63);
	unsigned length = front + size, lead = front < LEADS ? front : LEADS - 1;
	u64 letters = run_of(word) & ~digit, span = run_of(number), dots = span & from_bit(m[0].dot, m[1].dot, bit);
	bool fits = (length <= WORD_MAX) & (scanner->rows.sizes[trigger_of_word(lead)] >> length % 64 & 1);
	/* Four characters are the first of an IBAN's or MBI's groups. */
	bool goes_on = (dash >> size & 1) | ((front > 0) & (number >> size & 1));
	/* Six digits and more, or the four numbers of an address. */
	bool enough = ((unsigned)__builtin_popcountll(digit & span) >= 6) | ((unsigned)__builtin_popcountll(dots) >= 3);
	return (struct digit){
		.front = (u8)front,
		.size = (u8)size,
		.word = fits & ((front > 0) | (letters != 0)) & ((length != 4) | goes_on),
		.number = (front == 0) & (length <= WORD_MAX) & enough,
	};
}

/* Of first digits, those that are worth a look. */
INLINE u64 filter_digits(const struct scanner *scanner, const struct masks *m, u64 digits, struct digit *ret)
{
	u64 kept = 0;
	for (u64 left = digits; left; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);
		struct digit digit = ret[bit] = look_at(scanner, m, bit);
		kept |= (u64)(digit.word | digit.number) << bit;
	}
	return kept;
}

/* --- base64 --------------------------------------------------------------------------------------------------------------------------- */

/* Bits at which sixteen bits in a row are set. */
INLINE u64 sixteen(u64 mask, u64 next)
{
	unsigned __int128 run = (unsigned __int128)next << 64 | mask;
	run &= run >> 1;
	run &= run >> 2;
	run &= run >> 4;
	run &= run >> 8;
	return (u64)run;
}

/* Where runs of base64 begin. */
INLINE u64 base64_starts(const struct masks *m)
{
	return m->base64 & ~(m->base64 << 1 | m[-1].base64 >> 63);
}

/* Of those, runs of sixteen and more that may begin with text. */
INLINE u64 filter_base64(const struct masks *m, const u8 *text, bool avx2)
{
	u64 starts = base64_starts(m), kept = 0;
	for (u64 left = starts ? starts & sixteen(m->base64, m[1].base64) : 0; left; left &= left - 1)
		kept |= (left & -left) * (!avx2 || base64_may_be_text(text + __builtin_ctzll(left)));
	return kept;
}

/* --- colons, dashes, dots, and what is in prefixes ------------------------------------------------------------------------------------- */

/* Bits that are followed by others at these distances: of five groups of two. */
INLINE u64 five_by_three(u64 mask, u64 next)
{
	u64 two = mask & from_bit(mask, next, 3), behind = next & next >> 3;
	return two & from_bit(two, behind, 6) & from_bit(mask, next, 12);
}

/* The colon at `bit` begins an IPv6 address: two colons together, or six and more, with nothing between but hexadecimal digits. */
INLINE bool colons_of_ipv6(const struct masks *m, unsigned bit)
{
	u64 colon = from_bit(m[0].colon, m[1].colon, bit), span = run_of(from_bit(m[0].hex, m[1].hex, bit) | colon);
	colon &= span;
	return colon & colon >> 1 || !(span + 1) || (unsigned)__builtin_popcountll(colon) >= 6;
}

/* The eight bytes before a position are the end of "authorization", perhaps in quotes. */
INLINE bool names_credentials(const u8 *at)
{
	u64 name;
	at -= at[-1] == '"' || at[-1] == '\'';
	memcpy(&name, at - 8, sizeof(name));
	return (name | 0x2020202020202020) == 0x6e6f6974617a6972; /* "rization" */
}

INLINE u64 filter_colons(const struct masks *m, const u8 *text)
{
	u64 colon = m[0].colon, next = m[1].colon, kept = five_by_three(colon, next);
	u64 behind = from_bit(m[0].hex | colon, m[1].hex | next, 1), near = 0;
	for (unsigned i = 1; i <= 5; i++)
		near |= from_bit(colon, next, i);
	for (u64 left = colon & ~kept; left; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);
		const u8 *at = text + bit;
		bool url = at[1] == '/' && at[2] == '/';
		bool address = (behind & near) >> bit & 1 && colons_of_ipv6(m, bit);
		kept |= (u64)(url || address || names_credentials(at)) << bit;
	}
	return kept;
}

/* Bytes that end a part of some key's prefix: those before them are of it, too. */
INLINE u64 filter_marks(const struct token_index *tokens, u64 mark, const u8 *text)
{
	u64 kept = 0;
	for (u64 left = mark; left; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);
		const u8 *at = text + bit;
		kept |= (u64)((tokens->of_trigger[at[0]] & tokens->of_before[at[-1]] & tokens->of_second[at[-2]]) != 0) << bit;
	}
	return kept;
}

INLINE u64 filter_specials(const struct scanner *scanner, const struct masks *m, const u8 *text)
{
	u64 kept = m->colon ? filter_colons(m, text) : 0;
	if (m->mark)
		kept |= filter_marks(&scanner->tokens, m->mark, text);
	if (m->dash) {
		u64 dashes = m->dash & ~(m->dash << 1 | m[-1].dash >> 63), two = m->dash & from_bit(m->dash, m[1].dash, 1);
		u64 behind = m[1].dash & m[1].dash >> 1;
		kept |= five_by_three(m->dash, m[1].dash);
		kept |= dashes & two & from_bit(two, behind, 2) & from_bit(m->dash, m[1].dash, 4); /* -----BEGIN */
	}
	if (m->dot)
		kept |= m->dot & from_bit(m->dot, m[1].dot, 5) & (m->hex << 1 | m[-1].hex >> 63);
	return kept;
}

/* --- all of a block ------------------------------------------------------------------------------------------------------------------- */

INLINE void filter_block(const struct scanner *scanner, const struct masks *m, const u8 *text, bool avx2, struct triggers *ret)
{
	u64 digits = first_digits(m);
	ret->digits = digits ? filter_digits(scanner, m, digits, ret->digit) : 0;
	ret->base64 = scanner->base64_depth ? filter_base64(m, text, avx2) : 0;
	ret->others = m->at | filter_specials(scanner, m, text);
}

void prefilter_plain(const struct scanner *scanner, const struct masks *m, const u8 *text, struct triggers *ret)
{
	filter_block(scanner, m, text, false, ret);
}

/* The same with the instructions that count and shift bits. */
__attribute__((target("avx2,bmi,bmi2,popcnt"))) void prefilter_avx2(const struct scanner *scanner, const struct masks *m,
								    const u8 *text, struct triggers *ret)
{
	filter_block(scanner, m, text, true, ret);
}

prefilter *prefilter_choose(void)
{
	bool has = CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI1) && CPU_FEATURE_ACTIVE(BMI2) && CPU_FEATURE_ACTIVE(POPCNT);
	return has ? prefilter_avx2 : prefilter_plain;
}

void prefilter_none(const struct scanner *scanner, const struct masks *m, const u8 *text, struct triggers *ret)
{
	(void)text;
	ret->digits = first_digits(m);
	ret->base64 = scanner->base64_depth ? base64_starts(m) : 0;
	ret->others = m->at | m->colon | m->mark;
}
