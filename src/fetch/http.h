/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP exchanges by libcurl, several at once: one request, one answer; redirects, retries and credentials are the caller's (transfer.h, token.h). */
#ifndef LICHEN_FETCH_HTTP_H
#define LICHEN_FETCH_HTTP_H

#include <curl/curl.h>

#include "fetch/challenge.h"
#include "fetch/fetch_error.h"

struct http {
	CURLM *multi;
	CURLSH *share;  /* names and TLS sessions */
	const char *ca; /* a file of certificates that are trusted besides the system's; NULL: none */
	long stall;     /* seconds without a byte after which a connection counts as dead */
};

/* One request and its answer. Zero it, fill the first part, http_start(). */
struct exchange {
	const char *url, *accept, *authorization,
		*form; /* form: the body of a POST; NULL: GET. The texts must live as long as the exchange */
	u64 offset;    /* > 0: only what follows this many bytes (Range) */
	/*
	 * Takes a piece of the body; `status` is the answer's. Returns whether to go on; false ends the exchange with CURLE_WRITE_ERROR.
	 */
	bool (*body)(struct exchange *exchange, long status, const void *data, size_t size);
	void *context; /* the caller's */

	/* The answer, when http_next() has returned the exchange. */
	CURLcode code;
	long status;
	char problem[CURL_ERROR_SIZE]; /* libcurl's words when code is not CURLE_OK */
	char content_type[256];
	char content_digest[128]; /* Docker-Content-Digest */
	char *location;           /* where 3xx points, absolute; NULL: nowhere */
	long retry_after;         /* seconds; 0: not said */

	CURL *easy; /* internal */
	struct curl_slist *headers;
};

/* Returns 0 or an exit status. http_done() frees; the process has one at a time. */
int http_init(struct http *http, const char *ca, long stall, struct fetch_error *ret_error) MUST_CHECK;
void http_done(struct http *http);

/* Sends the request. Returns 0, or -ENOMEM: then there is nothing to clean up. */
int http_start(struct http *http, struct exchange *exchange) MUST_CHECK;

/* Lets all exchanges go on for at most `timeout_ms`. Returns one that has ended, else NULL. */
struct exchange *http_next(struct http *http, int timeout_ms);

/* One exchange from beginning to end, while others stand still. Returns 0 or -ENOMEM. */
int http_run(const struct http *http, struct exchange *exchange) MUST_CHECK;

/* Where the first byte of the body lies in the whole, by Content-Range of a 206 answer. Returns -EBADMSG without one. For use in body(). */
s64 http_range_start(const struct exchange *exchange);

/* Reads all fields WWW-Authenticate of the answer. */
void http_challenge(const struct exchange *exchange, struct challenge *ret_challenge);

/* Ends the exchange, whatever its state, and frees what http_start() made. May be called twice. */
void http_end(struct http *http, struct exchange *exchange);

/* "bytes FIRST-LAST/SIZE" (RFC 9110, section 14.4). Returns FIRST or -EBADMSG. */
s64 content_range_start(const char *field);

#endif
