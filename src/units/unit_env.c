/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a service. */
#include "units/unit_env.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "units/unit_word.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool valid_key(const char *text, size_t length)
{
	if (!length || isdigit((unsigned char)*text))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return true;
}

/* Copies the value that begins at `at`, quotes and backslashes undone, until the end of its line. Returns where it ended. */
static const char *copy_value(const char *at, FILE *to)
{
	char quote = 0;
	size_t blanks = 0;

	for (; *at && (quote || *at != '\n'); at++) {
		bool blank = !quote && (*at == ' ' || *at == '\t' || *at == '\r');

		if (blank) {
			blanks++;
			continue;
		}
		for (; blanks; blanks--)
			(void)fputc(' ', to);
		if (*at == quote) {
			quote = 0;
		} else if (!quote && (*at == '"' || *at == '\'')) {
			quote = *at;
		} else if (*at == '\\' && quote != '\'' && at[1]) {
			at++;
			if (quote == '"' && !strchr("\"\\`$\n", *at))
				(void)fputc('\\', to);
			if (*at != '\n')
				(void)fputc(*at, to);
		} else {
			(void)fputc(*at, to);
		}
	}
	return at;
}

/* One assignment, from its key on. Returns where it ends; NULL without memory. */
static const char *take_assignment(const char *key, struct word_list *into)
{
	const char *value = strchr(key, '=') + 1;
	size_t length = (size_t)(value - key) - 1, size;
	char *assignment = NULL;
	FILE *to = open_memstream(&assignment, &size);
	bool ok;

	if (!to)
		return NULL;
	while (length && (key[length - 1] == ' ' || key[length - 1] == '\t'))
		length--;
	(void)fprintf(to, "%.*s=", (int)length, key);
	value = copy_value(value + strspn(value, " \t"), to);
	ok = fclose(to) == 0 && (!valid_key(key, length) || word_list_assign(into, assignment) == 0);
	free(assignment);
	return ok ? value : NULL;
}

int unit_env_parse(const char *text, struct word_list *into)
{
	while (*text) {
		text += strspn(text, " \t\r\n");
		if (*text == '#' || *text == ';' || text[strcspn(text, "=\n")] != '=') {
			text += strcspn(text, "\n");
			continue;
		}
		text = take_assignment(text, into);
		if (!text)
			return -ENOMEM;
	}
	return 0;
}

static int read_file(const char *path, bool optional, struct word_list *into, char **ret_why)
{
	size_t size;
	int error, r;
	char *text = unit_file_read(path, UNIT_FILE_MAX, &size, &error);

	if (!text) {
		if (optional)
			return 0;
		if (asprintf(ret_why, "EnvironmentFile=%s: %s", path, strerrordesc_np(-error)) < 0)
			*ret_why = NULL;
		return error;
	}
	r = unit_env_parse(text, into);
	free(text);
	return r;
}

/* The files that a pattern names. */
static int read_files(const char *pattern, struct word_list *into, char **ret_why)
{
	bool optional = *pattern == '-';
	glob_t found;
	int r = 0;

	pattern += optional;
	if (!strpbrk(pattern, "*?["))
		return read_file(pattern, optional, into, ret_why);
	if (glob(pattern, 0, NULL, &found) != 0)
		return optional ? 0 : read_file(pattern, false, into, ret_why);
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = read_file(found.gl_pathv[i], optional, into, ret_why);
	globfree(&found);
	return r;
}

static int assign(struct word_list *into, const char *key, const char *value)
{
	char *text = NULL;
	int r = asprintf(&text, "%s=%s", key, value) < 0 ? -ENOMEM : word_list_assign(into, text);

	free(text);
	return r;
}

/* What systemd gives to every service. */
static int begin(const struct unit *unit, char *const *own, struct word_list *into)
{
	int r = assign(into, "PATH", PATH_DEFAULT);

	for (; *own && r == 0; own++)
		if (strncmp(*own, "LANG=", 5) == 0 || strncmp(*own, "LC_", 3) == 0 || strncmp(*own, "TZ=", 3) == 0)
			r = word_list_assign(into, *own);
	if (r == 0 && (unit_get(unit, "Service", "User") || !unit->place.system)) {
		r = assign(into, "HOME", unit->place.home);
		if (r == 0)
			r = assign(into, "LOGNAME", unit->place.user);
		if (r == 0)
			r = assign(into, "USER", unit->place.user);
		if (r == 0)
			r = assign(into, "SHELL", unit->place.shell);
	}
	return r;
}

static int pass(const struct unit *unit, char *const *own, struct word_list *into)
{
	struct word_list names = { 0 };
	const struct unit_setting *row;
	int r = unit_list(unit, "Service", "PassEnvironment", &names, &row);

	for (; *own && r == 0; own++)
		for (size_t i = 0; i < names.count && r == 0; i++)
			if (strncmp(*own, names.words[i], strlen(names.words[i])) == 0 && (*own)[strlen(names.words[i])] == '=')
				r = word_list_assign(into, *own);
	word_list_done(&names);
	return r;
}

static int set(const struct unit *unit, struct word_list *into)
{
	struct word_list words = { 0 };
	const struct unit_setting *row;
	int r = unit_list(unit, "Service", "Environment", &words, &row);

	for (size_t i = 0; i < words.count && r == 0; i++) {
		size_t length = strcspn(words.words[i], "=");

		if (words.words[i][length] && valid_key(words.words[i], length))
			r = word_list_assign(into, words.words[i]);
	}
	word_list_done(&words);
	return r;
}

int unit_env(const struct unit *unit, char *const *own, struct word_list *ret, char **ret_why)
{
	struct word_list removed = { 0 };
	const struct unit_setting *row;
	size_t at = 0;
	int r = begin(unit, own, ret);

	if (r == 0)
		r = pass(unit, own, ret);
	if (r == 0)
		r = set(unit, ret);
	while (r == 0 && (row = unit_next(unit, "Service", "EnvironmentFile", &at))) {
		CLEANUP_FREE char *pattern = NULL;

		r = unit_specifiers(row->value, &unit->name, &unit->place, &pattern);
		if (r == 0)
			r = read_files(pattern, ret, ret_why);
	}
	if (r == 0)
		r = unit_list(unit, "Service", "UnsetEnvironment", &removed, &row);
	for (size_t i = 0; i < removed.count && r == 0; i++)
		word_list_unset(ret, removed.words[i]);
	word_list_done(&removed);
	return r;
}
