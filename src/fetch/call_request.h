/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `lichen-fetch call` is asked for: one JSON object on its standard input.
 *
 *     method      "GET", "POST", "PUT", "DELETE"
 *     url         http or https, without user and password
 *     unix        path of an AF_UNIX socket that is dialled instead of the URL's host
 *     headers     object of texts; Authorization and Cookie among them go to the URL's origin only
 *     secrets     object: field name → {"env": NAME, "prefix": TEXT}; the value is PREFIX and what the environment variable NAME holds. So a secret is
 *                 neither in an argument nor in a log. It goes to the URL's origin only, and without TLS only to `unix` and `private`
 *     body        text
 *     allow       array of patterns HOST:PORT (proxy/proxy_rule.h): the only hosts that are asked, also by redirects
 *     private     the same for hosts that may have private or loopback addresses
 *     redirects   how many redirects of a GET are followed: 0 (default) … 5; never from https to http
 *     timeout_ms  for the whole exchange: 1 … 3,600,000 (default 30,000)
 *     max_body    bytes of the answer's body: at most 64 MiB (default 8 MiB)
 *     ca          file of certificates that are trusted (PEM)
 *
 * Unknown keys are refused.
 */
#ifndef LICHEN_FETCH_CALL_REQUEST_H
#define LICHEN_FETCH_CALL_REQUEST_H

#include <curl/curl.h>
#include <jansson.h>

#include "fetch/fetch_error.h"
#include "proxy/proxy_rule.h"

#define CALL_REQUEST_MAX (32u << 20) /* bytes of the request */
#define CALL_BODY_MAX (64ll << 20)
#define CALL_REDIRECTS_MAX 5
#define CALL_HEADERS_MAX 64u

struct call_request {
	json_t *root; /* owns the texts */
	const char *method, *unix_path, *body, *ca;
	size_t body_size;
	CURLU *url;
	struct curl_slist *headers; /* without secrets */
	struct curl_slist *secrets; /* for the URL's origin */
	struct proxy_rules rules;
	long redirects, timeout_ms;
	s64 max_body;
};

/* Reads a request. Returns 0 or LICHEN_FETCH_USAGE, LICHEN_FETCH_SOFTWARE; call_request_done() in any case. */
int call_request_read(const char *text, size_t size, struct call_request *ret, struct fetch_error *ret_error) MUST_CHECK;
void call_request_done(struct call_request *request);

#endif
