// SPDX-License-Identifier: Apache-2.0
/*
 * What stands around a number, first of all words before it that say what it is. Some numbers have no form of their own, or one that every tenth number has: they count only where
 * such a word stands within the 64 bytes before them, on their line or on one before it that ends with a colon. The words of all matchers are looked for at once, by their first letters, when the first
 * matcher asks.
 */
#include <emmintrin.h>
#include <string.h>

#include "pii/scan.h"

#define CONTEXT_REACH 64u

/* Of a small letter and what is behind it. */
static unsigned chain_of(int letter, u8 second)
{
	return (unsigned)(letter - 'a') * 8 % CONTEXT_CHAINS + second % 8;
}

void context_index_add(struct context_index *index, unsigned row, const char *words)
{
	while (*words) {
		size_t size = strcspn(words, "|");
		u8 *chain = &index->first[chain_of((u8)words[0], (u8)words[1])];
		index->words[index->count] = (struct context_word){ words, (u8)size, (u8)row, *chain, (u8)words[1] };
		*chain = (u8)index->count++;
		words += size + (words[size] == '|');
	}
}

/* A short word must stand alone, a longer one must only begin a word: 'routing' is in "routingNumber", 'aba' is not in "abandon". */
static bool word_here(const struct view *view, size_t at, size_t end, const struct context_word *word)
{
	const u8 *text = view->text + at;
	if (at + word->size > end)
		return false;
	for (size_t i = 1; i < word->size; i++)
		if (to_lower(text[i]) != (u8)word->text[i])
			return false;
	size_t next = word->size;
	return word->size > 4 || at + next >= end || !is_letter(text[next]) || !is_letter(text[next - 1]) ||
	       (is_upper(text[next]) && !is_upper(text[next - 1]));
}

/* Bytes from `first` to `last` of sixteen, as bits. */
static u64 in_range(__m128i bytes, char first, char last)
{
	__m128i above = _mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
		below = _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1)));
	return (u64)_mm_movemask_epi8(_mm_and_si128(above, below));
}

/* Where words begin in 64 bytes: at a letter behind what is none, or at the hump of camelCase. */
static u64 word_starts(const u8 *text)
{
	u64 upper = 0, letter = 0;
	for (unsigned i = 0; i < 64; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
		u64 capital = in_range(bytes, 'A', 'Z');
		upper |= capital << i;
		letter |= (capital | in_range(bytes, 'a', 'z')) << i;
	}
	return letter & (~(letter << 1) | (upper & ~(upper << 1)));
}

/* Where a byte is in 64 bytes. */
static u64 places_of(const u8 *text, char byte)
{
	u64 places = 0;
	for (unsigned i = 0; i < 64; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
		places |= (u64)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte))) << i;
	}
	return places;
}

/* What belongs to a number behind 64 bytes: its line, and lines before it that end with a colon. Of `have` bytes, the last ones. */
static u64 line_part(const u8 *text, size_t have)
{
	u64 there = have < CONTEXT_REACH ? have ? ~(u64)0 << (CONTEXT_REACH - have) : 0 : ~(u64)0;
	u64 lines = places_of(text, '\n');
	if (!lines)
		return there;
	lines &= ~((places_of(text, ':') & there) << 1) & there;
	return lines ? there & ~(~(u64)0 >> __builtin_clzll(lines)) : there;
}

static u64 rows_told(const struct candidate *c)
{
	const struct view *view = c->view;
	const struct context_index *index = c->contexts;
	size_t end = c->start, have = end - view->begin < CONTEXT_REACH ? end - view->begin : CONTEXT_REACH;
	/* The padding before the view is there to be read. */
	const u8 *text = view->text + end - CONTEXT_REACH;
	u64 starts = word_starts(text) & line_part(text, have), told = 0;
	/* A word that reaches into what is looked at does not begin there. */
	if (end - view->begin > CONTEXT_REACH && is_letter(text[-1]) && (!is_upper(text[0]) || is_upper(text[-1])))
		starts &= ~(u64)1;
	for (; starts; starts &= starts - 1) {
		size_t at = end - CONTEXT_REACH + (unsigned)__builtin_ctzll(starts);
		u8 second = (u8)to_lower(view->text[at + 1]);
		for (unsigned i = index->first[chain_of(to_lower(view->text[at]), second)]; i < index->count;
		     i = index->words[i].next)
			if (index->words[i].second == second && word_here(view, at, end, &index->words[i]))
				told |= (u64)1 << index->words[i].row;
	}
	return told;
}

bool match_context(struct candidate *c)
{
	if (!c->asked)
		c->told = rows_told(c);
	c->asked = true;
	return c->told >> c->row & 1;
}

bool match_in_table(const struct candidate *c)
{
	bool before = view_before(c->view, c->start, 1) == ' ' && is_digit(view_before(c->view, c->start, 2));
	bool after = view_at(c->view, c->end) == ' ' && is_digit(view_at(c->view, c->end + 1));
	return c->separator == ' ' && !c->paren && (before || after);
}

/* What stands beside groups of four: 0 something else, 1 four digits, 2 four hexadecimal digits with a letter. */
static unsigned beside(int blank, const int *word, int end)
{
	bool letter = false;
	if (blank != ' ' || is_word(end))
		return 0;
	for (unsigned i = 0; i < 4; i++) {
		if (!is_hex(word[i]))
			return 0;
		letter |= is_letter(word[i]);
	}
	return letter ? 2 : 1;
}

/* Groups of four that count upwards by little: code points, not digits of one number. */
static bool is_list(const struct candidate *c)
{
	unsigned last = 0;
	for (unsigned group = 0; group < c->groups; group++) {
		const u8 *digits = c->digits + (size_t)4 * group;
		if (c->sizes[group] != 4)
			return false;
		unsigned value = digits[0] * 1000u + digits[1] * 100u + digits[2] * 10u + digits[3];
		if (group > 0 && (value <= last || value - last > 64))
			return false;
		last = value;
	}
	return true;
}

/* A byte of a dump: two hexadecimal digits, one of which is a letter (so it is no word of some language), with blanks around. */
static bool is_byte(int blank, int first, int second, int end)
{
	return blank == ' ' && is_hex(first) && is_hex(second) && is_letter(first) != is_letter(second) && !is_word(end);
}

static bool among_bytes(const struct candidate *c)
{
	struct view *view = c->view;
	return is_byte(view_before(view, c->start, 1), view_before(view, c->start, 2), view_before(view, c->start, 3),
		       view_before(view, c->start, 4)) ||
	       is_byte(view_at(view, c->end), view_at(view, c->end + 1), view_at(view, c->end + 2), view_at(view, c->end + 3));
}

bool match_in_dump(const struct candidate *c)
{
	int before[4], after[4];
	if (c->separator == ' ' && c->sizes[0] == 2 && among_bytes(c))
		return true;
	if (c->separator != ' ' || c->sizes[0] != 4)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		before[i] = view_before(c->view, c->start, i + 2);
		after[i] = view_at(c->view, c->end + 1 + i);
	}
	unsigned left = beside(view_before(c->view, c->start, 1), before, view_before(c->view, c->start, 6));
	unsigned right = beside(view_at(c->view, c->end), after, view_at(c->view, c->end + 5));
	return left == 2 || right == 2 || (left && right) || is_list(c);
}
