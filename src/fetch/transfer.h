/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One document or blob from a registry, whatever it takes: endpoints in their order, logins, redirects, retries.
 *
 * A transfer goes from endpoint to endpoint. At each it sends a request; the answer decides:
 *
 *     2xx                   the sink has taken the body; it says whether all is there
 *     3xx                   the same request to where Location points; credentials only to the same origin
 *     401                   token_obtain(), then again; a second time in a row: unauthorized
 *     408, 425, 429, 5xx, a broken connection, a body that ends early
 *                           again after a pause that doubles (Retry-After counts), from where the body broke off
 *     else                  this endpoint has failed
 *
 * An attempt that brought bytes does not count. When an endpoint has failed, the next one is tried; when all have, the last one's (the
 * registry's own) error counts. Files that cannot be written end all at once.
 */
#ifndef LICHEN_FETCH_TRANSFER_H
#define LICHEN_FETCH_TRANSFER_H

#include "fetch/endpoint.h"
#include "fetch/events.h"
#include "fetch/fetch_layout.h"
#include "fetch/http.h"

#define TRANSFERS_AT_ONCE 4u
#define REDIRECTS_MAX 5u

/* What all transfers share. */
struct fetcher {
	struct http http;
	struct endpoints endpoints;
	struct layout layout;
	struct events events;
	unsigned retries; /* tries after the first that brought nothing */
};

enum transfer_state {
	TRANSFER_READY,   /* a request is to be sent, not before `not_before` */
	TRANSFER_RUNNING, /* in the hands of http */
	TRANSFER_DONE,    /* failed if error.status != 0 */
};

struct transfer {
	char path[16 + REFERENCE_TAG_MAX]; /* "manifests/12", "blobs/sha256:…" */
	const char *accept;
	struct blob *blob; /* where a blob's bytes go; NULL: a document, to text */
	char *text;        /* at most REMOTE_MANIFEST_BYTES_MAX bytes; the caller frees */
	size_t size;
	char content_type[256], content_digest[128];
	struct fetch_error error;

	enum transfer_state state; /* below: internal */
	struct exchange exchange;
	struct fetcher *fetcher;
	size_t endpoint;
	unsigned failures, redirects, generation, wholes;
	bool asked_token, ended_early;
	s64 not_before, most,
		had; /* most: the bytes that an attempt here had got to; had: the blob's bytes when the request was sent */
	char *url;
	char said[256]; /* the beginning of an error's body */
};

/* Runs all to their ends, at most TRANSFERS_AT_ONCE at a time. Returns 0, or the status and error of the first that failed. */
int transfers_run(struct fetcher *fetcher, struct transfer *transfers, size_t count, struct fetch_error *ret_error) MUST_CHECK;

#endif
