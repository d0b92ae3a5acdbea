// SPDX-License-Identifier: Apache-2.0
/*
 * The window over the input, and what is handed out of it.
 *
 *     raw    [ held back │ not yet normalised ]           offset `base` of the input on
 *     text   [ context │ held back │ undecided ]          positions: given ≤ next ≤ size
 *
 * Up to `given` everything was handed out; context of PII_LEFT_MAX bytes stays for those who look back. `next` is where the scan goes on. One finding
 * is pending: a later trigger may find that more belongs to it. It is final when no later match can reach it: matches begin at most PII_LEFT_MAX
 * before their trigger, and on its line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pii/normalise.h"
#include "pii/pattern.h"
#include "pii/scan.h"

#define FRESH 65536u /* bytes that are taken in at once */
#define TEXT_ROOM (FRESH + 4u * PII_MATCH_MAX)
#define RAW_ROOM (FRESH + 4u * PII_MATCH_MAX * TEXT_RAW_MAX)
#define CONTEXT (PII_LEFT_MAX + 2u * PII_PADDING)
#define BASE64_DEPTH 2u

struct pending {
	struct match match; /* score 0: none */
	u8 value[PII_MATCH_MAX];
};

struct pii_stream {
	struct pii_sink sink;
	struct scanner scanner;
	struct line_patterns *patterns; /* NULL: none */
	u8 *raw;
	size_t raw_size, raw_done; /* bytes there; of them normalised */
	u64 base;
	struct text text;
	size_t given, next;
	size_t raw_given; /* bytes of raw that were handed out */
	size_t floor;     /* what is found begins here at the earliest: behind the last finding */
	struct pending pending;
};

/* --- what is handed out --------------------------------------------------------------------------------------------------------------- */

/* Hands out the bytes of the input up to a position of the text, where `end` is of the input, that are in no finding. */
static int give_up_to(struct pii_stream *stream, size_t to, size_t end)
{
	size_t from = stream->raw_given;
	if (to < stream->given)
		return 0;
	stream->given = to;
	stream->raw_given = end;
	return end > from ? stream->sink.clean(stream->sink.user, stream->raw + from, end - from) : 0;
}

static int give_clean(struct pii_stream *stream, size_t to)
{
	return to < stream->given ? 0 : give_up_to(stream, to, text_raw_start(&stream->text, to));
}

/* Hands out the pending finding, and what is before it. */
static int give_pending(struct pii_stream *stream)
{
	const struct match *match = &stream->pending.match;
	if (!match->score)
		return 0;
	/* Characters of no width before and behind a finding are not part of it. */
	size_t start = text_raw_start(&stream->text, match->start), end = text_raw_end(&stream->text, match->end);
	int error = give_up_to(stream, match->start, start);
	if (error)
		return error;
	bool inner = match->value != NULL;
	size_t size = match->end - match->start;
	const u8 *value = inner ? stream->pending.value : stream->text.bytes + match->start;
	const struct pii_finding finding = {
		.start = stream->base + start,
		.end = stream->base + end,
		.entity = match->entity,
		.score = match->score,
		.encoded = inner || size != end - start || memcmp(stream->raw + start, value, size) != 0,
	};
	error = stream->sink.found(stream->sink.user, &finding, stream->raw + start, end - start, value,
				   inner ? match->value_size : size);
	stream->raw_given = end;
	stream->given = stream->floor = match->end;
	stream->pending.match.score = 0;
	return error;
}

/* --- findings ------------------------------------------------------------------------------------------------------------------------- */

static void set_pending(struct pii_stream *stream, const struct match *match)
{
	struct pending *pending = &stream->pending;
	pending->match = *match;
	if (match->value) {
		pending->match.value_size = match->value_size < sizeof(pending->value) ? match->value_size : sizeof(pending->value);
		memcpy(pending->value, match->value, pending->match.value_size);
	}
}

/* Two that overlap become one with the name of the surer. Its value is the text of both. */
static void join(struct match *one, const struct match *other)
{
	if (other->score > one->score || (other->score == one->score && other->end - other->start > one->end - one->start)) {
		one->score = other->score;
		one->entity = other->entity;
	}
	one->start = other->start < one->start ? other->start : one->start;
	one->end = other->end > one->end ? other->end : one->end;
	one->value = NULL;
}

/* A finding before the pending one, which was found by a trigger before itself. */
static int take_before(struct pii_stream *stream, const struct match *match)
{
	struct pending later = stream->pending;
	set_pending(stream, match);
	int error = give_pending(stream);
	stream->pending = later;
	return error;
}

static int take(void *user, const struct match *found)
{
	struct pii_stream *stream = user;
	const struct match *pending = &stream->pending.match;
	struct match match = *found;
	if (match.start < stream->floor || match.start < stream->given) {
		match.start = stream->floor > stream->given ? stream->floor : stream->given;
		match.value = NULL;
	}
	if (match.end <= match.start)
		return 0;
	/* What ends where a password in a URL is followed by its '@' is the host. */
	bool host = pending->score && pending->entity == PII_URL_PASSWORD && match.entity == PII_EMAIL_ADDRESS &&
		    stream->text.bytes[pending->end] == '@' && match.start < pending->end;
	if (host)
		return 0;
	size_t start = pending->score && pending->start < match.start ? pending->start : match.start;
	if (pending->score && match.start < pending->end && match.end > pending->start && match.end - start <= PII_MATCH_MAX) {
		bool same = match.start == pending->start && match.end == pending->end;
		if (same && match.score <= pending->score)
			return 0;
		if (same)
			set_pending(stream, &match);
		else
			join(&stream->pending.match, &match);
		return 0;
	}
	if (pending->score && match.end <= pending->start)
		return take_before(stream, &match);
	int error = give_pending(stream);
	if (match.start < stream->floor) {
		match.start = stream->floor;
		match.value = NULL;
	}
	if (error || match.end <= match.start)
		return error;
	set_pending(stream, &match);
	return 0;
}

