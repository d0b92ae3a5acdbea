// SPDX-License-Identifier: Apache-2.0
/* Strict YAML: what is read, what is refused and where, and readers that convert nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml_strict.h"
#include "unit.h"

static struct yaml_node *read_text(const char *text)
{
	struct yaml_node *root = NULL;
	struct yaml_error error = { 0 };
	if (yaml_parse(text, strlen(text), &root, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	return root;
}

static void assert_refused_bytes(const char *text, size_t length, u32 line, u32 column, const char *words)
{
	struct yaml_node *root = NULL;
	struct yaml_error error = { 0 };
	assert_int_equal(yaml_parse(text, length, &root, &error), -EINVAL);
	assert_null(root);
	if (error.line != line || error.column != column || !strstr(error.text, words))
		fail_msg("%s\n%u:%u: %s", text, error.line, error.column, error.text);
}

static void assert_refused(const char *text, u32 line, u32 column, const char *words)
{
	assert_refused_bytes(text, strlen(text), line, column, words);
}

static void a_document_is_a_tree_that_knows_its_places(void **state)
{
	(void)state;
	CLEANUP_YAML struct yaml_node *root =
		read_text("# first\nversion: 1\nfiles:\n  read: [/usr, 'a b']\n  \xc3\xa4: |\n    two\n    lines\n");
	assert_int_equal(root->kind, YAML_MAPPING);
	assert_int_equal(root->count, 4);
	const struct yaml_node *files = yaml_get(root, "files"), *list = yaml_get(files, "read"),
			       *block = yaml_get(files, "\xc3\xa4");
	assert_int_equal(list->count, 2);
	assert_string_equal(list->items[1]->text, "a b");
	assert_true(list->items[1]->quoted);
	assert_false(list->items[0]->quoted);
	assert_int_equal(list->items[1]->line, 4);
	assert_int_equal(list->items[1]->column, 16);
	assert_string_equal(block->text, "two\nlines\n");
	assert_int_equal(block->line, 5);
	assert_int_equal(block->column, 6); /* characters, not bytes */
	assert_null(yaml_get(root, "none"));
	assert_null(yaml_get(list, "none"));
}

static void json_and_a_byte_order_mark_are_fine(void **state)
{
	(void)state;
	CLEANUP_YAML struct yaml_node *root = read_text("\xef\xbb\xbf{\"a\": [1, {\"b\": null}],\r\n \"c\": \"\\u00e4\"}\r\n");
	assert_string_equal(yaml_get(root, "c")->text, "\xc3\xa4");
	assert_int_equal(yaml_get(root, "a")->count, 2);
}

