/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of what a client sends belongs to its request: nothing more is passed on. Chunks (RFC 9112 7.1) go as they are when they are strict:
 * hexadecimal sizes of at most 15 digits, no extensions, CRLF, no fields behind the last one.
 */
#ifndef LICHEN_PROXY_BODY_H
#define LICHEN_PROXY_BODY_H

#include <sys/types.h>

#include "base/types.h"

enum proxy_body_kind {
	PROXY_BODY_LENGTH, /* `left` bytes, also 0 */
	PROXY_BODY_CHUNKED,
	PROXY_BODY_TUNNEL, /* all that comes */
};

enum proxy_chunk_state {
	CHUNK_FIRST_DIGIT,
	CHUNK_DIGITS,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_END_CR,
	CHUNK_END_LF,
	CHUNK_END,
};

struct proxy_body {
	enum proxy_body_kind kind;
	enum proxy_chunk_state state;
	u8 digits;
	u64 left; /* of the body, or of the chunk */
};

/* Follows the next bytes. Returns how many of them belong to the body, or -EBADMSG for a chunk that is malformed. */
ssize_t proxy_body_take(struct proxy_body *body, const char *bytes, size_t length) MUST_CHECK;
/* Whether the body has been taken as a whole. */
bool proxy_body_done(const struct proxy_body *body);

#endif
