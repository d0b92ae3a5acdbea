/* SPDX-License-Identifier: Apache-2.0 */
/* What of a unit lichen does not do. */
#include "units/unit_told.h"

#include <errno.h>
#include <string.h>

#include "units/unit_value.h"

enum handling { HANDLING_DONE, HANDLING_PLAIN, HANDLING_LACKS, HANDLING_GUARD };

static const struct directive {
	const char *section, *name, *what;
	enum handling handling;
} directives[] = {
#define DIRECTIVE_DONE(section, name) { #section, #name, "", HANDLING_DONE },
#define DIRECTIVE_PLAIN(section, name) { #section, #name, "", HANDLING_PLAIN },
#define DIRECTIVE_LACKS(section, name, what) { #section, #name, what, HANDLING_LACKS },
#define DIRECTIVE_GUARD(section, name) { #section, #name, "", HANDLING_GUARD },
#include "units/directives.def"
};

/* Sections of programs, X-…, are nobody's; those of [Exec] and the like do not exist. A socket's ExecStartPre= is run as a service's would be. */
static const struct directive *find(const struct unit_setting *row)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
			if (strcmp(directives[i].name, row->name) == 0 &&
			    strcmp(directives[i].section, pass && strcmp(row->section, "Socket") == 0 ? "Service" : row->section) ==
				    0)
				return &directives[i];
	return NULL;
}

static bool is_condition(const struct unit_setting *row)
{
	return strcmp(row->section, "Unit") == 0 &&
	       (strncmp(row->name, "Condition", 9) == 0 || strncmp(row->name, "Assert", 6) == 0);
}

/* Whether the value asks for nothing: no, false, infinity, an empty one that clears an earlier. */
static bool asks_nothing(const struct unit_setting *row)
{
	return !*row->value || unit_bool(row->value) == 0 || strcmp(row->value, "infinity") == 0;
}

static int tell(const struct unit_setting *row, struct unit_told *told)
{
	const struct directive *directive = find(row);

	if (is_condition(row) || strncmp(row->section, "X-", 2) == 0 || strncmp(row->name, "X-", 2) == 0)
		return 0;
	if (!directive)
		return word_list_printf(&told->lacks, "%s:%u: lichen does not know %s= in [%s], and passes it over", row->file,
					row->line, row->name, row->section);
	if (strcmp(row->name, "Accept") == 0 && unit_bool(row->value) == 1)
		return word_list_printf(&told->lacks, "Accept=yes: the service gets the listening socket, not a connection");
	if (asks_nothing(row) && strcmp(row->name, "CapabilityBoundingSet") != 0) /* whose empty set is the strongest */
		return 0;
	if (directive->handling == HANDLING_GUARD)
		return word_list_printf(&told->guards, "%s=%s", row->name, row->value);
	if (directive->handling == HANDLING_LACKS)
		return word_list_printf(&told->lacks, "%s=%s is not followed: %s", row->name, row->value, directive->what);
	return 0;
}

int unit_told(const struct unit *unit, struct unit_told *ret)
{
	struct unit_told told = { 0 };
	int r = 0;

	for (size_t i = 0; i < unit->notes.count && r == 0; i++)
		r = word_list_add(&told.lacks, unit->notes.words[i]);
	for (size_t i = 0; i < unit->settings.count && r == 0; i++)
		r = tell(&unit->settings.rows[i], &told);
	if (r < 0)
		unit_told_done(&told);
	else
		*ret = told;
	return r;
}

void unit_told_done(struct unit_told *told)
{
	word_list_done(&told->guards);
	word_list_done(&told->lacks);
}
