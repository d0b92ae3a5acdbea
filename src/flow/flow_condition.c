// SPDX-License-Identifier: Apache-2.0
/* Conditions: a parser by recursive descent, which computes as it goes. */
#include "flow/flow_condition.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct parser {
	const char *text;
	size_t length, at;
	const struct flow_scope *scope;
	unsigned depth;
	char *why;
};

/* A value: malloc'ed, always NUL-terminated. */
struct value {
	char *bytes;
	size_t size;
};

static int refuse(const struct parser *parser, const char *what)
{
	(void)snprintf(parser->why, FLOW_WHY_MAX, "%s", what);
	return -EINVAL;
}

static int set(struct value *value, const char *bytes, size_t size)
{
	value->bytes = malloc(size + 1);
	if (!value->bytes)
		return -ENOMEM;
	if (size > 0)
		memcpy(value->bytes, bytes, size);
	value->bytes[size] = '\0';
	value->size = size;
	return 0;
}

static void skip_blanks(struct parser *parser)
{
	while (parser->at < parser->length && isspace((unsigned char)parser->text[parser->at]))
		parser->at++;
}

static char peek(const struct parser *parser)
{
	return parser->at < parser->length ? parser->text[parser->at] : '\0';
}

static bool is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || byte == '-';
}

static size_t word_length(const struct parser *parser)
{
	size_t length = 0;

	while (parser->at + length < parser->length && is_word(parser->text[parser->at + length]))
		length++;
	return length;
}

/* Takes a keyword if it is next. */
static bool take_word(struct parser *parser, const char *word)
{
	skip_blanks(parser);
	if (word_length(parser) != strlen(word) || strncmp(parser->text + parser->at, word, strlen(word)) != 0)
		return false;
	parser->at += strlen(word);
	return true;
}

static bool take(struct parser *parser, const char *sign)
{
	skip_blanks(parser);
	if (parser->length - parser->at < strlen(sign) || strncmp(parser->text + parser->at, sign, strlen(sign)) != 0)
		return false;
	parser->at += strlen(sign);
	return true;
}

/* --- values ----------------------------------------------------------------------------------------------------------------------------- */

static int read_string(struct parser *parser, struct value *ret)
{
	char quote = parser->text[parser->at++];

	ret->bytes = malloc(parser->length - parser->at + 1); /* room for all of it */
	if (!ret->bytes)
		return -ENOMEM;
	while (parser->at < parser->length && parser->text[parser->at] != quote) {
		char byte = parser->text[parser->at++];

		if (byte == '\\') {
			byte = peek(parser);
			if (!byte || !strchr("\\'\"nt", byte))
				return refuse(parser, "after a backslash there is one of \\ ' \" n t");
			parser->at++;
			byte = byte == 'n' ? '\n' : byte == 't' ? '\t' : byte;
		}
		ret->bytes[ret->size++] = byte;
	}
	ret->bytes[ret->size] = '\0';
	if (peek(parser) != quote)
		return refuse(parser, "a string has no end");
	parser->at++;
	return 0;
}

static int read_variable(struct parser *parser, struct value *ret)
{
	const char *start = parser->text + parser->at, *end = memchr(start, '}', parser->length - parser->at);

	if (!end)
		return refuse(parser, "'${' has no '}'");
	int r = flow_template_fill(start, (size_t)(end - start) + 1, parser->scope, &ret->bytes, &ret->size, parser->why);
	if (r == 0)
		parser->at += (size_t)(end - start) + 1;
	return r;
}

/* The member of a JSON object, as text; what is no object has none. */
static int read_member(struct value *value, const char *name, size_t length)
{
	json_t *object = json_loadb(value->bytes, value->size, 0, NULL);
	const json_t *member = json_object_getn(object, name, length);
	char *text = NULL;
	int r;

	if (member && !json_is_string(member) && !json_is_null(member))
		text = json_dumps(member, JSON_ENCODE_ANY | JSON_COMPACT);
	free(value->bytes);
	if (json_is_string(member))
		r = set(value, json_string_value(member), json_string_length(member));
	else
		r = set(value, text ? text : "", text ? strlen(text) : 0);
	free(text);
	json_decref(object);
	return r;
}

static const char *state_name(const struct flow_scope *scope, unsigned step)
{
	static const char *const names[] = {
		[FLOW_STEP_WAITS] = "", [FLOW_STEP_OK] = "ok", [FLOW_STEP_SKIPPED] = "skipped", [FLOW_STEP_FAILED] = "failed"
	};

	for (size_t i = 0; i < scope->count; i++)
		if (scope->outputs[i].step == step)
			return names[scope->outputs[i].state];
	return NULL;
}

static int read_members(struct parser *parser, struct value *value)
{
	int r = 0;

	while (r == 0 && peek(parser) == '.') {
		parser->at++;
		size_t length = word_length(parser);
		if (length == 0)
			return refuse(parser, "after a '.' there is the name of a member");
		r = read_member(value, parser->text + parser->at, length);
		parser->at += length;
	}
	return r;
}

