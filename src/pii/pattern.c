// SPDX-License-Identifier: Apache-2.0
/* Regular expressions over complete lines. Each pattern has its next match at hand; the smallest is told before a trigger behind it is decided. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pii/pattern.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pii_pattern {
	pcre2_code *code;
	char name[PII_NAME_MAX + 1];
};

/* A piece of a line, or a whole one without its end. */
struct piece {
	size_t start, end;
	size_t next;  /* where the next one begins; matches begin before it */
	bool goes_on; /* the line begins before it */
};

struct seeker {
	const struct pii_pattern *pattern;
	pcre2_match_data *data;
	struct piece piece; /* looked at */
	size_t at;          /* in it: where to look on */
	size_t start, end;  /* its next match; start = SIZE_MAX: none in complete lines */
};

struct line_patterns {
	pcre2_match_context *limits;
	struct piece piece; /* the next that is not complete yet */
	size_t complete;    /* up to there, pieces are complete */
	size_t count;
	struct seeker seekers[PII_PATTERNS_MAX];
};

/* --- one pattern ---------------------------------------------------------------------------------------------------------------------- */

int pii_pattern_new(const char *name, const char *expression, struct pii_pattern **ret_pattern, char *why, size_t why_size)
{
	size_t size = strlen(name), offset;
	int code;
	if (size == 0 || size > PII_NAME_MAX ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") < size) {
		snprintf(why, why_size, "'%.80s' is no name: letters, digits and '_', at most %u", name, PII_NAME_MAX);
		return -EINVAL;
	}
	struct pii_pattern *pattern = calloc(1, sizeof(*pattern));
	if (!pattern)
		return -ENOMEM;
	memcpy(pattern->name, name, size);
	pattern->code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
				      PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
	if (!pattern->code) {
		PCRE2_UCHAR text[160];
		pcre2_get_error_message(code, text, sizeof(text));
		snprintf(why, why_size, "the expression of %s is wrong at character %zu: %s", name, offset + 1, (const char *)text);
		free(pattern);
		return -EINVAL;
	}
	/* Where memory may not be executable the interpreter does it. */
	(void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	*ret_pattern = pattern;
	return 0;
}

const char *pii_pattern_name(const struct pii_pattern *pattern)
{
	return pattern->name;
}

void pii_pattern_free(struct pii_pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_code_free(pattern->code);
	free(pattern);
}

/* --- lines ---------------------------------------------------------------------------------------------------------------------------- */

/* The piece that begins at a position. Returns whether it is complete. */
static bool find_piece(const struct view *view, struct piece *piece)
{
	size_t left = view->end - piece->start, reach = left < PATTERN_LINE ? left : PATTERN_LINE;
	const u8 *line = memchr(view->text + piece->start, '\n', reach);
	if (line) {
		piece->end = (size_t)(line - view->text);
		piece->next = piece->end + 1;
		return true;
	}
	piece->end = piece->start + reach;
	piece->next = left > PATTERN_LINE || (left == PATTERN_LINE && view->more) ? piece->start + PATTERN_STRIDE : piece->end;
	return reach == PATTERN_LINE || (!view->more && reach > 0);
}

static void next_piece(const struct view *view, struct piece *piece)
{
	bool goes_on = view->text[piece->next - 1] != '\n';
	*piece = (struct piece){ .start = piece->next, .goes_on = goes_on };
}

/* Finds the next match in complete lines. Returns 0, -ELOOP or -ENOMEM. */
static int seek(const struct line_patterns *lines, struct seeker *seeker, const struct view *view)
{
	seeker->start = SIZE_MAX;
	while (seeker->piece.start < lines->complete && find_piece(view, &seeker->piece)) {
		const struct piece *piece = &seeker->piece;
		if (seeker->at < piece->start)
			seeker->at = piece->start;
		int count = seeker->at > piece->end
				  ? PCRE2_ERROR_NOMATCH
				  : pcre2_match(seeker->pattern->code, view->text + piece->start, piece->end - piece->start,
						seeker->at - piece->start, (piece->goes_on ? PCRE2_NOTBOL : 0) | PCRE2_NOTEMPTY,
						seeker->data, lines->limits);
		if (count == PCRE2_ERROR_NOMEMORY)
			return -ENOMEM;
		if (count < 0 && count != PCRE2_ERROR_NOMATCH)
			return -ELOOP;
		const size_t *found = pcre2_get_ovector_pointer(seeker->data);
		if (count >= 0 && found[0] < found[1] && piece->start + found[0] < piece->next) {
			seeker->start = piece->start + found[0];
			seeker->end = piece->start + found[1];
			seeker->at = seeker->end;
			return 0;
		}
		next_piece(view, &seeker->piece);
	}
	return 0;
}

/* Tells the matches that begin up to a position. */
static int tell_before(void *user, struct scanner *scanner, const struct view *view, size_t at)
{
	struct line_patterns *lines = user;
	for (;;) {
		struct seeker *first = &lines->seekers[0];
		for (size_t i = 1; i < lines->count; i++)
			if (lines->seekers[i].start < first->start)
				first = &lines->seekers[i];
		if (first->start > at || first->start == SIZE_MAX)
			return 0;
		const struct match match = {
			.start = first->start,
			.end = first->end,
			.entity = PII_ENTITY_COUNT + (unsigned)(first - lines->seekers),
			.score = 100,
		};
		int error = scanner->take(scanner->user, &match);
		if (!error)
			error = seek(lines, first, view);
		if (error)
			return error;
	}
}

int line_patterns_scan(struct line_patterns *lines, struct scanner *scanner, struct view *view, size_t *next)
{
	while (find_piece(view, &lines->piece) && lines->piece.start < view->end) {
		lines->complete = lines->piece.next;
		next_piece(view, &lines->piece);
	}
	for (size_t i = 0; i < lines->count; i++) {
		int error = lines->seekers[i].start == SIZE_MAX ? seek(lines, &lines->seekers[i], view) : 0;
		if (error)
			return error;
	}
	scanner->until = lines->complete;
	scanner->before = tell_before;
	scanner->before_user = lines;
	int error = scan_text(scanner, view, *next, next);
	if (!error && *next > 0)
		error = tell_before(lines, scanner, view, *next - 1);
	return error;
}

void line_patterns_drop(struct line_patterns *lines, size_t bytes)
{
	lines->complete -= lines->complete < bytes ? lines->complete : bytes;
	lines->piece.start -= bytes;
	for (size_t i = 0; i < lines->count; i++) {
		struct seeker *seeker = &lines->seekers[i];
		seeker->piece.start -= bytes;
		seeker->at -= seeker->at < bytes ? seeker->at : bytes;
		if (seeker->start != SIZE_MAX) {
			seeker->start -= bytes;
			seeker->end -= bytes;
		}
	}
}

/* --- life ----------------------------------------------------------------------------------------------------------------------------- */

int line_patterns_new(const struct pii_options *options, struct line_patterns **ret_patterns)
{
	if (options->pattern_count > PII_PATTERNS_MAX)
		return -E2BIG;
	struct line_patterns *lines = calloc(1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	bool lost = false;
	lines->limits = pcre2_match_context_create(NULL);
	lost |= !lines->limits;
	lines->count = options->pattern_count;
	for (size_t i = 0; i < lines->count; i++) {
		lines->seekers[i] = (struct seeker){
			.pattern = options->patterns[i],
			.data = pcre2_match_data_create(1, NULL),
			.start = SIZE_MAX,
		};
		lost |= !lines->seekers[i].data;
	}
	if (lost) {
		line_patterns_free(lines);
		return -ENOMEM;
	}
	pcre2_set_match_limit(lines->limits, PATTERN_MATCH_LIMIT);
	pcre2_set_depth_limit(lines->limits, PATTERN_DEPTH_LIMIT);
	pcre2_set_heap_limit(lines->limits, PATTERN_HEAP_LIMIT);
	*ret_patterns = lines;
	return 0;
}

void line_patterns_free(struct line_patterns *lines)
{
	if (!lines)
		return;
	for (size_t i = 0; i < lines->count; i++)
		pcre2_match_data_free(lines->seekers[i].data);
	pcre2_match_context_free(lines->limits);
	free(lines);
}