static void what_has_two_readings_is_refused_where_it_is(void **state)
{
	(void)state;
	assert_refused("a: &x 1\n", 1, 4, "anchors");
	assert_refused("a: 1\nb: &x [1]\n", 2, 4, "anchors");
	assert_refused("a: 1\nb: *x\n", 2, 4, "aliases");
	assert_refused("a: !!str 1\n", 1, 4, "tags");
	assert_refused("! {a: 1}\n", 1, 1, "tags");
	assert_refused("a:\n  <<: {b: 1}\n", 2, 3, "merge keys");
	assert_refused("a: 1\nb: 2\na: 3\n", 3, 1, "'a' is there twice: first in line 1");
	assert_refused("{c: 1, b: 1, \"b\": 2, c: 2}", 1, 14, "'b' is there twice");
	assert_refused("a: 1\n---\nb: 2\n", 2, 1, "a second document");
	assert_refused("%YAML 1.2\n---\na: 1\n", 1, 1, "directives");
	assert_refused("%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "directives");
	assert_refused("? [a]\n: 1\n", 1, 3, "a key must be a word");
	assert_refused("? {a: 1}\n: 1\n", 1, 3, "a key must be a word");
	assert_refused("? \n: 1\n", 1, 2, "a key is missing");
	assert_refused("\"\": 1\n", 1, 1, "a key is missing");
	assert_refused("~: 1\n", 1, 1, "a key is missing");
	assert_refused("a: [1, 2\nb: 3\n", 2, 2, "flow sequence");
	assert_refused("a: 1\n b: 2\n", 2, 3, "mapping values are not allowed");
	assert_refused("\ta: 1\n", 1, 1, "");
	assert_refused("", 0, 0, "nothing in it");
	assert_refused("# only a comment\n", 0, 0, "nothing in it");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	(void)state;
	assert_refused_bytes("a: x\0y\n", 7, 1, 5, "NUL");
	assert_refused("a: \"x\\0y\"\n", 1, 4, "NUL");
	assert_refused("a: 1\nb: \xc3\x28\n", 2, 4, "UTF-8");
	assert_refused("a: \xc0\xaf\n", 1, 4, "UTF-8");
	assert_refused("a: \xed\xa0\x80\n", 1, 4, "UTF-8"); /* a surrogate */
	assert_refused("a: \xf4\x90\x80\x80\n", 1, 4, "UTF-8");
	assert_refused("a: \xe2\x82", 1, 4, "UTF-8");
	assert_refused("a: \x1b[1m\n", 1, 4, "control");
	assert_refused("a: x\xc2\x85y\n", 1, 5, "control");
	assert_refused("a: x\xe2\x80\xa8y\n", 1, 5, "separator");
	assert_refused("a: \xef\xbb\xbf\n", 1, 4, "byte order");
	assert_refused("a: \xef\xbf\xbf\n", 1, 4, "Unicode");
}

static void documents_have_limits(void **state)
{
	(void)state;
	static char text[YAML_BYTES_MAX + 2];
	char deep[2 * YAML_DEPTH_MAX + 2];
	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, "  a: b", 6);
	yaml_node_free(read_text(text + 1)); /* exactly 1 MiB */
	assert_refused(text, 0, 0, "1 MiB");

	memset(deep, '[', sizeof(deep) - 1);
	memset(deep + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	deep[2 * YAML_DEPTH_MAX] = 0;
	yaml_node_free(read_text(deep));
	memset(deep, '[', YAML_DEPTH_MAX + 1);
	assert_refused(deep, 1, YAML_DEPTH_MAX + 1, "nested too deep");

	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "1,", 2);
	text[0] = '[';
	text[YAML_BYTES_MAX] = 0;
	assert_refused(text, 1, 2 * YAML_NODES_MAX, "more than"); /* the list itself is one */
}

static struct yaml_node plain(const char *text)
{
	return (struct yaml_node){ .kind = YAML_SCALAR, .line = 7, .column = 9, .text = text, .length = strlen(text) };
}

static struct yaml_node quoted(const char *text)
{
	struct yaml_node node = plain(text);
	node.quoted = true;
	return node;
}

static void plain_scalars_have_the_types_of_the_core_schema(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum yaml_type type;
	} rows[] = {
		{ "", YAML_NULL },        { "~", YAML_NULL },       { "null", YAML_NULL },    { "nULL", YAML_STRING },
		{ "true", YAML_BOOL },    { "FALSE", YAML_BOOL },   { "yes", YAML_STRING },   { "off", YAML_STRING },
		{ "0", YAML_INT },        { "-12", YAML_INT },      { "+7", YAML_INT },       { "010", YAML_INT },
		{ "0o17", YAML_INT },     { "0o8", YAML_STRING },   { "0xfF", YAML_INT },     { "0x", YAML_STRING },
		{ "1_000", YAML_STRING }, { "12:30", YAML_STRING }, { "-", YAML_STRING },     { "1.", YAML_FLOAT },
		{ ".5", YAML_FLOAT },     { ".", YAML_STRING },     { "1.5e-3", YAML_FLOAT }, { "1e", YAML_STRING },
		{ "e1", YAML_STRING },    { "-.inf", YAML_FLOAT },  { ".nan", YAML_FLOAT },   { "-.nan", YAML_STRING },
		{ "1.2.3", YAML_STRING }, { "+.e1", YAML_STRING },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct yaml_node node = plain(rows[i].text), string = quoted(rows[i].text);
		if (yaml_type(&node) != rows[i].type)
			fail_msg("'%s' is of type %d", rows[i].text, (int)yaml_type(&node));
		assert_int_equal(yaml_type(&string), YAML_STRING);
	}
}

