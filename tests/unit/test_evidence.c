// SPDX-License-Identifier: Apache-2.0
/* How steps become a finding, and the readers that probes and workloads use. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gaps/evidence.h"
#include "gaps/mountinfo.h"
#include "host/workload.h"
#include "unit.h"

static void step(struct evidence *e, const char *name, int error)
{
	evidence_try(e, name, "%s()", name);
	evidence_answer(e, error);
}

static void all_steps_working_is_present(void **state)
{
	(void)state;
	struct gap_finding f;
	struct evidence e;
	evidence_begin(&e, &f, "a and b");
	assert_int_equal(f.presence, GAP_UNKNOWN);
	step(&e, "a", 0);
	evidence_try_extra(&e, "c", "c()");
	assert_false(evidence_answer(&e, EINVAL));
	evidence_end(&e);
	assert_int_equal(f.presence, GAP_PRESENT);
	assert_int_equal(f.error, 0);
	assert_string_equal(f.tried, "a and b");
	assert_string_equal(f.detail, "without: c EINVAL");
}

static void the_first_step_of_the_gravest_kind_is_the_evidence(void **state)
{
	(void)state;
	struct gap_finding f;
	struct evidence e;
	evidence_begin(&e, &f, "all");
	step(&e, "memory", ENOMEM);
	step(&e, "forbidden", EPERM);
	step(&e, "absent", ENOSYS);
	step(&e, "absent2", ENODEV);
	step(&e, "fine", 0);
	evidence_end(&e);
	assert_int_equal(f.presence, GAP_MISSING);
	assert_int_equal(f.error, ENOSYS);
	assert_string_equal(f.tried, "absent()");
	assert_string_equal(f.detail, "4 of 5 checks failed; also: memory ENOMEM, forbidden EPERM, absent2 ENODEV");
}

static void a_wrong_answer_is_missing_without_errno(void **state)
{
	(void)state;
	struct gap_finding f;
	struct evidence e;
	evidence_begin(&e, &f, "all");
	evidence_try(&e, "a", "a()");
	evidence_wrong(&e, "says 8 EiB");
	evidence_note(&e, "note");
	evidence_end(&e);
	assert_int_equal(f.presence, GAP_MISSING);
	assert_int_equal(f.error, 0);
	assert_string_equal(f.detail, "says 8 EiB; note");
}

static void long_lists_end_in_an_ellipsis(void **state)
{
	(void)state;
	struct gap_finding f;
	struct evidence e;
	evidence_begin(&e, &f, "all");
	for (int i = 0; i < 30; i++)
		step(&e, "a-step-with-a-long-name", EACCES);
	evidence_end(&e);
	assert_int_equal(f.presence, GAP_BLOCKED);
	assert_non_null(strstr(f.detail, "…"));
	assert_in_range(strlen(f.detail), 1, sizeof(f.detail) - 1);
}

static void mountinfo_lines_parse(void **state)
{
	(void)state;
	struct mountinfo_row row;
	char plain[] = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n";
	assert_true(mountinfo_parse(plain, &row));
	assert_int_equal(row.major, 98);
	assert_string_equal(row.point, "/mnt 2");
	assert_string_equal(row.type, "ext3");
	assert_string_equal(row.options, "rw,errors=continue");
	char gvisor[] = "10 10 0:10 / / rw  - overlay none rw\n";
	assert_true(mountinfo_parse(gvisor, &row));
	assert_string_equal(row.point, "/");
	assert_string_equal(row.type, "overlay");
	static const char *const bad[] = {
		"", "\n", "1 2 3:4 / /", "1 2 x:y / / rw - a b c", "1 2 3:4 / / rw - ext4", "1 2 3:4 / / rw x y z"
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char line[64];
		snprintf(line, sizeof(line), "%s", bad[i]);
		assert_false(mountinfo_parse(line, &row));
	}
}

static void workload_files_parse(void **state)
{
	(void)state;
	static const char good[] = "# what my daemon needs\n\n  sysvipc\t# shmget\r\nkeyring";
	u32 needs = 0;
	unsigned line = 0;
	char word[64];
	assert_int_equal(workload_parse(good, sizeof(good) - 1, &needs, &line, word), 0);
	assert_int_equal(needs, GAP_BIT(GAP_sysvipc) | GAP_BIT(GAP_keyring));
	assert_int_equal(workload_parse("", 0, &needs, &line, word), 0);
	assert_int_equal(needs, 0);
	static const char bad[] = "sysvipc\nsys vipc\n";
	assert_int_equal(workload_parse(bad, sizeof(bad) - 1, &needs, &line, word), -EINVAL);
	assert_int_equal(line, 2);
	assert_string_equal(word, "sys vipc");
	assert_int_equal(needs, 0);
}

static void known_workloads_need_something(void **state)
{
	(void)state;
	u32 needs;
	for (const char *const *name = workload_names; *name; name++) {
		needs = 0;
		assert_int_equal(workload_by_name(*name, &needs), 0);
		assert_int_not_equal(needs, 0);
	}
	assert_int_equal(workload_by_name("nonsense", &needs), -ENOENT);
	assert_int_equal(workload_by_name("postgres", &needs), 0);
	assert_int_equal(needs, GAP_BIT(GAP_sysvipc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_steps_working_is_present),
		cmocka_unit_test(the_first_step_of_the_gravest_kind_is_the_evidence),
		cmocka_unit_test(a_wrong_answer_is_missing_without_errno),
		cmocka_unit_test(long_lists_end_in_an_ellipsis),
		cmocka_unit_test(mountinfo_lines_parse),
		cmocka_unit_test(workload_files_parse),
		cmocka_unit_test(known_workloads_need_something),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
