/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a unit file. */
#include "units/unit_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BLANKS " \t\r\f\v"

char *unit_file_read(const char *path, size_t limit, size_t *ret_size, int *ret_error)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = fd < 0 ? NULL : malloc(limit + 2);
	size_t size = 0;
	ssize_t n = 0;

	*ret_error = fd < 0 ? -errno : -ENOMEM;
	if (!text)
		return NULL;
	while (size <= limit && (n = read(fd, text + size, limit + 1 - size)) > 0)
		size += (size_t)n;
	*ret_error = n < 0 ? -errno : size > limit ? -EFBIG : 0;
	if (*ret_error) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	*ret_size = size;
	return text;
}

static int unit_settings_add(struct unit_settings *into, const char *section, const char *name, const char *value, const char *file,
			     unsigned line)
{
	struct unit_setting *row;

	if (into->count == into->room) {
		size_t room = into->room ? 2 * into->room : 64;
		struct unit_setting *more = reallocarray(into->rows, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		into->rows = more;
		into->room = room;
	}
	row = &into->rows[into->count];
	*row = (struct unit_setting){
		.section = strdup(section), .name = strdup(name), .value = strdup(value), .file = strdup(file), .line = line
	};
	into->count++;
	return row->section && row->name && row->value && row->file ? 0 : -ENOMEM;
}

void unit_settings_done(struct unit_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free(settings->rows[i].section);
		free(settings->rows[i].name);
		free(settings->rows[i].value);
		free(settings->rows[i].file);
	}
	free(settings->rows);
	*settings = (struct unit_settings){ 0 };
}

/* Cuts blanks off the end. Returns where the text begins behind those at its start. */
static char *trim(char *text)
{
	size_t length = strlen(text);

	while (length && strchr(BLANKS, text[length - 1]))
		text[--length] = '\0';
	return text + strspn(text, BLANKS);
}

struct reading {
	const char *file;
	struct unit_settings *into;
	struct word_list *notes;
	char *section; /* NULL = none yet */
};

static int take_line(struct reading *reading, char *text, unsigned line)
{
	char *value;
	size_t length;

	text = trim(text);
	length = strlen(text);
	if (!length)
		return 0;
	if (*text == '[') {
		if (text[length - 1] != ']')
			return word_list_printf(reading->notes, "%s:%u: a section's name ends with ']'", reading->file, line);
		text[length - 1] = '\0';
		free(reading->section);
		reading->section = strdup(text + 1);
		return reading->section ? 0 : -ENOMEM;
	}
	value = strchr(text, '=');
	if (!value || value == text)
		return word_list_printf(reading->notes, "%s:%u: this is no assignment, and is passed over: %.60s", reading->file,
					line, text);
	if (!reading->section)
		return word_list_printf(reading->notes, "%s:%u: an assignment outside of sections is passed over", reading->file,
					line);
	*value++ = '\0';
	return unit_settings_add(reading->into, reading->section, trim(text), trim(value), reading->file, line);
}

/* One line of the file, `length` bytes at `at`, into `whole`, of which *filled bytes are there. Returns whether it goes on in the next one. */
static bool collect(const char *at, size_t length, char *whole, size_t *filled)
{
	bool more;

	if (length && at[length - 1] == '\r')
		length--;
	more = length && at[length - 1] == '\\';
	memcpy(whole + *filled, at, length);
	*filled += length;
	if (more)
		whole[*filled - 1] = ' ';
	return more;
}

static bool is_comment(const char *at, const char *end)
{
	while (at < end && strchr(BLANKS, *at))
		at++;
	return at < end && (*at == '#' || *at == ';');
}

int unit_text_parse(const char *text, size_t size, const char *file, struct unit_settings *into, struct word_list *notes)
{
	CLEANUP_FREE char *whole = malloc(size + 1), *copy = malloc(size + 1);
	struct reading reading = { .file = file, .into = into, .notes = notes };
	const char *end;
	unsigned line = 0, first = 1;
	size_t filled = 0;
	int r = 0;

	if (!whole || !copy)
		return -ENOMEM;
	memcpy(copy, text, size);
	for (size_t i = 0; i < size; i++)
		if (!copy[i])
			copy[i] = ' '; /* no value holds one */
	for (text = copy, end = copy + size; text < end && r == 0;) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		stop = stop ? stop : end;
		line++;
		if (!filled)
			first = line;
		if (!is_comment(text, stop) && !(collect(text, (size_t)(stop - text), whole, &filled) && stop < end)) {
			whole[filled] = '\0';
			filled = 0;
			r = take_line(&reading, whole, first);
		}
		text = stop + 1;
	}
	if (r == 0 && filled) { /* the file ends with comments */
		whole[filled] = '\0';
		r = take_line(&reading, whole, first);
	}
	free(reading.section);
	return r;
}

int unit_text_read(const char *path, struct unit_settings *into, struct word_list *notes)
{
	size_t size;
	int error;
	CLEANUP_FREE char *text = unit_file_read(path, UNIT_FILE_MAX, &size, &error);

	return text ? unit_text_parse(text, size, path, into, notes) : error;
}
