// SPDX-License-Identifier: Apache-2.0
/* Secrets that say so themselves: keys with a prefix (tokens.def), JSON Web Tokens, armoured private keys. */
#include <assert.h>
#include <string.h>

#include "pii/base64.h"
#include "pii/scan.h"

/* --- keys with a prefix --------------------------------------------------------------------------------------------------------------- */

enum alphabet {
	ALPHABET_WORD,
	ALPHABET_LINE,
	ALPHABET_DOTTED,
	ALPHABET_HEX,
	ALPHABET_BASE32,
	ALPHABET_BASE64,
};

static const struct token {
	const char *prefix;
	u16 least, most;
	u8 entity, alphabet;
} tokens[] = {
#define PII_TOKEN(entity, prefix, alphabet, least, most, source) { prefix, least, most, PII_##entity, ALPHABET_##alphabet },
#include "pii/tokens.def"
#undef PII_TOKEN
};
static_assert(ARRAY_SIZE(tokens) <= TOKENS_MAX, "a struct token_index has room");

/* Bytes of ASCII, a bit each. */
static const u64 *bytes_of(enum alphabet alphabet)
{
	static const u64 digits = 0x03ff000000000000, upper = 0x07fffffe, lower = 0x07fffffe00000000, under = 0x80000000,
			 dash = (u64)1 << '-', dot = (u64)1 << '.';
	static const u64 bytes[][2] = {
		[ALPHABET_WORD] = { digits, upper | lower },
		[ALPHABET_LINE] = { digits | dash, upper | lower | under },
		[ALPHABET_DOTTED] = { digits | dash | dot, upper | lower | under },
		[ALPHABET_HEX] = { digits, 0x0000007e00000000 },
		[ALPHABET_BASE32] = { 0x00fc000000000000, upper },
		[ALPHABET_BASE64] = { digits | dash | (u64)1 << '+' | (u64)1 << '/' | (u64)1 << '=', upper | lower | under },
	};
	return bytes[alphabet];
}

static bool in_alphabet(enum alphabet alphabet, int c)
{
	return c >= 0 && c < 128 && bytes_of(alphabet)[c / 64] >> (c % 64) & 1;
}

/* The position behind bytes of an alphabet, up to a limit. */
static size_t skip_alphabet(struct view *view, size_t at, size_t limit, enum alphabet alphabet)
{
	const u64 *bytes = bytes_of(alphabet);
	const u8 *text = view->text;
	size_t end = limit < view->end ? limit : view->end;
	while (at < end && text[at] < 128 && bytes[text[at] / 64] >> (text[at] % 64) & 1)
		at++;
	view->cut |= at == view->end && at < limit && view->more;
	return at;
}

static unsigned chain_of(int before, int trigger)
{
	return (unsigned)(before * 31 + trigger) % TOKEN_CHAINS;
}

/* Lets a trigger through behind these bytes; a prefix of two bytes (second < 0) leaves the byte before them open. */
static void let_through(struct token_index *index, int second, u8 before, u8 trigger)
{
	u64 bit = index->of_before[before] & index->of_trigger[trigger];
	if (!bit)
		bit = (u64)1 << index->pairs++ % 64;
	index->of_trigger[trigger] |= bit;
	index->of_before[before] |= bit;
	for (int byte = second < 0 ? 0 : second; byte <= (second < 0 ? 255 : second); byte++)
		index->of_second[byte] |= bit;
}

void token_index_init(struct token_index *index)
{
	*index = (struct token_index){ 0 };
	memset(index->first, 0xff, sizeof(index->first));
	memset(index->next, 0xff, sizeof(index->next));
	let_through(index, 'e', 'y', 'J');
	for (size_t i = ARRAY_SIZE(tokens); i-- > 0;) {
		const char *prefix = tokens[i].prefix;
		size_t at = strlen(prefix) - 1;
		while (at > 1 && !strchr("_-.GIK", prefix[at]))
			at--;
		let_through(index, at > 1 ? (u8)prefix[at - 2] : -1, (u8)prefix[at - 1], (u8)prefix[at]);
		u8 *chain = &index->first[chain_of(prefix[at - 1], prefix[at])];
		index->trigger[i] = (u8)at;
		index->next[i] = *chain;
		*chain = (u8)i;
	}
}

