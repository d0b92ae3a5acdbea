// SPDX-License-Identifier: Apache-2.0
/* As much of HTTP/1.1 as an answer needs: one request a connection, with Content-Length. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "echo/echo.h"

/* --- out -------------------------------------------------------------------------------------------------------------------------- */

static void send_text(int fd, long status, const char *type, const char *text, bool cut)
{
	char head[256];
	size_t size = strlen(text);
	int length = snprintf(head, sizeof(head),
			      "HTTP/1.1 %ld %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
			      status < 400 ? "OK" : "Error", type, size);
	if (write_bytes(fd, head, (size_t)length) == 0)
		(void)!write_bytes(fd, text, cut ? size / 2 : size);
}

void echo_send(int fd, long status, json_t *document, bool cut)
{
	CLEANUP_FREE char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
	json_decref(document);
	send_text(fd, text ? status : 500, "application/json", text ? text : "{}", cut);
}

static void send_error(int fd, long status, const char *message)
{
	echo_send(fd, status, json_pack("{s:{s:s, s:s}}", "error", "type", "invalid_request_error", "message", message), false);
}

bool echo_stream_begin(int fd)
{
	static const char head[] =
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
	return write_bytes(fd, head, sizeof(head) - 1) == 0;
}

bool echo_stream_event(int fd, const char *name, const char *data)
{
	char *text = NULL, head[32];
	int size = name ? asprintf(&text, "event: %s\ndata: %s\n\n", name, data) : asprintf(&text, "data: %s\n\n", data);
	if (size < 0)
		return false;
	int length = snprintf(head, sizeof(head), "%x\r\n", (unsigned)size);
	bool ok = write_bytes(fd, head, (size_t)length) == 0 && write_bytes(fd, text, (size_t)size) == 0 &&
		  write_bytes(fd, "\r\n", 2) == 0;
	free(text);
	return ok;
}

bool echo_stream_json(int fd, const char *name, json_t *event)
{
	CLEANUP_FREE char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
	json_decref(event);
	return text && echo_stream_event(fd, name, text);
}

void echo_stream_end(int fd)
{
	(void)!write_bytes(fd, "0\r\n\r\n", 5);
}

/* --- in --------------------------------------------------------------------------------------------------------------------------- */

/* Reads until the header is complete. Returns what came, NUL-terminated, or NULL; *ret_header: where the body starts. */
static char *read_header(int fd, size_t *ret_size, size_t *ret_header)
{
	char *text = malloc(ECHO_HEADER_MAX + 1), *end = NULL;
	size_t size = 0;
	while (text && !end && size < ECHO_HEADER_MAX) {
		ssize_t n = read(fd, text + size, ECHO_HEADER_MAX - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (size_t)n;
		text[size] = '\0';
		end = strstr(text, "\r\n\r\n");
	}
	if (!end) {
		free(text);
		return NULL;
	}
	*ret_size = size;
	*ret_header = (size_t)(end + 4 - text);
	return text;
}

static size_t content_length(const char *header, size_t end)
{
	for (const char *line = header; line && line < header + end; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			return strtoull(line + 15, NULL, 10);
	}
	return 0;
}

/* Reads the body behind the header, and parses it. */
static json_t *read_body(int fd, const char *text, size_t size, size_t header)
{
	size_t length = content_length(text, header), had = size - header;
	if (!length || length > ECHO_REQUEST_MAX || had > length)
		return NULL;
	CLEANUP_FREE char *body = malloc(length);
	if (!body)
		return NULL;
	memcpy(body, text + header, had);
	while (had < length) {
		ssize_t n = read(fd, body + had, length - had);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		had += (size_t)n;
	}
	return json_loadb(body, length, 0, NULL);
}

static void ask(int fd, const struct echo_options *options, enum echo_api api, json_t *body)
{
	struct echo_question question;
	const char *wrong = body ? echo_question_read(api, body, &question) : "the request is no JSON of a known length";
	if (wrong)
		send_error(fd, 400, wrong);
	else if (options->status)
		send_error(fd, options->status, "as --status says");
	else if (options->garbage)
		send_text(fd, 200, "application/json", "{\"choices\": [{\"message\": {\"content\": \"half", false);
	else
		echo_answer(fd, options, &question);
	json_decref(body);
}

static void get(int fd, const char *path)
{
	if (strncmp(path, "/health ", 8) == 0)
		echo_send(fd, 200, json_pack("{s:s}", "status", "ok"), false);
	else if (strncmp(path, "/v1/models ", 11) == 0)
		echo_send(fd, 200,
			  json_pack("{s:s, s:[{s:s, s:s}]}", "object", "list", "data", "id", "lichen-echo", "object", "model"),
			  false);
	else
		send_error(fd, 404, "there is no such path");
}

void echo_serve(int fd, const struct echo_options *options)
{
	static const struct {
		const char *line;
		enum echo_api api;
	} posts[] = {
		{ "POST /v1/chat/completions ", ECHO_CHAT },
		{ "POST /v1/completions ", ECHO_COMPLETION },
		{ "POST /v1/messages ", ECHO_MESSAGES },
	};
	size_t size, header;
	CLEANUP_FREE char *text = read_header(fd, &size, &header);
	if (!text)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(posts); i++)
		if (strncmp(text, posts[i].line, strlen(posts[i].line)) == 0) {
			ask(fd, options, posts[i].api, read_body(fd, text, size, header));
			return;
		}
	if (strncmp(text, "GET ", 4) == 0)
		get(fd, text + 4);
	else
		send_error(fd, 404, "there is no such path");
}
