/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sysctls and the form of their values: order, look-ups, listings, writes. The kernel's own answers are tests/gaps/sysctl's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gaps/sysctl/sysctl_table.h"
#include "unit.h"

static long put_at(const char *path, const char *bytes, u64 offset, char *text)
{
	static u64 bits[65536 / 64];
	const struct sysctl_row *row = sysctl_row_at(sysctl_row_of(path));
	struct sysctl_write write = {
		.bytes = bytes, .size = strlen(bytes), .offset = offset, .min = row->min, .max = row->max, .bits = bits
	};

	assert_string_equal(row->path, path);
	return sysctl_value_write(row, &write, text, row->kind == SYSCTL_BITMAP ? SYSCTL_WIDE_SIZE : SYSCTL_TEXT_SIZE);
}

static void table_is_sorted_and_sound(void **state)
{
	(void)state;
	for (u32 i = 0; i < sysctl_rows(); i++) {
		const struct sysctl_row *row = sysctl_row_at(i);

		if (i)
			assert_true(strcmp(sysctl_row_at(i - 1)->path, row->path) < 0);
		assert_true(row->count >= 1 && row->count <= SYSCTL_NUMBERS_MAX);
		assert_true(row->mode && !(row->mode & ~0666u));
		assert_true(memchr(row->path, 0, sizeof(row->path)) && memchr(row->initial, 0, sizeof(row->initial)));
		if (row->kind == SYSCTL_STRING)
			assert_true(row->max > 0 && row->max <= (s64)SYSCTL_TEXT_SIZE);
		if (row->kind == SYSCTL_BITMAP)
			assert_true(row->max > 0 && row->max % 64 == 0);
	}
}

static void every_initial_value_can_be_written(void **state)
{
	static char text[SYSCTL_WIDE_SIZE];

	(void)state;
	for (u32 i = 0; i < sysctl_rows(); i++) {
		const struct sysctl_row *row = sysctl_row_at(i);

		if (!(row->mode & 0200) || !row->initial[0] || row->initial[0] == '=' || strchr(row->initial, '@') ||
		    row->kind == SYSCTL_ACTION)
			continue;
		if (row->min == 1 || !strncmp(row->path, "vm/dirty_", 9) || !strcmp(row->path, "kernel/printk_devkmsg"))
			continue; /* what stands for "not set" cannot be set */
		text[0] = 0;
		if (put_at(row->path, row->initial, 0, text) != (long)strlen(row->initial))
			fail_msg("%s does not take its own '%s'", row->path, row->initial);
	}
}

static void paths_are_found(void **state)
{
	struct sysctl_found found;

	(void)state;
	assert_true(sysctl_lookup("", &found) && found.directory);
	assert_true(sysctl_lookup("kernel", &found) && found.directory);
	assert_true(sysctl_lookup("kernel/panic", &found) && !found.directory);
	assert_false(sysctl_lookup("kernel/pani", &found));
	assert_false(sysctl_lookup("kernel/panic/", &found));
	assert_false(sysctl_lookup("kernel/panic/x", &found));
	assert_false(sysctl_lookup("ker", &found));
	assert_true(sysctl_lookup("net/ipv4/conf/eth0", &found) && found.directory);
	assert_string_equal(found.instance, "eth0");
	assert_true(sysctl_lookup("net/ipv4/conf/a.b/rp_filter", &found) && !found.directory);
	assert_string_equal(sysctl_row_at(found.row)->path, "net/ipv4/conf/*/rp_filter");
	assert_false(sysctl_lookup("net/ipv4/conf/*/rp_filter", &found));
	assert_false(sysctl_lookup("net/ipv4/conf/nameof16letters_/rp_filter/x", &found));
	assert_false(sysctl_lookup("net/ipv4/conf/name-of-16-chars/rp_filter", &found));
	assert_true(sysctl_lookup("net/ipv4/neigh/default/gc_thresh1", &found));
	assert_false(sysctl_lookup("net/ipv4/neigh/lo/gc_thresh1", &found));
	assert_false(sysctl_lookup("net/ipv4/neigh/all/gc_stale_time", &found));
}

static void directories_list_each_name_once(void **state)
{
	char name[64], before[64] = "";
	bool directory;
	u32 n = 0;

	(void)state;
	for (; sysctl_child("", n, name, &directory); n++)
		assert_true(directory);
	assert_int_equal(n, 5); /* fs kernel net user vm */
	for (n = 0; sysctl_child("kernel", n, name, &directory); n++) {
		assert_true(strcmp(before, name) != 0);
		strcpy(before, name);
	}
	assert_true(n > 100);
	assert_false(sysctl_child("kernel/panic", 0, name, &directory));
	assert_false(sysctl_child("none", 0, name, &directory));
	assert_true(sysctl_child("net/ipv4/conf", 0, name, &directory) && directory);
	assert_string_equal(name, "*");
}

static void vectors_keep_what_was_stored_before_an_error(void **state)
{
	char text[SYSCTL_TEXT_SIZE] = "4\t4\t1\t7";

	(void)state;
	assert_int_equal(put_at("kernel/printk", "1 2 x", 0, text), -EINVAL);
	assert_string_equal(text, "1\t2\t1\t7");
	assert_int_equal(put_at("kernel/printk", "8", 0, text), 1);
	assert_string_equal(text, "8\t2\t1\t7");
	assert_int_equal(put_at("kernel/printk", "1 2 3 4 5", 0, text), 8);
	assert_int_equal(put_at("kernel/printk", "9", 3, text), 1);
	assert_string_equal(text, "1\t2\t3\t4");
}

static void long_texts_are_cut(void **state)
{
	char text[SYSCTL_TEXT_SIZE] = "core", big[600];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	assert_int_equal(put_at("kernel/core_pattern", big, 0, text), sizeof(big) - 1);
	assert_int_equal(strlen(text), 127);
	assert_int_equal(put_at("kernel/core_pattern", "|/usr/bin/tool %p\n", 0, text), 18);
	assert_string_equal(text, "|/usr/bin/tool %p");
	assert_int_equal(put_at("kernel/core_pattern", " %e", 17, text), 3);
	assert_string_equal(text, "|/usr/bin/tool %p %e");
	assert_int_equal(put_at("kernel/core_pattern", "lost", 90, text), 4);
	assert_string_equal(text, "|/usr/bin/tool %p %e");
}

static void a_set_that_does_not_fit_is_refused(void **state)
{
	static char text[SYSCTL_WIDE_SIZE], big[4000];
	size_t used = 0;

	(void)state;
	for (int port = 10000; used < sizeof(big) - 10; port += 2)
		used += (size_t)sprintf(big + used, "%d,", port);
	assert_int_equal(put_at("net/ipv4/ip_local_reserved_ports", big, 0, text), (long)used);
	big[0] = '2';
	assert_int_equal(
		put_at("net/ipv4/ip_local_reserved_ports",
		       "30000,30002,30004,30006,30008,30010,30012,30014,30016,30018,30020,30022,30024,30026,30028,30030,30032,30034,30036",
		       used, text),
		-ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sorted_and_sound),
		cmocka_unit_test(every_initial_value_can_be_written),
		cmocka_unit_test(paths_are_found),
		cmocka_unit_test(directories_list_each_name_once),
		cmocka_unit_test(vectors_keep_what_was_stored_before_an_error),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(a_set_that_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