#define TAIL 24u

/* Examples in documents (XXXXXXXX, your-token-here) are no keys: at least six different bytes, and digits or both cases, among the last ones. */
static bool is_random(const u8 *text, size_t size)
{
	if (size > TAIL) {
		text += size - TAIL;
		size = TAIL;
	}
	u64 seen[4] = { 0 };
	for (size_t i = 0; i < size; i++)
		seen[text[i] / 64] |= (u64)1 << text[i] % 64;
	bool digit = seen[0] >> '0' & 0x3ff, upper = seen[1] >> ('A' - 64) & 0x3ffffff, lower = seen[1] >> ('a' - 64) & 0x3ffffff;
	unsigned different = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(seen); i++)
		for (u64 left = seen[i]; left && different < 6; left &= left - 1)
			different++;
	return different >= 6 && (digit || (upper && lower) || (upper && size == 16));
}

static bool token_here(const struct token *token, struct view *view, size_t start, struct candidate *c)
{
	size_t body = start + strlen(token->prefix), end = skip_alphabet(view, body, body + token->most + 1u, token->alphabet);
	if (end - body > token->most)
		return false;
	while (end > body && view->text[end - 1] == '.')
		end--;
	if (end - body < token->least || word_at(view, end) || !is_random(view->text + body, end - body))
		return false;
	c->match_start = start;
	c->match_end = end;
	return true;
}

unsigned match_token(const struct token_index *index, const struct pii_set *wanted, struct candidate *c, unsigned *ret_entity)
{
	struct view *view = c->view;
	int before = view_before(view, c->trigger, 1);
	if (before < 0)
		return 0;
	for (unsigned i = index->first[chain_of(before, view->text[c->trigger])]; i < ARRAY_SIZE(tokens); i = index->next[i]) {
		const struct token *token = &tokens[i];
		size_t size = strlen(token->prefix), back = index->trigger[i], start = c->trigger - back;
		if (c->trigger < view->begin + back || memcmp(view->text + start, token->prefix, back + 1) != 0 ||
		    is_word(view_before(view, start, 1)) || !pii_set_has(wanted, token->entity))
			continue;
		size_t at = back + 1;
		while (at < size && view_at(view, start + at) == token->prefix[at])
			at++;
		if (at < size || !token_here(token, view, start, c))
			continue;
		*ret_entity = token->entity;
		return 96;
	}
	return 0;
}

/* --- JSON Web Tokens ------------------------------------------------------------------------------------------------------------------ */

static bool is_base64url(int c)
{
	return is_word(c) || c == '-' || c == '_';
}

/* The position behind base64url characters. */
static size_t skip_base64url(struct view *view, size_t at, size_t limit)
{
	return skip_alphabet(view, at, limit, ALPHABET_LINE);
}

/* HEADER.PAYLOAD.SIGNATURE, or five parts when it is encrypted; the header is JSON with a member "alg". */
unsigned match_jwt(struct candidate *c)
{
	struct view *view = c->view;
	u8 header[384];
	if (view_before(view, c->trigger, 1) != 'y' || view_before(view, c->trigger, 2) != 'e' ||
	    is_base64url(view_before(view, c->trigger, 3)))
		return 0;
	size_t start = c->trigger - 2, limit = start + PII_MATCH_MAX, at = skip_base64url(view, start, limit);
	if (view_at(view, at) != '.' || at - start < 12)
		return 0;
	size_t size = base64_decode(view->text + start, at - start < 512 ? at - start : 512, header);
	if (!memmem(header, size, "\"alg\"", 5))
		return 0;
	for (unsigned part = 1; part < 5 && view_at(view, at) == '.'; part++) {
		size_t end = skip_base64url(view, at + 1, limit);
		if (end == at + 1 && part == 1 && view_at(view, end) != '.')
			return 0;
		if (part == 3 && end == at + 1)
			break; /* a full stop */
		at = end;
		c->match_end = part >= 2 ? at : 0;
	}
	c->match_start = start;
	return c->match_end ? 97 : 0;
}

