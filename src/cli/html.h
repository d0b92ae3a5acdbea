/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes one self-contained HTML page: no script, no external resource, light and dark, right on a wide screen and on a phone (where
 * the rows of a table become cards). Every text goes through html_put(), which escapes it: it may come from anywhere.
 *
 *	struct html page;
 *	html_begin(&page, file, "lichen doctor", "host, kernel, when");
 *	html_note(&page, HTML_GOOD, "%s", verdict);                    a coloured box
 *	html_heading(&page, "Features");                               begins a section
 *	html_table(&page, (const char *const[]){ "Feature", "State", NULL });
 *	html_row(&page);
 *	html_cell(&page, HTML_STRONG, "%s", name);
 *	html_cell_begin(&page);                                        a cell of several pieces
 *	html_put(&page, HTML_BAD, "missing");
 *	html_put(&page, HTML_CODE, "%s", tried);
 *	html_cell_end(&page);
 *	html_table_end(&page);
 *	error = html_end(&page);
 *
 * Failures (no memory, the stream's) are kept and told by html_end(); nothing need be checked before.
 */
#ifndef LICHEN_CLI_HTML_H
#define LICHEN_CLI_HTML_H

#include <stdio.h>

#include "base/types.h"

enum html_tone {
	HTML_PLAIN,
	HTML_STRONG,
	HTML_FAINT,
	HTML_CODE, /* fixed width, may break anywhere */
	HTML_GOOD, /* the last three: a coloured label in a line, a coloured box as a note */
	HTML_WARN,
	HTML_BAD,
};

/* A page being written; none of it is the caller's to touch. */
struct html {
	FILE *to;
	int error; /* the first failure, negative errno */
	bool in_section;
	const char *const *heads; /* of the open table: the caller's, until html_table_end() */
	size_t column;
};

/* Begins a page. Title and subtitle are plain text. `to` stays the caller's. */
void html_begin(struct html *html, FILE *to, const char *title, const char *subtitle);

/* Ends the page and flushes the stream. Returns 0 or the negative errno of the first failure. */
int html_end(struct html *html) MUST_CHECK;

/* Begins a section. */
void html_heading(struct html *html, const char *text);

/* A piece of text within a line, formatted, then escaped: & < > " ' as entities; control characters and what is not UTF-8 as U+FFFD.
 * Newlines are kept by html_block() alone. */
void html_put(struct html *html, enum html_tone tone, const char *format, ...) PRINTF_LIKE(3, 4);

/* Goes on in a new line of the same cell or item. */
void html_break(struct html *html);

/* A paragraph; a box that stands out; a block of fixed-width lines (a transcript, a command to copy). */
void html_paragraph(struct html *html, const char *format, ...) PRINTF_LIKE(2, 3);
void html_note(struct html *html, enum html_tone tone, const char *format, ...) PRINTF_LIKE(3, 4);
void html_block(struct html *html, const char *format, ...) PRINTF_LIKE(2, 3);

/* A list of items, each a piece of text. */
void html_list(struct html *html);
void html_item(struct html *html, const char *format, ...) PRINTF_LIKE(2, 3);
void html_list_end(struct html *html);

/* A table: its column heads (NULL-terminated), rows, cells in the order of the heads. html_row() ends the row before. */
void html_table(struct html *html, const char *const *heads);
void html_row(struct html *html);
void html_cell(struct html *html, enum html_tone tone, const char *format, ...) PRINTF_LIKE(3, 4);
void html_cell_begin(struct html *html);
void html_cell_end(struct html *html);
void html_table_end(struct html *html);

#endif
