// SPDX-License-Identifier: Apache-2.0
/*
 * WWW-Authenticate = #challenge; challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ] (RFC 9110, sections 11.2, 11.3, 11.6.1).
 *
 * Both lists are separated by commas, so what follows a comma is the next parameter when a "=" follows the token, else the next scheme.
 * Commas may stand alone, and blanks around "=" are allowed.
 */
#include "fetch/challenge.h"

#include <string.h>
#include <strings.h>

struct reader {
	const char *at;
};

/* A piece of the field. */
struct piece {
	const char *start;
	size_t length;
};

static void skip_blanks(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

static void skip_commas(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t,");
}

static struct piece read_token(struct reader *reader)
{
	static const char tchar[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct piece token = { reader->at, strspn(reader->at, tchar) };
	reader->at += token.length;
	return token;
}

static bool piece_is(struct piece piece, const char *word)
{
	return piece.length == strlen(word) && strncasecmp(piece.start, word, piece.length) == 0;
}

/* A token or quoted-string. Returns whether there was one that fits and holds no control character. */
static bool read_value(struct reader *reader, char *to, size_t size)
{
	size_t length = 0;
	if (*reader->at != '"') {
		struct piece token = read_token(reader);
		if (!token.length || token.length >= size)
			return false;
		memcpy(to, token.start, token.length);
		to[token.length] = '\0';
		return true;
	}
	for (reader->at++; *reader->at && *reader->at != '"'; reader->at++) {
		if (*reader->at == '\\' && reader->at[1])
			reader->at++;
		if (length + 1 >= size || (unsigned char)*reader->at < ' ' || *reader->at == 0x7f)
			return false;
		to[length++] = *reader->at;
	}
	to[length] = '\0';
	return *reader->at && reader->at++;
}

/* token68: what Negotiate and its kin bring instead of parameters. Returns whether it was one. */
static bool skip_token68(struct reader *reader)
{
	static const char chars[] = "-._~+/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *end = reader->at + strspn(reader->at, chars);
	if (end == reader->at)
		return false;
	end += strspn(end, "=");
	if (end[strspn(end, " \t")] != ',' && end[strspn(end, " \t")] != '\0')
		return false;
	reader->at = end;
	return true;
}

/* One auth-param, if one is next: 1. Nothing is taken when the next token is a scheme: 0. -1 when it is neither. */
static int read_param(struct reader *reader, struct challenge *to)
{
	char value[CHALLENGE_TEXT_MAX], *field = NULL;
	struct reader start = *reader;
	struct piece name = read_token(reader);
	if (!name.length)
		return -1;
	skip_blanks(reader);
	if (*reader->at != '=') {
		*reader = start;
		return 0;
	}
	reader->at++;
	skip_blanks(reader);
	if (!read_value(reader, value, sizeof(value)))
		return -1;
	if (piece_is(name, "realm"))
		field = to->realm;
	else if (piece_is(name, "service"))
		field = to->service;
	else if (piece_is(name, "scope"))
		field = to->scope;
	if (field)
		memcpy(field, value, strlen(value) + 1);
	return 1;
}

/* What follows a scheme. Returns false where the grammar is left. */
static bool read_params(struct reader *reader, struct challenge *to)
{
	skip_blanks(reader);
	if (*reader->at && *reader->at != ',' && skip_token68(reader))
		return true;
	for (;;) {
		skip_commas(reader);
		if (!*reader->at)
			return true;
		int found = read_param(reader, to);
		if (found <= 0)
			return found == 0;
		skip_blanks(reader);
		if (*reader->at && *reader->at != ',')
			return false;
	}
}

void challenge_read(struct challenge *challenge, const char *field)
{
	struct reader reader = { field };
	for (;;) {
		struct challenge one = { .basic = false };
		skip_commas(&reader);
		struct piece scheme = read_token(&reader);
		if (!scheme.length)
			return;
		if (*reader.at && !strchr(" \t,", *reader.at))
			return;
		bool whole = read_params(&reader, &one);
		if (piece_is(scheme, "Basic"))
			challenge->basic = true;
		if (piece_is(scheme, "Bearer") && !challenge->bearer && whole && one.realm[0]) {
			one.basic = challenge->basic;
			one.bearer = true;
			*challenge = one;
		}
		if (!whole)
			return;
	}
}
