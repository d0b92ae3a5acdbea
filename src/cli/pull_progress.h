/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a download looks like on stderr, from the events of lichen-fetch (docs/fetch-json.md): on a terminal one bar a blob, drawn anew ten times
 * a second (one bar in all when there are more blobs than lines); elsewhere a line for each blob that is whole, and for each failure that
 * may pass.
 */
#ifndef LICHEN_CLI_PULL_PROGRESS_H
#define LICHEN_CLI_PULL_PROGRESS_H

#include <jansson.h>
#include <stdio.h>

#include "base/types.h"

struct pull_row;

struct pull_progress {
	FILE *to;
	bool bars, quiet;
	unsigned columns, lines; /* of the terminal */
	struct pull_row *rows;
	size_t count, drawn; /* drawn: lines that are on the screen */
	s64 drawn_at;        /* milliseconds */
};

/* `quiet`: nothing is shown. */
void pull_progress_begin(struct pull_progress *progress, FILE *to, bool quiet);

/* Shows one event. What is not known is skipped. */
void pull_progress_event(struct pull_progress *progress, const json_t *event);

/* Draws the last state and frees. */
void pull_progress_end(struct pull_progress *progress);

#endif
