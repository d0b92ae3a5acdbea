// SPDX-License-Identifier: Apache-2.0
/* Values of the strict YAML reader: the core schema's types (YAML 1.2.2, 10.3.2), and readers that want one of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml_strict.h"

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	if (!mapping || mapping->kind != YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i + 1 < mapping->count; i += 2)
		if (strcmp(mapping->items[i]->text, key) == 0)
			return mapping->items[i + 1];
	return NULL;
}

/* --- types ---------------------------------------------------------------------------------------------------------------------------- */

static bool one_of(const char *text, const char *const *words)
{
	while (*words && strcmp(text, *words) != 0)
		words++;
	return *words != NULL;
}

static const char *digits(const char *at)
{
	return at + strspn(at, "0123456789");
}

/* [-+]?[0-9]+, 0o[0-7]+, 0x[0-9a-fA-F]+ */
static bool is_int(const char *text)
{
	if (text[0] == '0' && (text[1] == 'o' || text[1] == 'x'))
		return text[2] && !text[2 + strspn(text + 2, text[1] == 'o' ? "01234567" : "0123456789abcdefABCDEF")];
	text += *text == '-' || *text == '+';
	return *text && !*digits(text);
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?, infinity, not a number */
static bool is_float(const char *text)
{
	static const char *const infinite[] = { ".inf", ".Inf", ".INF", NULL };
	static const char *const none[] = { ".nan", ".NaN", ".NAN", NULL };
	if (one_of(text, none))
		return true;
	text += *text == '-' || *text == '+';
	if (one_of(text, infinite))
		return true;
	const char *whole = digits(text), *end = whole;
	if (*end == '.')
		end = digits(end + 1);
	if (whole == text && end <= whole + 1) /* neither digits before the point nor behind it */
		return false;
	if (*end == 'e' || *end == 'E') {
		end += end[1] == '-' || end[1] == '+' ? 2 : 1;
		return *end && !*digits(end);
	}
	return !*end;
}

enum yaml_type yaml_type(const struct yaml_node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const bools[] = { "true", "True", "TRUE", "false", "False", "FALSE", NULL };
	if (node->kind != YAML_SCALAR)
		return node->kind == YAML_SEQUENCE ? YAML_LIST : YAML_MAP;
	if (node->quoted)
		return YAML_STRING;
	if (one_of(node->text, nulls))
		return YAML_NULL;
	if (one_of(node->text, bools))
		return YAML_BOOL;
	if (is_int(node->text))
		return YAML_INT;
	return is_float(node->text) ? YAML_FLOAT : YAML_STRING;
}

/* What is there, for a sentence that begins with what is due. */
static const char *found(const struct yaml_node *node)
{
	static const char *const names[] = {
		[YAML_NULL] = "nothing",    [YAML_BOOL] = "true or false", [YAML_INT] = "a number", [YAML_FLOAT] = "a number",
		[YAML_STRING] = "a string", [YAML_LIST] = "a list",        [YAML_MAP] = "a mapping"
	};
	return names[yaml_type(node)];
}

static int refuse_type(const struct yaml_node *node, struct yaml_error *error, const char *due)
{
	if (node->kind == YAML_SCALAR && node->length)
		return yaml_refuse(node, error, "%s is due here, not '%.80s'", due, node->text);
	return yaml_refuse(node, error, "%s is due here, not %s", due, found(node));
}

/* --- keys ----------------------------------------------------------------------------------------------------------------------------- */

#define WORD_MAX 40u /* longer words are like no other */

/* How many letters must be added, taken away or changed to make one word of the other (Levenshtein). */
static size_t distance(const char *from, const char *to)
{
	size_t length = strlen(to), row[WORD_MAX + 1];
	if (strlen(from) > WORD_MAX || length > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t i = 0; from[i]; i++) {
		size_t before = row[0]++;
		for (size_t j = 1; j <= length; j++) {
			size_t least = before + (from[i] != to[j - 1]);
			before = row[j];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			row[j] = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
		}
	}
	return row[length];
}

/* Adds ", word" as long as there is room, else ", …". */
static void list_words(const char *const *words, char *to, size_t room)
{
	static const char others[] = ", \u2026";
	size_t at = 0;
	for (; *words; words++) {
		size_t length = strlen(*words), comma = at ? 2 : 0;
		if (at + comma + length + sizeof(others) > room) {
			memcpy(to + at, others, sizeof(others));
			return;
		}
		memcpy(to + at, ", ", comma);
		memcpy(to + at + comma, *words, length + 1);
		at += comma + length;
	}
}

static int refuse_key(const struct yaml_node *key, const char *const *known, struct yaml_error *error)
{
	char list[160] = "";
	const char *nearest = NULL;
	size_t best = strlen(key->text) / 3 + 2; /* as different as that, and it was not meant */
	for (const char *const *word = known; *word; word++) {
		size_t d = distance(key->text, *word);
		if (d < best)
			best = d, nearest = *word;
	}
	if (nearest)
		return yaml_refuse(key, error, "there is no key '%.60s' here; did you mean '%s'?", key->text, nearest);
	list_words(known, list, sizeof(list));
	return yaml_refuse(key, error, "there is no key '%.60s' here; there are %s", key->text, list);
}

int yaml_check_keys(const struct yaml_node *mapping, const char *const *known, struct yaml_error *error)
{
	if (mapping->kind != YAML_MAPPING)
		return refuse_type(mapping, error, "a mapping (KEY: VALUE)");
	for (size_t i = 0; i < mapping->count; i += 2)
		if (!one_of(mapping->items[i]->text, known))
			return refuse_key(mapping->items[i], known, error);
	return 0;
}

/* --- readers -------------------------------------------------------------------------------------------------------------------------- */

int yaml_bool(const struct yaml_node *node, bool *ret, struct yaml_error *error)
{
	if (yaml_type(node) != YAML_BOOL)
		return refuse_type(node, error, "true or false");
	*ret = node->text[0] == 't' || node->text[0] == 'T';
	return 0;
}

int yaml_string(const struct yaml_node *node, const char **ret, struct yaml_error *error)
{
	enum yaml_type type = yaml_type(node);
	if (type == YAML_BOOL || type == YAML_INT || type == YAML_FLOAT || (type == YAML_NULL && node->length))
		return yaml_refuse(node, error, "a string is due here: write '%.80s' in quotes", node->text);
	if (type != YAML_STRING)
		return refuse_type(node, error, "a string");
	*ret = node->text;
	return 0;
}

int yaml_strings(const struct yaml_node *node, const char ***ret, size_t *ret_count, struct yaml_error *error)
{
	if (node->kind != YAML_SEQUENCE)
		return refuse_type(node, error, "a list of strings ([] for none)");
	const char **strings = calloc(node->count + 1, sizeof(const char *));
	if (!strings)
		return -ENOMEM;
	for (size_t i = 0; i < node->count; i++) {
		int r = yaml_string(node->items[i], &strings[i], error);
		if (r) {
			free((void *)strings);
			return r;
		}
	}
	*ret = strings;
	*ret_count = node->count;
	return 0;
}
