// SPDX-License-Identifier: Apache-2.0
/* One HTTP exchange. */
#include "fetch/fetch_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "base/write_bytes.h"
#include "fetch/call_request.h"

struct call {
	struct call_request request;
	int out;
	CURL *easy;
	struct fetch_error *error; /* filled in by what ends the exchange; .status 0: libcurl says why */
	const char *kind;
	const struct proxy_rule *rule; /* that allows the host; NULL with a UNIX socket */
	u16 port;
	json_t *fields; /* of the answer */
	size_t fields_size;
	s64 body;
	long redirects;
	bool told;  /* the answer's header has been written */
	bool moved; /* this answer is a redirect that will be followed */
	bool sent;
	char address_denied[256];
	char problem[CURL_ERROR_SIZE];
};

static bool fail(struct call *call, int status, const char *kind, const char *what)
{
	fetch_fail(call->error, status, "%s", what);
	call->kind = kind;
	return false;
}

/* --- What leaves ------------------------------------------------------------------------------------------------------------------ */

/* Writes one line of JSON; takes the reference. */
static bool tell(struct call *call, json_t *event)
{
	char *line = event ? json_dumps(event, JSON_COMPACT) : NULL;
	json_decref(event);
	bool ok = line && write_bytes(call->out, line, strlen(line)) == 0 && write_bytes(call->out, "\n", 1) == 0;
	free(line);
	return ok || fail(call, LICHEN_FETCH_IO, "internal", "the answer cannot be handed on");
}

static bool tell_answer(struct call *call)
{
	long status = 0;
	if (call->told)
		return true;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->told = true;
	return tell(call, json_pack("{s:s, s:I, s:O}", "event", "answer", "status", (json_int_t)status, "headers", call->fields));
}

/* --- What is dialled -------------------------------------------------------------------------------------------------------------- */

