// SPDX-License-Identifier: Apache-2.0
/* What `lichen-fetch call` is asked for. */
#include "fetch/call_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/cleanup.h"

static int refuse(struct fetch_error *error, const char *what, const char *why)
{
	return fetch_fail(error, LICHEN_FETCH_USAGE, "the request's %.100s %s", what, why);
}

/* What frames the message, or is the connection's, is libcurl's to say. */
/* Is a text the name of a header field (RFC 9110 5.6.2), and one that a caller may set? */
static bool call_header_allowed(const char *name)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	static const char *const ours[] = {
		"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Expect", "Upgrade", "TE", "Trailer",
	};
	size_t length = strlen(name);
	if (!length || length > 128 || strspn(name, token) != length || strncasecmp(name, "Proxy-", 6) == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strcasecmp(name, ours[i]) == 0)
			return false;
	return true;
}

/* Visible ASCII, blanks, and bytes beyond (UTF-8). */
static bool value_allowed(const char *value)
{
	for (const unsigned char *at = (const unsigned char *)value; *at; at++)
		if ((*at < ' ' && *at != '\t') || *at == 0x7f)
			return false;
	return strlen(value) <= 16384;
}

static int add_header(struct curl_slist **list, const char *name, const char *prefix, const char *value, struct fetch_error *error)
{
	if (!call_header_allowed(name))
		return refuse(error, "headers", "have a field that must not be set");
	if (!value_allowed(prefix) || !value_allowed(value))
		return refuse(error, "headers", "have a value with control characters, or of more than 16384 bytes");
	size_t size = strlen(name) + strlen(prefix) + strlen(value) + 3;
	CLEANUP_FREE char *line = malloc(size);
	if (!line)
		return fetch_fail_memory(error);
	/* A semicolon is how libcurl writes a field without a value. */
	if (*prefix || *value)
		snprintf(line, size, "%s: %s%s", name, prefix, value);
	else
		snprintf(line, size, "%s;", name);
	struct curl_slist *longer = curl_slist_append(*list, line);
	explicit_bzero(line, size);
	if (!longer)
		return fetch_fail_memory(error);
	*list = longer;
	return 0;
}

static int read_headers(struct call_request *request, json_t *headers, struct fetch_error *error)
{
	const char *name;
	json_t *value;
	if (!json_is_object(headers) || json_object_size(headers) > CALL_HEADERS_MAX)
		return refuse(error, "headers", "are no object of at most 64 texts");
	json_object_foreach(headers, name, value)
	{
		const char *text = json_string_value(value);
		int status = text ? add_header(&request->headers, name, "", text, error) : refuse(error, "headers", "are no texts");
		if (status)
			return status;
	}
	return 0;
}

static int read_secrets(struct call_request *request, json_t *secrets, struct fetch_error *error)
{
	const char *name;
	json_t *value;
	if (!json_is_object(secrets) || json_object_size(secrets) > CALL_HEADERS_MAX)
		return refuse(error, "secrets", "are no object");
	json_object_foreach(secrets, name, value)
	{
		const char *variable = json_string_value(json_object_get(value, "env"));
		const char *prefix = json_string_value(json_object_get(value, "prefix"));
		if (!variable || !*variable || strchr(variable, '='))
			return refuse(error, "secrets", "name no environment variable");
		const char *secret = getenv(variable);
		if (!secret || !*secret)
			return fetch_fail(error, LICHEN_FETCH_USAGE,
					  "the environment variable %.100s, which holds the secret, is not set", variable);
		int status = add_header(&request->secrets, name, prefix ? prefix : "", secret, error);
		if (status)
			return status;
	}
	return 0;
}

static int read_rules(struct call_request *request, json_t *list, bool private, struct fetch_error *error)
{
	size_t index;
	json_t *value;
	if (!json_is_array(list))
		return refuse(error, private ? "private" : "allow", "is no array");
	json_array_foreach(list, index, value)
	{
		struct proxy_rule rule;
		const char *text = json_string_value(value), *why = "is no text";
		if (!text || proxy_rule_parse(text, private, &rule, &why))
			return fetch_fail(error, LICHEN_FETCH_USAGE, "'%.300s' %s", text ? text : "", why);
		if (proxy_rules_add(&request->rules, &rule))
			return fetch_fail_memory(error);
	}
	return 0;
}

