/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP for flows. lichen opens no connection itself: each exchange is a run of the helper `lichen-fetch call` (fetch/call.h), outside of any cage. */
#ifndef LICHEN_FLOW_FLOW_CALL_H
#define LICHEN_FLOW_FLOW_CALL_H

#include <jansson.h>

#include "flow/flow_agent.h"

struct flow_call {
	json_t *request; /* fetch/call_request.h; timeout_ms is set here, by the deadline */
	u64 deadline;    /* CLOCK_MONOTONIC, nanoseconds */
	u64 timeout;     /* for this call, in nanoseconds */
	int stop;        /* readable: end it; FD_NONE: none */
	/* Takes a piece of the answer's body. Returns 0, or -ECANCELED: it is enough; or another negative errno. */
	int (*data)(void *user, const char *bytes, size_t size);
	void *user;
};

struct flow_reply {
	enum flow_outcome outcome; /* FLOW_OK: an answer came, whatever its status, and is complete or was cut off */
	long status;               /* of the answer; 0: there was none */
	json_t *headers;           /* [[NAME, VALUE] …] or NULL */
	bool sent;                 /* the server may have seen the request */
	bool cut;                  /* data() said that it is enough */
	int error;                 /* what data() said else */
	char text[FLOW_ERROR_MAX]; /* why, unless FLOW_OK */
};

/* Makes the call. flow_reply_done() frees. */
void flow_call(const struct flow_call *call, struct flow_reply *ret);
void flow_reply_done(struct flow_reply *reply);

/* CLOCK_MONOTONIC in nanoseconds. */
u64 flow_clock(void);

#endif
