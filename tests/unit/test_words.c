// SPDX-License-Identifier: Apache-2.0
/* Words for people: guesses, lists of gaps, wrapping and tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/words.h"
#include "gaps/registry.h"
#include "unit.h"

static const char *guess_of(const char *typed)
{
	static const char *const known[] = { "run", "doctor", "emulate", "native", "refuse", "workdir", "env" };
	struct guess guess = { .word = typed };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		guess_consider(&guess, known[i]);
	return guess.best;
}

static void guesses_only_what_is_close(void **state)
{
	(void)state;
	assert_string_equal(guess_of("doctro"), "doctor");
	assert_string_equal(guess_of("emulat"), "emulate");
	assert_string_equal(guess_of("emu"), "emulate");
	assert_string_equal(guess_of("rnu"), "run");
	assert_string_equal(guess_of("nativ"), "native");
	assert_null(guess_of(""));
	assert_null(guess_of("x"));
	assert_null(guess_of("frobnicate"));
	assert_null(guess_of("a-word-that-is-far-longer-than-any-option-could-be"));
}

static void gap_lists_parse(void **state)
{
	(void)state;
	struct gap_set set = { 0 };
	struct option_error error;
	assert_int_equal(parse_gaps(&set, "sysvipc,keyring", &error), 0);
	assert_int_equal(set.named, GAP_BIT(GAP_sysvipc) | GAP_BIT(GAP_keyring));
	assert_false(set.all);
	assert_int_equal(parse_gaps(&set, "all", &error), 0);
	assert_true(set.all);
	assert_int_equal(parse_gaps(&set, "sysvpic", &error), -EINVAL);
	assert_ptr_equal(strstr(error.text, "unknown gap 'sysvpic'; did you mean 'sysvipc'? Known: sysvipc, "), error.text);
	assert_int_equal(parse_gaps(&set, "sysvipc,", &error), -EINVAL);
	assert_int_equal(parse_gaps(&set, ",", &error), -EINVAL);
}

static void gap_names_read_well(void **state)
{
	(void)state;
	char text[64];
	assert_string_equal(gap_names(0, text, sizeof(text)), "");
	assert_string_equal(gap_names(GAP_BIT(GAP_xattr), text, sizeof(text)), "xattr");
	assert_string_equal(gap_names(GAP_BIT(GAP_sysvipc) | GAP_BIT(GAP_xattr), text, sizeof(text)), "sysvipc and xattr");
	assert_string_equal(gap_names(GAP_BIT(GAP_sysvipc) | GAP_BIT(GAP_sysctl) | GAP_BIT(GAP_devices), text, sizeof(text)),
			    "sysvipc, sysctl and devices");
	gap_names(GAPS_ALL, text, 20); /* too small: cut, terminated */
	assert_int_equal(strlen(text), 19);
}

static void every_gap_describes_itself_for_80_columns(void **state)
{
	(void)state;
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id(id);
		assert_int_equal(gap_find(gap->name), id);
		assert_in_range(strlen(gap->name), 1, 10);
		assert_in_range(strlen(gap->summary), 1, 60);
		assert_non_null(gap->needed_by);
		assert_non_null(gap->probe);
		assert_non_null(gap->workloads);
		if ((gaps_built() & GAP_BIT(id)) && gap->area_size)
			assert_non_null(gap->install);
	}
	assert_int_equal(gap_find("nonsense"), -ENOENT);
}

/* Runs `print` on a memory stream. The result is to be freed. */
static char *printed(void (*print)(FILE *to))
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	assert_non_null(stream);
	print(stream);
	fclose(stream);
	return text;
}

static void print_table_row(FILE *to)
{
	const struct cell cells[] = {
		{ "one", 6, COLOUR_RED },
		{ "two words", 6, COLOUR_NONE },
		{ "", 5, COLOUR_NONE },
		{ "open(\"/a/very/long/path\") …", 12, COLOUR_NONE },
	};
	print_row(cells, ARRAY_SIZE(cells), to);
}

static void rows_wrap_in_their_columns(void **state)
{
	(void)state;
	char *text = printed(print_table_row);
	assert_string_equal(text, "one   two        open(\"/a/\n"
				  "      words      very/long/\n"
				  "                 path\") …\n");
	free(text);
}

static void print_wrapped(FILE *to)
{
	text_wrap("a text that is long enough to need a second line when the first one ends at column eighty", 4, to);
	text_wrap("", 4, to);
}

static void text_wraps_at_the_screen_width(void **state)
{
	(void)state;
	char *text = printed(print_wrapped);
	assert_string_equal(text, "a text that is long enough to need a second line when the first one ends at\n"
				  "    column eighty\n\n");
	free(text);
}

static void widths_count_characters(void **state)
{
	(void)state;
	assert_int_equal(text_width("GAP,…"), 5);
	assert_string_equal(errno_name(EPERM), "EPERM");
	assert_string_equal(errno_name(512), "error 512");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guesses_only_what_is_close), cmocka_unit_test(gap_lists_parse),
		cmocka_unit_test(gap_names_read_well),        cmocka_unit_test(every_gap_describes_itself_for_80_columns),
		cmocka_unit_test(rows_wrap_in_their_columns), cmocka_unit_test(text_wraps_at_the_screen_width),
		cmocka_unit_test(widths_count_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
