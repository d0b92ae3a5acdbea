/* SPDX-License-Identifier: Apache-2.0 */
/* A unit and the units that it needs. */
#include "units/unit_set.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

bool unit_is_service(const struct unit *unit)
{
	return strcmp(unit->name.type, "service") == 0;
}

bool unit_is_socket(const struct unit *unit)
{
	return strcmp(unit->name.type, "socket") == 0;
}

/* Whether a list of unit names in its [Unit] section has another. */
static bool names(const struct unit *unit, const char *directive, const struct unit *other)
{
	struct word_list words = { 0 };
	const struct unit_setting *row;
	struct unit_name name;
	bool found = false;

	if (unit_list(unit, "Unit", directive, &words, &row) == 0)
		for (size_t i = 0; i < words.count && !found; i++)
			found = unit_name_parse(words.words[i], &name) == 0 && strcmp(name.full, other->name.full) == 0;
	word_list_done(&words);
	return found;
}

static void service_name(const struct unit *socket, char text[UNIT_NAME_MAX + 16])
{
	const char *given = unit_get(socket, "Socket", "Service");

	if (given)
		(void)snprintf(text, UNIT_NAME_MAX + 16, "%.250s", given);
	else
		(void)snprintf(text, UNIT_NAME_MAX + 16, "%.*s.service", (int)(socket->name.type - socket->name.full - 1),
			       socket->name.full);
}

const struct unit *unit_set_service_of(const struct unit_set *set, const struct unit *socket)
{
	char text[UNIT_NAME_MAX + 16];

	service_name(socket, text);
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->units[i]->name.full, text) == 0)
			return set->units[i];
	return NULL;
}

bool unit_set_requires(const struct unit *unit, const struct unit *other)
{
	return names(unit, "Requires", other) || names(unit, "BindsTo", other) || word_list_has(&unit->requires, other->name.full);
}

bool unit_set_after(const struct unit *unit, const struct unit *other)
{
	char text[UNIT_NAME_MAX + 16];

	if (names(unit, "After", other) || names(other, "Before", unit))
		return true;
	if (!unit_is_socket(other) || !unit_is_service(unit)) /* a socket is there before its service */
		return false;
	service_name(other, text);
	return strcmp(text, unit->name.full) == 0;
}

void unit_set_done(struct unit_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		unit_free(set->units[i]);
	word_list_done(&set->notes);
	*set = (struct unit_set){ 0 };
}

struct loading {
	const struct word_list *directories;
	struct unit_set *set;
	char **ret_why;
};

static enum unit_set_error fail(struct loading *loading, enum unit_set_error error, const char *format, ...) PRINTF_LIKE(3, 4);
static enum unit_set_error fail(struct loading *loading, enum unit_set_error error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(loading->ret_why, format, args) < 0)
		*loading->ret_why = NULL;
	va_end(args);
	return error;
}

/* Whether a unit that others name is followed at all: kinds that lichen runs, and not parts of systemd itself. */
static bool followed(const char *word)
{
	struct unit_name name;

	if (unit_name_parse(word, &name) < 0)
		return false;
	if (strcmp(name.type, "service") != 0 && strcmp(name.type, "socket") != 0)
		return false;
	return fnmatch("systemd-*", name.full, 0) != 0 && fnmatch("dbus.*", name.full, 0) != 0;
}

static enum unit_set_error load(struct loading *loading, const char *word, enum unit_need need, const char *by, bool head);

/* The units that one list names. */
static enum unit_set_error load_all(struct loading *loading, const struct unit *unit, const struct word_list *words,
				    enum unit_need need)
{
	enum unit_set_error r = UNIT_SET_OK;

	for (size_t i = 0; i < words->count && r == UNIT_SET_OK; i++)
		if (followed(words->words[i]))
			r = load(loading, words->words[i], need, unit->name.full, false);
	return r;
}

static enum unit_set_error load_list(struct loading *loading, const struct unit *unit, const char *section, const char *directive,
				     enum unit_need need)
{
	struct word_list words = { 0 };
	const struct unit_setting *row;
	int r = unit_list(unit, section, directive, &words, &row);
	enum unit_set_error error = r == 0       ? load_all(loading, unit, &words, need)
				  : r == -ENOMEM ? UNIT_SET_NO_MEMORY
						 : fail(loading, UNIT_SET_BAD, "%s:%u: %s= cannot be understood: %.100s", row->file,
							row->line, directive, row->value);

	word_list_done(&words);
	return error;
}

/* What a unit needs. */
static enum unit_set_error load_needs(struct loading *loading, struct unit *unit)
{
	char service[UNIT_NAME_MAX + 16];
	enum unit_set_error r = load_list(loading, unit, "Unit", "Requires", UNIT_REQUIRED);

	if (r == UNIT_SET_OK)
		r = load_list(loading, unit, "Unit", "BindsTo", UNIT_REQUIRED);
	if (r == UNIT_SET_OK)
		r = load_all(loading, unit, &unit->requires, UNIT_REQUIRED);
	if (r == UNIT_SET_OK)
		r = load_list(loading, unit, "Unit", "Wants", UNIT_WANTED);
	if (r == UNIT_SET_OK)
		r = load_all(loading, unit, &unit->wants, UNIT_WANTED);
	if (r == UNIT_SET_OK && unit_is_service(unit))
		r = load_list(loading, unit, "Service", "Sockets", UNIT_WANTED);
	if (r == UNIT_SET_OK && unit_is_socket(unit)) {
		service_name(unit, service);
		r = load(loading, service, UNIT_REQUIRED, unit->name.full, false);
	}
	return r;
}