/* Judges the host of the request's URL. */
static bool judge_host(struct call *call)
{
	char *host = NULL, *port = NULL, *scheme = NULL;
	struct proxy_host target;
	const char *why = "is no URL";
	bool ok = curl_url_get(call->request.url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		  curl_url_get(call->request.url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		  curl_url_get(call->request.url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		  proxy_host_parse(host, strlen(host), &target, &why) == 0;
	long number = port ? strtol(port, NULL, 10) : 0;
	bool plain = scheme && strcmp(scheme, "http") == 0, web = plain || (scheme && strcmp(scheme, "https") == 0);
	char said[PROXY_TARGET_MAX] = "";
	struct proxy_verdict verdict = { .rule = NULL };
	if (ok && number > 0 && number < 65536) {
		call->port = (u16)number;
		verdict = proxy_rules_target(&call->request.rules, &target, call->port);
		proxy_target_text(&target, call->port, said);
	}
	bool private = call->request.unix_path || (verdict.rule && verdict.rule->private);
	if (!ok || !*said || !web)
		fetch_fail(call->error, LICHEN_FETCH_USAGE, "the URL %.200s: %s", host ? host : "",
			   !web ? "is neither http nor https" : why);
	else if (!call->request.unix_path && !verdict.rule)
		fetch_fail(call->error, LICHEN_FETCH_UNAUTHORIZED, "%s must not be asked: %s", said, verdict.why);
	else if (plain && call->request.secrets && !private)
		fetch_fail(call->error, LICHEN_FETCH_UNAUTHORIZED,
			   "%s must not be asked over http: a secret would be sent without TLS", said);
	if (call->error->status)
		call->kind = call->error->status == LICHEN_FETCH_USAGE ? "usage" : "denied";
	call->rule = call->request.unix_path ? NULL : verdict.rule;
	curl_free(host);
	curl_free(port);
	curl_free(scheme);
	return !call->error->status;
}

/* Judges each address that is about to be dialled (CURLOPT_OPENSOCKETFUNCTION). */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct call *call = user;
	struct proxy_address address;
	char text[PROXY_ADDRESS_TEXT];
	if (purpose != CURLSOCKTYPE_IPCXN || (call->request.unix_path != NULL) != (to->family == AF_UNIX))
		return CURL_SOCKET_BAD;
	if (to->family != AF_UNIX) {
		if (!call->rule || proxy_address_from(&to->addr, &address))
			return CURL_SOCKET_BAD;
		struct proxy_verdict verdict = proxy_rules_address(&call->request.rules, call->rule, &address, call->port);
		if (!verdict.rule) {
			snprintf(call->address_denied, sizeof(call->address_denied), "its address %s must not be dialled: %s",
				 proxy_address_text(&address, text), verdict.why);
			return CURL_SOCKET_BAD;
		}
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- What comes ------------------------------------------------------------------------------------------------------------------- */

static bool take_field(struct call *call, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	while (length && (line[length - 1] == '\n' || line[length - 1] == '\r' || line[length - 1] == ' '))
		length--;
	if (!colon || colon >= line + length)
		return true; /* the status line; the end */
	const char *value = colon + 1;
	while (value < line + length && (*value == ' ' || *value == '\t'))
		value++;
	json_t *name = json_stringn(line, (size_t)(colon - line)), *text = json_stringn(value, (size_t)(line + length - value));
	if (!name || !text) { /* no UTF-8: it is not told */
		json_decref(name);
		json_decref(text);
		return true;
	}
	return json_array_append_new(call->fields, json_pack("[o, o]", name, text)) == 0 ||
	       fail(call, LICHEN_FETCH_SOFTWARE, "internal", "out of memory");
}

static size_t take_header(char *line, size_t one, size_t size, void *user)
{
	struct call *call = user;
	long status = 0;
	(void)one;
	call->sent = true;
	if (size >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
		json_array_clear(call->fields); /* of an answer 1xx */
	call->fields_size += size;
	if (call->fields_size > CALL_FIELDS_MAX) {
		fail(call, LICHEN_FETCH_PROTOCOL, "protocol", "the answer's header is longer than 65536 bytes");
		return 0;
	}
	if (!take_field(call, line, size))
		return 0;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->moved = call->redirects < call->request.redirects && status >= 301 && status <= 308 && status != 304 &&
		      strcmp(call->request.method, "GET") == 0;
	return size;
}

static size_t take_body(char *data, size_t one, size_t size, void *user)
{
	struct call *call = user;
	(void)one;
	call->body += (s64)size;
	if (call->body > call->request.max_body) {
		fail(call, LICHEN_FETCH_PROTOCOL, "protocol", "the answer is longer than the request allows");
		return CURL_WRITEFUNC_ERROR;
	}
	if (call->moved)
		return size;
	bool ok = tell_answer(call) && tell(call, json_pack("{s:s, s:I}", "event", "data", "size", (json_int_t)size));
	if (ok && write_bytes(call->out, data, size))
		ok = fail(call, LICHEN_FETCH_IO, "internal", "the answer cannot be handed on");
	return ok ? size : CURL_WRITEFUNC_ERROR;
}

/* --- The exchange ----------------------------------------------------------------------------------------------------------------- */

static bool set_body(CURL *easy, const struct call_request *request)
{
	bool ok = true;
	if (request->body || strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0) {
		ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "") == CURLE_OK;
		ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size) == CURLE_OK;
	}
	return ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
}

static struct curl_slist *all_headers(const struct call_request *request)
{
	struct curl_slist *all = curl_slist_append(NULL, "Expect:"), *longer;
	const struct curl_slist *const lists[] = { request->headers, request->secrets };
	for (size_t i = 0; all && i < ARRAY_SIZE(lists); i++)
		for (const struct curl_slist *at = lists[i]; at; at = at->next) {
			longer = curl_slist_append(all, at->data);
			if (!longer)
				curl_slist_free_all(all);
			all = longer;
			if (!all)
				return NULL;
		}
	return all;
}

static bool set_options(struct call *call, struct curl_slist *headers)
{
	CURL *easy = call->easy;
	const struct call_request *request = &call->request;
	bool ok = headers && curl_easy_setopt(easy, CURLOPT_CURLU, request->url) == CURLE_OK && set_body(easy, request);
	ok = ok && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, "lichen/" LICHEN_VERSION) == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
	if (request->unix_path)
		ok = ok && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_path) == CURLE_OK;
	if (request->ca)
		ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca) == CURLE_OK;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->problem);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	return ok;
}

static const char *kind_of(CURLcode code, const struct call *call)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return "timeout";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
		return "protocol";
	case CURLE_SSL_CACERT_BADFILE:
		return "usage";
	case CURLE_OUT_OF_MEMORY:
		return "internal";
	default:
		return code == CURLE_COULDNT_CONNECT && *call->address_denied ? "denied" : "network";
	}
}

static int status_of(const char *kind)
{
	return strcmp(kind, "denied") == 0   ? LICHEN_FETCH_UNAUTHORIZED
	     : strcmp(kind, "usage") == 0    ? LICHEN_FETCH_USAGE
	     : strcmp(kind, "protocol") == 0 ? LICHEN_FETCH_PROTOCOL
	     : strcmp(kind, "internal") == 0 ? LICHEN_FETCH_SOFTWARE
					     : LICHEN_FETCH_NETWORK;
}

