// SPDX-License-Identifier: Apache-2.0
/* The head of a request: see the header for what is accepted, and what becomes of it. */
#include "proxy/proxy_http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define METHOD_MAX 32u
#define LENGTH_DIGITS 18u /* fits a u64 */
#define NAMED_MAX 16u     /* fields that Connection names */

/* A part of the head. */
struct span {
	const char *at;
	size_t length;
};

struct head {
	struct span method, target;
	bool http10;
	struct span fields; /* behind the request line, up to and with the empty line */
	struct span named[NAMED_MAX];
	size_t named_count;
	struct span host, content_length, transfer_encoding; /* at = NULL: not there */
};

static int refuse(struct proxy_refusal *ret, u16 status, const char *why)
{
	*ret = (struct proxy_refusal){ status, why };
	return -EINVAL;
}

/* RFC 9110 5.6.2 */
static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token_span(struct span span)
{
	for (size_t i = 0; i < span.length; i++)
		if (!is_token(span.at[i]))
			return false;
	return span.length > 0;
}

static bool is(struct span span, const char *word)
{
	return strlen(word) == span.length && strncasecmp(span.at, word, span.length) == 0;
}

static struct span trim(struct span span)
{
	while (span.length && (*span.at == ' ' || *span.at == '\t')) {
		span.at++;
		span.length--;
	}
	while (span.length && (span.at[span.length - 1] == ' ' || span.at[span.length - 1] == '\t'))
		span.length--;
	return span;
}

/* What stands before `stop`, or all; `rest` goes behind it. */
static struct span cut(struct span *rest, char stop)
{
	const char *end = rest->length ? memchr(rest->at, stop, rest->length) : NULL;
	struct span part = { rest->at, end ? (size_t)(end - rest->at) : rest->length };
	size_t used = part.length + (end ? 1 : 0);
	*rest = (struct span){ rest->at + used, rest->length - used };
	return part;
}

ssize_t proxy_http_head(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && i < PROXY_HEAD_MAX; i++) {
		if (bytes[i] != '\n')
			continue;
		if (i == 0 || bytes[i - 1] != '\r')
			return -EINVAL;
		if (i >= 3 && bytes[i - 2] == '\n')
			return (ssize_t)i + 1;
	}
	return length < PROXY_HEAD_MAX ? 0 : -EMSGSIZE;
}

/* One line without its CRLF; no other CR is in it. */
static bool next_line(struct span *rest, struct span *ret)
{
	*ret = cut(rest, '\n');
	if (!ret->length || ret->at[ret->length - 1] != '\r')
		return false;
	ret->length--;
	return !memchr(ret->at, '\r', ret->length);
}

static int parse_request_line(struct span line, struct head *head, struct proxy_refusal *refusal)
{
	head->method = cut(&line, ' ');
	head->target = cut(&line, ' ');
	if (!is_token_span(head->method) || head->method.length > METHOD_MAX)
		return refuse(refusal, 400, "the method is malformed");
	for (size_t i = 0; i < head->target.length; i++)
		if (head->target.at[i] < '!' || head->target.at[i] > '~')
			return refuse(refusal, 400, "the target has a byte that a URI has not");
	head->http10 = line.length == 8 && memcmp(line.at, "HTTP/1.0", 8) == 0;
	if (!head->http10 && (line.length != 8 || memcmp(line.at, "HTTP/1.1", 8) != 0))
		return refuse(refusal, 505, "the protocol is neither HTTP/1.1 nor HTTP/1.0");
	return head->target.length ? 0 : refuse(refusal, 400, "there is no target");
}

/* Cuts a field into name and value. */
static int parse_field(struct span line, struct span *name, struct span *value, struct proxy_refusal *refusal)
{
	bool colon = memchr(line.at, ':', line.length) != NULL;
	*name = cut(&line, ':');
	*value = trim(line);
	if (!colon || !is_token_span(*name))
		return refuse(refusal, 400, "a field's name is malformed");
	for (size_t i = 0; i < value->length; i++)
		if ((u8)value->at[i] < ' ' ? value->at[i] != '\t' : value->at[i] == 0x7f)
			return refuse(refusal, 400, "a field has a control character");
	return 0;
}

