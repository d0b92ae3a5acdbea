// SPDX-License-Identifier: Apache-2.0
/*
 * Which row of the knowledge base fits: the symptoms of all gaps, and the signs of causes.def. The row that says most wins:
 * a message counts most, then a pattern of the call, its name, the program, the errno; among equals gaps come before other causes, and
 * upper rows before lower ones.
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "gaps/registry.h"
#include "why/call.h"
#include "why/finding_int.h"
#include "why/pool.h"

static const struct cause causes[] = {
#define CAUSE(id, look, title, advice) { #id, title, advice, look },
#define SIGN(...)
#include "why/causes.def"
#undef CAUSE
#undef SIGN
};

struct sign {
	const char *program, *call, *message, *source;
	enum cause_id cause;
	int error;
};

static const struct sign signs[] = {
#define CAUSE(...)
#define SIGN(cause, program, call, error, message, source) { program, call, message, source, CAUSE_##cause, error },
#include "why/causes.def"
#undef CAUSE
#undef SIGN
};

const struct cause *cause_by_id(enum cause_id id)
{
	return &causes[id];
}

const char *finding_cause_word(const struct finding *finding)
{
	return finding->cause == CAUSE_NONE ? NULL : causes[finding->cause].id;
}

/* What is matched. */
struct subject {
	const struct model_refusal *refusal; /* NULL = none */
	const struct model_line *line;       /* NULL = none */
	char *call;                          /* printed; NULL without a refusal */
};

static bool is_name(char c)
{
	return c && !isspace((u8)c) && !strchr("\"'`,;()", c);
}

/* A message with {name} in it. Returns whether the text has it, and then the name's place. */
static bool match_named(const char *text, const char *message, const char *hole, const char **ret_name, size_t *ret_length)
{
	const char *after = hole + strlen("{name}");
	size_t before = (size_t)(hole - message), tail = strlen(after);
	for (const char *at = text; *at; at++) {
		if (strncasecmp(at, message, before) != 0 || (before == 0 && at > text && is_name(at[-1])))
			continue;
		const char *name = at + before;
		for (size_t length = 0; is_name(name[length]); length++) {
			bool ends = tail > 0 || !is_name(name[length + 1]);
			if (!ends || strncasecmp(name + length + 1, after, tail) != 0)
				continue;
			*ret_name = name;
			*ret_length = length + 1;
			return true;
		}
	}
	return false;
}

static bool has_message(const char *text, const char *message, const char **ret_name, size_t *ret_length)
{
	const char *hole = strstr(message, "{name}");
	*ret_name = NULL;
	return hole ? match_named(text, message, hole, ret_name, ret_length) : strcasestr(text, message) != NULL;
}

static bool is_program(const struct subject *subject, const char *program)
{
	char comm[17];
	const struct model_refusal *refusal = subject->refusal;
	if (subject->line && strcmp(model_name(subject->line->program), program) == 0)
		return true;
	return refusal &&
	       (strcmp(model_name(refusal->program), program) == 0 || strcmp(model_comm(refusal->record, comm), program) == 0);
}

/* How many characters of a pattern stand for themselves, at most 32. */
static int literals(const char *pattern)
{
	int count = 0;
	for (; *pattern && count < 32; pattern++)
		count += *pattern != '*' && *pattern != '?';
	return count;
}

/* Points for the call of a row; -1: it is another one. */
static int call_points(const struct subject *subject, const char *call)
{
	const struct call_form *form = subject->refusal ? call_form(subject->refusal->record->nr) : NULL;
	if (!form)
		return -1;
	if (strcmp(form->name, call) == 0)
		return 3;
	if (strchr(call, '(') || strchr(call, '*')) {
		const char *against = strchr(call, '(') ? subject->call : form->name;
		if (fnmatch(call, against, 0) == 0)
			return strchr(call, '(') ? 4 + literals(call) / 8 : 2;
	}
	return -1;
}

/* Points for a row; 0: it does not fit. */
static int row_points(const struct subject *subject, const struct sign *row, const char **ret_name, size_t *ret_length)
{
	int points = 0;
	*ret_name = NULL;
	if (row->program && !is_program(subject, row->program))
		return 0;
	if (row->message) {
		if (!subject->line || !has_message(subject->line->text, row->message, ret_name, ret_length))
			return 0;
		points += 8 + (int)(strlen(row->message) / 8);
	} else if (!subject->refusal) {
		return 0;
	}
	if (row->call && subject->refusal) {
		int call = call_points(subject, row->call);
		if (call < 0)
			return 0;
		points += call;
	}
	if (row->error && subject->refusal) {
		if (row->error != subject->refusal->error)
			return 0;
		points += 1;
	}
	return points + (row->program ? 2 : 0);
}

/* Takes over a row that says more than the best so far. */
static void consider(const struct model *model, const struct subject *subject, const struct sign *row, int gap,
		     const struct gap_symptom *symptom, int *best, struct finding *finding)
{
	const char *name;
	size_t length;
	int points = row_points(subject, row, &name, &length);
	if (points <= *best)
		return;
	*best = points;
	finding->gap = gap;
	finding->symptom = symptom;
	finding->cause = gap >= 0 ? CAUSE_NONE : row->cause;
	finding->source = row->source;
	finding->name = name ? pool_text(model->pool, name, length) : NULL;
}

int match_cause(const struct model *model, const struct model_refusal *refusal, const struct model_line *line,
		struct finding *finding)
{
	struct subject subject = { .refusal = refusal, .line = line };
	size_t size = 0;
	int best = 0;
	finding->gap = -1;
	finding->cause = CAUSE_NONE;
	if (refusal) {
		FILE *stream = open_memstream(&subject.call, &size);
		if (!stream)
			return 0;
		call_print(refusal->record, stream);
		if (fclose(stream))
			return 0;
	}
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id(id);
		for (size_t i = 0; i < gap->symptom_count; i++) {
			const struct gap_symptom *s = &gap->symptoms[i];
			const struct sign row = { s->program, s->call, s->message, s->source, CAUSE_NONE, s->error };
			consider(model, &subject, &row, id, s, &best, finding);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		consider(model, &subject, &signs[i], -1, NULL, &best, finding);
	free(subject.call);
	return best;
}
