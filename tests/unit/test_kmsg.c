/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a cell's log: what is written is taken apart, and told, as the kernel does (tests/gaps/devices compares with it). */
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "host/kmsg.h"

static void parses(const char *bytes, size_t size, u32 priority, const char *text)
{
	u32 got;
	size_t length;
	const char *at = kmsg_parse(bytes, size, &got, &length);

	assert_int_equal(got, priority);
	assert_int_equal(length, strlen(text));
	assert_memory_equal(at, text, length);
	assert_true(at >= bytes && at + length <= bytes + size);
}

static void test_prefixes(void **state)
{
	(void)state;
	parses("x", 1, 12, "x");
	parses("<3>x", 4, 11, "x");
	parses("<30>x", 5, 30, "x");
	parses("<2047>x", 7, 2047, "x");
	parses("<2048>x", 7, 8, "x"); /* the facility has eight bits */
	parses("<99999999999999999999>x", 23, 255 << 3 | 7, "x");
	parses("<>x", 3, 8, "x");
	parses("<3x", 3, 12, "<3x");
	parses("<3", 2, 12, "<3");
	parses("<", 1, 12, "<");
	parses("<3>", 3, 11, "");
	parses("", 0, 12, "");
}

static void test_ends(void **state)
{
	char line[KMSG_WRITE_MAX + 10], text[KMSG_WRITE_MAX + 1];

	(void)state;
	parses("x\n", 2, 12, "x");
	parses("x\n\n", 3, 12, "x\n");
	parses("\n", 1, 12, "");
	parses("x\0y", 3, 12, "x");
	memset(line, 'a', sizeof(line));
	memset(text, 'a', sizeof(text));
	text[KMSG_TEXT_MAX] = 0;
	parses(line, KMSG_TEXT_MAX, 12, text);
	parses(line, KMSG_WRITE_MAX, 12, text);
	parses(line, sizeof(line), 12, text);
	line[KMSG_TEXT_MAX] = '\n'; /* cut off with the rest, as the kernel does */
	parses(line, KMSG_WRITE_MAX, 12, text);
}

static void test_format(void **state)
{
	char out[KMSG_RECORD_MAX + 1], worst[KMSG_TEXT_MAX];
	size_t n = kmsg_format(out, 12, 7, 1234567, "a\tb\\\x7f\xff ~", 8);

	(void)state;
	out[n] = 0;
	assert_string_equal(out, "12,7,1234567,-;a\\x09b\\x5c\\x7f\\xff ~\n");
	n = kmsg_format(out, 2047, UINT64_MAX, UINT64_MAX, "", 0);
	out[n] = 0;
	assert_string_equal(out, "2047,18446744073709551615,18446744073709551615,-;\n");
	memset(worst, 1, sizeof(worst));
	n = kmsg_format(out, 2047, UINT64_MAX, UINT64_MAX, worst, sizeof(worst));
	assert_true(n <= KMSG_RECORD_MAX);
	assert_int_equal(out[n - 1], '\n');
}

static void test_log_keeps_the_newest(void **state)
{
	struct kmsg_log log;

	(void)state;
	assert_int_equal(kmsg_log_init(&log, 0), 0);
	for (u32 i = 1; i < KMSG_RECORDS + 5; i++)
		kmsg_log_write(&log, "<6>text", 7);
	assert_int_equal(log.next, KMSG_RECORDS + 5);
	assert_int_equal(log.first, 5);
	for (u64 i = log.first; i < log.next; i++) {
		char head[32];
		size_t n = (size_t)snprintf(head, sizeof(head), "14,%llu,", (unsigned long long)i);

		assert_memory_equal(kmsg_log_record(&log, i)->bytes, head, n);
	}
	kmsg_log_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_log_keeps_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
