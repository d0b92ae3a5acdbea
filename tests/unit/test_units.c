// SPDX-License-Identifier: Apache-2.0
/* Unit files: text, words, names, specifiers, values, commands, environments, and what is found where. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "units/unit_command.h"
#include "units/unit_condition.h"
#include "units/unit_env.h"
#include "units/unit_set.h"
#include "units/unit_told.h"
#include "units/unit_value.h"
#include "units/unit_word.h"

/* A unit of a text, with a place that is known. */
static struct unit *make(const char *name, const char *text)
{
	struct unit *unit = calloc(1, sizeof(*unit));
	assert_non_null(unit);
	assert_int_equal(unit_name_parse(name, &unit->name), 0);
	assert_int_equal(unit_text_parse(text, strlen(text), "test", &unit->settings, &unit->notes), 0);
	unit->place = (struct unit_place){ .user = "daemon",
					   .group = "daemon",
					   .home = "/home/d",
					   .shell = "/bin/sh",
					   .uid = 1,
					   .gid = 2,
					   .system = true,
					   .runtime = "/run",
					   .state = "/var/lib",
					   .cache = "/var/cache",
					   .logs = "/var/log",
					   .config = "/etc" };
	return unit;
}

static void text_is_read_as_systemd_reads_it(void **state)
{
	(void)state;
	struct unit *unit =
		make("a", "# comment\n; another\nlost=1\n[Unit]\nDescription =  two  words \nAfter=a b \\\n# between\n\\\n c\n"
			  "no assignment\n[Service]\r\nType=notify\r\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\nLast=x\\");
	assert_string_equal(unit_get(unit, "Unit", "Description"), "two  words");
	assert_string_equal(unit_get(unit, "Service", "Type"), "notify");
	assert_string_equal(unit_get(unit, "Service", "Last"), "x");
	assert_int_equal(unit->notes.count, 2);
	struct word_list words = { 0 };
	const struct unit_setting *row;
	assert_int_equal(unit_list(unit, "Unit", "After", &words, &row), 0);
	assert_int_equal(words.count, 3);
	assert_string_equal(words.words[2], "c");
	word_list_done(&words);
	size_t at = 0; /* an empty assignment clears the list */
	assert_string_equal(unit_next(unit, "Service", "ExecStart", &at)->value, "/bin/b");
	assert_null(unit_next(unit, "Service", "ExecStart", &at));
	unit_free(unit);
}

static void words_have_quotes_and_escapes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words; /* joined by | */
		int result;
	} table[] = {
		{ "a b", "a|b", 0 },         { "  \"a b\" 'c d'  ", "a b|c d", 0 },
		{ "\"\" x", "|x", 0 },       { "'it''s'", "its", 0 },
		{ "a\"b c\"d", "ab cd", 0 }, { "\\x41\\101\\u00e9\\n\\s", "AA\303\251\n ", 0 },
		{ "\"a\\\"b\"", "a\"b", 0 }, { "\"open", "", -EINVAL },
		{ "a \\q", "a", -EINVAL },   { "\\x00", "", -EINVAL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct word_list words = { 0 };
		char joined[64] = "";
		assert_int_equal(unit_words(table[i].text, 0, &words), table[i].result);
		for (size_t j = 0; j < words.count; j++) {
			strcat(joined, j ? "|" : "");
			strcat(joined, words.words[j]);
		}
		assert_string_equal(joined, table[i].words);
		word_list_done(&words);
	}
}

static void names_are_taken_apart(void **state)
{
	(void)state;
	struct unit_name name;
	char template[UNIT_NAME_MAX + 1];
	assert_int_equal(unit_name_parse("postgresql@15-main", &name), 0);
	assert_string_equal(name.full, "postgresql@15-main.service");
	assert_string_equal(name.prefix, "postgresql");
	assert_string_equal(name.instance, "15-main");
	unit_name_template(&name, template);
	assert_string_equal(template, "postgresql@.service");
	assert_int_equal(unit_name_parse("a.b.socket", &name), 0);
	assert_string_equal(name.prefix, "a.b");
	assert_int_equal(unit_name_parse("x@.service", &name), 0);
	assert_true(name.is_template);
	static const char *const wrong[] = { "", "a/b", "@x", ".service", "a b", "../x" };
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(unit_name_parse(wrong[i], &name), -EINVAL);
}

