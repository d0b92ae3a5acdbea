/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a unit file (systemd.syntax(7)): sections, assignments, comments, continued lines. Values are kept as they are written; what is no
 * assignment is noted and passed over, as systemd does.
 */
#ifndef LICHEN_UNITS_UNIT_TEXT_H
#define LICHEN_UNITS_UNIT_TEXT_H

#include "units/word_list.h"

#define UNIT_FILE_MAX (1u << 20) /* bytes; systemd's limit for one line */

struct unit_setting {
	char *section, *name, *value; /* without blanks around */
	char *file;
	unsigned line;
};

/* In the order in which they were read: a later one adds to a list, or replaces a value; an empty one clears a list. */
struct unit_settings {
	struct unit_setting *rows;
	size_t count, room;
};

/* Adds what a text says. `file`: what it is called in notes. 0 or -ENOMEM. */
int unit_text_parse(const char *text, size_t size, const char *file, struct unit_settings *into,
		    struct word_list *notes) MUST_CHECK;
/* The same for a file below `dir`. Also negative errno of reading it; -EFBIG. */
int unit_text_read(const char *path, struct unit_settings *into, struct word_list *notes) MUST_CHECK;
void unit_settings_done(struct unit_settings *settings);

/* Reads a whole file: its bytes (malloc, with a NUL behind them), or NULL with *ret_error. */
char *unit_file_read(const char *path, size_t limit, size_t *ret_size, int *ret_error) MUST_CHECK;

#endif
