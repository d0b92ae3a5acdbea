/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reaches lichen-proxy: input is a letter that says what it is, then bytes. A head of HTTP and what follows it (h), SOCKS messages (s), a host (n), a
 * rule (r), a configuration (c), chunks in pieces (b). What is accepted has one spelling, which is accepted again and means the same; what goes to the server
 * is a head that the same parser finds no second request in.
 */
#include <errno.h>

#include "fuzz.h"
#include "proxy/proxy_config.h"
#include "proxy/proxy_http.h"
#include "proxy/proxy_socks.h"

/* The spelling of a host holds nothing that a program could misread. */
static void check_host(const struct proxy_host *host)
{
	struct proxy_host again;
	const char *why = "";
	char text[PROXY_HOST_MAX + 3];
	bool six = host->literal && host->address.length == 16;
	size_t length = strlen(host->text);
	MUST(length > 0 && length <= PROXY_HOST_MAX);
	MUST(strspn(host->text, six ? "0123456789abcdef:." : "abcdefghijklmnopqrstuvwxyz0123456789-.") == length);
	snprintf(text, sizeof(text), six ? "[%s]" : "%s", host->text);
	MUST(proxy_host_parse(text, strlen(text), &again, &why) == 0);
	MUST(again.literal == host->literal && strcmp(again.text, host->text) == 0);
	MUST(!host->literal || memcmp(&again.address, &host->address, sizeof(again.address)) == 0);
}

static size_t count_of(const char *head, size_t length, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i + strlen(name) < length; i++)
		count += strncasecmp(head + i, name, strlen(name)) == 0;
	return count;
}

static void check_written(const char *written, const struct proxy_request *request)
{
	MUST(proxy_http_head(written, request->head_length) == (ssize_t)request->head_length);
	MUST(!memchr(written, '\0', request->head_length));
	MUST(count_of(written, request->head_length, "\r\nhost:") == 1);
	MUST(count_of(written, request->head_length, "\r\nconnection:") == 1);
	MUST(count_of(written, request->head_length, "\r\ncontent-length:") +
		     count_of(written, request->head_length, "\r\ntransfer-encoding:") <=
	     1);
}

static void head(const char *bytes, size_t size)
{
	static char written[PROXY_HEAD_MAX + PROXY_HEAD_GROWTH];
	struct proxy_request request;
	struct proxy_refusal refusal = { 0, NULL };
	ssize_t length = proxy_http_head(bytes, size);
	MUST(length <= (ssize_t)size);
	if (length <= 0)
		return;
	int r = proxy_http_parse(bytes, (size_t)length, written, &request, &refusal);
	MUST(r == 0 || r == -EINVAL || r == -EDESTADDRREQ);
	MUST(r == 0 || (refusal.status >= 400 && refusal.why && *refusal.why));
	MUST(!request.target || (request.target >= bytes && request.target + request.target_length <= bytes + length));
	if (request.has_target)
		check_host(&request.host);
	if (r)
		return;
	MUST(request.has_target && request.port);
	MUST(request.tunnel == (request.body.kind == PROXY_BODY_TUNNEL));
	MUST(request.head_length <= (size_t)length + PROXY_HEAD_GROWTH && (request.head_length == 0) == request.tunnel);
	if (!request.tunnel)
		check_written(written, &request);
}

static void socks(const char *bytes, size_t size)
{
	struct socks_request request;
	bool accepted = false;
	ssize_t length = socks_greeting(bytes, size, &accepted);
	MUST(length <= (ssize_t)size);
	if (length > 0) {
		bytes += length;
		size -= (size_t)length;
	}
	length = socks_parse(bytes, size, &request);
	MUST(length <= (ssize_t)size && length <= (ssize_t)SOCKS_MESSAGE_MAX);
	MUST(size < SOCKS_MESSAGE_MAX || length != 0);
	MUST(length >= 0 || (request.reply != SOCKS_SUCCEEDED && request.why && *request.why));
	if (length > 0)
		check_host(&request.host);
}

static void host(const char *bytes, size_t size)
{
	struct proxy_host host;
	const char *why = NULL;
	u16 port = 0;
	if (proxy_host_parse(bytes, size, &host, &why) == 0)
		check_host(&host);
	else
		MUST(why);
	if (proxy_target_parse(bytes, size, 0, &host, &port, &why) == 0) {
		MUST(port);
		check_host(&host);
	}
}

static void rule(char *text)
{
	struct proxy_rule rule, again;
	const char *why = NULL;
	char told[PROXY_RULE_TEXT], twice[PROXY_RULE_TEXT];
	for (int private = 0; private < 2; private ++) {
		if (proxy_rule_parse(text, private, &rule, &why)) {
			MUST(why);
			continue;
		}
		check_host(&rule.host);
		proxy_rule_text(&rule, told);
		MUST(proxy_rule_parse(strchr(told, ' ') + 1, private, &again, &why) == 0);
		MUST(strcmp(proxy_rule_text(&again, twice), told) == 0);
	}
}

static void config(const char *bytes, size_t size)
{
	struct proxy_config config;
	char error[PROXY_ERROR_MAX] = "";
	int r = proxy_config_parse(bytes, size, &config, error);
	MUST(r == 0 || (r == -EINVAL && *error));
	if (r)
		return;
	MUST(config.limits.connections && config.limits.head_seconds && config.limits.connect_seconds &&
	     config.limits.idle_seconds);
	proxy_config_free(&config);
}

/* However the bytes are cut. */
static void body(const char *bytes, size_t size)
{
	struct proxy_body whole = { .kind = PROXY_BODY_CHUNKED }, pieces = whole;
	ssize_t taken = proxy_body_take(&whole, bytes, size), sum = 0;
	for (size_t i = 0; i < size && sum >= 0; i++) {
		ssize_t one = proxy_body_take(&pieces, bytes + i, 1);
		sum = one < 0 ? one : sum + one;
	}
	MUST(taken == sum && taken <= (ssize_t)size);
	MUST(taken < 0 || proxy_body_done(&whole) == proxy_body_done(&pieces));
	MUST(taken < 0 || taken == (ssize_t)size || proxy_body_done(&whole));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *copy = malloc(size + 1); /* its own memory, so that the sanitizers see its end */
	if (!copy || !size) {
		free(copy);
		return 0;
	}
	memcpy(copy, data + 1, size - 1);
	copy[size - 1] = '\0';
	switch (data[0]) {
	case 'h':
		head(copy, size - 1);
		break;
	case 's':
		socks(copy, size - 1);
		break;
	case 'n':
		host(copy, size - 1);
		break;
	case 'r':
		rule(copy);
		break;
	case 'c':
		config(copy, size - 1);
		break;
	case 'b':
		body(copy, size - 1);
		break;
	default:
		break;
	}
	free(copy);
	return 0;
}