static void specifiers_are_replaced(void **state)
{
	(void)state;
	static const char *const table[][2] = {
		{ "%n|%N|%p|%i", "foo-bar@a-b\\x2dc.service|foo-bar@a-b\\x2dc|foo-bar|a-b\\x2dc" },
		{ "%I|%P|%j|%J|%f", "a/b-c|foo/bar|bar|bar|/a/b-c" },
		{ "%t/x %S %C %L %E %h %u %U %g %G %s %T %V",
		  "/run/x /var/lib /var/cache /var/log /etc /home/d daemon 1 daemon 2 /bin/sh /tmp /var/tmp" },
		{ "100%%", "100%" },
	};
	struct unit *unit = make("foo-bar@a-b\\x2dc.service", "");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char *text = NULL;
		assert_int_equal(unit_specifiers(table[i][0], &unit->name, &unit->place, &text), 0);
		assert_string_equal(text, table[i][1]);
		free(text);
	}
	char *text = NULL;
	assert_int_equal(unit_specifiers("%z", &unit->name, &unit->place, &text), -EINVAL);
	assert_int_equal(unit_specifiers("x%", &unit->name, &unit->place, &text), -EINVAL);
	unit_free(unit);
}

static void values_are_understood(void **state)
{
	(void)state;
	s64 span;
	u32 mode;
	u64 bytes;
	struct rlimit limit;
	int resource;
	static const struct {
		const char *text;
		s64 ms;
	} spans[] = { { "90", 90000 },       { "5min 20s", 320000 },       { "1h", 3600000 }, { "500ms", 500 }, { "1.5s", 1500 },
		      { "2d3h", 183600000 }, { "infinity", UNIT_FOREVER }, { "1us", 1 },      { "0", 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		assert_int_equal(unit_span(spans[i].text, &span), 0);
		assert_int_equal(span, spans[i].ms);
	}
	assert_int_equal(unit_span("5 parsecs", &span), -EINVAL);
	assert_int_equal(unit_span("", &span), -EINVAL);
	assert_int_equal(unit_bool("on"), 1);
	assert_int_equal(unit_bool("False"), 0);
	assert_int_equal(unit_bool("maybe"), -EINVAL);
	assert_int_equal(unit_mode("2755", &mode), 0);
	assert_int_equal(mode, 02755);
	assert_int_equal(unit_mode("9", &mode), -EINVAL);
	assert_int_equal(unit_bytes("64K", &bytes), 0);
	assert_int_equal(bytes, 65536);
	assert_int_equal(unit_signal("SIGTERM"), SIGTERM);
	assert_int_equal(unit_signal("QUIT"), SIGQUIT);
	assert_int_equal(unit_signal("9"), SIGKILL);
	assert_int_equal(unit_signal("SIGNONE"), 0);
	assert_int_equal(unit_limit("LimitNOFILE", "1024:infinity", &resource, &limit), 0);
	assert_int_equal(resource, RLIMIT_NOFILE);
	assert_true(limit.rlim_cur == 1024 && limit.rlim_max == RLIM_INFINITY);
	assert_int_equal(unit_limit("LimitCORE", "1M", &resource, &limit), 0);
	assert_int_equal(limit.rlim_cur, 1 << 20);
	assert_int_equal(unit_limit("LimitNONE", "1", &resource, &limit), -EINVAL);
}

static void commands_have_prefixes_and_variables(void **state)
{
	(void)state;
	struct unit *unit =
		make("x@y.service",
		     "[Service]\nExecStart=-@/bin/sh name%i -c 'a b' $LIST ${ONE}z $$HOME $NONE ; :/bin/echo $ONE \\; +\n");
	struct unit_commands commands;
	struct word_list env = { 0 }, argv = { 0 };
	char *why = NULL;
	static const char *const wanted[] = { "namey", "-c", "a b", "1", "2 3", "onez", "$HOME" };
	assert_int_equal(unit_commands(unit, "Service", "ExecStart", &commands, &why), 0);
	assert_int_equal(commands.count, 2);
	assert_string_equal(commands.rows[0].program, "/bin/sh");
	assert_true(commands.rows[0].ignore_failure && !commands.rows[0].literal);
	assert_int_equal(word_list_add(&env, "LIST=1 '2 3'"), 0);
	assert_int_equal(word_list_add(&env, "ONE=one"), 0);
	assert_int_equal(unit_command_expand(&commands.rows[0], &env, &argv), 0);
	assert_int_equal(argv.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < argv.count; i++)
		assert_string_equal(argv.words[i], wanted[i]);
	word_list_done(&argv);
	assert_true(commands.rows[1].literal);
	assert_int_equal(unit_command_expand(&commands.rows[1], &env, &argv), 0);
	assert_string_equal(argv.words[1], "$ONE");
	assert_string_equal(argv.words[2], ";");
	word_list_done(&argv);
	word_list_done(&env);
	unit_commands_done(&commands);
	unit_free(unit);
	unit = make("x", "[Service]\nExecStart=/bin/sh 'open\n");
	assert_int_equal(unit_commands(unit, "Service", "ExecStart", &commands, &why), -EINVAL);
	assert_non_null(strstr(why, "test:2: ExecStart="));
	free(why);
	unit_free(unit);
}

static void environment_files_are_read(void **state)
{
	(void)state;
	static const char *const wanted[] = { "A=1", "B=two words", "C=a\"b $x", "E=x y", "F=", "G=#no comment", "H=a\nb" };
	struct word_list env = { 0 };
	assert_int_equal(
		unit_env_parse(
			"# c\n; d\nA=1\nB = 'two words' \nC=\"a\\\"b \\$x\"\n1D=no\nE=x\\\n y\nF=\nG=#no comment\nno\nH=\"a\nb\"\nA=1",
			&env),
		0);
	assert_int_equal(env.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < env.count; i++)
		assert_string_equal(env.words[i], wanted[i]);
	word_list_done(&env);
}

static void nothing_is_dropped_in_silence(void **state)
{
	(void)state;
	struct unit *unit = make(
		"x",
		"[Unit]\nDescription=x\nOnFailure=y.service\n[Service]\nExecStart=/bin/true\nProtectSystem=strict\nProtectHome=no\n"
		"NoSuchThing=1\nWatchdogSec=5\nCapabilityBoundingSet=\nX-Mine=1\n");
	struct unit_told told;
	assert_int_equal(unit_told(unit, &told), 0);
	assert_int_equal(told.guards.count, 2);
	assert_string_equal(told.guards.words[0], "ProtectSystem=strict");
	assert_string_equal(told.guards.words[1], "CapabilityBoundingSet=");
	assert_int_equal(told.lacks.count, 3);
	assert_non_null(strstr(told.lacks.words[0], "OnFailure="));
	assert_non_null(strstr(told.lacks.words[1], "does not know NoSuchThing="));
	assert_non_null(strstr(told.lacks.words[2], "WatchdogSec="));
	unit_told_done(&told);
	unit_free(unit);
}

static void conditions_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum unit_met met;
	} table[] = {
		{ "ConditionPathExists=/", UNIT_MET },
		{ "ConditionPathExists=!/", UNIT_CONDITION_FAILED },
		{ "AssertPathIsDirectory=/nonexistent", UNIT_ASSERT_FAILED },
		{ "ConditionPathExists=|/nonexistent\nConditionPathIsDirectory=|/", UNIT_MET },
		{ "ConditionPathExists=|/nonexistent", UNIT_CONDITION_FAILED },
		{ "ConditionPathExists=/nonexistent\nConditionPathExists=", UNIT_MET },
		{ "ConditionArchitecture=x86-64", UNIT_MET },
		{ "ConditionSecurity=selinux", UNIT_MET }, /* not judged, and told */
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char text[256], *why = NULL;
		struct word_list notes = { 0 };
		snprintf(text, sizeof(text), "[Unit]\n%s\n", table[i].text);
		struct unit *unit = make("x", text);
		assert_int_equal(unit_conditions(unit, &notes, &why), table[i].met);
		assert_true(!!why == (table[i].met != UNIT_MET));
		assert_int_equal(notes.count, strstr(text, "Security") ? 1 : 0);
		free(why);
		word_list_done(&notes);
		unit_free(unit);
	}
}

