/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array of strings. */
#include "units/word_list.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int word_list_take(struct word_list *list, char *word)
{
	char **words = word ? reallocarray(list->words, list->count + 2, sizeof(*words)) : NULL;

	if (!words) {
		free(word);
		return -ENOMEM;
	}
	words[list->count++] = word;
	words[list->count] = NULL;
	list->words = words;
	return 0;
}

int word_list_add(struct word_list *list, const char *word)
{
	return word_list_take(list, strdup(word));
}

int word_list_printf(struct word_list *list, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? -ENOMEM : word_list_take(list, text);
}

bool word_list_has(const struct word_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->words[i], word) == 0)
			return true;
	return false;
}

int word_list_assign(struct word_list *list, const char *assignment)
{
	size_t length = strcspn(assignment, "=");

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->words[i], assignment, length) == 0 && list->words[i][length] == '=') {
			char *copy = strdup(assignment);

			if (!copy)
				return -ENOMEM;
			free(list->words[i]);
			list->words[i] = copy;
			return 0;
		}
	return word_list_add(list, assignment);
}

void word_list_unset(struct word_list *list, const char *word)
{
	size_t kept = 0, length = strlen(word);
	bool whole = strchr(word, '=') != NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->words[i], word, length) == 0 && list->words[i][length] == (whole ? '\0' : '='))
			free(list->words[i]);
		else
			list->words[kept++] = list->words[i];
	}
	list->count = kept;
	if (list->words)
		list->words[kept] = NULL;
}

const char *word_list_value(const struct word_list *list, const char *key, size_t length)
{
	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->words[i], key, length) == 0 && list->words[i][length] == '=')
			return list->words[i] + length + 1;
	return NULL;
}

void word_list_done(struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->words[i]);
	free((void *)list->words);
	*list = (struct word_list){ 0 };
}