/* --- the window ----------------------------------------------------------------------------------------------------------------------- */

/* No later match begins before this position. */
static size_t settled(const struct pii_stream *stream)
{
	size_t from = stream->next > PII_LEFT_MAX ? stream->next - PII_LEFT_MAX : 0;
	from = from > stream->given ? from : stream->given;
	const u8 *line = stream->next > from ? memrchr(stream->text.bytes + from, '\n', stream->next - from) : NULL;
	return line ? (size_t)(line + 1 - stream->text.bytes) : from;
}

/* Forgets what was handed out, but for the context. */
static void slide(struct pii_stream *stream)
{
	size_t drop = stream->given > CONTEXT ? stream->given - CONTEXT : 0;
	size_t raw = stream->raw_given;
	if (drop < FRESH / 2 && RAW_ROOM - stream->raw_size > FRESH)
		return;
	memmove(stream->raw, stream->raw + raw, stream->raw_size - raw);
	stream->raw_size -= raw;
	stream->raw_done -= raw;
	stream->raw_given = 0;
	stream->base += raw;
	text_drop(&stream->text, drop, raw);
	stream->given -= drop;
	stream->next -= drop;
	stream->floor -= stream->floor < drop ? stream->floor : drop;
	if (stream->pending.match.score) {
		stream->pending.match.start -= drop;
		stream->pending.match.end -= drop;
	}
	if (stream->scanner.chain != CHAIN_NONE)
		stream->scanner.chain -= drop < stream->scanner.chain ? drop : stream->scanner.chain;
	stream->scanner.covered -= drop < stream->scanner.covered ? drop : stream->scanner.covered;
	if (stream->patterns)
		line_patterns_drop(stream->patterns, drop);
}

/* Hands out what is decided. */
static int give_settled(struct pii_stream *stream, bool all)
{
	size_t done = all ? stream->text.size : settled(stream);
	const struct match *pending = &stream->pending.match;
	int error = pending->score && (all || pending->end <= done) ? give_pending(stream) : 0;
	if (error)
		return error;
	return give_clean(stream, pending->score && pending->start < done ? pending->start : done);
}

/* Looks at what is there, and hands out what is decided. */
static int work(struct pii_stream *stream, bool more)
{
	for (;;) {
		size_t before = stream->next, done = stream->raw_done;
		stream->raw_done = text_append(&stream->text, stream->raw, done, stream->raw_size, more);
		struct view view = {
			.text = stream->text.bytes,
			.end = stream->text.size,
			.more = more || stream->raw_done < stream->raw_size,
		};
		int error = stream->patterns ? line_patterns_scan(stream->patterns, &stream->scanner, &view, &stream->next)
					     : scan_text(&stream->scanner, &view, stream->next, &stream->next);
		bool stuck = stream->raw_done == done && stream->next == before;
		if (!error)
			error = give_settled(stream, !view.more);
		if (error)
			return error;
		slide(stream);
		if (stream->raw_done == stream->raw_size || stuck)
			return 0;
	}
}

int pii_stream_feed(struct pii_stream *stream, const void *bytes, size_t size)
{
	const u8 *at = bytes;
	while (size > 0) {
		size_t part = size < FRESH ? size : FRESH;
		if (RAW_ROOM - stream->raw_size < part)
			return -ENOBUFS;
		memcpy(stream->raw + stream->raw_size, at, part);
		stream->raw_size += part;
		at += part;
		size -= part;
		int error = work(stream, true);
		if (error)
			return error;
	}
	return 0;
}

int pii_stream_finish(struct pii_stream *stream)
{
	return work(stream, false);
}

/* --- life ----------------------------------------------------------------------------------------------------------------------------- */

int pii_stream_new(const struct pii_options *options, const struct pii_sink *sink, struct pii_stream **ret_stream)
{
	struct pii_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->sink = *sink;
	scanner_init(&stream->scanner, &options->entities);
	stream->scanner.take = take;
	stream->scanner.user = stream;
	stream->scanner.base64_depth = BASE64_DEPTH;
	stream->raw = malloc(RAW_ROOM);
	int error = stream->raw ? text_init(&stream->text, TEXT_ROOM) : -ENOMEM;
	if (!error && options->pattern_count)
		error = line_patterns_new(options, &stream->patterns);
	if (error) {
		pii_stream_free(stream);
		return error;
	}
	*ret_stream = stream;
	return 0;
}

void pii_stream_free(struct pii_stream *stream)
{
	if (!stream)
		return;
	line_patterns_free(stream->patterns);
	base64_place_free(stream->scanner.base64);
	text_done(&stream->text);
	free(stream->raw);
	free(stream);
}
