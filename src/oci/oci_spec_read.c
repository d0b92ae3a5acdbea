// SPDX-License-Identifier: Apache-2.0
/* Members of JSON objects by type. */
#include "oci/oci_spec_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define DIGITS_S64 18 /* so many always fit */

void oci_read_wrong(struct oci_reader *r, const char *format, ...)
{
	va_list args;

	if (r->status)
		return;
	r->status = -EINVAL;
	va_start(args, format);
	(void)vsnprintf(r->error->text, sizeof(r->error->text), format, args);
	va_end(args);
}

void *oci_read_alloc(struct oci_reader *r, size_t count, size_t size)
{
	void *memory = r->status ? NULL : calloc(count ? count : 1, size);

	if (!memory && !r->status)
		r->status = oci_fail(r->error, -ENOMEM, "out of memory");
	return memory;
}

/* --- numbers that jansson has not -------------------------------------------------------------------------------------------------------- */

/* The end of a string that begins at its quote. */
static const char *string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at < end ? at + 1 : end;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Copies the text with quotes around integers of many digits. Each grows by two bytes and has more than eighteen. */
static size_t quote_big(const char *at, const char *end, char *to)
{
	char *start = to;

	while (at < end) {
		const char *from = at;
		bool big;

		if (*at == '"') {
			at = string_end(at, end);
		} else if (is_digit(*at)) {
			while (at < end && is_digit(*at))
				at++;
			big = at - from > DIGITS_S64 && (at == end || !strchr(".eE", *at)) && from[-1] != '-' && from[-1] != '.' &&
			      from[-1] != '+';
			if (big)
				*to++ = '"';
			memcpy(to, from, (size_t)(at - from));
			to += at - from;
			if (big)
				*to++ = '"';
			continue;
		} else {
			at++;
		}
		memcpy(to, from, (size_t)(at - from));
		to += at - from;
	}
	return (size_t)(to - start);
}

json_t *oci_read_json(struct oci_reader *r, const char *what, const char *json, size_t size)
{
	json_error_t wrong;
	json_t *root;
	CLEANUP_FREE char *text = NULL;

	if (size > OCI_SPEC_MAX) {
		oci_read_wrong(r, "the %s has %zu bytes; the limit is %zu", what, size, OCI_SPEC_MAX);
		return NULL;
	}
	text = oci_read_alloc(r, size + size / DIGITS_S64 * 2 + 2, 1);
	if (!text)
		return NULL;
	if (size && is_digit(json[0])) { /* no object: what comes before a digit can be looked at from here on */
		oci_read_wrong(r, "the %s is no JSON object", what);
		return NULL;
	}
	root = json_loadb(text, quote_big(json, json + size, text), 0, &wrong);
	if (!root)
		oci_read_wrong(r, "the %s is no JSON: %s in line %d", what, wrong.text, wrong.line);
	else if (!json_is_object(root))
		oci_read_wrong(r, "the %s is no JSON object", what);
	if (r->status) {
		json_decref(root);
		root = NULL;
	}
	return root;
}

/* --- members ------------------------------------------------------------------------------------------------------------------------------ */

static json_t *member(struct oci_reader *r, json_t *from, const char *name)
{
	json_t *value = r->status ? NULL : json_object_get(from, name);

	return json_is_null(value) ? NULL : value;
}

json_t *oci_read_object(struct oci_reader *r, json_t *from, const char *name)
{
	json_t *value = member(r, from, name);

	if (value && !json_is_object(value))
		oci_read_wrong(r, "config: %s is no object", name);
	return r->status ? NULL : value;
}

json_t *oci_read_array(struct oci_reader *r, json_t *from, const char *name)
{
	json_t *value = member(r, from, name);

	if (value && (!json_is_array(value) || json_array_size(value) > OCI_LIST_MAX))
		oci_read_wrong(r, "config: %s is no list of a sane length", name);
	return r->status ? NULL : value;
}

const char *oci_read_text(struct oci_reader *r, json_t *from, const char *name)
{
	json_t *value = member(r, from, name);

	if (value && !json_is_string(value))
		oci_read_wrong(r, "config: %s is no text", name);
	return r->status ? NULL : json_string_value(value);
}

const char *oci_read_needed(struct oci_reader *r, json_t *from, const char *name)
{
	const char *text = oci_read_text(r, from, name);

	if (!text || !*text)
		oci_read_wrong(r, "config: %s is missing", name);
	return text ? text : "";
}

bool oci_read_bool(struct oci_reader *r, json_t *from, const char *name)
{
	json_t *value = member(r, from, name);

	if (value && !json_is_boolean(value))
		oci_read_wrong(r, "config: %s is neither true nor false", name);
	return json_is_true(value);
}

bool oci_read_s64(struct oci_reader *r, json_t *from, const char *name, s64 *into)
{
	json_t *value = member(r, from, name);

	if (json_is_integer(value))
		*into = json_integer_value(value);
	else if (value)
		oci_read_wrong(r, "config: %s is no number that can be", name);
	return value && !r->status;
}

bool oci_read_u64(struct oci_reader *r, json_t *from, const char *name, u64 *into)
{
	json_t *value = member(r, from, name);
	const char *text = json_string_value(value);
	char *end = NULL;

	errno = 0;
	if (text && is_digit(*text)) {
		*into = strtoull(text, &end, 10);
		if (errno || *end)
			oci_read_wrong(r, "config: %s is no number that can be", name);
	} else if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*into = (u64)json_integer_value(value);
	} else if (value) {
		oci_read_wrong(r, "config: %s is no number that can be", name);
	}
	return value && !r->status;
}

u32 oci_read_u32(struct oci_reader *r, json_t *from, const char *name)
{
	u64 number = 0;

	if (oci_read_u64(r, from, name, &number) && number > UINT32_MAX)
		oci_read_wrong(r, "config: %s is no number that can be", name);
	return (u32)number;
}

const char **oci_read_texts(struct oci_reader *r, json_t *from, const char *name)
{
	json_t *array = oci_read_array(r, from, name);
	size_t count = json_array_size(array);
	const char **texts = array ? oci_read_alloc(r, count + 1, sizeof(*texts)) : NULL;

	for (size_t i = 0; texts && i < count; i++) {
		texts[i] = json_string_value(json_array_get(array, i));
		if (!texts[i]) {
			oci_read_wrong(r, "config: %s is no list of texts", name);
			free((void *)texts);
			return NULL;
		}
	}
	return texts;
}
