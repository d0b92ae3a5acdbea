// SPDX-License-Identifier: Apache-2.0
/* Bytes from one end of a connection to the other, each direction with a buffer of its own; what has ended on one side is shut on the other. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "proxy/proxy_connection.h"

static bool is_empty(const struct proxy_buffer *buffer)
{
	return buffer->start == buffer->end;
}

static bool wants_to_read(const struct proxy_end *from, const struct proxy_buffer *to)
{
	return !from->ended && to->end < PROXY_BUFFER_SIZE;
}

/* The client's bytes count as long as its request lasts. */
static bool wants_request(const struct proxy_connection *connection)
{
	return !proxy_body_done(&connection->body) && wants_to_read(&connection->client, &connection->up);
}

/* Reads once. Returns how many bytes came (they lie behind to->end), 0 for none, or negative errno. */
static ssize_t pull(struct proxy_end *from, struct proxy_buffer *to)
{
	ssize_t n = recv(from->fd, to->bytes + to->end, PROXY_BUFFER_SIZE - to->end, 0);
	if (n == 0)
		from->ended = true;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

static int push(const struct proxy_end *to, struct proxy_buffer *from)
{
	if (is_empty(from))
		return 0;
	ssize_t n = send(to->fd, from->bytes + from->start, from->end - from->start, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	from->start += (size_t)n;
	if (is_empty(from))
		from->start = from->end = 0;
	return 0;
}

static int pull_request(struct proxy_connection *connection)
{
	struct proxy_buffer *up = &connection->up;
	if (!wants_request(connection))
		return 0;
	ssize_t n = pull(&connection->client, up);
	if (n > 0)
		n = proxy_body_take(&connection->body, up->bytes + up->end, (size_t)n);
	if (n < 0)
		return (int)n;
	up->end += (size_t)n;
	connection->sent += (u64)n;
	return connection->client.ended && connection->body.kind != PROXY_BODY_TUNNEL ? -ECONNABORTED : 0;
}

static int pull_answer(struct proxy_connection *connection)
{
	if (!wants_to_read(&connection->upstream, &connection->down))
		return 0;
	ssize_t n = pull(&connection->upstream, &connection->down);
	if (n < 0)
		return (int)n;
	connection->down.end += (size_t)n;
	connection->received += (u64)n;
	return 0;
}

/* `to` is shut when all that `from` had is through. */
static void pass_end(const struct proxy_end *from, const struct proxy_buffer *buffer, struct proxy_end *to)
{
	if (!from->ended || !is_empty(buffer) || to->shut)
		return;
	to->shut = true;
	(void)shutdown(to->fd, SHUT_WR);
}

int relay_step(struct proxy_connection *connection)
{
	int r = pull_request(connection);
	if (r == 0)
		r = pull_answer(connection);
	if (r == 0)
		r = push(&connection->upstream, &connection->up);
	if (r == 0)
		r = push(&connection->client, &connection->down);
	if (r)
		return r;
	pass_end(&connection->client, &connection->up, &connection->upstream);
	pass_end(&connection->upstream, &connection->down, &connection->client);
	return connection->client.shut && (connection->upstream.shut || connection->body.kind != PROXY_BODY_TUNNEL);
}

u32 relay_wants_client(const struct proxy_connection *connection)
{
	return (wants_request(connection) ? (u32)EPOLLIN : 0) | (is_empty(&connection->down) ? 0 : (u32)EPOLLOUT);
}

u32 relay_wants_upstream(const struct proxy_connection *connection)
{
	return (wants_to_read(&connection->upstream, &connection->down) ? (u32)EPOLLIN : 0) |
	       (is_empty(&connection->up) ? 0 : (u32)EPOLLOUT);
}
