// SPDX-License-Identifier: Apache-2.0
/* What the proxy takes for a request, in HTTP and SOCKS, and where it ends; and what it refuses because others could read it differently. */
#include <errno.h>
#include <string.h>

#include "proxy/proxy_http.h"
#include "proxy/proxy_socks.h"
#include "unit.h"

static void requests_are_written_anew(void **state)
{
	(void)state;
	static const struct {
		const char *head, *target, *written;
		enum proxy_body_kind body;
		u64 left;
	} rows[] = {
		{ "CONNECT A.com:443 HTTP/1.1\r\nHost: a.com:443\r\nUser-Agent: x\r\n\r\n", "a.com:443", "", PROXY_BODY_TUNNEL, 0 },
		{ "CONNECT a.com:443 HTTP/1.0\r\n\r\n", "a.com:443", "", PROXY_BODY_TUNNEL, 0 },
		{ "CONNECT a.com:443 HTTP/1.1\r\nHost: a.com\r\n\r\n", "a.com:443", "", PROXY_BODY_TUNNEL, 0 },
		{ "CONNECT [::1]:443 HTTP/1.1\r\nHost: [0::1]:443\r\n\r\n", "[::1]:443", "", PROXY_BODY_TUNNEL, 0 },
		{ "GET http://A.com/x?y HTTP/1.1\r\nHost: a.com\r\n\r\n", "a.com:80",
		  "GET /x?y HTTP/1.1\r\nHost: a.com\r\nConnection: close\r\n\r\n", PROXY_BODY_LENGTH, 0 },
		{ "GET HTTP://a.com:8080 HTTP/1.1\r\nhost: A.COM.:8080\r\n\r\n", "a.com:8080",
		  "GET / HTTP/1.1\r\nHost: a.com:8080\r\nConnection: close\r\n\r\n", PROXY_BODY_LENGTH, 0 },
		{ "GET http://a.com?q HTTP/1.0\r\n\r\n", "a.com:80", "GET /?q HTTP/1.0\r\nHost: a.com\r\nConnection: close\r\n\r\n",
		  PROXY_BODY_LENGTH, 0 },
		{ "POST http://a.com/ HTTP/1.1\r\nHost:a.com\r\nContent-Length: 12\r\nProxy-Authorization: x\r\nTE: trailers\r\n"
		  "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nX-Other:\t2 \r\n\r\n",
		  "a.com:80", "POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 12\r\nX-Other: 2\r\nConnection: close\r\n\r\n",
		  PROXY_BODY_LENGTH, 12 },
		{ "PUT http://a.com/ HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: Chunked\r\n\r\n", "a.com:80",
		  "PUT / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n", PROXY_BODY_CHUNKED,
		  0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_request request;
		struct proxy_refusal refusal = { 0, "" };
		char written[1024], target[PROXY_TARGET_MAX];
		size_t length = strlen(rows[i].head);
		print_message("%s", rows[i].head);
		assert_int_equal(proxy_http_head(rows[i].head, length), length);
		assert_int_equal(proxy_http_head(rows[i].head, length - 1), 0);
		assert_int_equal(proxy_http_parse(rows[i].head, length, written, &request, &refusal), 0);
		assert_string_equal(proxy_target_text(&request.host, request.port, target), rows[i].target);
		assert_int_equal(request.head_length, strlen(rows[i].written));
		assert_memory_equal(written, rows[i].written, request.head_length);
		assert_int_equal(request.body.kind, rows[i].body);
		assert_int_equal(request.body.left, rows[i].left);
	}
}

#define GET "GET http://a.com/ HTTP/1.1\r\n"
#define POST "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\n"

static void requests_that_two_would_read_differently_are_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		GET "\r\n", /* no Host */
		GET "Host: b.com\r\n\r\n",
		GET "Host: a.com\r\nHost: a.com\r\n\r\n",
		GET "Host: a.com, b.com\r\n\r\n",
		GET "Host: a.com:8080\r\n\r\n",
		GET "Host: a.com@b.com\r\n\r\n",
		GET "Host:\r\n\r\n",
		GET "Host : a.com\r\n\r\n",
		GET "Host: a.com\r\n X: folded\r\n\r\n",
		GET " Host: a.com\r\n\r\n",
		GET "Host: a.com\r\nNo colon\r\n\r\n",
		GET "Host: a.com\r\n: empty\r\n\r\n",
		GET "Host: a.com\r\nX: a\rb\r\n\r\n",
		GET "Host: a.com\r\nX: a\x01\r\n\r\n",
		GET "Host: a.com\r\nX: a\x7f\r\n\r\n",
		GET "Host: a.com\r\nConnection: host\r\n\r\n",
		GET "Host: a.com\r\nConnection: close, Transfer-Encoding\r\n\r\n",
		GET "Host: a.com\r\nConnection: content-length\r\n\r\n",
		POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		POST "Content-Length: 1, 1\r\n\r\n",
		POST "Content-Length: +1\r\n\r\n",
		POST "Content-Length: 0x1\r\n\r\n",
		POST "Content-Length: -1\r\n\r\n",
		POST "Content-Length:\r\n\r\n",
		POST "Content-Length: 1111111111111111111\r\n\r\n",
		POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
		POST "Transfer-Encoding: xchunked\r\n\r\n",
		POST "Transfer-Encoding: identity\r\n\r\n",
		POST "Transfer-Encoding: \vchunked\r\n\r\n",
		"POST http://a.com/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"CONNECT a.com:443 HTTP/1.1\r\nHost: a.com:443\r\nContent-Length: 0\r\n\r\n",
		"CONNECT a.com:443 HTTP/1.1\r\nHost: a.com:443\r\nTransfer-Encoding: chunked\r\n\r\n",
		"CONNECT a.com:443 HTTP/1.1\r\nHost: b.com:443\r\n\r\n",
		"CONNECT a.com:443 HTTP/1.1\r\nHost: a.com:444\r\n\r\n",
		"connect a.com:443 HTTP/1.1\r\nHost: a.com:443\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET https://a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET ftp://a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com/#x HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com/ HTTP/2.0\r\nHost: a.com\r\n\r\n",
		"GET http://a.com/ HTTP/1.1 \r\nHost: a.com\r\n\r\n",
		"GET  http://a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com/\tHTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com/ b HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com/\r\nHost: a.com\r\n\r\n",
		"G(T http://a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com/\xff HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_request request;
		struct proxy_refusal refusal = { 0, "" };
		char written[1024];
		print_message("%s\n", rows[i]);
		assert_int_equal(proxy_http_parse(rows[i], strlen(rows[i]), written, &request, &refusal), -EINVAL);
		assert_true(refusal.status >= 400 && *refusal.why);
	}
}

