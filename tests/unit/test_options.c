// SPDX-License-Identifier: Apache-2.0
/* Command lines: every accepted form, and what is said about the others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "unit.h"

struct given {
	bool all, brief;
	const char *dir;
	unsigned numbers;
};

static int parse_number(void *field, const char *value, struct option_error *error)
{
	if (strlen(value) != 1 || *value < '0' || *value > '9') {
		snprintf(error->text, sizeof(error->text), "'%s' is no digit", value);
		return -EINVAL;
	}
	*(unsigned *)field = *(unsigned *)field * 10 + (unsigned)(*value - '0');
	return 0;
}

static const struct option_row rows[] = {
	{ .name = "all", .letter = 'a', .help = "all", .offset = offsetof(struct given, all) },
	{ .name = "brief", .letter = 'b', .help = "brief", .offset = offsetof(struct given, brief) },
	{ .name = "workdir", .letter = 'w', .value = "DIR", .help = "dir", .offset = offsetof(struct given, dir) },
	{ .name = "number",
	  .value = "N",
	  .help = "adds a digit",
	  .offset = offsetof(struct given, numbers),
	  .parse = parse_number },
};

static const struct command words_end = {
	.name = "test",
	.synopsis = "",
	.summary = "Test",
	.options = rows,
	.option_count = ARRAY_SIZE(rows),
	.word_ends_options = true,
};
static const struct command words_mix = {
	.name = "test",
	.synopsis = "",
	.summary = "Test",
	.options = rows,
	.option_count = ARRAY_SIZE(rows),
};

/* One command line and what must come of it. */
struct row {
	const char *args[8];
	int outcome;
	bool all, brief;
	const char *dir;
	unsigned numbers;
	const char *words; /* joined with '|' */
	const char *error;
};

static void check(const struct command *command, const struct row *row)
{
	char *argv[10] = { (char *)(uintptr_t) "test" };
	int argc = 1, first = -1;
	for (; row->args[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)row->args[argc - 1];
	struct given given = { 0 };
	struct option_error error = { "" };
	int outcome = options_parse(command, argc, argv, &given, &first, &error);
	assert_int_equal(outcome, row->outcome);
	if (outcome < 0) {
		assert_string_equal(error.text, row->error);
		assert_int_equal(first, -1);
		return;
	}
	if (outcome == OPTIONS_HELP)
		return;
	char words[128] = "";
	for (int i = first; i < argc; i++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", i > first ? "|" : "", argv[i]);
	assert_string_equal(words, row->words ? row->words : "");
	assert_int_equal(given.all, row->all);
	assert_int_equal(given.brief, row->brief);
	assert_int_equal(given.numbers, row->numbers);
	if (row->dir)
		assert_string_equal(given.dir, row->dir);
	else
		assert_null(given.dir);
}

static void accepts_every_documented_form(void **state)
{
	(void)state;
	static const struct row table[] = {
		{ .args = { NULL } },
		{ .args = { "--all", "--workdir=/x" }, .all = true, .dir = "/x" },
		{ .args = { "--workdir", "/x", "cmd" }, .dir = "/x", .words = "cmd" },
		{ .args = { "-w/x" }, .dir = "/x" },
		{ .args = { "-w", "/x" }, .dir = "/x" },
		{ .args = { "-w=/x" }, .dir = "/x" },
		{ .args = { "-ab" }, .all = true, .brief = true },
		{ .args = { "-abw", "/x" }, .all = true, .brief = true, .dir = "/x" },
		{ .args = { "-aw/x" }, .all = true, .dir = "/x" },
		{ .args = { "--workdir=a=b" }, .dir = "a=b" },
		{ .args = { "--workdir", "--all" }, .dir = "--all" },
		{ .args = { "--workdir=1", "--workdir=2" }, .dir = "2" },
		{ .args = { "--number=1", "--number", "2" }, .numbers = 12 },
		{ .args = { "--", "--all", "-x" }, .words = "--all|-x" },
		{ .args = { "-a", "--", "--" }, .all = true, .words = "--" },
		{ .args = { "-", "-a" }, .words = "-|-a" },
		{ .args = { "cmd", "--all", "--", "x" }, .words = "cmd|--all|--|x" },
		{ .args = { "" }, .words = "" },
		{ .args = { "--help" }, .outcome = OPTIONS_HELP },
		{ .args = { "-h", "--nonsense" }, .outcome = OPTIONS_HELP },
		{ .args = { "-ah" }, .outcome = OPTIONS_HELP },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		check(&words_end, &table[i]);
}

static void words_may_stand_between_options_of_other_commands(void **state)
{
	(void)state;
	static const struct row table[] = {
		{ .args = { "x", "--all", "y" }, .all = true, .words = "x|y" },
		{ .args = { "x", "--", "--all", "y" }, .words = "x|--all|y" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		check(&words_mix, &table[i]);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	static const struct row table[] = {
		{ .args = { "--wrkdir=x" }, .error = "unknown option '--wrkdir'; did you mean '--workdir'?" },
		{ .args = { "--work" }, .error = "unknown option '--work'; did you mean '--workdir'?" },
		{ .args = { "--zzz" }, .error = "unknown option '--zzz'" },
		{ .args = { "--help=x" }, .error = "option '--help' takes no value but 'all', not 'x'" },
		{ .args = { "-az" }, .error = "unknown option '-z'" },
		{ .args = { "--workdir" }, .error = "option '--workdir' needs a value: DIR" },
		{ .args = { "--workdir=" }, .error = "option '--workdir' needs a value: DIR" },
		{ .args = { "-w" }, .error = "option '--workdir' needs a value: DIR" },
		{ .args = { "-w=" }, .error = "option '--workdir' needs a value: DIR" },
		{ .args = { "--workdir", "--", "x" }, .error = "option '--workdir' needs a value: DIR" },
		{ .args = { "-w", "--", "x" }, .error = "option '--workdir' needs a value: DIR" },
		{ .args = { "--workdir", "" }, .error = "option '--workdir' needs a value: DIR" },
		{ .args = { "--all=yes" }, .error = "option '--all' takes no value" },
		{ .args = { "--number=x" }, .error = "'x' is no digit" },
		{ .args = { "--nonsense", "--help" }, .error = "unknown option '--nonsense'" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct row row = table[i];
		row.outcome = -EINVAL;
		check(&words_end, &row);
	}
}

static void help_fits_the_screen(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	assert_non_null(stream);
	options_help(&words_end, false, stream);
	fclose(stream);
	assert_non_null(strstr(text, "  -w, --workdir=DIR"));
	assert_non_null(strstr(text, "      --number=N"));
	assert_non_null(strstr(text, "  -h, --help"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 80);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_every_documented_form),
		cmocka_unit_test(words_may_stand_between_options_of_other_commands),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(help_fits_the_screen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
