/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events (HTML Living Standard, 9.2.6 "Interpreting an event stream"), as far as models use them: the data of each event. */
#ifndef LICHEN_FLOW_SSE_H
#define LICHEN_FLOW_SSE_H

#include "base/types.h"

#define SSE_EVENT_MAX (1u << 20) /* bytes of a line, and of an event's data */

/* Zero it, set the first two; sse_done() at the end. */
struct sse {
	int (*event)(void *user, const char *data,
		     size_t size); /* NUL-terminated, too; 0, or negative errno, which ends the reading */
	void *user;
	struct sse_text {
		char *bytes;
		size_t length, room;
	} line, data;
	bool has_data;
	bool after_return; /* the last byte was \r: a \n belongs to it */
	bool begun;
};

/* Returns 0, what the callback returned, -EMSGSIZE or -ENOMEM. An event that is not complete at the stream's end is none. */
int sse_feed(struct sse *sse, const char *bytes, size_t size) MUST_CHECK;
void sse_done(struct sse *sse);

#endif