static char place[] = "/tmp/lichen-units-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", place, name);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	mkdir(path, 0755);
	*slash = '/';
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void files_are_found_and_ordered(void **state)
{
	(void)state;
	struct word_list directories = { 0 };
	struct unit_set set;
	char path[256], *why = NULL;
	assert_non_null(mkdtemp(place));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(word_list_printf(&directories, "%s/%d", place, i), 0);
		assert_int_equal(mkdir(directories.words[i], 0755), 0);
	}
	put("1/t@.service", "[Service]\nExecStart=/bin/a\n");
	put("1/t@.service.d/10.conf", "[Service]\nUMask=0027\n");
	put("0/t@.service.d/20.conf", "[Service]\nUMask=0007\n");
	put("0/t@.service.d/30.conf", "");
	put("1/t@.service.d/30.conf", "[Service]\nUMask=0000\n");
	put("1/head.service",
	    "[Unit]\nRequires=base.service\nWants=t@i.service none.service some.target systemd-x.service\nAfter=base.service t@i.service\n"
	    "[Service]\nExecStart=/bin/head\n");
	put("1/base.service", "[Unit]\nAfter=t@i.service\n[Service]\nExecStart=/bin/base\n");
	put("1/loop.service", "[Unit]\nRequires=pool.service\nAfter=pool.service\n[Service]\nExecStart=/bin/l\n");
	put("1/pool.service", "[Unit]\nAfter=loop.service\n[Service]\nExecStart=/bin/p\n");
	put("1/masked.service", "[Service]\nExecStart=/bin/m\n");
	snprintf(path, sizeof(path), "%s/0/masked.service", place);
	assert_int_equal(symlink("/dev/null", path), 0);
	snprintf(path, sizeof(path), "%s/0/alias.service", place);
	assert_int_equal(symlink("head.service", path), 0);

	assert_int_equal(unit_set_load(&directories, "alias", &set, &why), UNIT_SET_OK);
	assert_int_equal(set.count, 3);
	assert_string_equal(set.units[0]->name.full, "t@i.service");
	assert_string_equal(set.units[1]->name.full, "base.service");
	assert_string_equal(set.units[2]->name.full, "head.service");
	assert_ptr_equal(set.head, set.units[2]);
	assert_int_equal(set.need[0], UNIT_WANTED);
	assert_int_equal(set.units[0]->drop_ins.count, 2);
	assert_int_equal(unit_get_mode(set.units[0], "Service", "UMask", 0), 0007);
	assert_int_equal(set.notes.count, 1); /* none.service */
	unit_set_done(&set);
	assert_int_equal(unit_set_load(&directories, "loop", &set, &why), UNIT_SET_OK);
	assert_int_equal(set.notes.count, 1);
	unit_set_done(&set);
	assert_int_equal(unit_set_load(&directories, "masked", &set, &why), UNIT_SET_MASKED);
	free(why);
	assert_int_equal(unit_set_load(&directories, "none", &set, &why), UNIT_SET_NOT_FOUND);
	free(why);
	word_list_done(&directories);
	snprintf(path, sizeof(path), "rm -rf %s", place);
	assert_int_equal(system(path), 0); /* NOLINT(cert-env33-c): a path of mkdtemp */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_read_as_systemd_reads_it),
		cmocka_unit_test(words_have_quotes_and_escapes),
		cmocka_unit_test(names_are_taken_apart),
		cmocka_unit_test(specifiers_are_replaced),
		cmocka_unit_test(values_are_understood),
		cmocka_unit_test(commands_have_prefixes_and_variables),
		cmocka_unit_test(environment_files_are_read),
		cmocka_unit_test(nothing_is_dropped_in_silence),
		cmocka_unit_test(conditions_are_judged),
		cmocka_unit_test(files_are_found_and_ordered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
