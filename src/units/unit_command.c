/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of a service. */
#include "units/unit_command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "units/unit_word.h"

void unit_commands_done(struct unit_commands *commands)
{
	for (size_t i = 0; i < commands->count; i++) {
		free(commands->rows[i].program);
		word_list_done(&commands->rows[i].argv);
	}
	free(commands->rows);
	*commands = (struct unit_commands){ 0 };
}

/* Takes the prefixes off the first word. *ret_named: its second word is what the program is to be called. */
static const char *take_prefixes(const char *word, struct unit_command *command, bool *ret_named)
{
	for (;; word++) {
		switch (*word) {
		case '-':
			command->ignore_failure = true;
			break;
		case ':':
			command->literal = true;
			break;
		case '+':
		case '!':
			command->privileged = true;
			break;
		case '@':
			*ret_named = true;
			break;
		default:
			return word;
		}
	}
}

static struct unit_command *add(struct unit_commands *commands)
{
	struct unit_command *more = reallocarray(commands->rows, commands->count + 1, sizeof(*more));

	if (!more)
		return NULL;
	commands->rows = more;
	more += commands->count++;
	*more = (struct unit_command){ 0 };
	return more;
}

/* One word of a command, specifiers replaced. */
static int add_word(const struct unit *unit, const char *word, struct unit_command *command, bool *named, bool first)
{
	char *text = NULL;
	int r;

	if (first)
		word = take_prefixes(word, command, named);
	r = unit_specifiers(word, &unit->name, &unit->place, &text);
	if (r < 0)
		return r;
	if (first) {
		command->program = strdup(text);
		if (!*text || !command->program) {
			free(text);
			return command->program ? -EINVAL : -ENOMEM;
		}
		if (*named) {
			free(text);
			return 0;
		}
	}
	return word_list_take(&command->argv, text);
}

/* One value: commands, separated by words `;`. */
static int parse(const struct unit *unit, const char *value, struct unit_commands *ret)
{
	for (;;) {
		struct unit_command *command = NULL;
		bool named = false;
		char *word;
		int r;

		while ((r = unit_word_next(&value, UNIT_WORD_COMMAND, &word)) > 0) {
			bool first = !command;

			if (first)
				command = add(ret);
			r = command ? add_word(unit, word, command, &named, first) : -ENOMEM;
			free(word);
			if (r < 0)
				return r;
		}
		if (command && !command->argv.count)
			return -EINVAL; /* @ without a name */
		if (r != -EPIPE)
			return r;
	}
}

int unit_commands(const struct unit *unit, const char *section, const char *name, struct unit_commands *ret, char **ret_why)
{
	struct unit_commands all = { 0 };
	const struct unit_setting *row;
	size_t at = 0;
	int r = 0;

	while (r == 0 && (row = unit_next(unit, section, name, &at))) {
		r = parse(unit, row->value, &all);
		if (r == -EINVAL &&
		    asprintf(ret_why, "%s:%u: %s= cannot be understood: %.200s", row->file, row->line, name, row->value) < 0)
			r = -ENOMEM;
	}
	if (r < 0)
		unit_commands_done(&all);
	else
		*ret = all;
	return r;
}

static size_t name_length(const char *at)
{
	size_t length = 0;

	if (!isalpha((unsigned char)*at) && *at != '_')
		return 0;
	while (isalnum((unsigned char)at[length]) || at[length] == '_')
		length++;
	return length;
}

/* A word with ${VAR} replaced, and `$$` a dollar sign. */
static int expand_word(const char *word, const struct word_list *env, struct word_list *ret)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return -ENOMEM;
	for (; *word; word++) {
		size_t length = word[0] == '$' && word[1] == '{' ? name_length(word + 2) : 0;
		const char *value;

		if (length && word[length + 2] == '}') {
			value = word_list_value(env, word + 2, length);
			(void)fputs(value ? value : "", to);
			word += length + 2;
			continue;
		}
		(void)fputc(*word, to);
		if (word[0] == '$' && word[1] == '$')
			word++;
	}
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	return word_list_take(ret, text);
}

int unit_command_expand(const struct unit_command *command, const struct word_list *env, struct word_list *ret)
{
	int r = 0;

	for (size_t i = 0; i < command->argv.count && r == 0; i++) {
		const char *word = command->argv.words[i];
		size_t length = *word == '$' ? name_length(word + 1) : 0;
		const char *value;

		if (command->literal || (i == 0 && !strchr(word, '$'))) {
			r = word_list_add(ret, word);
		} else if (length && !word[length + 1]) { /* $VAR: its words */
			value = word_list_value(env, word + 1, length);
			r = value ? unit_words(value, UNIT_WORD_RELAXED, ret) : 0;
		} else {
			r = expand_word(word, env, ret);
		}
	}
	return r;
}
