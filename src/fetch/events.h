/* SPDX-License-Identifier: Apache-2.0 */
/* What lichen-fetch tells while it works: one JSON object a line (docs/fetch-json.md describes each; members are only added). */
#ifndef LICHEN_FETCH_EVENTS_H
#define LICHEN_FETCH_EVENTS_H

#include <stdio.h>

#include "fetch/fetch_error.h"

struct events {
	FILE *to;
	s64 progress_at; /* milliseconds: when "progress" was told last */
};

/* Milliseconds of a clock that only goes on. */
s64 now_ms(void);

void events_start(struct events *events, FILE *to, const char *reference);
void events_manifest(struct events *events, const char *digest, const char *index, const char *media_type, const char *platform);
/* kind: "config" or "layer"; have: bytes that are here already. */
void events_blob(struct events *events, const char *digest, const char *kind, s64 size, s64 have);
/* At most ten times a second for all blobs together, and always when it is whole. */
void events_progress(struct events *events, const char *digest, s64 have, s64 size);
void events_retry(struct events *events, const char *what, s64 delay_ms, const char *reason);
void events_mirror(struct events *events, const char *mirror, const char *reason);
void events_done(struct events *events, const char *digest, const char *index);
void events_error(struct events *events, const struct fetch_error *error);

#endif
