// SPDX-License-Identifier: Apache-2.0
/* Documents and blobs from registries: the loop, and what an answer means. */
#include "fetch/transfer.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/token.h"

#define PAUSE_FIRST_MS 500
#define PAUSE_MAX_MS 15000
#define RETRY_AFTER_MAX_S 120
#define WHOLES_MAX 2u /* how often a blob made of pieces is got again as a whole */

static struct endpoint *endpoint_of(const struct transfer *transfer)
{
	return &transfer->fetcher->endpoints.all[transfer->endpoint];
}

static void finish(struct transfer *transfer, int status)
{
	transfer->state = TRANSFER_DONE;
	transfer->error.status = status;
}

/* Back to the first URL of the endpoint. */
static void to_start(struct transfer *transfer)
{
	free(transfer->url);
	transfer->url = NULL;
	transfer->redirects = 0;
	transfer->state = TRANSFER_READY;
}

/* This endpoint has failed; transfer->error says why. */
static void next_endpoint(struct transfer *transfer)
{
	const struct fetcher *fetcher = transfer->fetcher;
	if (transfer->endpoint + 1 >= fetcher->endpoints.count) {
		finish(transfer, transfer->error.status);
		return;
	}
	events_mirror(&transfer->fetcher->events, endpoint_of(transfer)->origin, transfer->error.text);
	transfer->endpoint++;
	transfer->most = transfer->blob ? transfer->blob->have : 0;
	transfer->failures = 0;
	transfer->asked_token = false;
	to_start(transfer);
}

/* The same endpoint later; transfer->error says why not now. `most`: after how many failures in a row it is enough. */
static void retry(struct transfer *transfer, unsigned most)
{
	/* A server that begins anew each time and breaks off at the same place does not get on. */
	bool moved = transfer->blob && transfer->blob->have > transfer->most;
	if (moved)
		transfer->most = transfer->blob->have;
	transfer->failures = moved ? 0 : transfer->failures + 1;
	if (moved)
		transfer->asked_token = false; /* a token may have run out since */
	if (transfer->failures > most) {
		next_endpoint(transfer);
		return;
	}
	unsigned doublings = transfer->failures > 1 ? transfer->failures - 1 : 0;
	s64 pause = doublings < 6 ? (s64)PAUSE_FIRST_MS << doublings : PAUSE_MAX_MS;
	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS;
	pause += randombytes_uniform((u32)pause / 4); /* many clients that were cut off at once should not come back at once */
	s64 asked = 1000 *
		    (s64)(transfer->exchange.retry_after < RETRY_AFTER_MAX_S ? transfer->exchange.retry_after : RETRY_AFTER_MAX_S);
	if (pause < asked)
		pause = asked;
	events_retry(&transfer->fetcher->events, transfer->path, pause, transfer->error.text);
	transfer->not_before = now_ms() + pause;
	to_start(transfer);
}

/* The message in an error's body: {"errors":[{"message":…}]} (distribution-spec). */
static void read_said(struct transfer *transfer)
{
	char text[sizeof(transfer->said)] = "";
	json_t *root = json_loads(transfer->said, JSON_DISABLE_EOF_CHECK, NULL);
	const char *message = json_string_value(json_object_get(json_array_get(json_object_get(root, "errors"), 0), "message"));
	if (message)
		snprintf(text, sizeof(text), " (%.200s)", message);
	memcpy(transfer->said, text, sizeof(text));
	json_decref(root);
}

/* --- The body --------------------------------------------------------------------------------------------------------------------- */

static bool take_error(struct transfer *transfer, const void *data, size_t size)
{
	size_t length = strlen(transfer->said);
	transfer->ended_early = length + size >= sizeof(transfer->said); /* what is longer is not read: the connection is dropped */
	snprintf(transfer->said + length, sizeof(transfer->said) - length, "%.*s", (int)size, (const char *)data);
	return !transfer->ended_early;
}

/* The first byte of an answer to a request for the rest: is it the rest? */
static int place_blob(struct transfer *transfer, long status)
{
	if (transfer->had == 0 || transfer->blob->have != transfer->had)
		return 0;
	if (status == 206 && http_range_start(&transfer->exchange) == transfer->had)
		return 0;
	if (status == 206)
		return fetch_fail(&transfer->error, LICHEN_FETCH_PROTOCOL, "%s answers with another part of blob %s than asked for",
				  endpoint_of(transfer)->registry, transfer->blob->digest);
	/* 200: all of it. */
	transfer->had = 0;
	return blob_restart(transfer->blob, &transfer->error);
}

