/* SPDX-License-Identifier: Apache-2.0 */
/* Words for people: spelling guesses, lists of gaps, errno in words, wrapped text, tables and colours for 80 columns. */
#ifndef LICHEN_CLI_WORDS_H
#define LICHEN_CLI_WORDS_H

#include <stdio.h>

#include "base/types.h"
#include "cli/options.h"

#define SCREEN_COLUMNS 80u

/* The word closest to what was typed, out of those considered, if any is close. Start with { .word = typed }. */
struct guess {
	const char *word;
	const char *best; /* NULL while nothing is close enough to be meant */
	size_t distance;
};

/* `candidate` is not copied. */
void guess_consider(struct guess *guess, const char *candidate);

/* Gaps as a command line names them. What "all" stands for is for the option to say. */
struct gap_set {
	u32 named; /* bit per enum gap_id */
	bool all;
};

/* An option_row.parse for a struct gap_set: adds gap names, separated by commas, or "all". */
int parse_gaps(void *field, const char *value, struct option_error *error);

/* Writes the names of a set of gaps, "a, b and c". Returns `text`. */
const char *gap_names(u32 gaps, char *text, size_t size);

/* "EPERM" for EPERM, "error 512" for numbers without a name. The result lives until the next call. */
const char *errno_name(int error);

/* Columns that a UTF-8 text takes on a terminal, one for each character. */
size_t text_width(const char *text);

/* Prints a text, continuing at column `indent` whenever the screen's width is reached, and a newline. */
void text_wrap(const char *text, unsigned indent, FILE *to);

enum colour {
	COLOUR_NONE,
	COLOUR_BOLD,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_RED,
};

/* One cell of a table row: its text is wrapped within `width` columns, the last of which stays blank. */
struct cell {
	const char *text;
	unsigned width;
	enum colour colour;
};

/* Prints the cells side by side, on as many lines as the longest needs. Colours only on a terminal that has them, and without NO_COLOR. */
void print_row(const struct cell *cells, size_t count, FILE *to);

#endif
