// SPDX-License-Identifier: Apache-2.0
/*
 * Triggers. The masks of 64 bytes and those of their neighbours tell most triggers that come to nothing from the others: a number with too few digits, a
 * word of a length that no entity has. Near the end of what is there they cannot, and every trigger is asked.
 */
#include "pii/scan.h"

#include <assert.h>
#include <string.h>

enum trigger {
	TRIGGER_NUMBER,
	TRIGGER_FIRST,
	TRIGGER_WORD,
	TRIGGER_AT,
	TRIGGER_COLON,
	TRIGGER_DASH,
	TRIGGER_DOT,
	TRIGGER_LETTER_J,
};

static const struct matcher_row {
	u8 entity, trigger, least, most;
	matcher *match;
	const char *context;
} rows[] = {
#define PII_MATCHER(entity, trigger, least, most, validator, context, source) \
	{ PII_##entity, TRIGGER_##trigger, least, most, validator, context },
#include "pii/matchers.def"
#undef PII_MATCHER
};

/* The best of what the matchers around one trigger answer. */
static void consider(struct match *best, const struct candidate *c, unsigned score, unsigned entity)
{
	if (score > best->score || (score == best->score && score > 0 && c->match_end - c->match_start > best->end - best->start))
		*best = (struct match){ .start = c->match_start, .end = c->match_end, .entity = entity, .score = score };
}

static_assert(ARRAY_SIZE(rows) < ROWS_MAX, "a struct scanner has room, and a mask of rows");
static_assert(TRIGGER_LETTER_J < TRIGGERS, "a struct scanner has room");

void scanner_init(struct scanner *scanner, const struct pii_set *wanted)
{
	*scanner = (struct scanner){ .wanted = *wanted, .classify = classifier_choose(), .until = SIZE_MAX, .chain = CHAIN_NONE };
	u8 counts[TRIGGERS] = { 0 };
	token_index_init(&scanner->tokens);
	memset(scanner->contexts.first, 0xff, sizeof(scanner->contexts.first));
	memset(scanner->rows, 0xff, sizeof(scanner->rows));
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		context_index_add(&scanner->contexts, i, rows[i].context);
		if (pii_set_has(wanted, rows[i].entity))
			scanner->rows[rows[i].trigger][counts[rows[i].trigger]++] = (u8)i;
	}
}

/* Asks the matchers of one trigger whose bounds hold `size`. */
static void ask(const struct scanner *scanner, struct candidate *c, enum trigger trigger, size_t size, struct match *best)
{
	for (const u8 *row = scanner->rows[trigger]; *row < ARRAY_SIZE(rows); row++) {
		const struct matcher_row *asked = &rows[*row];
		if (size < asked->least || size > asked->most)
			continue;
		c->row = *row;
		c->match_start = c->start;
		c->match_end = c->end;
		unsigned score = asked->match(c);
		if (score)
			consider(best, c, score, asked->entity);
	}
}

/* --- numbers -------------------------------------------------------------------------------------------------------------------------- */

/* How many bytes stand between two groups at a position: 0 when the number ends there. */
static unsigned between_groups(struct candidate *c, size_t at, char *separator)
{
	struct view *view = c->view;
	int first = view_at(view, at), second;
	*separator = 0;
	switch (first) {
	case ' ':
	case '-':
		second = view_at(view, at + 1);
		if (second == '(' && is_digit(view_at(view, at + 2)))
			return 2;
		*separator = (char)first;
		return is_digit(second);
	case '.':
	case '/':
		*separator = (char)first;
		return is_digit(view_at(view, at + 1));
	case '(':
		return is_digit(view_at(view, at + 1));
	case ')':
		second = view_at(view, at + 1);
		if (is_digit(second)) {
			c->paren = true;
			return 1;
		}
		if ((second == ' ' || second == '-') && is_digit(view_at(view, at + 2))) {
			c->paren = true;
			return 2;
		}
		return 0;
	default:
		return 0;
	}
}

/* 2026-11-23, 23.11.2026, 11/23/2026. */
static bool is_date(const struct candidate *c)
{
	if (c->groups != 3 || !c->separator || c->separator == ' ' || c->plus || c->sizes[1] > 2)
		return false;
	return (c->sizes[0] == 4 && c->sizes[2] <= 2) || (c->sizes[0] <= 2 && c->sizes[2] == 4);
}

