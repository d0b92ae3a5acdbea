// SPDX-License-Identifier: Apache-2.0
/* Triggers, as prefilter.c leaves them, and the matchers that are asked about each. Near the end of what is there, every trigger is asked. */
#include "pii/scan.h"
#include "pii/prefilter.h"

#include <assert.h>
#include <string.h>

static const struct matcher_row {
	u8 entity, trigger, least, most;
	const char *groups;
	matcher *match;
	const char *context;
} rows[] = {
#define PII_MATCHER(entity, trigger, least, most, groups, validator, context, source) \
	{ PII_##entity, TRIGGER_##trigger, least, most, groups, validator, context },
#include "pii/matchers.def"
#undef PII_MATCHER
};

/* The best of what the matchers around one trigger answer. */
static void consider(struct match *best, const struct candidate *c, unsigned score, unsigned entity)
{
	if (score > best->score || (score == best->score && score > 0 && c->match_end - c->match_start > best->end - best->start))
		*best = (struct match){ .start = c->match_start, .end = c->match_end, .entity = entity, .score = score };
}

static_assert(ARRAY_SIZE(rows) <= ROWS_MAX, "a set of rows has room");

/* Rows by what they wait for, and by the lengths that they take. */
static void row_sets_init(struct row_sets *sets, const struct pii_set *wanted)
{
	*sets = (struct row_sets){ 0 };
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const u64 row = (u64)1 << i;
		if (pii_set_has(wanted, rows[i].entity))
			sets->of_trigger[rows[i].trigger] |= row;
		for (const char *groups = rows[i].groups; *groups; groups++)
			sets->of_groups[*groups - '0'] |= row;
		for (unsigned size = rows[i].least; size <= rows[i].most; size++) {
			sets->of_size[size] |= row;
			if (sets->of_trigger[rows[i].trigger] & row)
				sets->sizes[rows[i].trigger] |= (u64)1 << size;
		}
	}
}

void scanner_init(struct scanner *scanner, const struct pii_set *wanted)
{
	*scanner = (struct scanner){ .wanted = *wanted,
				     .classify = classifier_choose(),
				     .filter = prefilter_choose(),
				     .until = SIZE_MAX,
				     .chain = CHAIN_NONE };
	row_sets_init(&scanner->rows, wanted);
	token_index_init(&scanner->tokens);
	memset(scanner->contexts.first, 0xff, sizeof(scanner->contexts.first));
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		context_index_add(&scanner->contexts, i, rows[i].context);
}

void scan_ask(const struct scanner *scanner, struct candidate *c, enum trigger trigger, size_t size, struct match *best)
{
	const struct row_sets *sets = &scanner->rows;
	for (u64 left = sets->of_trigger[trigger] & sets->of_size[size] & sets->of_groups[c->groups]; left; left &= left - 1) {
		unsigned row = (unsigned)__builtin_ctzll(left);
		c->row = (u8)row;
		c->match_start = c->start;
		c->match_end = c->end;
		unsigned score = rows[row].match(c);
		if (score)
			consider(best, c, score, rows[row].entity);
	}
}

/* --- words ---------------------------------------------------------------------------------------------------------------------------- */

/* All but the digits, of which there are none. */
static void candidate_init(struct candidate *c, const struct scanner *scanner, struct view *view, size_t at)
{
	c->view = view;
	c->trigger = c->start = c->end = at;
	c->contexts = &scanner->contexts;
	c->asked = c->paren = c->plus = false;
	c->count = c->groups = 0;
	c->separator = 0;
}

/* The first digit of a word: what words and numbers can be. */
static void ask_digit(const struct scanner *scanner, struct view *view, size_t at, const struct digit *digit, struct match *best)
{
	struct candidate c;
	candidate_init(&c, scanner, view, at);
	if (digit->word) {
		c.start = at - digit->front;
		c.end = at + digit->size;
		scan_ask(scanner, &c, trigger_of_word(digit->front), digit->front + digit->size, best);
	}
	if (digit->number) {
		c.start = c.end = at;
		scan_number(scanner, &c, best);
	}
}