static void targets_of_requests_are_strict(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"CONNECT a.com HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"CONNECT http://a.com:443 HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"CONNECT a.com:443/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"CONNECT 0x7f.1:443 HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"CONNECT a.com%00.b.com:443 HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://user:pw@a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com\\@b.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http:///x HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://a.com:/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
		"GET http://[fe80::1%25lo]/ HTTP/1.1\r\nHost: a.com\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_request request;
		struct proxy_refusal refusal = { 0, "" };
		char written[1024];
		print_message("%s\n", rows[i]);
		assert_int_equal(proxy_http_parse(rows[i], strlen(rows[i]), written, &request, &refusal), -EDESTADDRREQ);
		assert_true(!request.has_target && request.target && refusal.status == 403 && *refusal.why);
	}
}

static void heads_end_in_crlf_and_have_a_limit(void **state)
{
	(void)state;
	static char much[PROXY_HEAD_MAX + 1];
	memset(much, 'a', sizeof(much));
	assert_int_equal(proxy_http_head("GET / HTTP/1.1\n\n", 16), -EINVAL);
	assert_int_equal(proxy_http_head("\n", 1), -EINVAL);
	assert_int_equal(proxy_http_head("GET / HTTP/1.1\r\n\n", 17), -EINVAL);
	assert_int_equal(proxy_http_head("GET / HTTP/1.1\r\n\r\nmore", 22), 18);
	assert_int_equal(proxy_http_head(much, PROXY_HEAD_MAX - 1), 0);
	assert_int_equal(proxy_http_head(much, PROXY_HEAD_MAX), -EMSGSIZE);
}

