/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a value: quotes and C escapes as in systemd.syntax(7), "Quoting". */
#ifndef LICHEN_UNITS_UNIT_WORD_H
#define LICHEN_UNITS_UNIT_WORD_H

#include "units/word_list.h"

enum unit_word_flag {
	UNIT_WORD_RELAXED = 1, /* an unknown escape stays as it is written; an unclosed quote ends with the text */
	UNIT_WORD_COMMAND = 2, /* a word `;` of its own, unquoted, ends the command: -EPIPE. `\;` is a `;` */
};

/*
 * Takes the next word off *at: 1, and *ret (free(3)) is the word; 0: there is none; -EINVAL: a quote is not closed, or an escape unknown;
 * -EPIPE, -ENOMEM.
 */
int unit_word_next(const char **at, unsigned flags, char **ret) MUST_CHECK;

/* All words of a value. 0 or negative errno as above; then those before it are in the list. */
int unit_words(const char *value, unsigned flags, struct word_list *into) MUST_CHECK;

#endif
