// SPDX-License-Identifier: Apache-2.0
/* Where a request ends. */
#include "proxy/proxy_body.h"

#include <errno.h>

#define CHUNK_DIGITS_MAX 15u

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of a chunk's size. */
static int take_digit(struct proxy_body *body, char c)
{
	int value = hex_value(c);
	if (c == '\r' && body->state == CHUNK_DIGITS) {
		body->state = CHUNK_SIZE_LF;
		return 0;
	}
	if (value < 0 || body->digits == CHUNK_DIGITS_MAX)
		return -EBADMSG;
	body->digits++;
	body->left = body->left << 4 | (u64)value;
	body->state = CHUNK_DIGITS;
	return 0;
}

static int expect(struct proxy_body *body, char c, char wanted, enum proxy_chunk_state next)
{
	if (c != wanted)
		return -EBADMSG;
	body->state = next;
	return 0;
}

/* One byte that is not a chunk's data. */
static int take_frame(struct proxy_body *body, char c)
{
	switch (body->state) {
	case CHUNK_FIRST_DIGIT:
	case CHUNK_DIGITS:
		return take_digit(body, c);
	case CHUNK_SIZE_LF:
		return expect(body, c, '\n', body->left ? CHUNK_DATA : CHUNK_END_CR);
	case CHUNK_DATA_CR:
		return expect(body, c, '\r', CHUNK_DATA_LF);
	case CHUNK_DATA_LF:
		body->digits = 0;
		return expect(body, c, '\n', CHUNK_FIRST_DIGIT);
	case CHUNK_END_CR:
		return expect(body, c, '\r', CHUNK_END_LF);
	case CHUNK_END_LF:
		return expect(body, c, '\n', CHUNK_END);
	case CHUNK_DATA:
	case CHUNK_END:
		break;
	}
	return -EBADMSG;
}

static ssize_t take_chunks(struct proxy_body *body, const char *bytes, size_t length)
{
	size_t at = 0;
	while (at < length && body->state != CHUNK_END) {
		if (body->state == CHUNK_DATA) {
			size_t part = length - at < body->left ? length - at : (size_t)body->left;
			body->left -= part;
			at += part;
			if (body->left == 0)
				body->state = CHUNK_DATA_CR;
		} else if (take_frame(body, bytes[at++])) {
			return -EBADMSG;
		}
	}
	return (ssize_t)at;
}

ssize_t proxy_body_take(struct proxy_body *body, const char *bytes, size_t length)
{
	if (body->kind == PROXY_BODY_CHUNKED)
		return take_chunks(body, bytes, length);
	if (body->kind == PROXY_BODY_LENGTH && length > body->left)
		length = (size_t)body->left;
	if (body->kind == PROXY_BODY_LENGTH)
		body->left -= length;
	return (ssize_t)length;
}

bool proxy_body_done(const struct proxy_body *body)
{
	switch (body->kind) {
	case PROXY_BODY_LENGTH:
		return body->left == 0;
	case PROXY_BODY_CHUNKED:
		return body->state == CHUNK_END;
	case PROXY_BODY_TUNNEL:
		return false;
	}
	return true;
}
