/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a request to the proxy (RFC 9112): CONNECT host:port, or METHOD http://host[:port]/path. It is taken apart strictly, since two readers
 * who differ about where a request ends let one slip through inside of another: lines end in CRLF, names of fields are tokens with the colon right
 * behind, no line is folded, no byte is a control character. Host is there once (may be missing in HTTP/1.0) and is the target. A body has one
 * Content-Length or "Transfer-Encoding: chunked", never both; CONNECT has none.
 *
 * What goes to the server is written anew: origin form, Host from the target, "Connection: close", and the client's fields but those that are
 * for one hop (Connection and what it names, Proxy-*, Keep-Alive, TE, Trailer, Upgrade). So one connection carries one request.
 */
#ifndef LICHEN_PROXY_HTTP_H
#define LICHEN_PROXY_HTTP_H

#include "proxy/proxy_body.h"
#include "proxy/proxy_host.h"

#define PROXY_HEAD_MAX 32768u
#define PROXY_FIELDS_MAX 128u
/* What a head may grow by when it is written anew: Host, Connection, and a blank in each field. */
#define PROXY_HEAD_GROWTH (PROXY_TARGET_MAX + 64u + PROXY_FIELDS_MAX)

struct proxy_request {
	bool tunnel;        /* CONNECT */
	const char *target; /* as it stands in the head; NULL when that has none */
	size_t target_length;
	bool has_target; /* the next two are set, also in a request that is refused */
	struct proxy_host host;
	u16 port;
	struct proxy_body body;
	size_t head_length; /* of what was written for the server; 0 for a tunnel */
};

struct proxy_refusal {
	u16 status; /* of HTTP */
	const char *why;
};

/*
 * Looks for the end of a head. Returns its length, 0 when more is needed, -EINVAL for a line that does not end in CRLF, -EMSGSIZE when it is longer
 * than PROXY_HEAD_MAX.
 */
ssize_t proxy_http_head(const char *bytes, size_t length) MUST_CHECK;
/*
 * Takes a whole head apart, and writes that for the server to `to`, which has room for its length and PROXY_HEAD_GROWTH. Returns 0, or -EINVAL with
 * the answer for the client; when the target is not as it has to be, that is -EDESTADDRREQ.
 */
int proxy_http_parse(const char *bytes, size_t length, char *to, struct proxy_request *ret,
		     struct proxy_refusal *ret_refusal) MUST_CHECK;

#endif
