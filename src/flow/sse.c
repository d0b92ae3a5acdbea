// SPDX-License-Identifier: Apache-2.0
/* Server-sent events. */
#include "flow/sse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add(struct sse_text *text, const char *bytes, size_t size)
{
	size_t wanted = text->length + size + 1;
	if (wanted > SSE_EVENT_MAX)
		return -EMSGSIZE;
	if (wanted > text->room) {
		size_t room = wanted < 2 * text->room ? 2 * text->room : wanted;
		char *longer = realloc(text->bytes, room);
		if (!longer)
			return -ENOMEM;
		text->bytes = longer;
		text->room = room;
	}
	if (size)
		memcpy(text->bytes + text->length, bytes, size);
	text->length += size;
	text->bytes[text->length] = '\0';
	return 0;
}

static int dispatch(struct sse *sse)
{
	int error = sse->has_data ? sse->event(sse->user, sse->data.bytes, sse->data.length) : 0;
	sse->has_data = false;
	sse->data.length = 0;
	return error;
}

static int take_line(struct sse *sse)
{
	const char *line = sse->line.bytes;
	size_t length = sse->line.length;
	if (!sse->begun && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		length -= 3;
	}
	sse->begun = true;
	if (!length)
		return dispatch(sse);
	if (length < 4 || memcmp(line, "data", 4) != 0 || (length > 4 && line[4] != ':'))
		return 0; /* a comment, or a field that is not asked for */
	line += length > 4 ? 5 : 4;
	length -= length > 4 ? 5 : 4;
	if (length && *line == ' ') {
		line++;
		length--;
	}
	int error = sse->has_data ? add(&sse->data, "\n", 1) : 0;
	sse->has_data = true;
	return error ? error : add(&sse->data, line, length);
}

int sse_feed(struct sse *sse, const char *bytes, size_t size)
{
	int error = 0;
	while (size && !error) {
		size_t part = 0;
		if (sse->after_return && *bytes == '\n')
			bytes++, size--;
		sse->after_return = false;
		while (part < size && bytes[part] != '\n' && bytes[part] != '\r')
			part++;
		error = add(&sse->line, bytes, part);
		if (part < size && !error) {
			sse->after_return = bytes[part] == '\r';
			error = take_line(sse);
			sse->line.length = 0;
			part++;
		}
		bytes += part;
		size -= part;
	}
	return error;
}

void sse_done(struct sse *sse)
{
	free(sse->line.bytes);
	free(sse->data.bytes);
	sse->line = sse->data = (struct sse_text){ .bytes = NULL };
}
