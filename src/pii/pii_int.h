/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the scanner share: the text that matchers look at, what they answer, and their list. */
#ifndef LICHEN_PII_PII_INT_H
#define LICHEN_PII_PII_INT_H

#include "pii/pii.h"

/* A stretch of normalised text. Before `begin` and behind `end` are PII_PADDING bytes that may be read, and mean nothing. */
struct view {
	const u8 *text;
	size_t begin, end;
	bool more; /* more may follow `end` */
	bool cut;  /* set by view_at(): somebody wanted to see it */
};

#define PII_PADDING 64u

/* The byte at a position that is not before the view's begin; -1 behind its end, which is noted. */
static inline int view_at(struct view *view, size_t at)
{
	if (LIKELY(at < view->end))
		return view->text[at];
	view->cut |= view->more;
	return -1;
}

/* The byte `back` positions before one; -1 before the view's begin. */
static inline int view_before(const struct view *view, size_t at, size_t back)
{
	return at >= view->begin + back ? view->text[at - back] : -1;
}

static inline bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_upper(int c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool is_letter(int c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool is_word(int c)
{
	return is_digit(c) || is_letter(c);
}

static inline bool is_hex(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline int to_upper(int c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static inline int to_lower(int c)
{
	return is_upper(c) ? c - 'A' + 'a' : c;
}

#define NUMBER_GROUPS 8u
#define NUMBER_DIGITS 20u

/* What a matcher is asked about. */
struct candidate {
	struct view *view;
	size_t trigger;
	const struct context_index *contexts;
	u8 row;     /* of matchers.def: who is asked */
	bool asked; /* whether `told` is known: whose words stand before `start`, a bit a row */
	u64 told;
	/* WORD: of the word. NUMBER: from the first digit to behind the last one, without a sign or parenthesis before it. */
	size_t start, end;
	/* NUMBER: its digits (0 … 9), how many stand in each group, and what is between groups: one of " -./" or 0 when it is not always the same. */
	u8 digits[NUMBER_DIGITS + 16]; /* with room for sixteen to be written at once */
	u8 count;
	u8 sizes[NUMBER_GROUPS];
	u8 groups;
	char separator;
	bool paren; /* a closing parenthesis is between groups */
	bool plus;  /* a '+' is before it */
	/* The answer: WORD and NUMBER have start and end in it already. */
	size_t match_start, match_end;
};

/* Returns how sure it is (1 … 100), with match_start and match_end set; 0: it is none. What it decided without seeing enough does not count (view.cut). */
typedef unsigned matcher(struct candidate *candidate);

#define PII_MATCHER(entity, trigger, least, most, groups, validator, context, source) matcher validator;
#include "pii/matchers.def"
#undef PII_MATCHER

/* The words of the matcher that is asked stand within 64 bytes before the candidate. */
bool match_context(struct candidate *candidate) MUST_CHECK;

/* Blanks between the groups of a number, and another number on either side: a row of a table. */
bool match_in_table(const struct candidate *candidate) MUST_CHECK;
/* Groups of two with blanks beside a byte in hexadecimal digits; or of four, between groups of four, beside one with letters of hexadecimal digits, or counting upwards: a dump, a list of code points. */
bool match_in_dump(const struct candidate *candidate) MUST_CHECK;

/* The word of letters and digits goes on at a position. */
static inline bool word_at(struct view *view, size_t at)
{
	return is_word(view_at(view, at));
}

#endif
