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
};

void token_index_init(struct token_index *index);
/* What a key may begin around the trigger. Returns its score, sets the match and its entity; 0 for none. */
unsigned match_token(const struct token_index *index, const struct pii_set *wanted, struct candidate *candidate,
		     unsigned *ret_entity);

/* --- words that tell what a number is (context.c) -------------------------------------------------------------------------------------- */

#define CONTEXT_WORDS_MAX 200u
#define TRIGGERS 8u
#define ROWS_MAX 64u

struct context_word {
	const char *text;
	u8 size, row, next, second; /* letter */
};

/* Words by their first letter; 0xff ends a chain. */
struct context_index {
	u8 first[26];
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

struct scanner {
	struct pii_set wanted;
	struct token_index tokens;
	struct context_index contexts;
	u8 rows[TRIGGERS][ROWS_MAX]; /* of matchers.def, that are wanted, by their trigger; 0xff ends them */
	classifier *classify;
	/* Told of each match, in the order of their triggers. Returns 0, else the scan ends with that. */
	int (*take)(void *user, const struct match *match);
	void *user;
	/* Triggers before this position are decided; SIZE_MAX: all. And who is told of each before it is (pattern.c); NULL: nobody. */
	size_t until;
	int (*before)(void *user, struct scanner *scanner, const struct view *view, size_t at);
	void *before_user;
	size_t chain;                /* where a run of base64 goes on; CHAIN_NONE */
	size_t covered;              /* before it, base64 was looked into */
	struct base64_place *base64; /* room for what is decoded; NULL: base64 is not looked into */
};

/* Makes a scanner for some entities, with nobody to tell. */
void scanner_init(struct scanner *scanner, const struct pii_set *wanted);
/*
 * Looks at the triggers of a view from a position on. Returns 0 or what take() returned; *ret_next is where to go on: the first trigger that could not be
 * decided yet, else the view's end.
 */
int scan_text(struct scanner *scanner, struct view *view, size_t from, size_t *ret_next) MUST_CHECK;

/* --- base64 (base64_scan.c) ----------------------------------------------------------------------------------------------------------- */

#define BASE64_LEAST 16u /* characters */

/* Room for `depth` levels of base64 in base64. Returns 0 or -ENOMEM. */
int base64_place_new(const struct scanner *scanner, unsigned depth, struct base64_place **ret_place) MUST_CHECK;
void base64_place_free(struct base64_place *place);
/*
 * Decodes a stretch of the run of base64 that begins, or goes on, at a position, and scans what comes out. Returns 0 or what take() returned.
 * view->cut: not decided. *ret_end: behind the last match.
 */
int base64_scan(struct scanner *scanner, struct view *view, size_t at, size_t *ret_end) MUST_CHECK;

#endif
