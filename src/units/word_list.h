/* SPDX-License-Identifier: Apache-2.0 */
/* A growing, NULL-terminated array of strings that it owns. Empty is { 0 }. */
#ifndef LICHEN_UNITS_WORD_LIST_H
#define LICHEN_UNITS_WORD_LIST_H

#include "base/types.h"

struct word_list {
	char **words; /* NULL while nothing was added */
	size_t count;
};

/* Adds a copy. 0 or -ENOMEM. */
int word_list_add(struct word_list *list, const char *word) MUST_CHECK;
/* Adds the string itself, which is freed when that fails; NULL: -ENOMEM. */
int word_list_take(struct word_list *list, char *word) MUST_CHECK;
/* Adds a formatted string. 0 or -ENOMEM. */
int word_list_printf(struct word_list *list, const char *format, ...) PRINTF_LIKE(2, 3);
bool word_list_has(const struct word_list *list, const char *word);
/* Sets KEY=VALUE, in the place of an older value of KEY. 0 or -ENOMEM. */
int word_list_assign(struct word_list *list, const char *assignment) MUST_CHECK;
/* Removes KEY=…, or the very assignment. */
void word_list_unset(struct word_list *list, const char *word);
/* The value of KEY; NULL: it is not set. */
const char *word_list_value(const struct word_list *list, const char *key, size_t length);
void word_list_done(struct word_list *list);

#endif
