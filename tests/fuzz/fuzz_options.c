/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines: input is arguments, one a line, for a command with one option of each kind, and for the tables of `lichen run` and
 * `lichen doctor` themselves. Whatever is not an option must come out in its order.
 */
#include "cli/commands.h"
#include "cli/words.h"
#include "fuzz.h"
#include "gaps/registry.h"

#define ARGS_MAX 32

struct fields {
	bool flag, letter;
	const char *text;
	struct gap_set gaps;
	u64 guard;
};

static const struct option_row rows[] = {
	{ .name = "flag", .offset = offsetof(struct fields, flag), .help = "A flag" },
	{ .name = "letter", .letter = 'l', .offset = offsetof(struct fields, letter), .help = "Another" },
	{ .name = "text", .letter = 't', .value = "TEXT", .offset = offsetof(struct fields, text), .help = "A text" },
	{ .name = "gaps",
	  .letter = 'g',
	  .value = "GAP,…",
	  .offset = offsetof(struct fields, gaps),
	  .parse = parse_gaps,
	  .help = "Gaps" },
};

static void parse(const struct command *command, char *const *given, int argc)
{
	struct fields fields = { .guard = 0x5afe };
	struct option_error error = { "" };
	char *argv[ARGS_MAX + 1];
	int first = -1, result;

	memcpy(argv, given, sizeof(argv));
	result = options_parse(command, argc, argv, &fields, &first, &error);
	MUST(fields.guard == 0x5afe && memchr(error.text, 0, sizeof(error.text)));
	MUST(result == OPTIONS_OK || result == OPTIONS_HELP || result == OPTIONS_HELP_ALL || (result < 0 && error.text[0]));
	if (result == OPTIONS_OK) {
		MUST(first >= 1 && first <= argc && (fields.gaps.named & ~GAPS_ALL) == 0);
		for (int i = first, at = 1; i < argc; i++, at++) {
			while (at < argc && given[at] != argv[i])
				at++;
			MUST(at < argc);
		}
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct command command = { .name = "fuzz", .options = rows, .option_count = ARRAY_SIZE(rows), .usage_status = 64 };
	struct input in = { data, size };
	char *argv[ARGS_MAX + 1] = { strdup("fuzz") }, line[600];
	int argc = 1;

	while (in.left && argc < ARGS_MAX) {
		input_line(&in, line, sizeof(line));
		argv[argc++] = strdup(line);
	}
	parse(&command, argv, argc);
	command.word_ends_options = true;
	parse(&command, argv, argc);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return 0;
}
