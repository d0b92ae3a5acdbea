// SPDX-License-Identifier: Apache-2.0
/* Events as lines of JSON. A line that cannot be written is lost; the caller looks at ferror() once, at the end. */
#include "fetch/events.h"

#include <jansson.h>
#include <time.h>

#define PROGRESS_INTERVAL_MS 100

s64 now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell(struct events *events, json_t *event)
{
	if (event && json_dumpf(event, events->to, JSON_COMPACT) == 0) {
		fputc('\n', events->to);
		fflush(events->to);
	}
	json_decref(event);
}

void events_start(struct events *events, FILE *to, const char *reference)
{
	*events = (struct events){ .to = to };
	tell(events, json_pack("{ss ss ss}", "event", "start", "schema", LICHEN_FETCH_SCHEMA, "reference", reference));
}

void events_manifest(struct events *events, const char *digest, const char *index, const char *media_type, const char *platform)
{
	tell(events, json_pack("{ss ss ss* ss ss}", "event", "manifest", "digest", digest, "index", index, "media_type", media_type,
			       "platform", platform));
}

void events_blob(struct events *events, const char *digest, const char *kind, s64 size, s64 have)
{
	tell(events, json_pack("{ss ss ss sI sI}", "event", "blob", "digest", digest, "kind", kind, "size", (json_int_t)size,
			       "have", (json_int_t)have));
}

void events_progress(struct events *events, const char *digest, s64 have, s64 size)
{
	s64 now = now_ms();
	if (have < size && now - events->progress_at < PROGRESS_INTERVAL_MS)
		return;
	events->progress_at = now;
	tell(events,
	     json_pack("{ss ss sI sI}", "event", "progress", "digest", digest, "have", (json_int_t)have, "size", (json_int_t)size));
}

void events_retry(struct events *events, const char *what, s64 delay_ms, const char *reason)
{
	tell(events,
	     json_pack("{ss ss sI ss}", "event", "retry", "what", what, "delay_ms", (json_int_t)delay_ms, "reason", reason));
}

void events_mirror(struct events *events, const char *mirror, const char *reason)
{
	tell(events, json_pack("{ss ss ss}", "event", "mirror", "mirror", mirror, "reason", reason));
}

void events_done(struct events *events, const char *digest, const char *index)
{
	tell(events, json_pack("{ss ss ss*}", "event", "done", "digest", digest, "index", index));
}

void events_error(struct events *events, const struct fetch_error *error)
{
	tell(events, json_pack("{ss si ss ss}", "event", "error", "status", error->status, "kind", fetch_status_kind(error->status),
			       "message", error->text));
}
