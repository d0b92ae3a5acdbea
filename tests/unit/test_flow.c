// SPDX-License-Identifier: Apache-2.0
/* Flow files, config.yaml, templates and conditions: what they mean, and where they are wrong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow.h"
#include "flow/flow_condition.h"
#include "flow/flow_paths.h"
#include "flow/flow_redact.h"
#include "unit.h"

static const char *variable(const char *name)
{
	if (strcmp(name, "SET") == 0)
		return "value";
	if (strcmp(name, "TRICK") == 0)
		return "{step_1_output} ${SET} $$ {{";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static const struct flow_output outputs[] = {
	{ 1, FLOW_STEP_OK, "one", 3 },     { 2, FLOW_STEP_OK, "{step_1_output} ${SET} {{ $$", 28 },
	{ 5, FLOW_STEP_SKIPPED, NULL, 0 }, { 6, FLOW_STEP_OK, "{\"status\": \"high\", \"n\": {\"m\": 1.5}, \"t\": true}\n", 47 },
	{ 7, FLOW_STEP_FAILED, NULL, 0 },
};

static const struct flow_scope scope = { .outputs = outputs, .count = ARRAY_SIZE(outputs), .variable = variable };

/* --- templates -------------------------------------------------------------------------------------------------------------------------- */

static void templates_are_filled_in_once(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a {step_1_output} b", "a one b" },
		{ "{step_1_output}{step_1_output}", "oneone" },
		{ "{step_2_output}", "{step_1_output} ${SET} {{ $$" },
		{ "${TRICK}", "{step_1_output} ${SET} $$ {{" },
		{ "<{step_5_output}{step_7_output}>", "<>" },
		{ "${SET}", "value" },
		{ "${UNSET:-it is {this}", "it is {this" },
		{ "${EMPTY:-}", "" },
		{ "${EMPTY}", "" },
		{ "${EMPTY:-default}", "default" },
		{ "${SET:-default}", "value" },
		{ "${UNSET:-${SET}}", "${SET}" },
		{ "$5 $ $", "$5 $ $" },
		{ "$$", "$" },
		{ "$${SET}", "${SET}" },
		{ "$$$$", "$$" },
		{ "{{step_1_output}", "{step_1_output}" },
		{ "{{{step_1_output}", "{one" },
		{ "{\"a\": {\"b\": []}}", "{\"a\": {\"b\": []}}" },
		{ "{", "{" },
		{ "{}", "{}" },
		{ "}}", "}}" },
		{ "{ previous_output }", "{ previous_output }" },
		{ "{word}", "{word}" },
		{ "{Step_1_output}", "{Step_1_output}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[FLOW_WHY_MAX] = "", *filled;
		size_t size;
		assert_int_equal(flow_template_fill(rows[i].text, strlen(rows[i].text), &scope, &filled, &size, why), 0);
		assert_string_equal(filled, rows[i].wanted);
		assert_int_equal(size, strlen(filled));
		free(filled);
	}
}

static void wrong_templates_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "{step_3_output}", "there is no step 3 before this one" },
		{ "{step_8_output}", "there is no step 8 before this one" },
		{ "{step_x_output}", "is no output" },
		{ "{step_01_output}", "is no output" },
		{ "{step_1_outptu}", "is no output" },
		{ "{step_99999999999999999999_output}", "is no output" },
		{ "{previous_ouput}", "is no output" },
		{ "${UNSET}", "the variable UNSET is not set" },
		{ "${", "is no variable" },
		{ "${}", "is no variable" },
		{ "${1}", "is no variable" },
		{ "${A B}", "is no variable" },
		{ "${SET", "is no variable" },
		{ "${SET-x}", "is no variable" },
		{ "${SET:x}", "is no variable" },
		{ "$(id) ${`id`}", "is no variable" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[FLOW_WHY_MAX] = "", *filled = NULL;
		size_t size;
		assert_int_equal(flow_template_fill(rows[i].text, strlen(rows[i].text), &scope, &filled, &size, why), -EINVAL);
		assert_null(filled);
		if (!strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].text, why);
	}
}

