/* SPDX-License-Identifier: Apache-2.0 */
/* A unit file: whatever it says, its values are asked for in every way, and what is not done is told. */
#include "fuzz.h"
#include "units/unit_command.h"
#include "units/unit_env.h"
#include "units/unit_told.h"
#include "units/unit_value.h"

/* Each value by every parser. */
static void parse_value(const struct unit_setting *row)
{
	s64 number;
	u64 bytes;
	u32 mode;
	struct word_list env = { 0 };

	MUST(!strchr(row->value, '\n') && row->line > 0);
	if (unit_span(row->value, &number) == 0)
		MUST(number >= 0);
	if (unit_mode(row->value, &mode) == 0)
		MUST(mode <= 07777);
	if (unit_bytes(row->value, &bytes) == 0)
		MUST(*row->value);
	MUST(unit_bool(row->value) <= 1 && unit_signal(row->value) >= 0);
	MUST(unit_env_parse(row->value, &env) == 0);
	for (size_t i = 0; i < env.count; i++)
		MUST(strchr(env.words[i], '='));
	word_list_done(&env);
}

static void parse_commands(const struct unit *unit)
{
	struct unit_commands commands;
	struct word_list env = { 0 }, argv = { 0 };
	char *why = NULL;

	if (unit_commands(unit, "Service", "ExecStart", &commands, &why) == 0) {
		MUST(word_list_add(&env, "A=b 'c d'") == 0);
		for (size_t i = 0; i < commands.count; i++) {
			MUST(commands.rows[i].program && commands.rows[i].argv.count > 0);
			MUST(unit_command_expand(&commands.rows[i], &env, &argv) == 0);
		}
		unit_commands_done(&commands);
	}
	word_list_done(&argv);
	word_list_done(&env);
	free(why);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct unit *unit = calloc(1, sizeof(*unit));
	struct unit_told told;

	MUST(unit && unit_name_parse("fuzz@some-instance.service", &unit->name) == 0);
	MUST(unit_text_parse((const char *)data, size, "fuzz", &unit->settings, &unit->notes) == 0);
	for (size_t i = 0; i < unit->settings.count; i++)
		parse_value(&unit->settings.rows[i]);
	parse_commands(unit);
	MUST(unit_told(unit, &told) == 0);
	unit_told_done(&told);
	unit_free(unit);
	return 0;
}