static int read_url(struct call_request *request, const char *url, struct fetch_error *error)
{
	CLEANUP_FREE char *zone = NULL;
	request->url = curl_url();
	if (!request->url)
		return fetch_fail_memory(error);
	if (!url || strlen(url) > 8192 || curl_url_set(request->url, CURLUPART_URL, url, CURLU_DISALLOW_USER))
		return refuse(error, "url", "is no URL without user and password");
	if (curl_url_set(request->url, CURLUPART_FRAGMENT, NULL, 0))
		return fetch_fail_memory(error);
	if (curl_url_get(request->url, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK)
		return refuse(error, "url", "has an address with a zone");
	return 0;
}

static int read_number(json_t *value, const char *key, json_int_t least, json_int_t most, json_int_t *ret,
		       struct fetch_error *error)
{
	if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
		return refuse(error, key, "is no number in its range");
	*ret = json_integer_value(value);
	return 0;
}

static int read_method(struct call_request *request, const char *method, struct fetch_error *error)
{
	static const char *const known[] = { "GET", "POST", "PUT", "DELETE" };
	for (size_t i = 0; method && i < ARRAY_SIZE(known); i++)
		if (strcmp(method, known[i]) == 0)
			request->method = known[i];
	return request->method ? 0 : refuse(error, "method", "is none of GET, POST, PUT and DELETE");
}

static int read_unix(struct call_request *request, const char *path, struct fetch_error *error)
{
	struct sockaddr_un address;
	if (!path || *path != '/' || strlen(path) >= sizeof(address.sun_path))
		return refuse(error, "unix", "is no absolute path of at most 107 bytes");
	request->unix_path = path;
	return 0;
}

static int read_body(struct call_request *request, json_t *value, struct fetch_error *error)
{
	request->body = json_string_value(value);
	request->body_size = json_string_length(value);
	return request->body ? 0 : refuse(error, "body", "is no text");
}

static int read_key(struct call_request *request, const char *key, json_t *value, struct fetch_error *error)
{
	json_int_t number = 0;
	int status = 0;
	if (strcmp(key, "method") == 0) {
		status = read_method(request, json_string_value(value), error);
	} else if (strcmp(key, "url") == 0) {
		status = read_url(request, json_string_value(value), error);
	} else if (strcmp(key, "unix") == 0) {
		status = read_unix(request, json_string_value(value), error);
	} else if (strcmp(key, "headers") == 0) {
		status = read_headers(request, value, error);
	} else if (strcmp(key, "secrets") == 0) {
		status = read_secrets(request, value, error);
	} else if (strcmp(key, "body") == 0) {
		status = read_body(request, value, error);
	} else if (strcmp(key, "allow") == 0 || strcmp(key, "private") == 0) {
		status = read_rules(request, value, *key == 'p', error);
	} else if (strcmp(key, "redirects") == 0) {
		status = read_number(value, key, 0, CALL_REDIRECTS_MAX, &number, error);
		request->redirects = (long)number;
	} else if (strcmp(key, "timeout_ms") == 0) {
		status = read_number(value, key, 1, 3600000, &number, error);
		request->timeout_ms = (long)number;
	} else if (strcmp(key, "max_body") == 0) {
		status = read_number(value, key, 0, CALL_BODY_MAX, &number, error);
		request->max_body = number;
	} else if (strcmp(key, "ca") == 0) {
		request->ca = json_string_value(value);
		status = request->ca ? 0 : refuse(error, key, "is no text");
	} else {
		status = refuse(error, key, "is not known");
	}
	return status;
}

int call_request_read(const char *text, size_t size, struct call_request *ret, struct fetch_error *ret_error)
{
	const char *key;
	json_t *value;
	json_error_t where;
	*ret = (struct call_request){ .timeout_ms = 30000, .max_body = 8 << 20 };
	ret->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(ret->root))
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "the request is no JSON object: %s", where.text);
	json_object_foreach(ret->root, key, value)
	{
		int status = read_key(ret, key, value, ret_error);
		if (status)
			return status;
	}
	if (!ret->method || !ret->url)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "the request has no %s", ret->url ? "method" : "url");
	return 0;
}

void call_request_done(struct call_request *request)
{
	for (struct curl_slist *at = request->secrets; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(request->headers);
	curl_slist_free_all(request->secrets);
	curl_url_cleanup(request->url);
	proxy_rules_free(&request->rules);
	json_decref(request->root);
	*request = (struct call_request){ .root = NULL };
}