static void readers_convert_nothing(void **state)
{
	(void)state;
	struct yaml_error error;
	struct yaml_node number = plain("8080"), word = plain("yes"), truth = plain("True"), text = quoted("true"),
			 none = plain("");
	const char *string = "untouched";
	bool flag = false;
	assert_int_equal(yaml_string(&number, &string, &error), -EINVAL);
	assert_string_equal(error.text, "a string is due here: write '8080' in quotes");
	assert_int_equal(error.line, 7);
	assert_int_equal(error.column, 9);
	assert_int_equal(yaml_string(&truth, &string, &error), -EINVAL);
	assert_int_equal(yaml_string(&none, &string, &error), -EINVAL);
	assert_string_equal(string, "untouched");
	assert_int_equal(yaml_string(&word, &string, &error), 0);
	assert_string_equal(string, "yes");
	assert_int_equal(yaml_bool(&truth, &flag, &error), 0);
	assert_true(flag);
	assert_int_equal(yaml_bool(&word, &flag, &error), -EINVAL);
	assert_int_equal(yaml_bool(&text, &flag, &error), -EINVAL);
	assert_true(flag);
}

static void integers_are_exact_and_within_limits(void **state)
{
	(void)state;
	static const char *const wrong[] = { "",    "x",    "4", "101", "010", "0x10", "+7", "1.5", "1e1", "18446744073709551616",
					     "-5.", ".inf", "7 " };
	struct yaml_error error;
	s64 value = 0;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct yaml_node node = plain(wrong[i]);
		assert_int_equal(yaml_int(&node, 5, 100, &value, &error), -EINVAL);
		assert_int_equal(value, 0);
	}
	struct yaml_node least = plain("5"), most = plain("100.00"), minus = plain("-9223372036854775807"), string = quoted("7");
	assert_int_equal(yaml_int(&least, 5, 100, &value, &error), 0);
	assert_int_equal(value, 5);
	assert_int_equal(yaml_int(&most, 5, 100, &value, &error), 0);
	assert_int_equal(value, 100);
	assert_int_equal(yaml_int(&minus, INT64_MIN, 0, &value, &error), 0);
	assert_true(value == -INT64_MAX);
	assert_int_equal(yaml_int(&string, 5, 100, &value, &error), -EINVAL);
}

static void assert_fixed(const char *text, unsigned digits, u64 wanted)
{
	struct yaml_node node = plain(text);
	struct yaml_error error;
	u64 value = 0;
	assert_int_equal(yaml_fixed(&node, digits, 0, UINT64_MAX, &value, &error), 0);
	assert_true(value == wanted);
}

static void decimals_are_exact(void **state)
{
	(void)state;
	static const char *const wrong[] = { "0.0001", "-1",  "1.", ".5", "1e3", "99999999999999999999", "18446744073709551.616",
					     ".nan",   "2.5", "x" };
	struct yaml_error error;
	u64 value = 7;
	assert_fixed("1.0", 9, 1000000000);
	assert_fixed("0.000000001", 9, 1);
	assert_fixed("0.1234567890000", 9, 123456789);
	assert_fixed("2", 3, 2000);
	assert_fixed("18446744073709551.615", 3, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct yaml_node node = plain(wrong[i]);
		assert_int_equal(yaml_fixed(&node, 3, 10, 2000, &value, &error), -EINVAL);
	}
	assert_int_equal(value, 7);
	assert_string_equal(error.text, "a number from 0.01 to 2 with at most 3 digits behind the point is due here");
}

static void sizes_and_times_have_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool time;
		u64 value; /* 0: refused */
	} rows[] = {
		{ "64m", false, 64 << 20 }, { "1G", false, 1 << 30 }, { "4096", false, 4096 }, { "4096b", false, 4096 },
		{ "1.5g", false, 0 },       { "64mb", false, 0 },     { "m", false, 0 },       { "-1", false, 0 },
		{ "99999999t", false, 0 },  { "0x10", false, 0 },     { "010k", false, 0 },    { "30s", true, 30000 },
		{ "10m", true, 600000 },    { "250ms", true, 250 },   { "2h", true, 7200000 }, { "5", true, 5000 },
		{ "10M", true, 0 },         { "1 s", true, 0 },       { "1m30s", true, 0 },    { "1d", true, 86400000 },
		{ ".inf", true, 0 },        { "", true, 0 },          { "4.0k", false, 0 },    { "4096.0", false, 4096 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct yaml_node node = plain(rows[i].text);
		struct yaml_error error;
		u64 value = 0;
		int r = rows[i].time ? yaml_duration(&node, 1, UINT64_MAX, &value, &error)
				     : yaml_size(&node, 1, (u64)1 << 50, &value, &error);
		if (r != (rows[i].value ? 0 : -EINVAL) || value != rows[i].value)
			fail_msg("'%s' gave %d, %llu", rows[i].text, r, (unsigned long long)value);
	}
	struct yaml_node wrong = plain("1k");
	struct yaml_error error;
	u64 value;
	assert_int_equal(yaml_size(&wrong, 6 << 20, (u64)1 << 50, &value, &error), -EINVAL);
	assert_non_null(strstr(error.text, "from 6m to 1024t is due here"));
}

