// SPDX-License-Identifier: Apache-2.0
/* What doctor says: the verdict's words, and tables that keep to 80 columns whatever a probe found. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "cli/words.h"
#include "unit.h"

/* A diagnosis in which all works but the gaps of `missing`, with what lichen can fill out of `built`. */
static struct diagnosis diagnose(u32 missing, u32 built, const char *workload, u32 needs)
{
	static struct gap_finding findings[GAP_COUNT];
	struct diagnosis diagnosis = { .workload = workload, .needs = needs };
	for (int id = 0; id < GAP_COUNT; id++) {
		findings[id] = (struct gap_finding){ .presence = GAP_PRESENT, .tried = "it" };
		if (missing & GAP_BIT(id))
			findings[id] = (struct gap_finding){ .presence = GAP_MISSING, .error = ENOSYS, .tried = "it()" };
	}
	plan_make(&(struct plan_request){ 0 }, built, GAPS_ALL, findings, &diagnosis.plan);
	diagnosis.unmet = needs & missing & ~built;
	return diagnosis;
}

static void verdicts_say_who_does_what(void **state)
{
	(void)state;
	u32 one = GAP_BIT(GAP_sysvipc), two = GAP_BIT(GAP_netfilter), asked = GAP_BIT(GAP_mounts);
	char all[64], most[128];
	snprintf(all, sizeof(all), "%d of %d features work here.", GAP_COUNT, GAP_COUNT);
	snprintf(most, sizeof(most), "%d of %d features work here; lichen fills sysvipc; not usable and not filled: netfilter.",
		 GAP_COUNT - 2, GAP_COUNT);
	const struct {
		u32 missing, built;
		const char *workload;
		u32 needs;
		const char *want;
	} table[] = {
		{ 0, one, NULL, 0, all },
		{ one | two, one, NULL, 0, most },
		{ 0, one, "w", one, "w can run here without help: all that it needs works." },
		{ two, one, "w", one, "w can run here without help: all that it needs works." },
		{ one, one, "w", one, "w can run here: lichen fills sysvipc." },
		{ one, one, "w", one | two, "w can run here: lichen fills sysvipc, the rest works without help." },
		{ one | two, one, "w", one | two,
		  "w cannot run here: it needs netfilter, which this host does not give and lichen does not fill yet." },
		{ asked, one, "w", asked,
		  "w cannot run here as it is: it needs mounts, which this host does not give; lichen fills it where --emulate names it." },
		{ asked | two, one, "docker", asked | two,
		  "docker cannot run here as it is: it needs mounts, which lichen fills where --emulate names it, and netfilter, which it "
		  "does not fill yet. `lichen up docker` does so, for containers with the host's network or none." },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char text[512];
		struct diagnosis diagnosis = diagnose(table[i].missing, table[i].built, table[i].workload, table[i].needs);
		assert_string_equal(diagnosis_verdict(&diagnosis, text, sizeof(text)), table[i].want);
	}
}

static void programs_are_told_with_due_doubt(void **state)
{
	(void)state;
	static struct program_needs known = { .known = "p" }, unknown;
	u32 one = GAP_BIT(GAP_sysvipc), two = GAP_BIT(GAP_keyring);
	char text[512];
	struct diagnosis diagnosis = diagnose(two, one, "p", 0);
	diagnosis.program = &known;
	assert_string_equal(diagnosis_verdict(&diagnosis, text, sizeof(text)),
			    "p can run here: it needs none of the features that lichen knows.");
	diagnosis.program = &unknown;
	assert_string_equal(diagnosis_verdict(&diagnosis, text, sizeof(text)),
			    "Nothing in p tells that it needs any of the features that lichen knows.");
	assert_string_equal(diagnosis_remark(&diagnosis, text, sizeof(text)), "");
	diagnosis.uses = one | two; /* one works, two does not and is not filled */
	assert_int_equal(diagnosis_shown(&diagnosis), one | two);
	assert_string_equal(diagnosis_remark(&diagnosis, text, sizeof(text)),
			    "It can also use keyring, not usable here; 'lichen why -- CMD' tells whether that matters.");
}

static void states_follow_plan_and_finding(void **state)
{
	(void)state;
	struct plan_row row = { .state = PLAN_EMULATED, .finding.presence = GAP_BLOCKED };
	assert_string_equal(row_state(&row), "filled");
	row.state = PLAN_REFUSED;
	assert_string_equal(row_state(&row), "blocked");
	row.finding.presence = GAP_UNKNOWN;
	assert_string_equal(row_state(&row), "unknown");
	row.finding.presence = GAP_MISSING;
	assert_string_equal(row_state(&row), "missing");
	row.state = PLAN_NATIVE;
	row.finding.presence = GAP_PRESENT;
	assert_string_equal(row_state(&row), "native");
}

static void tables_keep_to_the_screen(void **state)
{
	(void)state;
	struct diagnosis diagnosis = diagnose(GAPS_ALL, GAPS_ALL & ~GAP_BIT(GAP_mounts), NULL, 0);
	for (int id = 0; id < GAP_COUNT; id++) {
		struct gap_finding *finding = &diagnosis.plan.rows[id].finding;
		memset(finding->tried, 'x', sizeof(finding->tried) - 1);
		memset(finding->detail, id % 2 ? ' ' : '/', sizeof(finding->detail) - 1);
	}
	char *const command[] = { NULL };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	assert_non_null(stream);
	diagnosis_print(&diagnosis, stream);
	struct native_plan tree = { .state = NATIVE_AGENT };
	memset(tree.reason, 'x', sizeof(tree.reason) - 1);
	plan_print(&diagnosis.plan, &tree, command, stream);
	fclose(stream);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		assert_in_range(text_width(line), 0, SCREEN_COLUMNS);
		assert_true(end == line || end[-1] != ' ');
	}
	free(text);
}

static void limits_are_told_of_what_is_filled(void **state)
{
	(void)state;
	struct plan_row filled = { .state = PLAN_EMULATED }, native = { .state = PLAN_NATIVE };
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id(id);
		assert_null(row_limits(id, &native));
		assert_ptr_equal(row_limits(id, &filled), gap->limits && *gap->limits ? gap->limits : NULL);
		for (const char *const *limit = gap->limits; limit && *limit; limit++) {
			assert_in_range(strlen(*limit), 1, 400);
			assert_true((*limit)[strlen(*limit) - 1] != '.');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_say_who_does_what),        cmocka_unit_test(programs_are_told_with_due_doubt),
		cmocka_unit_test(states_follow_plan_and_finding),    cmocka_unit_test(tables_keep_to_the_screen),
		cmocka_unit_test(limits_are_told_of_what_is_filled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