static enum unit_set_error judge(struct loading *loading, const struct unit *unit, const char *by)
{
	const char *name = unit->name.full, *says = *by ? ", which it needs," : "";

	switch (unit->load) {
	case UNIT_NOT_FOUND:
		return fail(loading, UNIT_SET_NOT_FOUND, "%s%s%sthere is no unit file %s", by, *by ? ": " : "",
			    says + (*by ? 2 : 0), name);
	case UNIT_MASKED:
		return fail(loading, UNIT_SET_MASKED, "%s%s is masked by %s", name, says, unit->path);
	case UNIT_BAD:
		return fail(loading, UNIT_SET_BAD, "%s cannot be read: %s", unit->path, strerrordesc_np(unit->error));
	case UNIT_LOADED:
		break;
	}
	if (!unit_is_service(unit) && !unit_is_socket(unit))
		return fail(loading, UNIT_SET_BAD, "%s is a %s, and lichen runs services and sockets", name, unit->name.type);
	return UNIT_SET_OK;
}

static enum unit_set_error load(struct loading *loading, const char *word, enum unit_need need, const char *by, bool head)
{
	struct unit_set *set = loading->set;
	struct unit *unit;
	enum unit_set_error error;
	int r = unit_load(loading->directories, word, &unit);

	if (r < 0)
		return r == -ENOMEM ? UNIT_SET_NO_MEMORY
				    : fail(loading, UNIT_SET_BAD_NAME, "'%.100s' is no name of a unit that can be run", word);
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->units[i]->name.full, unit->name.full) == 0) {
			if (need == UNIT_REQUIRED)
				set->need[i] = need;
			unit_free(unit);
			return UNIT_SET_OK;
		}
	error = judge(loading, unit, by);
	if (error == UNIT_SET_OK && set->count == UNIT_SET_MAX)
		error = fail(loading, UNIT_SET_BAD, "more than %u units are needed", UNIT_SET_MAX);
	if (error == UNIT_SET_OK && unit_find_place(unit, loading->ret_why) < 0)
		error = UNIT_SET_BAD;
	if (error != UNIT_SET_OK) {
		unit_free(unit);
		if (error == UNIT_SET_NO_MEMORY || need == UNIT_REQUIRED)
			return error;
		r = word_list_printf(&set->notes, "%s wants %s, which is left out: %s", by, word,
				     *loading->ret_why ? *loading->ret_why : "out of memory");
		free(*loading->ret_why);
		*loading->ret_why = NULL;
		return r < 0 ? UNIT_SET_NO_MEMORY : UNIT_SET_OK;
	}
	set->units[set->count] = unit;
	set->need[set->count++] = need;
	if (head)
		set->head = unit;
	return load_needs(loading, unit);
}

/* Whether `unit` may be taken now: nothing that is left comes before it. */
static bool is_free(const struct unit_set *set, size_t from, size_t at)
{
	for (size_t i = from; i < set->count; i++)
		if (i != at && unit_set_after(set->units[at], set->units[i]))
			return false;
	return true;
}

/* Puts the units into the order of starting. Where After= goes in a circle, one of them is taken all the same. */
static int order(struct unit_set *set)
{
	for (size_t from = 0; from < set->count; from++) {
		size_t at = from;
		struct unit *unit;
		enum unit_need need;

		while (at < set->count && !is_free(set, from, at))
			at++;
		if (at == set->count) {
			at = from;
			if (word_list_printf(&set->notes, "the order (After=, Before=) goes in a circle; it is cut before %s",
					     set->units[at]->name.full) < 0)
				return -ENOMEM;
		}
		unit = set->units[at];
		need = set->need[at];
		memmove((void *)(set->units + from + 1), (void *)(set->units + from), (at - from) * sizeof(struct unit *));
		memmove(set->need + from + 1, set->need + from, (at - from) * sizeof(*set->need));
		set->units[from] = unit;
		set->need[from] = need;
	}
	return 0;
}

static enum unit_set_error check_conflicts(struct loading *loading)
{
	const struct unit_set *set = loading->set;

	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < set->count; j++)
			if (i != j && names(set->units[i], "Conflicts", set->units[j]))
				return fail(loading, UNIT_SET_CONFLICT, "%s conflicts with %s, and both are needed",
					    set->units[i]->name.full, set->units[j]->name.full);
	return UNIT_SET_OK;
}

enum unit_set_error unit_set_load(const struct word_list *directories, const char *name, struct unit_set *ret, char **ret_why)
{
	struct loading loading = { .directories = directories, .set = ret, .ret_why = ret_why };
	enum unit_set_error error;

	*ret = (struct unit_set){ 0 };
	*ret_why = NULL;
	error = load(&loading, name, UNIT_REQUIRED, "", true);
	if (error == UNIT_SET_OK)
		error = check_conflicts(&loading);
	if (error == UNIT_SET_OK && order(ret) < 0)
		error = UNIT_SET_NO_MEMORY;
	if (error != UNIT_SET_OK)
		unit_set_done(ret);
	return error;
}