static bool take_blob(struct transfer *transfer, long status, const void *data, size_t size)
{
	struct blob *blob = transfer->blob;
	int error = place_blob(transfer, status);
	if (!error)
		error = blob_write(blob, data, size, &transfer->error);
	if (!error)
		events_progress(&transfer->fetcher->events, blob->digest, blob->have, blob->size);
	return !error;
}

static bool take_text(struct transfer *transfer, const void *data, size_t size)
{
	if (size > REMOTE_MANIFEST_BYTES_MAX - transfer->size) {
		fetch_fail(&transfer->error, LICHEN_FETCH_PROTOCOL, "%s is longer than %u bytes, which is the limit for manifests",
			   transfer->path, REMOTE_MANIFEST_BYTES_MAX);
		return false;
	}
	char *longer = realloc(transfer->text, transfer->size + size);
	if (!longer) {
		fetch_fail_memory(&transfer->error);
		return false;
	}
	memcpy(longer + transfer->size, data, size);
	transfer->text = longer;
	transfer->size += size;
	return true;
}

static bool take_body(struct exchange *exchange, long status, const void *data, size_t size)
{
	struct transfer *transfer = exchange->context;
	if (status != 200 && status != 206)
		return take_error(transfer, data, size);
	return transfer->blob ? take_blob(transfer, status, data, size) : take_text(transfer, data, size);
}

/* --- What an answer means --------------------------------------------------------------------------------------------------------- */

static void judge_curl(struct transfer *transfer)
{
	const struct exchange *exchange = &transfer->exchange;
	struct endpoint *endpoint = endpoint_of(transfer);
	const char *registry = endpoint->registry;
	bool unreachable = exchange->code == CURLE_COULDNT_RESOLVE_HOST || exchange->code == CURLE_COULDNT_CONNECT ||
			   exchange->code == CURLE_COULDNT_RESOLVE_PROXY;
	if (exchange->code == CURLE_SSL_CONNECT_ERROR && endpoint->may_fall_back && !transfer->redirects) {
		endpoint->may_fall_back = false;
		memmove(endpoint->origin + 4, endpoint->origin + 5, strlen(endpoint->origin + 4)); /* https: → http: */
		to_start(transfer);
	} else if (exchange->code == CURLE_PEER_FAILED_VERIFICATION) {
		fetch_fail(&transfer->error, LICHEN_FETCH_PROTOCOL, "the certificate of %s is not trusted: %s", registry,
			   exchange->problem);
		next_endpoint(transfer);
	} else if (exchange->code == CURLE_SSL_CACERT_BADFILE) {
		finish(transfer,
		       fetch_fail(&transfer->error, LICHEN_FETCH_USAGE, "cannot read certificates: %s", exchange->problem));
	} else if (exchange->code == CURLE_OUT_OF_MEMORY) {
		finish(transfer, fetch_fail_memory(&transfer->error));
	} else {
		fetch_fail(&transfer->error, LICHEN_FETCH_NETWORK, "%s %s: %s",
			   unreachable ? "cannot reach" : "the connection broke to", registry, exchange->problem);
		retry(transfer, unreachable && transfer->fetcher->retries > 2 ? 2 : transfer->fetcher->retries);
	}
}

static void judge_redirect(struct transfer *transfer)
{
	const char *to = transfer->exchange.location, *registry = endpoint_of(transfer)->registry;
	char *copy = NULL;
	if (!to || ++transfer->redirects > REDIRECTS_MAX)
		fetch_fail(&transfer->error, LICHEN_FETCH_PROTOCOL, "%s redirects %s", registry, to ? "too often" : "to nowhere");
	else if (!endpoint_url_allowed(to, transfer->fetcher->endpoints.plain_http))
		fetch_fail(&transfer->error, LICHEN_FETCH_PROTOCOL, "%s redirects to %.200s, which is not asked: it is not https",
			   registry, to);
	else if (!(copy = strdup(to)))
		fetch_fail_memory(&transfer->error);
	if (!copy) {
		next_endpoint(transfer);
		return;
	}
	free(transfer->url);
	transfer->url = copy;
	transfer->state = TRANSFER_READY;
}