static int once(struct span *field, struct span value, const char *why, struct proxy_refusal *refusal)
{
	if (field->at)
		return refuse(refusal, 400, why);
	*field = value;
	return 0;
}

/* Fields that Connection names are for this hop; none that says where the request goes or ends can be. */
static int take_connection(struct head *head, struct span value, struct proxy_refusal *refusal)
{
	while (value.length) {
		struct span name = trim(cut(&value, ','));
		if (name.length == 0)
			continue;
		if (!is_token_span(name) || head->named_count == NAMED_MAX || is(name, "host") || is(name, "content-length") ||
		    is(name, "transfer-encoding"))
			return refuse(refusal, 400, "Connection names what it must not");
		head->named[head->named_count++] = name;
	}
	return 0;
}

static int take_field(struct head *head, struct span name, struct span value, struct proxy_refusal *refusal)
{
	if (is(name, "host"))
		return once(&head->host, value, "there are two fields Host", refusal);
	if (is(name, "content-length"))
		return once(&head->content_length, value, "there are two fields Content-Length", refusal);
	if (is(name, "transfer-encoding"))
		return once(&head->transfer_encoding, value, "there are two fields Transfer-Encoding", refusal);
	if (is(name, "connection"))
		return take_connection(head, value, refusal);
	return 0;
}

static int parse_fields(struct head *head, struct proxy_refusal *refusal)
{
	struct span rest = head->fields, line, name, value;
	for (size_t count = 0; rest.length; count++) {
		if (!next_line(&rest, &line))
			return refuse(refusal, 400, "a line does not end in CRLF");
		if (line.length == 0)
			return rest.length ? refuse(refusal, 400, "there is an empty line too many") : 0;
		if (count == PROXY_FIELDS_MAX)
			return refuse(refusal, 431, "there are more than 128 fields");
		int r = parse_field(line, &name, &value, refusal);
		if (r == 0)
			r = take_field(head, name, value, refusal);
		if (r)
			return r;
	}
	return refuse(refusal, 400, "there is no empty line");
}

/* Where the request goes: `path` is what is asked for there. */
static int parse_target(const struct head *head, struct proxy_request *request, struct span *path, struct proxy_refusal *refusal)
{
	static const char scheme[] = "http://";
	struct span authority = head->target;
	request->tunnel = is(head->method, "CONNECT");
	if (request->tunnel && memcmp(head->method.at, "CONNECT", 7) != 0)
		return refuse(refusal, 400, "the method is not spelled CONNECT");
	if (!request->tunnel) {
		if (authority.length <= strlen(scheme) || strncasecmp(authority.at, scheme, strlen(scheme)) != 0)
			return refuse(refusal, 400, "this is a proxy: the target has to be http://HOST/… or that of CONNECT");
		authority.at += strlen(scheme);
		authority.length -= strlen(scheme);
		if (memchr(authority.at, '#', authority.length))
			return refuse(refusal, 400, "the target has a fragment");
		*path = authority;
		authority.length = 0;
		while (authority.length < path->length && !strchr("/?", authority.at[authority.length]))
			authority.length++;
		*path = (struct span){ path->at + authority.length, path->length - authority.length };
	}
	*refusal = (struct proxy_refusal){ 403, "the target is malformed" };
	if (proxy_target_parse(authority.at, authority.length, request->tunnel ? 0 : 80, &request->host, &request->port,
			       &refusal->why))
		return -EDESTADDRREQ;
	request->has_target = true;
	return 0;
}

/* A port that is not there is the target's for CONNECT (some clients leave it out), else that of HTTP. */
static int check_host(const struct head *head, const struct proxy_request *request, struct proxy_refusal *refusal)
{
	struct proxy_host host;
	const char *why = "";
	u16 port;
	if (!head->host.at)
		return head->http10 ? 0 : refuse(refusal, 400, "there is no field Host");
	if (proxy_target_parse(head->host.at, head->host.length, request->tunnel ? request->port : 80, &host, &port, &why) ||
	    strcmp(host.text, request->host.text) != 0 || port != request->port)
		return refuse(refusal, 400, "Host is not the target");
	return 0;
}