static void the_previous_output_is_that_of_the_last_step_that_was_ok(void **state)
{
	const struct flow_scope two = { .outputs = outputs, .count = 3, .variable = variable };
	const struct flow_scope none = { .variable = variable };
	char why[FLOW_WHY_MAX], *filled;
	size_t size;
	(void)state;
	assert_int_equal(flow_template_fill("{previous_output}", 17, &two, &filled, &size, why), 0);
	assert_string_equal(filled, outputs[1].text);
	free(filled);
	assert_int_equal(flow_template_fill("<{previous_output}>", 19, &none, &filled, &size, why), 0);
	assert_string_equal(filled, "<>");
	free(filled);
}

/* --- conditions ------------------------------------------------------------------------------------------------------------------------- */

static void conditions_are_computed(void **state)
{
	static const struct {
		const char *text;
		int wanted;
	} rows[] = {
		{ "true", 1 },
		{ "false", 0 },
		{ "''", 0 },
		{ "'x'", 1 },
		{ "step_1_output", 1 },
		{ "step_5_output", 0 },
		{ "step_1_output == 'one'", 1 },
		{ "{step_1_output} == \" one\\n\"", 1 },
		{ "step_1_output != 'one'", 0 },
		{ "step_1_output contains 'ne'", 1 },
		{ "'' contains ''", 1 },
		{ "'a' contains 'ab'", 0 },
		{ "previous_output.status == 'high'", 1 },
		{ "step_6_output.n.m == 1.5", 1 },
		{ "step_6_output.t", 1 },
		{ "step_6_output.none", 0 },
		{ "step_1_output.none == ''", 1 },
		{ "step_6_output.n contains '\"m\":1.5'", 1 },
		{ "step_1_status == 'ok' and step_5_status == 'skipped' and step_7_status == 'failed'", 1 },
		{ "not false", 1 },
		{ "not not false", 0 },
		{ "not 'a' == 'b'", 1 },
		{ "false or true and false", 0 },
		{ "(true or false) and not (false)", 1 },
		{ "true or true and false", 1 },
		{ "(((((true)))))", 1 },
		{ "${SET} == 'value'", 1 },
		{ "${UNSET:-a b} == 'a b'", 1 },
		{ "'it''s' == 'it'", -EINVAL },
		{ "'it\\'s \\\\ \\\"' contains \"it's \\\\ \\\"\"", 1 },
		{ " 42 == '42' ", 1 },
		{ "-1 == '-1'", 1 },
		{ "step_1_output=='one'and true", 1 },
		{ "", -EINVAL },
		{ "(", -EINVAL },
		{ "()", -EINVAL },
		{ "true)", -EINVAL },
		{ "(true", -EINVAL },
		{ "true true", -EINVAL },
		{ "and", -EINVAL },
		{ "not", -EINVAL },
		{ "'a' ==", -EINVAL },
		{ "== 'a'", -EINVAL },
		{ "'a' == 'a' == 'a'", -EINVAL },
		{ "'a", -EINVAL },
		{ "'a\\x'", -EINVAL },
		{ "step_3_output", -EINVAL },
		{ "step_3_status", -EINVAL },
		{ "step_1_output.", -EINVAL },
		{ "{step_1_output", -EINVAL },
		{ "{'a'}", -EINVAL },
		{ "name", -EINVAL },
		{ "__import__('os')", -EINVAL },
		{ "1 > 0", -EINVAL },
		{ "step_1_output is not None", -EINVAL },
		{ "${UNSET}", -EINVAL },
		{ "True", -EINVAL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[FLOW_WHY_MAX] = "";
		size_t at;
		int r = flow_condition(rows[i].text, strlen(rows[i].text), &scope, &at, why);
		if (r != rows[i].wanted)
			fail_msg("%s: %d at %zu: %s", rows[i].text, r, at, why);
		assert_true((r < 0) == (*why != '\0'));
	}
}

static void conditions_are_bounded(void **state)
{
	char text[FLOW_CONDITION_MAX + 2], why[FLOW_WHY_MAX];
	size_t at;
	(void)state;
	memset(text, '(', sizeof(text));
	assert_int_equal(flow_condition(text, FLOW_CONDITION_MAX, &scope, &at, why), -EINVAL);
	assert_non_null(strstr(why, "nested"));
	assert_int_equal(flow_condition(text, FLOW_CONDITION_MAX + 1, &scope, &at, why), -EINVAL);
	assert_non_null(strstr(why, "4096"));
}

/* --- files ------------------------------------------------------------------------------------------------------------------------------ */

#define HEAD "name: n\nsteps:\n"
#define READ "  - agent: filesystem\n    action: read\n    parameters: {path: ./data/x}\n"

static void a_flow_is_read(void **state)
{
	static const char text[] =
		"name: n\ndescription: d\nsteps:\n"
		"  - step: 3\n    agent: filesystem\n    action: write\n    on_error: retry\n    condition: true\n"
		"    config: {allowed_paths: [./data/out, 'data/${D:-x}'], read_only: false}\n"
		"    parameters: {path: 5, content: '{previous_output}', append: '${A:-true}'}\n" READ
		"  - step: 9\n    agent: tool_executor\n    action: run\n    condition: step_3_output contains 'a'\n"
		"    parameters: {command: echo, args: [-n, 1, '{step_4_output}'], env: {A: b}}\n";
	struct flow_config config;
	struct yaml_error error;
	struct flow flow;
	json_t *filled;
	(void)state;
	assert_int_equal(flow_config_parse(NULL, 0, &config, &error), 0);
	assert_int_equal(flow_parse(text, sizeof(text) - 1, &config, NULL, &flow, &error), 0);
	assert_int_equal(flow.count, 3);
	assert_int_equal(flow.steps[0].number, 3);
	assert_int_equal(flow.steps[1].number, 4);
	assert_int_equal(flow.steps[2].number, 9);
	assert_int_equal(flow.steps[0].on_error, FLOW_ON_ERROR_RETRY);
	assert_ptr_equal(flow.steps[2].agent, &flow_agent_tool);
	assert_int_equal(flow_fill(flow.steps[0].parameters, flow.steps[0].action->fields, flow.steps[0].action->field_count,
				   &scope, &filled, &error),
			 0);
	assert_string_equal(json_string_value(json_object_get(filled, "path")), "5");
	assert_true(json_is_true(json_object_get(filled, "append")));
	json_decref(filled);
	flow_done(&flow);
	flow_config_done(&config);
}

static void what_is_wrong_in_a_flow_has_a_place(void **state)
{
	static const struct {
		const char *text, *why;
		u32 line, column;
	} rows[] = {
		{ "", "nothing in it", 0, 0 },
		{ "[]", "", 1, 1 },
		{ "steps: []\n", "no name", 1, 1 },
		{ "name: n\n", "steps must be", 1, 1 },
		{ "name: n\nsteps: []\n", "steps must be", 2, 8 },
		{ "name: n\nversion: 1\nsteps: []\n", "version", 2, 1 },
		{ HEAD "  - action: read\n", "no agent", 3, 5 },
		{ HEAD "  - agent: files\n    action: read\n", "no agent 'files'", 3, 12 },
		{ HEAD "  - agent: filesystem\n    action: run\n", "has no action 'run'", 4, 13 },
		{ HEAD "  - agent: filesystem\n    action: read\n", "needs parameters.path", 3, 5 },
		{ HEAD "  - agent: filesystem\n    action: read\n    parameters: {path: x, pat: y}\n", "no 'pat'", 5, 27 },
		{ HEAD "  - agent: filesystem\n    action: read\n    parameters: {path: [x]}\n", "path must be a string", 5, 24 },
		{ HEAD "  - agent: filesystem\n    action: read\n    parameters: {path: }\n", "path must be a string", 5, 0 },
		{ HEAD READ "    on_error: stop\n", "fail, skip or retry", 6, 15 },
		{ HEAD READ "    condition: foo\n", "condition, character 1", 6, 16 },
		{ HEAD READ "    condition: step_1_output\n", "no step 1 before", 6, 16 },
		{ HEAD READ "    retries: 3\n", "retries", 6, 5 },
		{ HEAD READ "    step: 0\n", "", 6, 11 },
		{ HEAD READ READ "    step: 1\n", "behind step 1", 9, 11 },
		{ HEAD READ "    config: {allowed_paths: [/etc]}\n", "none of config.yaml's allowed_paths", 6, 30 },
		{ HEAD READ "    config: {allowed_paths: [./data/../x]}\n", "'..'", 6, 30 },
		{ HEAD READ "    config: {allowed_paths: [./database]}\n", "none of config.yaml's allowed_paths", 6, 30 },
		{ HEAD READ "    config: {read_only: maybe}\n", "true or false", 6, 25 },
		{ HEAD "  - agent: tool_executor\n    action: run\n    parameters: {command: sh}\n", "allowed_commands", 5, 27 },
		{ HEAD
		  "  - agent: tool_executor\n    action: run\n    config: {allowed_commands: [sh]}\n    parameters: {command: sh}\n",
		  "allowed_commands", 5, 33 },
		{ HEAD
		  "  - agent: tool_executor\n    action: run\n    config: {allowed_commands: [cat]}\n    parameters: {command: echo}\n",
		  "the step's allowed_commands", 6, 27 },
		{ HEAD "  - agent: tool_executor\n    action: run\n    parameters: {command: echo, args: x}\n", "a sequence", 5,
		  39 },
		{ HEAD "  - agent: tool_executor\n    action: run\n    config: {timeout: -1}\n    parameters: {command: echo}\n",
		  "whole number", 5, 23 },
		{ HEAD READ READ "    name: x\n", "name", 9, 5 },
	};
	struct flow_config config;
	struct yaml_error error;
	(void)state;
	assert_int_equal(flow_config_parse(NULL, 0, &config, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow flow;
		error = (struct yaml_error){ 0 };
		assert_int_equal(flow_parse(rows[i].text, strlen(rows[i].text), &config, NULL, &flow, &error), -EINVAL);
		if (!strstr(error.text, rows[i].why) || error.line != rows[i].line ||
		    (rows[i].column && error.column != rows[i].column))
			fail_msg("%s\n%u:%u: %s", rows[i].text, error.line, error.column, error.text);
	}
	flow_config_done(&config);
}

static void variables_without_a_value_are_wrong_before_a_run(void **state)
{
	static const char text[] = HEAD "  - agent: filesystem\n    action: read\n    parameters: {path: './data/${UNSET}'}\n";
	struct flow_config config;
	struct yaml_error error;
	struct flow flow;
	(void)state;
	assert_int_equal(flow_config_parse(NULL, 0, &config, &error), 0);
	assert_int_equal(flow_parse(text, sizeof(text) - 1, &config, NULL, &flow, &error), 0);
	flow_done(&flow);
	assert_int_equal(flow_parse(text, sizeof(text) - 1, &config, variable, &flow, &error), -EINVAL);
	assert_int_equal(error.line, 5);
	flow_config_done(&config);
}

/* --- config.yaml ------------------------------------------------------------------------------------------------------------------------ */

static void the_defaults_are_those_of_akios(void **state)
{
	struct flow_config config;
	struct yaml_error error;
	(void)state;
	assert_int_equal(flow_config_parse(NULL, 0, &config, &error), 0);
	assert_true(config.sandbox_enabled && config.pii_redaction_enabled && config.cost_kill_enabled && config.audit_enabled);
	assert_false(config.network_access_allowed || config.audit_export_enabled);
	assert_int_equal(config.cpu_limit, 800);
	assert_int_equal(config.memory_limit_mb, 256);
	assert_int_equal(config.max_open_files, 100);
	assert_int_equal(config.max_file_size_mb, 10);
	assert_int_equal(config.max_tokens_per_call, 1000);
	assert_int_equal(config.budget_limit_per_run, 1000000000);
	assert_int_equal(config.allowed_domains.count, 0);
	assert_string_equal(config.redaction_strategy, "mask");
	assert_string_equal(config.audit_storage_path, "./audit/");
	assert_string_equal(config.environment, "development");
	assert_string_equal(config.log_level, "INFO");
	assert_int_equal(config.max_steps, 100);
	assert_int_equal(config.max_run_time, 300000);
	flow_config_done(&config);
}

static void what_is_wrong_in_config_yaml_has_a_place(void **state)
{
	static const struct {
		const char *text;
		u32 line, column;
	} rows[] = {
		{ "sandbox_enable: true\n", 1, 1 },
		{ "a: 1\n", 1, 1 },
		{ "memory_limit_mb: 0\n", 1, 18 },
		{ "memory_limit_mb: '256'\n", 1, 18 },
		{ "memory_limit_mb: 5\n", 1, 18 },
		{ "max_open_files: 15\n", 1, 17 },
		{ "cpu_limit: 0\n", 1, 12 },
		{ "cpu_limit: 0.009\n", 1, 12 },
		{ "environment: home\n", 1, 14 },
		{ "environment: production\nsandbox_enabled: false\n", 2, 18 },
		{ "log_level: loud\n", 1, 12 },
		{ "allowed_paths: [./a, ./data/../b]\n", 1, 22 },
		{ "allowed_paths: [..]\n", 1, 17 },
		{ "allowed_paths: [~/x]\n", 1, 17 },
		{ "cpu_limit: .nan\n", 1, 12 },
		{ "\nredaction_strategy: blur\n", 2, 21 },
		{ "audit_enabled: false\n", 1, 16 },
		{ "audit_retention_days: 30\n", 1, 23 },
		{ "audit_export_format: csv\n", 1, 22 },
		{ "budget_limit_per_run: 0\n", 1, 23 },
		{ "allowed_commands: echo\n", 1, 19 },
		{ "sandbox_enabled: yes\n", 1, 18 },
		{ "max_steps: 1\nmax_steps: 2\n", 2, 1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow_config config;
		struct yaml_error error = { 0 };
		assert_int_equal(flow_config_parse(rows[i].text, strlen(rows[i].text), &config, &error), -EINVAL);
		if (error.line != rows[i].line || error.column != rows[i].column)
			fail_msg("%s%u:%u: %s", rows[i].text, error.line, error.column, error.text);
	}
}

/* --- texts and paths -------------------------------------------------------------------------------------------------------------------- */

static void outputs_are_utf8_without_personal_data(void **state)
{
	struct flow_config config;
	struct yaml_error error;
	char *clean, *redacted;
	size_t size;
	(void)state;
	assert_int_equal(flow_config_parse(NULL, 0, &config, &error), 0);
	assert_int_equal(flow_text_clean("a\0b\xff\xc3\xa4\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82", 15, &clean, &size), 0);
	assert_string_equal(
		clean,
		"a\xef\xbf\xbd"
		"b\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	free(clean);
	assert_int_equal(flow_redact(&config, "mail bob@example.com", 20, &redacted, &size), 0);
	assert_string_equal(redacted, "mail [EMAIL_ADDRESS]");
	free(redacted);
	config.pii_redaction_enabled = false;
	assert_int_equal(flow_redact(&config, "mail bob@example.com", 20, &redacted, &size), 0);
	assert_string_equal(redacted, "mail bob@example.com");
	free(redacted);
	flow_config_done(&config);
}

static void paths_lie_within_by_components(void **state)
{
	char clean[PATH_MAX];
	(void)state;
	assert_int_equal(flow_path_clean("/base/x", "./a//b/.", clean), 0);
	assert_string_equal(clean, "base/x/a/b");
	assert_int_equal(flow_path_clean("/base", "/etc/passwd", clean), 0);
	assert_string_equal(clean, "etc/passwd");
	assert_int_equal(flow_path_clean("/base", "a/../../etc", clean), -EXDEV);
	assert_true(flow_path_within("base/a", "base"));
	assert_true(flow_path_within("base", "base"));
	assert_true(flow_path_within("base", ""));
	assert_false(flow_path_within("based", "base"));
	assert_false(flow_path_within("bas", "base"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_are_filled_in_once),
		cmocka_unit_test(wrong_templates_are_refused_with_a_reason),
		cmocka_unit_test(the_previous_output_is_that_of_the_last_step_that_was_ok),
		cmocka_unit_test(conditions_are_computed),
		cmocka_unit_test(conditions_are_bounded),
		cmocka_unit_test(a_flow_is_read),
		cmocka_unit_test(what_is_wrong_in_a_flow_has_a_place),
		cmocka_unit_test(variables_without_a_value_are_wrong_before_a_run),
		cmocka_unit_test(the_defaults_are_those_of_akios),
		cmocka_unit_test(what_is_wrong_in_config_yaml_has_a_place),
		cmocka_unit_test(outputs_are_utf8_without_personal_data),
		cmocka_unit_test(paths_lie_within_by_components),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