/* The number may end here: no letter follows, and no group that is tied to it; to an IPv4 address a network's size or the end of a range is not. */
static bool number_ends(struct candidate *c, unsigned gap, char separator, bool tied)
{
	int after = view_at(c->view, c->end);
	bool address = c->groups == 4 && c->separator == '.';
	if (is_word(after) || (tied && !address))
		return false;
	return gap == 0 || separator == ' ' || (address && (separator == '/' || separator == '-'));
}

/* The groups before the number, with blanks between them, lead to one of two letters and two digits: an IBAN, which was asked there. */
static bool in_iban(const struct view *view, size_t at)
{
	for (unsigned group = 0; group < 9 && view_before(view, at, 1) == ' '; group++) {
		for (unsigned i = 2; i <= 5; i++)
			if (!is_word(view_before(view, at, i)))
				return false;
		at -= 5;
		if (is_upper(view->text[at]) && is_upper(view->text[at + 1]) && is_digit(view->text[at + 2]) &&
		    is_digit(view->text[at + 3]))
			return !is_word(view_before(view, at, 1));
	}
	return false;
}

static void ask_number(const struct scanner *scanner, struct candidate *c, struct match *best)
{
	struct view *view = c->view;
	int before = view_before(view, c->trigger, 1);
	bool separated = false, tied = is_digit(view_before(view, c->trigger, 2));
	if ((before == '.' && tied) || (before == ' ' && in_iban(view, c->start)))
		return;
	tied &= before == '-' || before == '/';
	c->plus = before == '+' || (before == '(' && view_before(view, c->trigger, 2) == '+');
	c->end = c->start;
	while (c->groups < NUMBER_GROUPS) {
		unsigned size = 0;
		for (; is_digit(view_at(view, c->end)); c->end++, size++) {
			if (c->count == NUMBER_DIGITS)
				return;
			c->digits[c->count++] = (u8)(view->text[c->end] - '0');
		}
		c->sizes[c->groups++] = (u8)size;
		char separator;
		unsigned gap = between_groups(c, c->end, &separator);
		if (c->groups == 1 && !tied)
			ask(scanner, c, TRIGGER_FIRST, size, best);
		if (number_ends(c, gap, separator, tied)) {
			if (is_date(c))
				return;
			ask(scanner, c, TRIGGER_NUMBER, c->count, best);
		}
		if (!gap)
			return;
		if (separator && !separated)
			c->separator = separator;
		else if (separator && separator != c->separator)
			c->separator = 0;
		separated |= separator != 0;
		c->end += gap;
	}
}

/* --- words ---------------------------------------------------------------------------------------------------------------------------- */

#define WORD_MAX 63u

/* The first digit of a word: what words and numbers can be. */
static void ask_digit(const struct scanner *scanner, struct view *view, size_t at, struct match *best)
{
	struct candidate c = { .view = view, .trigger = at, .start = at, .end = at, .contexts = &scanner->contexts };
	bool letters = false;
	while (at - c.start < WORD_MAX && is_word(view_before(view, c.start, 1)))
		if (is_digit(view->text[--c.start]))
			return;
	while (c.end - c.start <= WORD_MAX && word_at(view, c.end))
		letters |= is_letter(view->text[c.end++]);
	letters |= c.start < at;
	size_t size = c.end - c.start;
	if (letters && size <= WORD_MAX)
		ask(scanner, &c, TRIGGER_WORD, size, best);
	if (c.start == at)
		ask_number(scanner, &c, best);
}

