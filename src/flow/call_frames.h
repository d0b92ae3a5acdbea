/* SPDX-License-Identifier: Apache-2.0 */
/* What `lichen-fetch call` writes (fetch/fetch_call.h), taken apart as it comes: lines of JSON, and bytes of the answer's body. */
#ifndef LICHEN_FLOW_CALL_FRAMES_H
#define LICHEN_FLOW_CALL_FRAMES_H

#include <jansson.h>

#include "base/types.h"

#define CALL_FRAMES_LINE_MAX (1u << 20)
#define CALL_FRAMES_DATA_MAX (64u << 20) /* of one frame */

/* Who gets it. Both return 0, or negative errno, which ends the reading. */
struct call_frames_sink {
	int (*event)(void *user, const char *event, const json_t *frame); /* "answer", "end", "error" */
	int (*data)(void *user, const char *bytes, size_t size);
	void *user;
};

/* Zero it, set the sink; call_frames_done() at the end. */
struct call_frames {
	struct call_frames_sink sink;
	char *line;
	size_t length, room;
	size_t left; /* bytes of data that are still to come */
	bool ended;  /* by "end" or "error" */
};

/* Returns 0, what the sink returned, -EPROTO, or -ENOMEM; nothing more is to be fed after an error. */
int call_frames_feed(struct call_frames *frames, const char *bytes, size_t size) MUST_CHECK;
void call_frames_done(struct call_frames *frames);

#endif
