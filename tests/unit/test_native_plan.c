// SPDX-License-Identifier: Apache-2.0
/* Who gives a guest its tree: the kernel only where nothing speaks against it and trying worked. */
#include <errno.h>
#include <string.h>

#include "host/native_plan.h"
#include "unit.h"

static const struct gap_finding works = { .presence = GAP_PRESENT, .tried = "a root in namespaces of its own" };

static struct native_plan plan_of(struct native_wish wish, const struct gap_finding *finding)
{
	struct native_plan plan;

	native_plan_make(&wish, finding, &plan);
	return plan;
}

static void the_kernel_where_trying_worked(void **state)
{
	struct native_plan plan = plan_of((struct native_wish){ .tree = true, .overlay = true, .root = true }, &works);

	(void)state;
	assert_int_equal(plan.state, NATIVE_KERNEL);
	assert_string_equal(native_plan_root(&plan), "native");
	assert_string_equal(native_plan_overlay(&plan), "native");
	assert_string_equal(native_plan_namespaces(&plan), "native");
	plan = plan_of((struct native_wish){ .tree = true, .root = true }, &works);
	assert_string_equal(native_plan_overlay(&plan), "none");
}

static void the_machine_without_a_tree(void **state)
{
	struct native_plan plan = plan_of((struct native_wish){ .root = true, .kernel = true }, NULL);

	(void)state;
	assert_int_equal(plan.state, NATIVE_MACHINE);
	assert_string_equal(native_plan_root(&plan), "none");
	assert_false(native_plan_wants_probed(&(struct native_wish){ .root = true }));
}

static void the_agent_with_a_reason(void **state)
{
	static const struct {
		struct native_wish wish;
		const char *reason;
	} rows[] = {
		{ { .tree = true, .root = true, .agent = true }, "--emulate asks" },
		{ { .tree = true, .root = true, .refused = GAP_BIT(GAP_sysvipc) }, "--refuse asks" },
		{ { .tree = true, .root = false }, "only root" },
		{ { .tree = true, .root = true, .emulated = GAP_BIT(GAP_sysvipc) | GAP_BIT(GAP_newcalls) }, "sysvipc, newcalls" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct native_plan plan = plan_of(rows[i].wish, NULL);
		struct native_wish insisting = rows[i].wish;

		assert_false(native_plan_wants_probed(&rows[i].wish));
		assert_int_equal(plan.state, NATIVE_AGENT);
		assert_non_null(strstr(plan.reason, rows[i].reason));
		assert_string_equal(native_plan_root(&plan), "agent");
		assert_string_equal(native_plan_namespaces(&plan), "none");
		insisting.kernel = true;
		assert_int_equal(plan_of(insisting, NULL).state, NATIVE_REFUSED);
	}
}

static void the_agent_where_trying_failed(void **state)
{
	struct native_wish wish = { .tree = true, .overlay = true, .root = true };
	struct gap_finding finding = { .presence = GAP_BLOCKED, .error = EPERM, .tried = "unshare(CLONE_NEWNS)" };
	struct native_plan plan = plan_of(wish, &finding);

	(void)state;
	assert_true(native_plan_wants_probed(&wish));
	assert_int_equal(plan.state, NATIVE_AGENT);
	assert_string_equal(plan.reason, "unshare(CLONE_NEWNS): EPERM");
	finding = (struct gap_finding){ .presence = GAP_UNKNOWN, .tried = "unshare(CLONE_NEWNS)", .detail = "no answer" };
	plan = plan_of(wish, &finding);
	assert_int_equal(plan.state, NATIVE_AGENT);
	assert_string_equal(plan.reason, "unshare(CLONE_NEWNS): no answer");
	wish.kernel = true;
	assert_int_equal(plan_of(wish, &finding).state, NATIVE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_where_trying_worked),
		cmocka_unit_test(the_machine_without_a_tree),
		cmocka_unit_test(the_agent_with_a_reason),
		cmocka_unit_test(the_agent_where_trying_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
