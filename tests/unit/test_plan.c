// SPDX-License-Identifier: Apache-2.0
/* The plan's rules, as a table: what was found, what was asked for, what comes of it. */
#include <errno.h>
#include <string.h>

#include "host/plan.h"
#include "unit.h"

#define BUILT GAP_BIT(GAP_sysvipc)
#define E 1u /* --emulate */
#define N 2u /* --native */
#define R 4u /* --refuse */
#define I 8u /* not named */

static void rules_hold(void **state)
{
	(void)state;
	static const struct {
		bool built, probed;
		enum gap_presence presence;
		int error;
		unsigned asked;
		enum plan_state want;
		const char *reason;
	} table[] = {
		/* passed through by default */
		{ true, true, GAP_PRESENT, 0, 0, PLAN_NATIVE, "works here without help" },
		{ false, true, GAP_PRESENT, 0, 0, PLAN_NATIVE, "works here without help" },
		/* filled when it is not there and built */
		{ true, true, GAP_MISSING, ENOSYS, 0, PLAN_EMULATED, "missing here (ENOSYS), and lichen fills it" },
		{ true, true, GAP_BLOCKED, EPERM, 0, PLAN_EMULATED, "blocked here (EPERM), and lichen fills it" },
		{ true, true, GAP_UNKNOWN, 0, 0, PLAN_EMULATED, "could not be probed, and lichen fills it" },
		{ false, true, GAP_MISSING, ENODEV, 0, PLAN_REFUSED, "missing here (ENODEV), and lichen cannot fill it yet" },
		{ false, true, GAP_BLOCKED, EPERM, 0, PLAN_REFUSED, "blocked here (EPERM), and lichen cannot fill it yet" },
		{ false, true, GAP_UNKNOWN, ETIMEDOUT, 0, PLAN_REFUSED,
		  "could not be probed (ETIMEDOUT), and lichen cannot fill it yet" },
		{ false, false, GAP_UNKNOWN, 0, 0, PLAN_NATIVE, "not probed: lichen cannot fill it yet" },
		/* --emulate forces, probed or not */
		{ true, true, GAP_PRESENT, 0, E, PLAN_EMULATED, "--emulate asks for it" },
		{ true, false, GAP_UNKNOWN, 0, E, PLAN_EMULATED, "--emulate asks for it" },
		{ true, true, GAP_MISSING, ENOSYS, E | R, PLAN_EMULATED, "--emulate asks for it" },
		{ true, true, GAP_PRESENT, 0, E | I, PLAN_EMULATED, "comes with the tree or the mounts that the agent makes" },
		/* --native forbids */
		{ true, true, GAP_PRESENT, 0, N, PLAN_NATIVE, "works here without help" },
		{ true, true, GAP_MISSING, ENOSYS, N, PLAN_REFUSED, "missing here (ENOSYS), and --native forbids filling it" },
		{ true, false, GAP_UNKNOWN, 0, N, PLAN_NATIVE, "--native: the kernel answers, whatever it says" },
		/* --refuse makes it missing; then as above */
		{ true, true, GAP_MISSING, ENOSYS, R, PLAN_EMULATED,
		  "missing here (ENOSYS), as --refuse asks, and lichen fills it" },
		{ true, true, GAP_MISSING, ENOSYS, R | N, PLAN_REFUSED,
		  "missing here (ENOSYS), as --refuse asks, and --native forbids filling it" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct gap_finding findings[GAP_COUNT] = { 0 };
		struct plan plan;
		u32 bit = GAP_BIT(GAP_sysvipc);
		struct plan_request request = {
			.emulate = table[i].asked & E ? bit : 0,
			.native = table[i].asked & N ? bit : 0,
			.refuse = table[i].asked & R ? bit : 0,
			.implied = table[i].asked & I ? bit : 0,
		};
		findings[GAP_sysvipc].presence = table[i].presence;
		findings[GAP_sysvipc].error = table[i].error;
		plan_make(&request, table[i].built ? bit : 0, table[i].probed ? bit : 0, findings, &plan);
		assert_int_equal(plan.rows[GAP_sysvipc].state, table[i].want);
		assert_string_equal(plan.rows[GAP_sysvipc].reason, table[i].reason);
		assert_int_equal(plan.emulated, table[i].want == PLAN_EMULATED ? bit : 0);
		assert_int_equal(plan.refused_natively, request.refuse);
	}
}

static void only_open_questions_are_probed(void **state)
{
	(void)state;
	u32 three = GAP_BIT(GAP_sysvipc) | GAP_BIT(GAP_sysctl) | GAP_BIT(GAP_devices);
	assert_int_equal(plan_wants_probed(&(struct plan_request){ 0 }, three), three);
	assert_int_equal(
		plan_wants_probed(&(struct plan_request){ .emulate = GAP_BIT(GAP_sysvipc), .native = GAP_BIT(GAP_sysctl) }, three),
		GAP_BIT(GAP_devices));
	assert_int_equal(plan_wants_probed(&(struct plan_request){ .refuse = GAP_BIT(GAP_sysvipc) }, three), three);
}

static void contradictions_are_named(void **state)
{
	(void)state;
	u32 sysvipc = GAP_BIT(GAP_sysvipc), vnet = GAP_BIT(GAP_vnet);
	enum gap_id gap = GAP_COUNT;
	struct plan_request fine = { .emulate = sysvipc, .native = vnet, .refuse = sysvipc };
	assert_int_equal(plan_conflict(&fine, BUILT, &gap), PLAN_NO_CONFLICT);
	assert_int_equal(gap, GAP_COUNT);
	struct plan_request both = { .emulate = sysvipc, .native = sysvipc };
	assert_int_equal(plan_conflict(&both, BUILT, &gap), PLAN_EMULATE_AND_NATIVE);
	assert_int_equal(gap, GAP_sysvipc);
	struct plan_request unbuilt = { .emulate = vnet };
	assert_int_equal(plan_conflict(&unbuilt, BUILT, &gap), PLAN_EMULATE_UNBUILT);
	assert_int_equal(gap, GAP_vnet);
	struct plan_request refuse = { .refuse = vnet };
	assert_int_equal(plan_conflict(&refuse, BUILT, &gap), PLAN_CANNOT_REFUSE);
	assert_int_equal(gap, GAP_vnet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_hold),
		cmocka_unit_test(only_open_questions_are_probed),
		cmocka_unit_test(contradictions_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