static void judge_unauthorized(struct transfer *transfer)
{
	struct endpoint *endpoint = endpoint_of(transfer);
	struct challenge challenge;
	bool renewed = transfer->generation != endpoint->generation; /* by another transfer, meanwhile */
	http_challenge(&transfer->exchange, &challenge);
	http_end(&transfer->fetcher->http, &transfer->exchange);
	if (transfer->redirects) {
		fetch_fail(&transfer->error, LICHEN_FETCH_NETWORK, "where %s redirects to answers 401", endpoint->registry);
		retry(transfer, transfer->fetcher->retries);
		return;
	}
	if (transfer->asked_token && !renewed) {
		fetch_fail(&transfer->error, LICHEN_FETCH_UNAUTHORIZED, "%s refuses access to %s%s", endpoint->registry,
			   endpoint->name, transfer->said);
		next_endpoint(transfer);
		return;
	}
	transfer->asked_token = true;
	if (!renewed &&
	    token_obtain(&transfer->fetcher->http, endpoint, &challenge, transfer->fetcher->endpoints.plain_http, &transfer->error))
		next_endpoint(transfer);
	else
		to_start(transfer);
}

static void judge_refusal(struct transfer *transfer)
{
	const struct endpoint *endpoint = endpoint_of(transfer);
	long status = transfer->exchange.status;
	bool later = status >= 500 || status == 408 || status == 425 || status == 429 || (transfer->redirects && status == 403);
	int kind = later         ? LICHEN_FETCH_NETWORK
		 : status == 404 ? LICHEN_FETCH_NOT_FOUND
		 : status == 403 ? LICHEN_FETCH_UNAUTHORIZED
				 : LICHEN_FETCH_PROTOCOL;
	const char *words = status == 404 ? "has no" : status == 403 ? "refuses access to" : "cannot give";
	fetch_fail(&transfer->error, kind, "%s %s %s %s of %s%s: it answers %ld", endpoint->registry, words,
		   transfer->blob ? "blob" : "manifest", strchr(transfer->path, '/') + 1, endpoint->name, transfer->said, status);
	if (later)
		retry(transfer, transfer->fetcher->retries);
	else
		next_endpoint(transfer);
}

static void judge_blob(struct transfer *transfer)
{
	bool pieces = transfer->blob->resumed && transfer->wholes++ < WHOLES_MAX;
	switch (blob_settle(&transfer->fetcher->layout, transfer->blob, &transfer->error)) {
	case BLOB_WHOLE:
		finish(transfer, 0);
		break;
	case BLOB_SHORT:
		fetch_fail(&transfer->error, LICHEN_FETCH_NETWORK, "%s sends %lld of the %lld bytes of blob %s",
			   endpoint_of(transfer)->registry, (long long)transfer->blob->have, (long long)transfer->blob->size,
			   transfer->blob->digest);
		retry(transfer, transfer->fetcher->retries);
		break;
	case BLOB_WRONG:
		/* Perhaps a piece that an earlier run or another endpoint gave was wrong: again from the start. */
		transfer->most = 0;
		if (pieces)
			to_start(transfer);
		else
			next_endpoint(transfer);
		break;
	case BLOB_IO:
		finish(transfer, transfer->error.status);
		break;
	}
}

static void judge_success(struct transfer *transfer)
{
	if (transfer->blob) {
		judge_blob(transfer);
		return;
	}
	memcpy(transfer->content_type, transfer->exchange.content_type, sizeof(transfer->content_type));
	memcpy(transfer->content_digest, transfer->exchange.content_digest, sizeof(transfer->content_digest));
	finish(transfer, 0);
}

