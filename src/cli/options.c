// SPDX-License-Identifier: Apache-2.0
/* Command lines from tables. */
#include "cli/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/words.h"

#define HELP_COLUMN 28 /* where the descriptions of --help begin */

/* The state of one parse. */
struct parse {
	const struct command *command;
	int argc, at; /* at: the argument being read */
	char **argv;
	char *into;
	struct option_error *error;
};

static int fail(struct parse *parse, const char *format, ...) PRINTF_LIKE(2, 3);
static int fail(struct parse *parse, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(parse->error->text, sizeof(parse->error->text), format, args);
	va_end(args);
	return -EINVAL;
}

int options_refuse(struct option_error *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

int options_add_word(void *field, const char *value, struct option_error *error)
{
	struct option_words *list = field;
	const char **more = reallocarray((void *)list->words, list->count + 2, sizeof(*more));
	if (!more)
		return options_refuse(error, "out of memory");
	more[list->count++] = value;
	more[list->count] = NULL;
	list->words = more;
	return 0;
}

int options_each_line(const char *path, int (*add)(void *field, const char *line, struct option_error *error), void *field,
		      struct option_error *error)
{
	char *line = NULL;
	size_t room = 0;
	int result = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return options_refuse(error, "cannot read '%.200s': %s (%s)", path, strerror(errno), errno_name(errno));
	for (ssize_t n; result == 0 && (n = getline(&line, &room, file)) >= 0;) {
		const char *start = line + strspn(line, " \t");
		line[strcspn(line, "\r\n")] = '\0';
		if (!*start || *start == '#')
			continue;
		if (*start == '=' || strlen(line) + 2 < (size_t)n) /* a NUL, or a carriage return, in its midst */
			result = options_refuse(error, "a line of '%.200s' is no KEY=VALUE: '%.100s'", path, start);
		else
			result = add(field, start, error);
	}
	free(line);
	if (result == 0 && ferror(file))
		result = options_refuse(error, "cannot read '%.200s'", path);
	fclose(file);
	return result;
}

static int store(struct parse *parse, const struct option_row *row, const char *value)
{
	void *field = parse->into + row->offset;
	if (row->value && !value)
		return fail(parse, "option '--%s' needs a value: %s", row->name, row->value);
	if (row->value && !*value && !row->may_be_empty)
		return fail(parse, "option '--%s' needs a value: %s", row->name, row->value);
	if (row->parse)
		return row->parse(field, value, parse->error);
	if (row->value)
		memcpy(field, &value, sizeof(value));
	else
		*(bool *)field = true;
	return 0;
}

/* The value of an option that did not bring one along: the next argument. "--" is none: `--learn -- CMD` is a value that was forgotten. */
static const char *next_value(struct parse *parse)
{
	if (parse->at + 1 >= parse->argc || strcmp(parse->argv[parse->at + 1], "--") == 0)
		return NULL;
	return parse->argv[++parse->at];
}

static int unknown_long(struct parse *parse, const char *name, size_t length)
{
	char typed[64];
	snprintf(typed, sizeof(typed), "%.*s", (int)(length > 63 ? 63 : length), name);
	struct guess guess = { .word = typed };
	for (size_t i = 0; i < parse->command->option_count; i++)
		if (parse->command->options[i].name)
			guess_consider(&guess, parse->command->options[i].name);
	guess_consider(&guess, "help");
	if (guess.best)
		return fail(parse, "unknown option '--%s'; did you mean '--%s'?", typed, guess.best);
	return fail(parse, "unknown option '--%s'", typed);
}

/* --name or --name=VALUE; `text` is what follows the dashes. */
static int parse_long(struct parse *parse, const char *text)
{
	size_t length = strcspn(text, "=");
	const char *value = text[length] ? text + length + 1 : NULL;
	if (length == 4 && memcmp(text, "help", 4) == 0) {
		if (value && strcmp(value, "all") != 0)
			return fail(parse, "option '--help' takes no value but 'all', not '%.40s'", value);
		return value ? OPTIONS_HELP_ALL : OPTIONS_HELP;
	}
	for (size_t i = 0; i < parse->command->option_count; i++) {
		const struct option_row *row = &parse->command->options[i];
		if (!row->name || strlen(row->name) != length || memcmp(row->name, text, length) != 0)
			continue;
		if (!row->value && value)
			return fail(parse, "option '--%s' takes no value", row->name);
		return store(parse, row, row->value && !value ? next_value(parse) : value);
	}
	return unknown_long(parse, text, length);
}

static const struct option_row *find_letter(const struct command *command, char letter)
{
	for (size_t i = 0; i < command->option_count; i++)
		if (command->options[i].name && command->options[i].letter == letter)
			return &command->options[i];
	return NULL;
}

/* -a, -ab, -nVALUE, -n=VALUE; `text` is what follows the dash, at least one letter. */
static int parse_short(struct parse *parse, const char *text)
{
	for (; *text; text++) {
		const struct option_row *row = find_letter(parse->command, *text);
		if (!row && *text == 'h')
			return OPTIONS_HELP;
		if (!row)
			return fail(parse, "unknown option '-%c'", *text);
		if (row->value) {
			const char *value = text[1] == '=' ? text + 2 : text + 1;
			return store(parse, row, text[1] ? value : next_value(parse));
		}
		int result = store(parse, row, NULL);
		if (result)
			return result;
	}
	return OPTIONS_OK;
}

int options_parse(const struct command *command, int argc, char **argv, void *into, int *ret_first, struct option_error *error)
{
	struct parse parse = { .command = command, .argc = argc, .at = 1, .argv = argv, .into = into, .error = error };
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	int count = 0, result = OPTIONS_OK;
	if (!words)
		return fail(&parse, "out of memory");
	for (; parse.at < argc; parse.at++) {
		char *arg = argv[parse.at];
		bool is_end = strcmp(arg, "--") == 0;
		bool is_word = arg[0] != '-' || arg[1] == '\0'; /* a lone dash is a word */
		if (is_end || (is_word && command->word_ends_options)) {
			for (parse.at += is_end; parse.at < argc; parse.at++)
				words[count++] = argv[parse.at];
			break;
		}
		if (is_word) {
			words[count++] = arg;
			continue;
		}
		result = arg[1] == '-' ? parse_long(&parse, arg + 2) : parse_short(&parse, arg + 1);
		if (result != OPTIONS_OK)
			break;
	}
	if (result == OPTIONS_OK) {
		*ret_first = argc - count;
		memcpy(argv + argc - count, words, (size_t)count * sizeof(*words));
	}
	free(words);
	return result;
}

static void print_option(const struct option_row *row, FILE *to)
{
	char left[64] = "";
	if (row->letter)
		snprintf(left, sizeof(left), "  -%c, --%s", row->letter, row->name);
	else
		snprintf(left, sizeof(left), "      --%s", row->name);
	fprintf(to, "%s%s%s", left, row->value ? "=" : "", row->value ? row->value : "");
	size_t width = text_width(left) + (row->value ? 1 + text_width(row->value) : 0);
	if (width + 1 < HELP_COLUMN)
		fprintf(to, "%*s", (int)(HELP_COLUMN - width), "");
	else
		fprintf(to, "\n%*s", HELP_COLUMN, "");
	text_wrap(row->help, HELP_COLUMN, to);
}

/* The rare options of one heading, by name, as many to a line as there is room for. */
static void print_rare(const struct command *command, size_t from, FILE *to)
{
	size_t column = 0;
	for (size_t i = from; i < command->option_count && command->options[i].name; i++) {
		const struct option_row *row = &command->options[i];
		char word[80], letter[8] = "";
		if (!row->rare)
			continue;
		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		snprintf(word, sizeof(word), "%s--%s%s", letter, row->name, row->value ? "=" : "");
		if (column && column + 2 + strlen(word) < SCREEN_COLUMNS)
			column += (size_t)fprintf(to, "  %s", word);
		else
			column = (size_t)fprintf(to, "%s      %s", column ? "\n" : "", word) - (column != 0);
	}
	if (column)
		fputc('\n', to);
}

static bool has_headings(const struct command *command)
{
	for (size_t i = 0; i < command->option_count; i++)
		if (!command->options[i].name)
			return true;
	return false;
}

void options_help(const struct command *command, bool all, FILE *to)
{
	static const struct option_row help = { .name = "help", .letter = 'h', .help = "print this and exit" }, both = {
		.name = "help", .letter = 'h', .help = "print this and exit; --help=all: tell about every option"
	};
	bool headings = has_headings(command);
	fprintf(to, "Usage: lichen %s %s\n", command->name, command->synopsis);
	fprintf(to, "%s.\n%s", command->summary, headings ? "" : "\n");
	size_t heading = 0;
	for (size_t i = 0; i < command->option_count; i++) {
		const struct option_row *row = &command->options[i];
		if (!row->name) {
			if (!all && heading)
				print_rare(command, heading, to);
			fprintf(to, "%s%s:\n", all ? "\n" : "", row->help);
			heading = i + 1;
		} else if (all || !row->rare) {
			print_option(row, to);
		}
	}
	if (!all && heading)
		print_rare(command, heading, to);
	print_option(headings ? &both : &help, to);
	if (command->notes)
		fputc('\n', to);
	for (const char *const *note = command->notes; note && *note; note++)
		text_wrap(*note, 0, to);
}
