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

void context_index_add(struct context_index *index, unsigned row, const char *words)
{
	while (*words) {
		size_t size = strcspn(words, "|");
		u8 *chain = &index->first[(u8)(words[0] - 'a') % 26];
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

/* Where the line begins, at most `have` bytes before its part; a line before it that ends with a colon belongs to it. */
static size_t line_part(const u8 *text, size_t end, size_t have)
{
	size_t n = 0;
	while (n < have && (text[end - n - 1] != '\n' || (n + 1 < have && text[end - n - 2] == ':')))
		n++;
	return n;
}

static u64 rows_told(const struct candidate *c)
{
	const struct view *view = c->view;
	const struct context_index *index = c->contexts;
	size_t end = c->start, have = end - view->begin < CONTEXT_REACH ? end - view->begin : CONTEXT_REACH;
	/* The padding before the view is there to be read. */
	have = line_part(view->text, end, have);
	u64 starts = word_starts(view->text + end - CONTEXT_REACH), told = 0;
	if (have < CONTEXT_REACH)
		starts &= have ? ~(u64)0 << (CONTEXT_REACH - have) : 0;
	for (; starts; starts &= starts - 1) {
		size_t at = end - CONTEXT_REACH + (unsigned)__builtin_ctzll(starts);
		u8 second = (u8)to_lower(view->text[at + 1]);
		for (unsigned i = index->first[to_lower(view->text[at]) - 'a']; i < index->count; i = index->words[i].next)
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

bool match_in_dump(const struct candidate *c)
{
	int before[4], after[4];
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
