// SPDX-License-Identifier: Apache-2.0
/* What `lichen-fetch call` writes. */
#include "flow/call_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int keep(struct call_frames *frames, const char *bytes, size_t size)
{
	size_t wanted = frames->length + size;
	if (wanted > CALL_FRAMES_LINE_MAX)
		return -EPROTO;
	if (wanted > frames->room) {
		size_t room = wanted < 2 * frames->room ? 2 * frames->room : wanted;
		char *longer = realloc(frames->line, room);
		if (!longer)
			return -ENOMEM;
		frames->line = longer;
		frames->room = room;
	}
	if (size)
		memcpy(frames->line + frames->length, bytes, size);
	frames->length = wanted;
	return 0;
}

static int take_frame(struct call_frames *frames, const json_t *frame)
{
	const char *event = json_string_value(json_object_get(frame, "event"));
	const json_t *size = json_object_get(frame, "size");
	if (!event)
		return -EPROTO;
	if (strcmp(event, "data") == 0) {
		if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > CALL_FRAMES_DATA_MAX)
			return -EPROTO;
		frames->left = (size_t)json_integer_value(size);
		return 0;
	}
	if (strcmp(event, "answer") != 0 && strcmp(event, "end") != 0 && strcmp(event, "error") != 0)
		return -EPROTO;
	frames->ended = strcmp(event, "answer") != 0;
	return frames->sink.event(frames->sink.user, event, frame);
}

static int take_line(struct call_frames *frames)
{
	json_t *frame = frames->length ? json_loadb(frames->line, frames->length, 0, NULL) : NULL;
	int error = json_is_object(frame) ? take_frame(frames, frame) : -EPROTO;
	json_decref(frame);
	frames->length = 0;
	return error;
}

int call_frames_feed(struct call_frames *frames, const char *bytes, size_t size)
{
	int error = 0;
	while (size && !error) {
		size_t part = size;
		if (frames->ended)
			return -EPROTO;
		if (frames->left) {
			part = size < frames->left ? size : frames->left;
			frames->left -= part;
			error = frames->sink.data(frames->sink.user, bytes, part);
		} else {
			const char *newline = memchr(bytes, '\n', size);
			part = newline ? (size_t)(newline - bytes) + 1 : size;
			error = keep(frames, bytes, newline ? part - 1 : part);
			if (!error && newline)
				error = take_line(frames);
		}
		bytes += part;
		size -= part;
	}
	return error;
}

void call_frames_done(struct call_frames *frames)
{
	free(frames->line);
	frames->line = NULL;
	frames->length = frames->room = 0;
}