/* An exchange has ended. */
static void judge(struct transfer *transfer)
{
	const struct exchange *exchange = &transfer->exchange;
	bool body_refused = exchange->code == CURLE_WRITE_ERROR && transfer->error.status;
	if (exchange->status >= 400 || (exchange->status >= 300 && transfer->ended_early))
		read_said(transfer);
	if (body_refused && (transfer->error.status == LICHEN_FETCH_MISMATCH || transfer->error.status == LICHEN_FETCH_PROTOCOL)) {
		if (transfer->blob && blob_restart(transfer->blob, &transfer->error))
			finish(transfer, transfer->error.status);
		else
			next_endpoint(transfer);
	} else if (body_refused) {
		finish(transfer, transfer->error.status);
	} else if (exchange->code != CURLE_OK && !transfer->ended_early) {
		judge_curl(transfer);
	} else if (exchange->status == 401) {
		judge_unauthorized(transfer);
	} else if (exchange->status == 416 && transfer->blob && transfer->had) {
		if (blob_restart(transfer->blob, &transfer->error))
			finish(transfer, transfer->error.status);
		else
			to_start(transfer);
	} else if (exchange->status == 200 || exchange->status == 206) {
		judge_success(transfer);
	} else if (exchange->status >= 300 && exchange->status < 400) {
		judge_redirect(transfer);
	} else {
		judge_refusal(transfer);
	}
	http_end(&transfer->fetcher->http, &transfer->exchange);
}

/* --- The loop --------------------------------------------------------------------------------------------------------------------- */

static int send_request(struct transfer *transfer)
{
	const struct endpoint *endpoint = endpoint_of(transfer);
	if (!transfer->url) {
		size_t size = strlen(endpoint->origin) + strlen(endpoint->name) + strlen(transfer->path) + 8;
		transfer->url = malloc(size);
		if (!transfer->url)
			return -ENOMEM;
		snprintf(transfer->url, size, "%s/v2/%s/%s", endpoint->origin, endpoint->name, transfer->path);
	}
	transfer->exchange =
		(struct exchange){ .url = transfer->url, .accept = transfer->accept, .body = take_body, .context = transfer };
	if (endpoint->authorization && endpoint_same_origin(transfer->url, endpoint->origin))
		transfer->exchange.authorization = endpoint->authorization;
	transfer->had = transfer->blob ? transfer->blob->have : 0;
	transfer->exchange.offset = (u64)transfer->had;
	if (transfer->had)
		transfer->blob->resumed = true;
	transfer->generation = endpoint->generation;
	transfer->error = (struct fetch_error){ 0 };
	transfer->said[0] = '\0';
	transfer->ended_early = false;
	if (!transfer->blob)
		transfer->size = 0;
	transfer->state = TRANSFER_RUNNING;
	return http_start(&transfer->fetcher->http, &transfer->exchange);
}

/* Sends what may be sent now. Returns how long to wait at most; -1: all are done; or -ENOMEM. */
static int start_ready(struct transfer *transfers, size_t count)
{
	size_t running = 0, done = 0;
	s64 now = now_ms(), wait = 1000;
	for (size_t i = 0; i < count; i++) {
		running += transfers[i].state == TRANSFER_RUNNING;
		done += transfers[i].state == TRANSFER_DONE;
	}
	for (size_t i = 0; i < count && running < TRANSFERS_AT_ONCE; i++) {
		if (transfers[i].state != TRANSFER_READY)
			continue;
		if (transfers[i].not_before > now) {
			wait = transfers[i].not_before - now < wait ? transfers[i].not_before - now : wait;
			running++; /* a transfer that pauses keeps its place */
			continue;
		}
		if (send_request(&transfers[i]))
			return -ENOMEM;
		running++;
	}
	return done == count ? -1 : (int)wait;
}

static int run(struct fetcher *fetcher, struct transfer *transfers, size_t count, struct fetch_error *ret_error)
{
	for (;;) {
		int wait = start_ready(transfers, count);
		if (wait == -ENOMEM)
			return fetch_fail_memory(ret_error);
		if (wait < 0)
			return 0;
		struct exchange *ended = http_next(&fetcher->http, wait);
		struct transfer *transfer = ended ? ended->context : NULL;
		if (!transfer)
			continue;
		judge(transfer);
		if (transfer->state == TRANSFER_DONE && transfer->error.status) {
			*ret_error = transfer->error;
			return transfer->error.status;
		}
	}
}

int transfers_run(struct fetcher *fetcher, struct transfer *transfers, size_t count, struct fetch_error *ret_error)
{
	for (size_t i = 0; i < count; i++)
		transfers[i].fetcher = fetcher;
	int status = run(fetcher, transfers, count, ret_error);
	for (size_t i = 0; i < count; i++) {
		http_end(&fetcher->http, &transfers[i].exchange);
		free(transfers[i].url);
		transfers[i].url = NULL;
	}
	return status;
}