/* One request and its answer. */
static bool exchange(struct call *call)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long asked = 0;
	call->fields_size = 0;
	call->body = 0;
	*call->address_denied = *call->problem = '\0';
	json_array_clear(call->fields);
	struct curl_slist *headers = all_headers(&call->request);
	if (set_options(call, headers))
		code = curl_easy_perform(call->easy);
	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &asked);
	call->sent = call->sent || asked > 0;
	curl_slist_free_all(headers);
	if (code == CURLE_OK || call->error->status)
		return !call->error->status;
	call->kind = kind_of(code, call);
	fetch_fail(call->error, status_of(call->kind), "%s",
		   strcmp(call->kind, "denied") == 0 ? call->address_denied
		   : *call->problem                  ? call->problem
						     : curl_easy_strerror(code));
	return false;
}

/* Makes where the answer points the request's URL. */
static bool follow(struct call *call)
{
	char *to = NULL, *before = NULL, *after = NULL;
	curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to)
		return fail(call, LICHEN_FETCH_PROTOCOL, "protocol", "the answer redirects to nowhere");
	CURLU *url = curl_url();
	bool ok = url && curl_url_set(url, CURLUPART_URL, to, CURLU_DISALLOW_USER) == CURLUE_OK &&
		  curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
		  curl_url_get(call->request.url, CURLUPART_SCHEME, &before, 0) == CURLUE_OK &&
		  curl_url_get(url, CURLUPART_SCHEME, &after, 0) == CURLUE_OK;
	if (!ok)
		fail(call, LICHEN_FETCH_PROTOCOL, "protocol", "the answer redirects to what is no URL without user and password");
	else if (strcmp(before, "https") == 0 && strcmp(after, "https") != 0)
		ok = fail(call, LICHEN_FETCH_UNAUTHORIZED, "denied", "the answer redirects from https to http");
	curl_free(before);
	curl_free(after);
	curl_url_cleanup(ok ? call->request.url : url);
	if (ok)
		call->request.url = url;
	return ok;
}

static char *origin_of(CURLU *url)
{
	char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    asprintf(&origin, "%s://%s:%s", scheme, host, port) < 0)
		origin = NULL;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	return origin;
}

/* What else is meant for the first origin alone: as curl does by itself. */
static void drop_credentials(struct curl_slist **headers)
{
	static const char *const names[] = { "Authorization", "Cookie", "Proxy-Authorization" };
	while (*headers) {
		struct curl_slist *one = *headers;
		size_t length = strcspn(one->data, ":;");
		bool found = false;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			found |= strlen(names[i]) == length && strncasecmp(one->data, names[i], length) == 0;
		if (!found) {
			headers = &one->next;
			continue;
		}
		*headers = one->next;
		one->next = NULL;
		curl_slist_free_all(one);
	}
}

static bool run(struct call *call)
{
	CLEANUP_FREE char *first = origin_of(call->request.url);
	for (;; call->redirects++) {
		CLEANUP_FREE char *origin = origin_of(call->request.url);
		if (!first || !origin)
			return fail(call, LICHEN_FETCH_USAGE, "usage", "the URL has no host");
		if (strcasecmp(first, origin) != 0) {
			/* Another origin: neither the secrets nor the socket are meant for it. */
			curl_slist_free_all(call->request.secrets);
			call->request.secrets = NULL;
			drop_credentials(&call->request.headers);
			if (call->request.unix_path)
				return fail(call, LICHEN_FETCH_UNAUTHORIZED, "denied",
					    "what is behind the socket redirects to another host");
		}
		if (!judge_host(call) || !exchange(call))
			return false;
		if (!call->moved)
			return tell_answer(call) && tell(call, json_pack("{s:s}", "event", "end"));
		if (!follow(call))
			return false;
		curl_easy_reset(call->easy);
	}
}

int call_run(int in, int out, struct fetch_error *ret_error)
{
	struct call call = { .out = out, .error = ret_error, .kind = "usage" };
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	*ret_error = (struct fetch_error){ .status = 0 };
	int error = read_bytes(in, CALL_REQUEST_MAX + 1, &text, &size);
	if (!error && size > CALL_REQUEST_MAX)
		error = -EFBIG;
	if (error)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "the request cannot be read: %s", strerror(-error));
	bool ok = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && call_request_read(text, size, &call.request, ret_error) == 0;
	call.easy = curl_easy_init();
	call.fields = json_array();
	if (ok && call.easy && call.fields)
		ok = run(&call);
	else if (!ret_error->status)
		ok = fetch_fail_memory(ret_error) == 0;
	struct fetch_error why = *ret_error; /* the first counts */
	if (!ok && why.status != LICHEN_FETCH_IO)
		(void)!tell(&call, json_pack("{s:s, s:s, s:s, s:b}", "event", "error", "kind", call.kind, "message", why.text,
					     "sent", call.sent));
	*ret_error = why;
	curl_easy_cleanup(call.easy);
	json_decref(call.fields);
	call_request_done(&call.request);
	curl_global_cleanup();
	return why.status;
}