static void unknown_keys_are_answered_with_the_nearest(void **state)
{
	(void)state;
	static const char *const known[] = { "read", "write", "execute", "deny", NULL };
	static const struct {
		const char *text, *sentence;
		u32 line;
	} rows[] = {
		{ "read: 1\nwirte: 2\n", "there is no key 'wirte' here; did you mean 'write'?", 2 },
		{ "Read: 1\n", "there is no key 'Read' here; did you mean 'read'?", 1 },
		{ "exec: 1\n", "there is no key 'exec' here; there are read, write, execute, deny", 1 },
		{ "[read]\n", "a mapping (KEY: VALUE) is due here, not a list", 1 },
		{ "read\n", "a mapping (KEY: VALUE) is due here, not 'read'", 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_YAML struct yaml_node *root = read_text(rows[i].text);
		struct yaml_error error;
		assert_int_equal(yaml_check_keys(root, known, &error), -EINVAL);
		assert_string_equal(error.text, rows[i].sentence);
		assert_int_equal(error.line, rows[i].line);
	}
	const char *many[64] = { NULL };
	for (size_t i = 0; i + 1 < ARRAY_SIZE(many); i++)
		many[i] = "quite_a_key";
	CLEANUP_YAML struct yaml_node *other = read_text("x: 1\n");
	struct yaml_error error;
	assert_int_equal(yaml_check_keys(other, many, &error), -EINVAL);
	assert_non_null(strstr(error.text, "there are quite_a_key, quite_a_key, "));
	assert_string_equal(strstr(error.text, ", \u2026"), ", \u2026");
	CLEANUP_YAML struct yaml_node *good = read_text("deny: 1\nread: 2\n");
	assert_int_equal(yaml_check_keys(good, known, &error), 0);
}

static void lists_of_strings_are_borrowed(void **state)
{
	(void)state;
	CLEANUP_YAML struct yaml_node *root = read_text("a: [x, \"1\"]\nb: []\nc: [x, 1]\nempty:\n");
	const char **strings = NULL;
	struct yaml_error error;
	size_t count = 9;
	assert_int_equal(yaml_strings(yaml_get(root, "a"), &strings, &count, &error), 0);
	assert_int_equal(count, 2);
	assert_string_equal(strings[1], "1");
	assert_null(strings[2]);
	free((void *)strings);
	assert_int_equal(yaml_strings(yaml_get(root, "b"), &strings, &count, &error), 0);
	assert_int_equal(count, 0);
	free((void *)strings);
	assert_int_equal(yaml_strings(yaml_get(root, "c"), &strings, &count, &error), -EINVAL);
	assert_int_equal(error.column, 8);
	assert_int_equal(yaml_strings(yaml_get(root, "empty"), &strings, &count, &error), -EINVAL);
	assert_string_equal(error.text, "a list of strings ([] for none) is due here, not nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_a_tree_that_knows_its_places),
		cmocka_unit_test(json_and_a_byte_order_mark_are_fine),
		cmocka_unit_test(what_has_two_readings_is_refused_where_it_is),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(documents_have_limits),
		cmocka_unit_test(plain_scalars_have_the_types_of_the_core_schema),
		cmocka_unit_test(readers_convert_nothing),
		cmocka_unit_test(integers_are_exact_and_within_limits),
		cmocka_unit_test(decimals_are_exact),
		cmocka_unit_test(sizes_and_times_have_units),
		cmocka_unit_test(unknown_keys_are_answered_with_the_nearest),
		cmocka_unit_test(lists_of_strings_are_borrowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
