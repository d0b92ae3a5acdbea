/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a unit for its settings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "units/unit.h"
#include "units/unit_value.h"
#include "units/unit_word.h"

static bool is(const struct unit_setting *row, const char *section, const char *name)
{
	return strcmp(row->section, section) == 0 && strcmp(row->name, name) == 0;
}

const char *unit_get(const struct unit *unit, const char *section, const char *name)
{
	for (size_t i = unit->settings.count; i-- > 0;)
		if (is(&unit->settings.rows[i], section, name))
			return *unit->settings.rows[i].value ? unit->settings.rows[i].value : NULL;
	return NULL;
}

const struct unit_setting *unit_next(const struct unit *unit, const char *section, const char *name, size_t *at)
{
	const struct unit_settings *all = &unit->settings;

	if (*at == 0)
		for (size_t i = all->count; i-- > 0 && *at == 0;)
			if (is(&all->rows[i], section, name) && !*all->rows[i].value)
				*at = i + 1;
	for (; *at < all->count; ++*at)
		if (is(&all->rows[*at], section, name))
			return &all->rows[(*at)++];
	return NULL;
}

int unit_list(const struct unit *unit, const char *section, const char *name, struct word_list *into,
	      const struct unit_setting **ret_at)
{
	const struct unit_setting *row;
	size_t at = 0;

	while ((row = unit_next(unit, section, name, &at))) {
		struct word_list words = { 0 };
		int r = unit_words(row->value, UNIT_WORD_RELAXED, &words);

		for (size_t i = 0; i < words.count && r == 0; i++) {
			char *word = NULL;

			r = unit_specifiers(words.words[i], &unit->name, &unit->place, &word);
			if (r == 0)
				r = word_list_take(into, word);
		}
		word_list_done(&words);
		*ret_at = row;
		if (r < 0)
			return r;
	}
	return 0;
}

bool unit_get_bool(const struct unit *unit, const char *section, const char *name, bool otherwise)
{
	const char *value = unit_get(unit, section, name);
	int r = value ? unit_bool(value) : -EINVAL;

	return r < 0 ? otherwise : r;
}

s64 unit_get_span(const struct unit *unit, const char *section, const char *name, s64 otherwise)
{
	const char *value = unit_get(unit, section, name);
	s64 span;

	return value && unit_span(value, &span) == 0 ? span : otherwise;
}

u32 unit_get_mode(const struct unit *unit, const char *section, const char *name, u32 otherwise)
{
	const char *value = unit_get(unit, section, name);
	u32 mode;

	return value && unit_mode(value, &mode) == 0 ? mode : otherwise;
}

char *unit_get_text(const struct unit *unit, const char *section, const char *name)
{
	const char *value = unit_get(unit, section, name);
	char *text = NULL;

	if (!value || unit_specifiers(value, &unit->name, &unit->place, &text) < 0)
		return NULL;
	return text;
}