/* What prefilter_digit() tells by masks, where the word or number may go on behind what is there. */
static struct digit look_at_digit(struct view *view, size_t at)
{
	size_t front = 0, size = 0;
	bool letters = false;
	for (; front < WORD_MAX && is_word(view_before(view, at, front + 1)); front++)
		if (is_digit(view->text[at - front - 1]))
			return (struct digit){ 0 };
	for (; front + size <= WORD_MAX && word_at(view, at + size); size++)
		letters |= is_letter(view->text[at + size]);
	bool word = (letters || front > 0) && front + size <= WORD_MAX && front < LEADS;
	return (struct digit){ .front = (u8)front, .size = (u8)size, .word = word, .number = front == 0 };
}

static void ask_byte(const struct scanner *scanner, struct view *view, size_t at, struct match *best)
{
	struct candidate c;
	candidate_init(&c, scanner, view, at);
	unsigned entity = 0, score;
	switch (view->text[at]) {
	case '@':
		scan_ask(scanner, &c, TRIGGER_AT, 0, best);
		return;
	case ':':
		scan_ask(scanner, &c, TRIGGER_COLON, 0, best);
		return;
	case '-':
		scan_ask(scanner, &c, TRIGGER_DASH, 0, best);
		break;
	case '.':
		scan_ask(scanner, &c, TRIGGER_DOT, 0, best);
		break;
	case 'J':
		scan_ask(scanner, &c, TRIGGER_LETTER_J, 0, best);
		return;
	case '_':
	case 'G':
	case 'I':
	case 'K':
		break;
	default:
		return;
	}
	score = match_token(&scanner->tokens, &scanner->wanted, &c, &entity);
	if (score)
		consider(best, &c, score, entity);
}

/* --- the pass ------------------------------------------------------------------------------------------------------------------------- */

#define BATCH 32u /* blocks that are classified at once */

struct pass {
	struct scanner *scanner;
	struct view *view;
	size_t next; /* triggers before it are done */
};

/* Looks into the run of base64 at a trigger. Returns as decide() does; *ret_done: the trigger is done with. */
static int decide_base64(struct pass *pass, size_t at, bool *ret_done)
{
	struct scanner *scanner = pass->scanner;
	size_t end = at, chain = scanner->chain;
	int error = base64_scan(scanner, pass->view, at, &end);
	if (error)
		return error;
	if (pass->view->cut) {
		scanner->chain = chain;
		return 1;
	}
	*ret_done = end > at;
	if (*ret_done)
		pass->next = end < scanner->chain ? end : scanner->chain;
	return 0;
}

/* Decides one trigger; `digit`: what is known of it, if it is one; NULL: look. Returns 0, 1 when it could not be decided, or what take() returned. */
static int decide(struct pass *pass, size_t at, bool base64, const struct digit *digit)
{
	struct view *view = pass->view;
	struct match best = { 0 };
	if (pass->scanner->before) {
		int error = pass->scanner->before(pass->scanner->before_user, pass->scanner, view, at);
		if (error)
			return error;
	}
	view->cut = false;
	if (base64) {
		bool done = false;
		int result = decide_base64(pass, at, &done);
		if (result || done)
			return result;
	}
	if (is_digit(view->text[at])) {
		const struct digit found = digit ? *digit : look_at_digit(view, at);
		ask_digit(pass->scanner, view, at, &found, &best);
	} else {
		ask_byte(pass->scanner, view, at, &best);
	}
	if (view->cut)
		return 1;
	pass->next = at + 1;
	if (!best.score)
		return 0;
	/* Within credentials, what they are may be found: a token, whose name is better. */
	pass->next = best.end > at && best.entity != PII_HTTP_AUTHORIZATION ? best.end : at + 1;
	return pass->scanner->take(pass->scanner->user, &best);
}

