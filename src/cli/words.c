// SPDX-License-Identifier: Apache-2.0
/* Words for people: spelling guesses, lists of gaps, errno in words, wrapped text, tables and colours for 80 columns. */
#include "cli/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gaps/registry.h"

#define WORD_MAX 32u

/* How many letters must be changed, added, dropped or swapped with their neighbour. Words are shorter than WORD_MAX. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	u8 d[WORD_MAX + 1][WORD_MAX + 1];
	for (size_t i = 0; i <= a_length; i++)
		d[i][0] = (u8)i;
	for (size_t j = 0; j <= b_length; j++)
		d[0][j] = (u8)j;
	for (size_t i = 1; i <= a_length; i++)
		for (size_t j = 1; j <= b_length; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1u < best)
				best = d[i - 1][j] + 1u;
			if (d[i][j - 1] + 1u < best)
				best = d[i][j - 1] + 1u;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1u < best)
				best = d[i - 2][j - 2] + 1u;
			d[i][j] = (u8)best;
		}
	return d[a_length][b_length];
}

void guess_consider(struct guess *guess, const char *candidate)
{
	size_t typed = strlen(guess->word), length = strlen(candidate);
	if (typed == 0 || typed > WORD_MAX || length > WORD_MAX)
		return;
	/* The beginning of a word counts as that word with one mistake. */
	size_t far =
		typed >= 3 && strncmp(candidate, guess->word, typed) == 0 ? 1 : distance(guess->word, typed, candidate, length);
	size_t limit = length < 5 ? 1 : length < 9 ? 2 : 3;
	if (far <= limit && (!guess->best || far < guess->distance)) {
		guess->best = candidate;
		guess->distance = far;
	}
}

/* One name of a list. */
static int parse_gap(struct gap_set *set, const char *name, struct option_error *error)
{
	if (strcmp(name, "all") == 0) {
		set->all = true;
		return 0;
	}
	int id = gap_find(name);
	if (id >= 0) {
		set->named |= GAP_BIT(id);
		return 0;
	}
	char known[256];
	struct guess guess = { .word = name };
	for (int i = 0; i < GAP_COUNT; i++)
		guess_consider(&guess, gap_by_id(i)->name);
	gap_names(GAPS_ALL, known, sizeof(known));
	if (guess.best)
		snprintf(error->text, sizeof(error->text), "unknown gap '%s'; did you mean '%s'? Known: %s", name, guess.best,
			 known);
	else
		snprintf(error->text, sizeof(error->text), "unknown gap '%s'; known: %s", name, known);
	return -EINVAL;
}

int parse_gaps(void *field, const char *value, struct option_error *error)
{
	while (true) {
		char name[64];
		size_t length = strcspn(value, ",");
		snprintf(name, sizeof(name), "%.*s", (int)(length > 63 ? 63 : length), value);
		int result = parse_gap(field, name, error);
		if (result || !value[length])
			return result;
		value += length + 1;
	}
}

const char *gap_names(u32 gaps, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (int id = 0; id < GAP_COUNT && used < size; id++) {
		if (!(gaps & GAP_BIT(id)))
			continue;
		bool last = (gaps >> id) == 1;
		const char *before = used == 0 ? "" : last ? " and " : ", ";
		used += (size_t)snprintf(text + used, size - used, "%s%s", before, gap_by_id(id)->name);
	}
	return text;
}

const char *errno_name(int error)
{
	static char number[24];
	const char *name = strerrorname_np(error);
	if (name)
		return name;
	snprintf(number, sizeof(number), "error %d", error);
	return number;
}

/* Bytes of the first `columns` characters. */
static size_t bytes_of(const char *text, size_t columns)
{
	size_t at = 0;
	while (text[at] && columns > 0) {
		at++;
		while (((u8)text[at] & 0xc0) == 0x80)
			at++;
		columns--;
	}
	return at;
}

size_t text_width(const char *text)
{
	size_t columns = 0;
	for (; *text; text++)
		columns += ((u8)*text & 0xc0) != 0x80;
	return columns;
}

/* How many bytes of the text go on a line of `width` columns; *ret_next is where the following line begins. */
static size_t line_length(const char *text, size_t width, const char **ret_next)
{
	size_t fits = bytes_of(text, width);
	size_t length = fits;
	if (text[fits]) {
		while (length > 0 && text[length] != ' ')
			length--;
		if (length == 0) /* one word longer than the line: broken behind punctuation, or anywhere */
			for (length = fits; length > 1 && !strchr("(/,=", text[length - 1]);)
				length--;
		if (length <= 1)
			length = fits;
	}
	const char *next = text + length;
	while (*next == ' ')
		next++;
	while (length > 0 && text[length - 1] == ' ')
		length--;
	*ret_next = next;
	return length;
}

void text_wrap(const char *text, unsigned indent, FILE *to)
{
	while (true) {
		const char *start = text;
		size_t length = line_length(start, SCREEN_COLUMNS - indent, &text);
		fprintf(to, "%.*s\n", (int)length, start);
		if (!*text)
			break;
		fprintf(to, "%*s", (int)indent, "");
	}
}

/* A terminal that is not dumb, and no NO_COLOR in the environment (no-color.org). */
static bool colours_wanted(FILE *to)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return !(no && *no) && term && strcmp(term, "dumb") != 0 && isatty(fileno(to));
}

void print_row(const struct cell *cells, size_t count, FILE *to)
{
	static const char *const codes[] = {
		[COLOUR_NONE] = "", [COLOUR_BOLD] = "1", [COLOUR_GREEN] = "32", [COLOUR_YELLOW] = "33", [COLOUR_RED] = "31",
	};
	const char *rest[8] = { NULL };
	bool colours = colours_wanted(to), more = true;
	for (size_t i = 0; i < count && i < ARRAY_SIZE(rest); i++)
		rest[i] = cells[i].text;
	while (more) {
		unsigned blanks = 0; /* owed before the next text: lines end without trailing blanks */
		more = false;
		for (size_t i = 0; i < count && i < ARRAY_SIZE(rest); i++) {
			const char *start = rest[i];
			size_t length = line_length(start, cells[i].width - 1, &rest[i]);
			char line[SCREEN_COLUMNS * 4 + 1];
			snprintf(line, sizeof(line), "%.*s", (int)length, start);
			if (length > 0) {
				bool dye = colours && cells[i].colour != COLOUR_NONE;
				fprintf(to, "%*s", (int)blanks, "");
				if (dye)
					fprintf(to, "\033[%sm%s\033[0m", codes[cells[i].colour], line);
				else
					fputs(line, to);
				blanks = 0;
			}
			blanks += cells[i].width - (unsigned)text_width(line);
			more |= *rest[i] != '\0';
		}
		fputc('\n', to);
	}
}
