// SPDX-License-Identifier: Apache-2.0
/* Templates: one pass over the text, piece by piece; see the header. */
#include "flow/flow_template.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NAME_LENGTH_MAX 128u
#define STEP_MAX 1000000u

struct text {
	char *bytes;
	size_t size, room;
};

static int add(struct text *to, const char *bytes, size_t size)
{
	if (size >= FLOW_FILLED_MAX || to->size + size >= FLOW_FILLED_MAX)
		return -EFBIG;
	if (to->size + size + 1 > to->room) {
		size_t room = 2 * (to->size + size) + 64;
		char *more = realloc(to->bytes, room);

		if (!more)
			return -ENOMEM;
		to->bytes = more;
		to->room = room;
	}
	if (size > 0)
		memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
	to->bytes[to->size] = '\0';
	return 0;
}

/* --- references ------------------------------------------------------------------------------------------------------------------------- */

unsigned flow_scope_number(const char *name, size_t length, const char *suffix)
{
	size_t tail = strlen(suffix), at = 5;
	unsigned number = 0;

	if (length < 5 + 1 + tail || strncmp(name, "step_", 5) != 0 || name[5] == '0')
		return 0;
	for (; at < length && isdigit((unsigned char)name[at]) && number < STEP_MAX; at++)
		number = 10 * number + (unsigned)(name[at] - '0');
	return length - at == tail && strncmp(name + at, suffix, tail) == 0 ? number : 0;
}

static const struct flow_output *last_output(const struct flow_scope *scope)
{
	for (size_t i = scope->count; i > 0; i--)
		if (scope->outputs[i - 1].state == FLOW_STEP_OK)
			return &scope->outputs[i - 1];
	return NULL;
}

int flow_scope_output(const struct flow_scope *scope, const char *name, size_t length, const struct flow_output **ret,
		      char why[FLOW_WHY_MAX])
{
	static const char previous[] = "previous_output";
	unsigned number = flow_scope_number(name, length, "_output");

	if (length == sizeof(previous) - 1 && strncmp(name, previous, length) == 0) {
		*ret = last_output(scope);
		return 0;
	}
	if (!number)
		return -ENOENT;
	for (size_t i = 0; i < scope->count; i++)
		if (scope->outputs[i].step == number) {
			*ret = scope->outputs[i].state == FLOW_STEP_OK ? &scope->outputs[i] : NULL;
			return 0;
		}
	(void)snprintf(why, FLOW_WHY_MAX, "there is no step %u before this one", number);
	return -EINVAL;
}

/* Does it look as if an output was meant? */
static bool looks_like_output(const char *name, size_t length)
{
	return (length > 5 && strncmp(name, "step_", 5) == 0) || (length > 9 && strncmp(name, "previous_", 9) == 0);
}

/* --- pieces ----------------------------------------------------------------------------------------------------------------------------- */

/* `at` is at a '{'. Returns the bytes that were taken, or negative errno. */
static int fill_brace(const char *at, size_t left, const struct flow_scope *scope, struct text *to, char why[FLOW_WHY_MAX])
{
	const struct flow_output *output = NULL;
	size_t length = 0;
	int r;

	if (left > 1 && at[1] == '{') {
		r = add(to, "{", 1);
		return r < 0 ? r : 2;
	}
	while (1 + length < left && (isalnum((unsigned char)at[1 + length]) || at[1 + length] == '_'))
		length++;
	r = 1 + length < left && at[1 + length] == '}' ? flow_scope_output(scope, at + 1, length, &output, why) : -ENOENT;
	if (r == -ENOENT && 1 + length < left && at[1 + length] == '}' && looks_like_output(at + 1, length)) {
		(void)snprintf(why, FLOW_WHY_MAX, "'{%.*s}' is no output: {previous_output} or {step_N_output}; '{{' is a '{'",
			       (int)(length < 60 ? length : 60), at + 1);
		return -EINVAL;
	}
	if (r == -ENOENT) {
		r = add(to, at, 1);
		return r < 0 ? r : 1;
	}
	if (r == 0 && output)
		r = add(to, output->text, output->size);
	return r < 0 ? r : (int)length + 2;
}

static size_t variable_name(const char *at, size_t left)
{
	size_t length = 0;

	while (length < left && length <= NAME_LENGTH_MAX &&
	       (isalpha((unsigned char)at[length]) || at[length] == '_' || (length > 0 && isdigit((unsigned char)at[length]))))
		length++;
	return length;
}

/* `at` is at "${". */
static int fill_variable(const char *at, size_t left, const struct flow_scope *scope, struct text *to, char why[FLOW_WHY_MAX])
{
	const char *end = memchr(at, '}', left), *value, *initial = NULL;
	size_t length = variable_name(at + 2, left - 2);
	char name[NAME_LENGTH_MAX + 2];
	int r;

	if (end && length > 0 && length <= NAME_LENGTH_MAX && strncmp(at + 2 + length, ":-", 2) == 0)
		initial = at + 2 + length + 2;
	if (!end || length == 0 || length > NAME_LENGTH_MAX || (!initial && at + 2 + length != end)) {
		(void)snprintf(why, FLOW_WHY_MAX, "'%.*s' is no variable: ${NAME} or ${NAME:-default}; '$$' is a '$'",
			       (int)(left < 20 ? left : 20), at);
		return -EINVAL;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)length, at + 2);
	value = scope->variable ? scope->variable(name) : NULL;
	if (value && (*value || !initial))
		r = add(to, value, strlen(value));
	else if (initial)
		r = add(to, initial, (size_t)(end - initial));
	else if (!scope->variable)
		r = 0;
	else {
		(void)snprintf(why, FLOW_WHY_MAX, "the variable %.100s is not set, and has no default", name);
		r = -EINVAL;
	}
	return r < 0 ? r : (int)(end - at) + 1;
}

static int fill_dollar(const char *at, size_t left, const struct flow_scope *scope, struct text *to, char why[FLOW_WHY_MAX])
{
	int r;

	if (left > 1 && at[1] == '{')
		return fill_variable(at, left, scope, to, why);
	r = add(to, "$", 1);
	if (r < 0)
		return r;
	return left > 1 && at[1] == '$' ? 2 : 1;
}

int flow_template_fill(const char *text, size_t length, const struct flow_scope *scope, char **ret, size_t *ret_size,
		       char why[FLOW_WHY_MAX])
{
	struct text to = { 0 };
	int r = add(&to, "", 0);

	for (size_t at = 0; r >= 0 && at < length;) {
		size_t plain = 0;

		while (at + plain < length && text[at + plain] != '{' && text[at + plain] != '$')
			plain++;
		r = add(&to, text + at, plain);
		at += plain;
		if (r < 0 || at == length)
			break;
		r = text[at] == '{' ? fill_brace(text + at, length - at, scope, &to, why)
				    : fill_dollar(text + at, length - at, scope, &to, why);
		at += r > 0 ? (size_t)r : 0;
	}
	if (r < 0) {
		free(to.bytes);
		return r;
	}
	*ret = to.bytes;
	*ret_size = to.size;
	return 0;
}

bool flow_template_is(const char *text, size_t length)
{
	return memchr(text, '{', length) || memchr(text, '$', length);
}