static void bodies_end_where_they_say(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		ssize_t taken;
	} rows[] = {
		{ "0\r\n\r\n", 5 },
		{ "0\r\n\r\nGET /", 5 },
		{ "3\r\nabc\r\n0\r\n\r\nx", 13 },
		{ "A\r\n0123456789\r\n000\r\n\r\n", 22 },
		{ "3;x=y\r\nabc\r\n0\r\n\r\n", -EBADMSG },
		{ "3\nabc\r\n", -EBADMSG },
		{ "3 \r\nabc\r\n", -EBADMSG },
		{ "+3\r\nabc\r\n", -EBADMSG },
		{ "0x3\r\nabc\r\n", -EBADMSG },
		{ "\r\n", -EBADMSG },
		{ "3\r\nabcd\r\n", -EBADMSG },
		{ "1000000000000000\r\n", -EBADMSG },
		{ "0\r\nTrailer: x\r\n\r\n", -EBADMSG },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_body whole = { .kind = PROXY_BODY_CHUNKED }, pieces = whole;
		ssize_t taken = 0;
		print_message("%s\n", rows[i].bytes);
		assert_int_equal(proxy_body_take(&whole, rows[i].bytes, strlen(rows[i].bytes)), rows[i].taken);
		for (const char *at = rows[i].bytes; *at && taken >= 0; at++) {
			ssize_t one = proxy_body_take(&pieces, at, 1);
			taken = one < 0 ? one : taken + one;
		}
		assert_int_equal(taken, rows[i].taken);
		if (taken >= 0)
			assert_true(proxy_body_done(&whole) && proxy_body_done(&pieces));
	}
	struct proxy_body length = { .kind = PROXY_BODY_LENGTH, .left = 5 };
	assert_int_equal(proxy_body_take(&length, "abc", 3), 3);
	assert_false(proxy_body_done(&length));
	assert_int_equal(proxy_body_take(&length, "deGET", 5), 2);
	assert_true(proxy_body_done(&length));
}

static void socks_messages_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t length;
		ssize_t result;
		enum socks_reply reply;
		const char *target;
	} rows[] = {
		{ "\5\1\0\1\1\2\3\4\1\273", 10, 10, 0, "1.2.3.4:443" },
		{ "\5\1\0\3\5A.com\0\120x", 13, 12, 0, "a.com:80" },
		{ "\5\1\0\3\011"
		  "127.0.0.1\0\120",
		  16, 16, 0, "127.0.0.1:80" },
		{ "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\120", 22, 22, 0, "[::1]:80" },
		{ "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\1\0\120", 22, 22, 0, "127.0.0.1:80" },
		{ "\5\1\0\3\5a.com\0", 11, 0, 0, NULL },
		{ "\5\1\0\3", 4, 0, 0, NULL },
		{ "\5\2\0\1\1\2\3\4\0\120", 10, -EINVAL, SOCKS_COMMAND_NOT_SUPPORTED, NULL },
		{ "\5\3\0\1\1\2\3\4\0\120", 10, -EINVAL, SOCKS_COMMAND_NOT_SUPPORTED, NULL },
		{ "\5\1\0\2\1\2\3\4\0\120", 10, -EINVAL, SOCKS_ADDRESS_NOT_SUPPORTED, NULL },
		{ "\5\1\1\1\1\2\3\4\0\120", 10, -EINVAL, SOCKS_FAILURE, NULL },
		{ "\4\1\0\1\1\2\3\4\0\120", 10, -EINVAL, SOCKS_FAILURE, NULL },
		{ "\5\1\0\1\1\2\3\4\0\0", 10, -EINVAL, SOCKS_NOT_ALLOWED, NULL },
		{ "\5\1\0\3\0\0\120", 7, -EDESTADDRREQ, SOCKS_NOT_ALLOWED, NULL },
		{ "\5\1\0\3\6a.c\0om\0\120", 13, -EDESTADDRREQ, SOCKS_NOT_ALLOWED, NULL },
		{ "\5\1\0\3\005"
		  "127.1\0\120",
		  12, -EDESTADDRREQ, SOCKS_NOT_ALLOWED, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct socks_request request;
		char target[PROXY_TARGET_MAX];
		print_message("%zu\n", i);
		assert_int_equal(socks_parse(rows[i].bytes, rows[i].length, &request), rows[i].result);
		assert_int_equal(request.reply, rows[i].reply);
		if (rows[i].target)
			assert_string_equal(proxy_target_text(&request.host, request.port, target), rows[i].target);
	}
	bool accepted = true;
	assert_int_equal(socks_greeting("\5", 1, &accepted), 0);
	assert_int_equal(socks_greeting("\5\2\0", 3, &accepted), 0);
	assert_int_equal(socks_greeting("\4\1\0", 3, &accepted), -EBADMSG);
	assert_int_equal(socks_greeting("\5\2\2\0\5", 5, &accepted), 4);
	assert_true(accepted);
	assert_int_equal(socks_greeting("\5\1\2", 3, &accepted), 3);
	assert_false(accepted);
	assert_int_equal(socks_greeting("\5\0", 2, &accepted), 2);
	assert_false(accepted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_written_anew),
		cmocka_unit_test(requests_that_two_would_read_differently_are_refused),
		cmocka_unit_test(targets_of_requests_are_strict),
		cmocka_unit_test(heads_end_in_crlf_and_have_a_limit),
		cmocka_unit_test(bodies_end_where_they_say),
		cmocka_unit_test(socks_messages_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