/* The triggers of one block that begins at `base`; m[-1] … m[1] are the masks around it. */
static int pass_block(struct pass *pass, const struct masks *m, size_t base)
{
	const struct scanner *scanner = pass->scanner;
	struct view *view = pass->view;
	bool whole = !view->more || base + 128 <= view->end;
	struct triggers found = { .base64 = 0 };
	(whole ? scanner->filter : prefilter_none)(scanner, m, view->text + base, &found);
	u64 runs = found.base64, triggers = found.digits | found.base64 | found.others;
	if (scanner->chain - base < 64) {
		runs |= (u64)1 << (scanner->chain - base);
		triggers |= runs;
	}
	while (triggers) {
		unsigned bit = (unsigned)__builtin_ctzll(triggers);
		if (base + bit >= scanner->until)
			return 0;
		u64 this = triggers & -triggers;
		triggers ^= this;
		if (base + bit < pass->next)
			continue;
		const struct digit none = { 0 }, *digit = this & found.digits ? &found.digit[bit] : &none;
		int error = decide(pass, base + bit, (this & runs) != 0, whole ? digit : NULL);
		if (error) {
			pass->next = base + bit;
			return error;
		}
		/* A run of base64 that goes on within this block is met again. */
		if (scanner->chain - base < 64 && scanner->chain >= pass->next) {
			runs |= (u64)1 << (scanner->chain - base);
			triggers |= (u64)1 << (scanner->chain - base);
		}
	}
	return 0;
}

static void keep_bits(struct masks *masks, u64 keep)
{
	masks->digit &= keep;
	masks->word &= keep;
	masks->hex &= keep;
	masks->number &= keep;
	masks->base64 &= keep;
	masks->mark &= keep;
	masks->at &= keep;
	masks->colon &= keep;
	masks->dash &= keep;
	masks->dot &= keep;
}

/* Classifies the block before a position, and `count` from it on with the one behind them, as far as the view goes: bits beyond are 0. */
static void classify(const struct scanner *scanner, const struct view *view, size_t base, size_t count, struct masks *masks)
{
	size_t before = base - view->begin, left = view->end - base;
	scanner->classify(view->text + base - 64, 1, masks);
	if (before < 64)
		keep_bits(masks, before ? ~(u64)0 << (64 - before) : 0);
	scanner->classify(view->text + base, count, masks + 1);
	if (left < count * 64) {
		keep_bits(masks + count, ((u64)1 << (left % 64)) - 1);
		masks[count + 1] = (struct masks){ 0 };
		return;
	}
	scanner->classify(view->text + base + count * 64, 1, masks + count + 1);
	left -= count * 64;
	if (left < 64)
		keep_bits(masks + count + 1, ((u64)1 << left) - 1);
}

int scan_text(struct scanner *scanner, struct view *view, size_t from, size_t *ret_next)
{
	struct masks masks[BATCH + 2]; /* the block before, the batch, the block behind */
	struct pass pass = { .scanner = scanner, .view = view, .next = from };
	*ret_next = from;
	size_t until = scanner->until < view->end ? scanner->until : view->end;
	while (pass.next < until) {
		size_t base = pass.next, left = (until - base + 63) / 64, count = left < BATCH ? left : BATCH;
		classify(scanner, view, base, count, masks);
		for (size_t block = base; block < base + count * 64; block += 64) {
			if (block + 64 <= pass.next)
				continue;
			int error = pass_block(&pass, masks + 1 + (block - base) / 64, block);
			if (error) {
				*ret_next = pass.next;
				return error == 1 ? 0 : error;
			}
		}
		size_t reached = until - base < count * 64 ? until : base + count * 64;
		if (pass.next < reached)
			pass.next = reached;
	}
	*ret_next = pass.next;
	return 0;
}
