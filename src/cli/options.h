/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines from tables: one row an option gives its parsing and its line of --help. To add an option, add a row to the command's
 * table and a field to its struct.
 *
 * Accepted: --name=VALUE, --name VALUE, -nVALUE, -n VALUE, -n=VALUE, bundled letters (-ab, the last of which may take a value),
 * `--` as the end of options. --help and -h are known to every command. A repeated option's last value counts; an OPTION with
 * `parse` decides for itself.
 *
 * A row without a name is a heading. A command with headings has a --help of one screen, and --help=all with every option.
 */
#ifndef LICHEN_CLI_OPTIONS_H
#define LICHEN_CLI_OPTIONS_H

#include <stdio.h>

#include "base/types.h"

/* Why a command line was refused, as a sentence without the program's name and without a full stop. */
struct option_error {
	char text[512];
};

struct option_row {
	const char *name;  /* long name without the dashes; NULL: `help` is a heading for the rows that follow */
	char letter;       /* short name, 0 = none */
	bool rare;         /* the one-screen --help lists it by name only */
	bool may_be_empty; /* --name= is a value */
	const char *value; /* what --help calls its value: "GAP,…"; NULL = takes none */
	const char *help;  /* one sentence without a full stop; wrapped by --help */
	size_t offset;     /* of its field in the command's struct */
	/*
	 * NULL: the field is a bool, set to true (no value), or a const char *, pointed at the value. Else stores `value` (never empty)
	 * in `field`, or writes error->text and returns negative errno.
	 */
	int (*parse)(void *field, const char *value, struct option_error *error);
};

struct command {
	const char *name;     /* "run" */
	const char *synopsis; /* what follows "lichen run" in the usage line */
	const char *summary;  /* one line: `lichen help` */
	const struct option_row *options;
	size_t option_count;
	bool word_ends_options;            /* the first argument that is no option ends them: what follows is another program's */
	int usage_status;                  /* exit status for a wrong command line */
	const char *const *notes;          /* paragraphs that close --help, NULL-terminated; may be NULL */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

enum options_outcome {
	OPTIONS_OK,
	OPTIONS_HELP,     /* --help was met before any error */
	OPTIONS_HELP_ALL, /* --help=all */
};

/* A list of words, for options that may be repeated. */
struct option_words {
	const char **words; /* NULL-terminated; NULL = none */
	size_t count;
};

/* An option_row.parse for a struct option_words: adds the value, which is not copied. */
int options_add_word(void *field, const char *value, struct option_error *error);
/* Hands each line KEY[=VALUE] of a file to `add`, without blanks before it, empty lines and comments; until it returns other than 0. Returns that; or -EINVAL
 * with a sentence in error->text. */
int options_each_line(const char *path, int (*add)(void *field, const char *line, struct option_error *error), void *field,
		      struct option_error *error);
/* Writes a sentence into error->text. Returns -EINVAL. */
int options_refuse(struct option_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Parses argv[1…argc-1] into `into`. Arguments that are no options are moved to the end of argv in their order; *ret_first is the
 * index of the first of them (argc when there are none). Returns enum options_outcome; or -EINVAL with error->text filled.
 * Values are not copied: the struct points into argv.
 */
int options_parse(const struct command *command, int argc, char **argv, void *into, int *ret_first,
		  struct option_error *error) MUST_CHECK;

/* Prints the command's --help; all: with every option. */
void options_help(const struct command *command, bool all, FILE *to);

#endif
