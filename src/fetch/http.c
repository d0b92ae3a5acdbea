// SPDX-License-Identifier: Apache-2.0
/* HTTP exchanges by libcurl. */
#include "fetch/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/endpoint.h"

#define CONNECT_SECONDS 20L

int http_init(struct http *http, const char *ca, long stall, struct fetch_error *ret_error)
{
	*http = (struct http){ .ca = ca, .stall = stall };
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return fetch_fail(ret_error, LICHEN_FETCH_SOFTWARE, "libcurl does not start");
	http->multi = curl_multi_init();
	http->share = curl_share_init();
	if (!http->multi || !http->share)
		return fetch_fail_memory(ret_error);
	curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return 0;
}

void http_done(struct http *http)
{
	if (http->multi)
		curl_multi_cleanup(http->multi);
	if (http->share)
		curl_share_cleanup(http->share);
	*http = (struct http){ 0 };
	curl_global_cleanup();
}

static size_t take_body(char *data, size_t one, size_t size, void *context)
{
	struct exchange *exchange = context;
	long status = 0;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)one; /* is 1 */
	return exchange->body(exchange, status, data, size) ? size : CURL_WRITEFUNC_ERROR;
}

static bool add_header(struct exchange *exchange, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 3;
	char *line = malloc(size);
	if (line)
		snprintf(line, size, "%s: %s", name, value);
	struct curl_slist *longer = line ? curl_slist_append(exchange->headers, line) : NULL;
	free(line);
	if (longer)
		exchange->headers = longer;
	return longer != NULL;
}

static bool prepare(const struct http *http, struct exchange *exchange)
{
	CURL *easy = exchange->easy = curl_easy_init();
	char range[32];
	if (!easy)
		return false;
	if ((exchange->accept && !add_header(exchange, "Accept", exchange->accept)) ||
	    (exchange->authorization && !add_header(exchange, "Authorization", exchange->authorization)))
		return false;
	const char *host = strstr(exchange->url, "://");
	bool ok = curl_easy_setopt(easy, CURLOPT_URL, exchange->url) == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, "lichen/" LICHEN_VERSION) == CURLE_OK;
	if (exchange->headers)
		ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK;
	if (http->ca)
		ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca) == CURLE_OK;
	if (exchange->form)
		ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->form) == CURLE_OK;
	if (host && host_is_loopback(host + 3))
		ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
	if (exchange->offset) {
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)exchange->offset);
		ok = ok && curl_easy_setopt(easy, CURLOPT_RANGE, range) == CURLE_OK;
	}
	curl_easy_setopt(easy, CURLOPT_SHARE, http->share);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS < http->stall ? CONNECT_SECONDS : http->stall);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, http->stall);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 262144L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	return ok;
}

int http_start(struct http *http, struct exchange *exchange)
{
	if (prepare(http, exchange) && curl_multi_add_handle(http->multi, exchange->easy) == CURLM_OK)
		return 0;
	http_end(http, exchange);
	return -ENOMEM;
}

static const char *field_of(const struct exchange *exchange, const char *name, size_t index)
{
	struct curl_header *header = NULL;
	return curl_easy_header(exchange->easy, name, index, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

static void copy_field(const struct exchange *exchange, const char *name, char *to, size_t size)
{
	const char *value = field_of(exchange, name, 0);
	snprintf(to, size, "%s", value && strlen(value) < size ? value : "");
}

static void read_answer(struct exchange *exchange, CURLcode code)
{
	char *location = NULL;
	exchange->code = code;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &exchange->status);
	curl_easy_getinfo(exchange->easy, CURLINFO_REDIRECT_URL, &location);
	if (location)
		exchange->location = strdup(location);
	curl_off_t retry_after = 0;
	curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_after);
	exchange->retry_after = retry_after > 0 && retry_after < 86400 ? (long)retry_after : 0;
	copy_field(exchange, "Content-Type", exchange->content_type, sizeof(exchange->content_type));
	copy_field(exchange, "Docker-Content-Digest", exchange->content_digest, sizeof(exchange->content_digest));
	if (!exchange->problem[0])
		snprintf(exchange->problem, sizeof(exchange->problem), "%s", curl_easy_strerror(code));
}

struct exchange *http_next(struct http *http, int timeout_ms)
{
	for (int running = 0;; timeout_ms = 0) {
		struct exchange *ended = NULL;
		CURLMsg *message;
		int left;
		curl_multi_perform(http->multi, &running);
		while (!ended && (message = curl_multi_info_read(http->multi, &left))) {
			if (message->msg != CURLMSG_DONE)
				continue;
			CURLcode code = message->data.result;
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&ended);
			read_answer(ended, code);
		}
		if (ended || timeout_ms <= 0)
			return ended;
		curl_multi_poll(http->multi, NULL, 0, timeout_ms, NULL);
	}
}

int http_run(const struct http *http, struct exchange *exchange)
{
	if (!prepare(http, exchange)) {
		http_end(NULL, exchange);
		return -ENOMEM;
	}
	read_answer(exchange, curl_easy_perform(exchange->easy));
	return 0;
}

s64 content_range_start(const char *field)
{
	unsigned long long first, last;
	int end = 0;
	if (strncasecmp(field, "bytes ", 6) != 0 || field[6] < '0' || field[6] > '9' ||
	    sscanf(field + 6, "%18llu-%18llu/%n", &first, &last, &end) != 2)
		return -EBADMSG;
	return end && last >= first ? (s64)first : -EBADMSG;
}

s64 http_range_start(const struct exchange *exchange)
{
	const char *field = field_of(exchange, "Content-Range", 0);
	return field ? content_range_start(field) : -EBADMSG;
}

void http_challenge(const struct exchange *exchange, struct challenge *ret_challenge)
{
	const char *field;
	*ret_challenge = (struct challenge){ .basic = false };
	for (size_t i = 0; (field = field_of(exchange, "WWW-Authenticate", i)); i++)
		challenge_read(ret_challenge, field);
}

void http_end(struct http *http, struct exchange *exchange)
{
	if (exchange->easy && http)
		curl_multi_remove_handle(http->multi, exchange->easy);
	if (exchange->easy)
		curl_easy_cleanup(exchange->easy);
	curl_slist_free_all(exchange->headers);
	free(exchange->location);
	exchange->easy = NULL;
	exchange->headers = NULL;
	exchange->location = NULL;
}