static int parse_body(const struct head *head, struct proxy_request *request, struct proxy_refusal *refusal)
{
	struct span length = head->content_length;
	request->body = (struct proxy_body){ .kind = request->tunnel ? PROXY_BODY_TUNNEL : PROXY_BODY_LENGTH };
	if (request->tunnel && (length.at || head->transfer_encoding.at))
		return refuse(refusal, 400, "CONNECT has a body");
	if (head->transfer_encoding.at) {
		if (length.at)
			return refuse(refusal, 400, "there are both Content-Length and Transfer-Encoding");
		if (head->http10 || !is(head->transfer_encoding, "chunked"))
			return refuse(refusal, 400, "Transfer-Encoding is not chunked");
		request->body.kind = PROXY_BODY_CHUNKED;
	}
	if (!length.at)
		return 0;
	if (length.length == 0 || length.length > LENGTH_DIGITS)
		return refuse(refusal, 400, "Content-Length is no number");
	for (size_t i = 0; i < length.length; i++) {
		if (length.at[i] < '0' || length.at[i] > '9')
			return refuse(refusal, 400, "Content-Length is no number");
		request->body.left = request->body.left * 10 + (u64)(length.at[i] - '0');
	}
	return 0;
}

static bool is_for_one_hop(const struct head *head, struct span name)
{
	static const char names[][20] = {
		"host",    "connection", "proxy-connection", "proxy-authorization", "proxy-authenticate", "te",
		"trailer", "keep-alive", "upgrade"
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is(name, names[i]))
			return true;
	for (size_t i = 0; i < head->named_count; i++)
		if (name.length == head->named[i].length && strncasecmp(name.at, head->named[i].at, name.length) == 0)
			return true;
	return false;
}

static char *put(char *to, struct span span)
{
	memcpy(to, span.at, span.length);
	return to + span.length;
}

static char *put_text(char *to, const char *text)
{
	return put(to, (struct span){ text, strlen(text) });
}

/* Host: of a port other than HTTP's, with the port. */
static char *put_host(char *to, const struct proxy_request *request)
{
	char target[PROXY_TARGET_MAX];
	size_t length = strlen(proxy_target_text(&request->host, request->port, target));
	if (request->port == 80)
		length -= strlen(":80");
	to = put_text(to, "Host: ");
	to = put(to, (struct span){ target, length });
	return put_text(to, "\r\n");
}

static void write_head(const struct head *head, struct span path, char *to, struct proxy_request *request)
{
	struct span rest = head->fields, line, name, value;
	struct proxy_refusal none;
	char *at = put(to, head->method);
	at = put_text(at, path.length && *path.at == '/' ? " " : " /");
	at = put(at, path);
	at = put_text(at, head->http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
	at = put_host(at, request);
	while (next_line(&rest, &line) && line.length) {
		if (parse_field(line, &name, &value, &none) || is_for_one_hop(head, name))
			continue;
		at = put(at, name);
		at = put_text(at, ": ");
		at = put(at, value);
		at = put_text(at, "\r\n");
	}
	at = put_text(at, "Connection: close\r\n\r\n");
	request->head_length = (size_t)(at - to);
}

int proxy_http_parse(const char *bytes, size_t length, char *to, struct proxy_request *ret, struct proxy_refusal *ret_refusal)
{
	struct head head = { .http10 = false };
	struct span line, path = { bytes, 0 };
	*ret = (struct proxy_request){ .tunnel = false };
	head.fields = (struct span){ bytes, length };
	if (!next_line(&head.fields, &line))
		return refuse(ret_refusal, 400, "a line does not end in CRLF");
	int r = parse_request_line(line, &head, ret_refusal);
	ret->target = head.target.at;
	ret->target_length = head.target.length;
	if (r == 0)
		r = parse_target(&head, ret, &path, ret_refusal);
	if (r == 0)
		r = parse_fields(&head, ret_refusal);
	if (r == 0)
		r = check_host(&head, ret, ret_refusal);
	if (r == 0)
		r = parse_body(&head, ret, ret_refusal);
	if (r == 0 && !ret->tunnel)
		write_head(&head, path, to, ret);
	return r;
}
