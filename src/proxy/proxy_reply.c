// SPDX-License-Identifier: Apache-2.0
/* What the proxy itself says to a client. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/proxy_connection.h"
#include "proxy/proxy_socks.h"

/* RFC 9110 15; some clients show nothing else to their users. */
static const char *phrase(u16 status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden by lichen";
	case 408:
		return "Request Timeout";
	case 431:
		return "Request Header Fields Too Large";
	case 502:
		return "Bad Gateway";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}

/* The answer is short and the first that goes over this socket: there is room for it. Whether it arrives is the client's affair. */
static void send_now(const struct proxy_connection *connection, const char *bytes, size_t length)
{
	(void)send(connection->client.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void refuse_http(const struct proxy_connection *connection, u16 status, const char *why)
{
	char body[PROXY_TARGET_MAX + 256], answer[sizeof(body) + 256];
	const char *target = connection->told.target;
	int length = snprintf(body, sizeof(body), "lichen: %s%s%s%s\n", status == 403 ? "denied " : "", target, *target ? ": " : "",
			      why);
	length = snprintf(answer, sizeof(answer),
			  "HTTP/1.1 %u %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status,
			  phrase(status), length, body);
	if (length > 0 && (size_t)length < sizeof(answer))
		send_now(connection, answer, (size_t)length);
}

void reply_refusal(struct proxy_connection *connection, u16 status, u8 socks, const char *why)
{
	char reply[SOCKS_REPLY_SIZE];
	if (connection->told.via != PROXY_VIA_SOCKS) {
		refuse_http(connection, status, why);
	} else if (!connection->greeted) {
		send_now(connection, "\x05\xff", 2); /* no acceptable method */
	} else {
		socks_reply_write((enum socks_reply)socks, reply);
		send_now(connection, reply, sizeof(reply));
	}
}

void reply_connected(struct proxy_connection *connection)
{
	static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	struct proxy_buffer *down = &connection->down;
	if (connection->told.via == PROXY_VIA_CONNECT) {
		down->end = strlen(established);
		memcpy(down->bytes, established, down->end);
	} else if (connection->told.via == PROXY_VIA_SOCKS) {
		down->end = SOCKS_REPLY_SIZE;
		socks_reply_write(SOCKS_SUCCEEDED, down->bytes);
	}
}