/* --- credentials in a header ---------------------------------------------------------------------------------------------------------- */

#define CREDENTIALS_MAX 4096u

/* The bytes before a position are this text, whatever their case. */
static bool text_before(const struct view *view, size_t at, const char *text)
{
	size_t size = strlen(text);
	for (size_t i = 1; i <= size; i++)
		if (to_lower(view_before(view, at, i)) != (u8)text[size - i])
			return false;
	return true;
}

/* The position behind a scheme and its blank, or 0. */
static size_t skip_scheme(struct view *view, size_t at)
{
	static const char *const schemes[] = { "basic ", "bearer ", "token " };
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = 0;
		while (schemes[i][n] && to_lower(view_at(view, at + n)) == (u8)schemes[i][n])
			n++;
		if (!schemes[i][n])
			return at + n;
	}
	return 0;
}

/* Authorization: SCHEME CREDENTIALS, also as a member of JSON. */
unsigned match_authorization(struct candidate *c)
{
	struct view *view = c->view;
	size_t name = c->trigger, at = c->trigger + 1;
	int quote = view_before(view, name, 1);
	name -= quote == '"' || quote == '\'';
	if (!text_before(view, name, "authorization") || is_word(view_before(view, name, 14)))
		return 0;
	while (at - c->trigger < 4 && view_at(view, at) == ' ')
		at++;
	quote = view_at(view, at);
	at = skip_scheme(view, at + (quote == '"' || quote == '\''));
	if (!at)
		return 0;
	c->match_start = at;
	while (at - c->match_start < CREDENTIALS_MAX &&
	       (in_alphabet(ALPHABET_BASE64, view_at(view, at)) || view_at(view, at) == '.' || view_at(view, at) == '~'))
		at++;
	c->match_end = at;
	return at - c->match_start >= 8 ? 93 : 0;
}

/* --- private keys --------------------------------------------------------------------------------------------------------------------- */

static bool text_at(struct view *view, size_t at, const char *text)
{
	for (; *text; text++, at++)
		if (view_at(view, at) != *text)
			return false;
	return true;
}

/* Reads "LABEL-----", where the label has PRIVATE KEY in it. Returns the position behind it, or 0. */
static size_t label_end(struct view *view, size_t at)
{
	size_t start = at;
	bool private = false;
	for (; at - start < 64; at++) {
		int byte = view_at(view, at);
		if (byte == '-')
			break;
		if (!is_upper(byte) && !is_digit(byte) && byte != ' ')
			return 0;
		private |= byte == 'P' && text_at(view, at, "PRIVATE KEY");
	}
	return private && text_at(view, at, "-----") ? at + 5 : 0;
}

/* Up to its END line; a key that is cut off, or is longer than a match may be, is found as far as it looks like one. */
unsigned match_private_key(struct candidate *c)
{
	struct view *view = c->view;
	size_t start = c->trigger, limit = start + PII_MATCH_MAX;
	if (view_at(view, start + 1) != '-' || view_before(view, start, 1) == '-' || !text_at(view, start, "-----BEGIN "))
		return 0;
	size_t at = label_end(view, start + 11), body = at;
	int first = at ? view_at(view, at) : -1;
	if (first != '\n' && first != '\r' && first != ' ')
		return 0;
	for (; at < limit; at++) {
		int byte = view_at(view, at);
		if (byte == '-' && text_at(view, at, "-----END ")) {
			size_t end = label_end(view, at + 9);
			at = end ? end : at;
			break;
		}
		if (byte < 0 || (byte == '-' && text_at(view, at, "-----")) || byte == '<')
			break;
	}
	c->match_start = start;
	c->match_end = at < limit ? at : limit;
	return at - body >= 40 ? 99 : 0;
}