static int read_name(struct parser *parser, struct value *ret)
{
	const char *name = parser->text + parser->at, *state;
	size_t length = word_length(parser);
	const struct flow_output *output = NULL;
	int r = flow_scope_output(parser->scope, name, length, &output, parser->why);

	if (r == 0) {
		parser->at += length;
		r = set(ret, output ? output->text : "", output ? output->size : 0);
		return r < 0 ? r : read_members(parser, ret);
	}
	if (r != -ENOENT)
		return r;
	unsigned step = flow_scope_number(name, length, "_status");
	bool literal = isdigit((unsigned char)*name) || *name == '-' || (length == 4 && strncmp(name, "true", 4) == 0) ||
		       (length == 5 && strncmp(name, "false", 5) == 0);
	state = step ? state_name(parser->scope, step) : NULL;
	if (!literal && !state) {
		(void)snprintf(
			parser->why, FLOW_WHY_MAX,
			"'%.*s' is no value here: a string in quotes, previous_output, or the output or status of an earlier step",
			(int)(length < 40 ? length : 40), name);
		return -EINVAL;
	}
	parser->at += length;
	if (literal && peek(parser) == '.' && isdigit((unsigned char)*name)) { /* 1.5 */
		parser->at++;
		length += 1 + word_length(parser);
		parser->at += word_length(parser);
	}
	return state ? set(ret, state, strlen(state)) : set(ret, name, length);
}

static int read_value(struct parser *parser, struct value *ret)
{
	skip_blanks(parser);
	char next = peek(parser);

	if (next == '\'' || next == '"')
		return read_string(parser, ret);
	if (next == '$')
		return read_variable(parser, ret);
	if (next == '{') {
		parser->at++;
		int r = is_word(peek(parser)) ? read_name(parser, ret)
					      : refuse(parser, "after a '{' there is the name of an output");
		return r == 0 && !take(parser, "}") ? refuse(parser, "'}' is missing") : r;
	}
	if (is_word(next))
		return read_name(parser, ret);
	return refuse(parser, parser->at < parser->length ? "a value is due" : "it ends too early: a value is due");
}

/* --- comparisons ------------------------------------------------------------------------------------------------------------------------ */

static struct value trimmed(const struct value *value)
{
	struct value part = *value;

	while (part.size > 0 && isspace((unsigned char)part.bytes[0])) {
		part.bytes++;
		part.size--;
	}
	while (part.size > 0 && isspace((unsigned char)part.bytes[part.size - 1]))
		part.size--;
	return part;
}

static bool equal(const struct value *left, const struct value *right)
{
	struct value a = trimmed(left), b = trimmed(right);

	return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
}

static bool is_true(const struct value *value)
{
	struct value part = trimmed(value);

	return part.size > 0 && !(part.size == 5 && memcmp(part.bytes, "false", 5) == 0);
}

static int compare(struct parser *parser)
{
	struct value left = { 0 }, right = { 0 };
	int r = read_value(parser, &left);
	enum { NONE, EQUAL, UNEQUAL, CONTAINS } sign = NONE;

	if (r == 0 && take(parser, "=="))
		sign = EQUAL;
	else if (r == 0 && take(parser, "!="))
		sign = UNEQUAL;
	else if (r == 0 && take_word(parser, "contains"))
		sign = CONTAINS;
	if (r == 0 && sign != NONE)
		r = read_value(parser, &right);
	if (r == 0)
		r = sign == NONE    ? is_true(&left)
		  : sign == EQUAL   ? equal(&left, &right)
		  : sign == UNEQUAL ? !equal(&left, &right)
				    : memmem(left.bytes, left.size, right.bytes, right.size) != NULL;
	free(left.bytes);
	free(right.bytes);
	return r;
}

static int either(struct parser *parser);

static int negate(struct parser *parser)
{
	int r;

	if (++parser->depth > FLOW_CONDITION_DEPTH)
		return refuse(parser, "it is nested too deeply");
	if (take_word(parser, "not")) {
		r = negate(parser);
		r = r < 0 ? r : !r;
	} else if (take(parser, "(")) {
		r = either(parser);
		if (r >= 0 && !take(parser, ")"))
			r = refuse(parser, "')' is missing");
	} else {
		r = compare(parser);
	}
	parser->depth--;
	return r;
}

static int both(struct parser *parser)
{
	int r = negate(parser);

	while (r >= 0 && take_word(parser, "and")) {
		int next = negate(parser);

		r = next < 0 ? next : r && next;
	}
	return r;
}

static int either(struct parser *parser)
{
	int r = both(parser);

	while (r >= 0 && take_word(parser, "or")) {
		int next = both(parser);

		r = next < 0 ? next : r || next;
	}
	return r;
}

int flow_condition(const char *text, size_t length, const struct flow_scope *scope, size_t *ret_at, char why[FLOW_WHY_MAX])
{
	struct parser parser = { .text = text, .length = length, .scope = scope, .why = why };

	*ret_at = 0;
	if (length > FLOW_CONDITION_MAX)
		return refuse(&parser, "a condition has at most 4096 bytes");
	int r = either(&parser);
	skip_blanks(&parser);
	if (r >= 0 && parser.at < parser.length)
		r = refuse(&parser, "it ends here, or goes on with == != contains and or");
	*ret_at = parser.at;
	return r;
}
