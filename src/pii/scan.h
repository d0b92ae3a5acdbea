/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over normalised text: triggers, and the matchers that wait for them. */
#ifndef LICHEN_PII_SCAN_H
#define LICHEN_PII_SCAN_H

#include "pii/classify.h"
#include "pii/pii_int.h"

/* --- keys with a prefix (match_secret.c) ---------------------------------------------------------------------------------------------- */

#define TOKENS_MAX 128u
#define TOKEN_CHAINS 256u

/* Rows of tokens.def by their trigger and the byte before it: 0xff ends a chain. */
struct token_index {
	u8 first[TOKEN_CHAINS];
	u8 next[TOKENS_MAX];
	u8 trigger[TOKENS_MAX]; /* which byte of the prefix it is */
	/* A bit for each pair of a trigger and the byte before it (64 of them; more share): of its trigger, of that byte, of those two before it. */
	u64 of_trigger[256], of_before[256], of_second[256];
	unsigned pairs;
};

void token_index_init(struct token_index *index);
/* What a key may begin around the trigger. Returns its score, sets the match and its entity; 0 for none. */
unsigned match_token(const struct token_index *index, const struct pii_set *wanted, struct candidate *candidate,
		     unsigned *ret_entity);

/* --- what waits for what (matchers.def) ------------------------------------------------------------------------------------------------ */

#define ROWS_MAX 64u
#define WORD_MAX 63u /* longer ones are no candidates */
#define LEADS 16u    /* letters before the first digit of a word: fewer */

enum trigger {
	TRIGGER_NUMBER,
	TRIGGER_FIRST,
	TRIGGER_WORD_0,
	TRIGGER_WORD_1,
	TRIGGER_WORD_2,
	TRIGGER_WORD_5,
	TRIGGER_WORD_6,
	TRIGGER_AT,
	TRIGGER_COLON,
	TRIGGER_DASH,
	TRIGGER_DOT,
	TRIGGER_LETTER_J,
	TRIGGER_NONE,
	TRIGGERS,
};

/* What a word's first digit is by the letters before it, of which there are fewer than LEADS. */
static inline enum trigger trigger_of_word(size_t lead)
{
	static const u8 triggers[LEADS] = { TRIGGER_WORD_0, TRIGGER_WORD_1, TRIGGER_WORD_2, TRIGGER_NONE,
					    TRIGGER_NONE,   TRIGGER_WORD_5, TRIGGER_WORD_6, TRIGGER_WORD_6,
					    TRIGGER_WORD_6, TRIGGER_WORD_6, TRIGGER_WORD_6, TRIGGER_WORD_6,
					    TRIGGER_WORD_6, TRIGGER_WORD_6, TRIGGER_WORD_6, TRIGGER_WORD_6 };
	return triggers[lead];
}

/* Rows of matchers.def, a bit each. */
struct row_sets {
	u64 of_trigger[TRIGGERS]; /* that are wanted */
	u64 of_size[WORD_MAX + 1];
	u64 of_groups[NUMBER_GROUPS + 1]; /* of digits; 0: what is no number */
	u64 sizes[TRIGGERS];              /* that any of them takes, a bit each */
};

/* --- words that tell what a number is (context.c) -------------------------------------------------------------------------------------- */

#define CONTEXT_WORDS_MAX 200u

struct context_word {
	const char *text;
	u8 size, row, next, second; /* letter */
};

#define CONTEXT_CHAINS (26u * 8u)

/* Words by their first letter and three bits of their second byte; 0xff ends a chain. */
struct context_index {
	u8 first[CONTEXT_CHAINS];
	unsigned count;
	struct context_word words[CONTEXT_WORDS_MAX];
};

void context_index_add(struct context_index *index, unsigned row, const char *words);

/* --- the pass ------------------------------------------------------------------------------------------------------------------------- */

struct match {
	size_t start, end; /* in the view */
	unsigned entity, score;
	const u8 *value; /* normalised, when it is not what the view has there; until take() returns */
	size_t value_size;
};

#define CHAIN_NONE SIZE_MAX

struct base64_place;
struct scanner;
struct triggers;

/* What is worth asking about in a block (prefilter.h). */
typedef void prefilter(const struct scanner *scanner, const struct masks *m, const u8 *text, struct triggers *ret_triggers);

/* The best one for this processor. */
prefilter *prefilter_choose(void) MUST_CHECK;

struct scanner {
	struct pii_set wanted;
	struct token_index tokens;
	struct context_index contexts;
	struct row_sets rows;
	classifier *classify;
	prefilter *filter;
	/* Told of each match, in the order of their triggers. Returns 0, else the scan ends with that. */
	int (*take)(void *user, const struct match *match);
	void *user;
	/* Triggers before this position are decided; SIZE_MAX: all. And who is told of each before it is (pattern.c); NULL: nobody. */
	size_t until;
	int (*before)(void *user, struct scanner *scanner, const struct view *view, size_t at);
	void *before_user;
	size_t chain;                /* where a run of base64 goes on; CHAIN_NONE */
	size_t covered;              /* before it, base64 was looked into */
	unsigned base64_depth;       /* levels of base64 in base64 that are looked into; 0: none */
	struct base64_place *base64; /* room for what is decoded, once there was some; the scanner's owner frees it */
};

/* Makes a scanner for some entities, with nobody to tell. */
void scanner_init(struct scanner *scanner, const struct pii_set *wanted);
/*
 * Looks at the triggers of a view from a position on. Returns 0 or what take() returned; *ret_next is where to go on: the first trigger that could not be
 * decided yet, else the view's end.
 */
int scan_text(struct scanner *scanner, struct view *view, size_t from, size_t *ret_next) MUST_CHECK;

/* Asks the matchers of one trigger that take a length, at most WORD_MAX, and the candidate's groups; the best of their answers is kept. */
void scan_ask(const struct scanner *scanner, struct candidate *c, enum trigger trigger, size_t size, struct match *best);
/* Asks about a number whose first digit is the candidate's start (number.c). */
void scan_number(const struct scanner *scanner, struct candidate *c, struct match *best);

/* --- base64 (base64_scan.c) ----------------------------------------------------------------------------------------------------------- */

#define BASE64_LEAST 16u /* characters */

void base64_place_free(struct base64_place *place);
/*
 * Decodes a stretch of the run of base64 that begins, or goes on, at a position, and scans what comes out. Returns 0, -ENOMEM or what take() returned.
 * view->cut: not decided. *ret_end: behind the last match.
 */
int base64_scan(struct scanner *scanner, struct view *view, size_t at, size_t *ret_end) MUST_CHECK;

#endif