static void ask_byte(const struct scanner *scanner, struct view *view, size_t at, struct match *best)
{
	struct candidate c = { .view = view, .trigger = at, .start = at, .end = at };
	unsigned entity = 0, score;
	int next, before;
	switch (view->text[at]) {
	case '@':
		ask(scanner, &c, TRIGGER_AT, 0, best);
		return;
	case ':':
		/* What most colons are, in prose and JSON; but behind a name that may be Authorization. */
		next = view_at(view, at + 1);
		before = view_before(view, at, 1);
		if ((next != ' ' && next != '"') || before == 'n' || before == 'N' || before == '"' || before == '\'')
			ask(scanner, &c, TRIGGER_COLON, 0, best);
		return;
	case '-':
		ask(scanner, &c, TRIGGER_DASH, 0, best);
		break;
	case '.':
		ask(scanner, &c, TRIGGER_DOT, 0, best);
		break;
	case 'J':
		ask(scanner, &c, TRIGGER_LETTER_J, 0, best);
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

static unsigned ones(u64 bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	return (unsigned)(((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56);
}

/* 64 bits from bit n of one mask and the next on. */
static u64 from_bit(u64 mask, u64 next, unsigned n)
{
	return n ? mask >> n | next << (64 - n) : mask;
}

/* Lengths of words with letters and digits that any row may want: 4 (groups of IBAN and MBI), 9 … 62. */
static bool length_matters(unsigned length)
{
	const u64 lengths =
		(u64)1 << 4 | (u64)1 << 9 | (u64)1 << 10 | (u64)1 << 11 | (u64)0x1fffff << 15 | (u64)1 << 42 | (u64)1 << 62;
	return lengths >> length & 1;
}

/* The first digit of a run is worth a look: by the masks of its block (m[0]) and its neighbours. */
static bool digit_matters(const struct masks *m, unsigned bit)
{
	u64 before = bit ? (m[0].word << (64 - bit) | m[-1].word >> bit) : m[-1].word;
	u64 word = from_bit(m[0].word, m[1].word, bit), digit = from_bit(m[0].digit, m[1].digit, bit);
	unsigned front = before + 1 ? (unsigned)__builtin_clzll(~before) : 64,
		 size = word + 1 ? (unsigned)__builtin_ctzll(~word) : 64;
	if (front + size >= 64)
		return false;
	if ((front > 0 || (digit & (((u64)1 << size) - 1)) != ((u64)1 << size) - 1) && length_matters(front + size))
		return true;
	if (front > 0)
		return false;
	u64 number = from_bit(m[0].number, m[1].number, bit), span = (number ^ (number + 1)) >> 1;
	/* Six digits and more, or the four numbers of an address. */
	return ones(digit & span) >= 6 || ones(span & ~digit) >= 3;
}

/* Bits at which sixteen bits in a row are set. */
static u64 sixteen(u64 mask, u64 next)
{
	unsigned __int128 run = (unsigned __int128)next << 64 | mask;
	run &= run >> 1;
	run &= run >> 2;
	run &= run >> 4;
	run &= run >> 8;
	return (u64)run;
}

struct pass {
	struct scanner *scanner;
	struct view *view;
	size_t next; /* triggers before it are done */
};

/* Decides one trigger. Returns 0, 1 when it could not be decided, or what take() returned. */
static int decide(struct pass *pass, size_t at, bool base64)
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
		size_t end = at, chain = pass->scanner->chain;
		int error = base64_scan(pass->scanner, view, at, &end);
		if (error)
			return error;
		if (view->cut) {
			pass->scanner->chain = chain;
			return 1;
		}
		if (end > at) {
			pass->next = end < pass->scanner->chain ? end : pass->scanner->chain;
			return 0;
		}
	}
	if (is_digit(view->text[at]))
		ask_digit(pass->scanner, view, at, &best);
	else
		ask_byte(pass->scanner, view, at, &best);
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
	struct view *view = pass->view;
	bool whole = !view->more || base + 128 <= view->end;
	u64 digits = m->digit & ~(m->digit << 1 | m[-1].digit >> 63);
	u64 runs = pass->scanner->base64 ? m->base64 & ~(m->base64 << 1 | m[-1].base64 >> 63) : 0;
	if (whole)
		runs &= sixteen(m->base64, m[1].base64);
	u64 triggers = digits | runs | m->special;
	if (pass->scanner->chain - base < 64) {
		runs |= (u64)1 << (pass->scanner->chain - base);
		triggers |= runs;
	}
	while (triggers) {
		unsigned bit = (unsigned)__builtin_ctzll(triggers);
		if (base + bit >= pass->scanner->until)
			return 0;
		u64 this = triggers & -triggers;
		triggers ^= this;
		if (base + bit < pass->next || (whole && this & digits & ~runs && !digit_matters(m, bit)))
			continue;
		int error = decide(pass, base + bit, (this & runs) != 0);
		if (error) {
			pass->next = base + bit;
			return error;
		}
		/* A run of base64 that goes on within this block is met again. */
		if (pass->scanner->chain - base < 64 && pass->scanner->chain >= pass->next) {
			runs |= (u64)1 << (pass->scanner->chain - base);
			triggers |= (u64)1 << (pass->scanner->chain - base);
		}
	}
	return 0;
}

static void keep_bits(struct masks *masks, u64 keep)
{
	masks->digit &= keep;
	masks->word &= keep;
	masks->number &= keep;
	masks->base64 &= keep;
	masks->special &= keep;
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
