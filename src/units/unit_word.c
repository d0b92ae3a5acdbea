/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a value. */
#include "units/unit_word.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\n\r"

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* `count` digits to that base. -1: they are not there. */
static long number(const char *at, int count, int base)
{
	long value = 0;

	for (int i = 0; i < count; i++) {
		if (digit_of(at[i]) >= base)
			return -1;
		value = value * base + digit_of(at[i]);
	}
	return value;
}

/* Writes a character as UTF-8. Returns its length; 0: it is none. */
static size_t encode(unsigned long c, char *out)
{
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (length == 1) {
		*out = (char)c;
		return 1;
	}
	for (size_t i = length; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	*out = (char)((0xf00 >> length & 0xf0) | c);
	return length;
}

/* What is behind a backslash: writes the bytes it stands for. Returns how much of `at` it takes; 0: it is no known escape. */
static size_t escape(const char *at, char *out, size_t *ret_length)
{
	static const char names[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";
	const char *name = *at ? strchr(names, *at) : NULL;
	int count = *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0;
	long value;

	*ret_length = 1;
	if (name) {
		*out = values[name - names];
		return 1;
	}
	if (count) {
		value = number(at + 1, count, 16);
		if (*at != 'x')
			*ret_length = value > 0 ? encode((unsigned long)value, out) : 0;
		else if (value > 0)
			*out = (char)value;
		return value > 0 && *ret_length ? (size_t)count + 1 : 0;
	}
	value = number(at, 3, 8);
	*out = (char)value;
	return value > 0 && value < 256 ? 3 : 0;
}

/* The state of taking one word. */
struct taking {
	const char *at;
	char *out;
	size_t length;
	unsigned flags;
	char quote; /* 0 = outside of quotes */
};

/* Takes a backslash and what follows. 0 or -EINVAL. */
static int take_escape(struct taking *taking)
{
	size_t length, taken;

	if ((taking->flags & UNIT_WORD_COMMAND) && taking->at[1] == ';') {
		taking->out[taking->length++] = ';';
		taking->at += 2;
		return 0;
	}
	taken = escape(taking->at + 1, taking->out + taking->length, &length);
	if (taken) {
		taking->length += length;
		taking->at += taken + 1;
		return 0;
	}
	if (!(taking->flags & UNIT_WORD_RELAXED))
		return -EINVAL;
	taking->out[taking->length++] = *taking->at++;
	return 0;
}

/* Takes one character. Returns 1: the word is over; 0 or -EINVAL. */
static int take(struct taking *taking)
{
	char c = *taking->at;

	if (c == '\\')
		return take_escape(taking);
	if (!taking->quote && strchr(BLANKS, c))
		return 1;
	if (taking->quote ? c == taking->quote : c == '"' || c == '\'') /* also in the middle of a word */
		taking->quote = taking->quote ? 0 : c;
	else
		taking->out[taking->length++] = c;
	taking->at++;
	return 0;
}

int unit_word_next(const char **at, unsigned flags, char **ret)
{
	struct taking taking = { .at = *at + strspn(*at, BLANKS), .flags = flags };
	int r = 0;

	*at = taking.at;
	if (!*taking.at)
		return 0;
	if ((flags & UNIT_WORD_COMMAND) && taking.at[0] == ';' && (!taking.at[1] || strchr(BLANKS, taking.at[1]))) {
		*at = taking.at + 1;
		return -EPIPE;
	}
	taking.out = malloc(strlen(taking.at) + 8); /* no escape is shorter than what it stands for */
	if (!taking.out)
		return -ENOMEM;
	while (r == 0 && *taking.at)
		r = take(&taking);
	if (r >= 0 && taking.quote && !(flags & UNIT_WORD_RELAXED))
		r = -EINVAL;
	if (r < 0) {
		free(taking.out);
		return r;
	}
	taking.out[taking.length] = '\0';
	*at = taking.at;
	*ret = taking.out;
	return 1;
}

int unit_words(const char *value, unsigned flags, struct word_list *into)
{
	char *word;
	int r;

	while ((r = unit_word_next(&value, flags, &word)) > 0) {
		r = word_list_take(into, word);
		if (r < 0)
			break;
	}
	return r;
}
