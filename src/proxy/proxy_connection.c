// SPDX-License-Identifier: Apache-2.0
/* The life of a connection: proxy_server.h has its states. */
#include "proxy/proxy_connection.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proxy/proxy_socks.h"

#define LINGER_MS 2000

static void set_deadline(struct proxy_connection *connection, u32 seconds)
{
	connection->deadline = connection->server->now + 1000 * (s64)seconds;
}

static void close_end(struct proxy_end *end)
{
	close_fd(&end->fd); /* which takes it out of epoll */
	end->fd = FD_NONE;
	end->added = false;
}

void connection_close(struct proxy_connection *connection, const char *why)
{
	struct proxy_server *server = connection->server;
	if (connection->state == CONNECTION_CLOSED)
		return;
	if (connection->state == CONNECTION_RELAYING)
		report_ended(&server->report, &connection->told, connection->sent, connection->received, why);
	connection->state = CONNECTION_CLOSED;
	if (connection->lookup)
		connection->lookup->owner = NULL;
	close_end(&connection->client);
	close_end(&connection->upstream);
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	server->count--;
	connection->next = server->dead;
	server->dead = connection;
}

/* Nothing more is said to the client. */
static void begin_closing(struct proxy_connection *connection)
{
	close_end(&connection->upstream);
	connection->state = CONNECTION_CLOSING;
	connection->deadline = connection->server->now + LINGER_MS;
	if (!connection->client.shut)
		(void)shutdown(connection->client.fd, SHUT_WR);
	connection->client.shut = true;
	if (connection->client.ended || proxy_watch(connection->server, &connection->client, EPOLLIN))
		connection_close(connection, NULL);
}

static void refuse(struct proxy_connection *connection, u16 status, u8 socks, const char *why)
{
	reply_refusal(connection, status, socks, why);
	begin_closing(connection);
}

/* What was allowed could not be done. */
static void fail(struct proxy_connection *connection, u16 status, u8 socks, const char *why)
{
	report_failed(&connection->server->report, &connection->told, why);
	refuse(connection, status, socks, why);
}

static void malformed(struct proxy_connection *connection, u16 status, u8 socks, const char *raw, size_t length, const char *why)
{
	report_malformed(&connection->server->report, &connection->told, raw, length, why);
	refuse(connection, status, socks, why);
}

static u8 socks_reply_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return SOCKS_REFUSED;
	case ENETUNREACH:
	case EAFNOSUPPORT:
		return SOCKS_NETWORK_UNREACHABLE;
	case EHOSTUNREACH:
		return SOCKS_HOST_UNREACHABLE;
	case ETIMEDOUT:
		return SOCKS_TTL_EXPIRED;
	default:
		return SOCKS_FAILURE;
	}
}

/* The next step of relaying, and what has to happen for the one behind it. */
static void relay(struct proxy_connection *connection)
{
	struct proxy_server *server = connection->server;
	set_deadline(connection, server->config->limits.idle_seconds);
	int r = relay_step(connection);
	if (r == 0)
		r = proxy_watch(server, &connection->client, relay_wants_client(connection));
	if (r == 0)
		r = proxy_watch(server, &connection->upstream, relay_wants_upstream(connection));
	if (r < 0)
		connection_close(connection, strerror(-r));
	if (r <= 0)
		return;
	report_ended(&server->report, &connection->told, connection->sent, connection->received, NULL);
	begin_closing(connection);
}

static void connected(struct proxy_connection *connection)
{
	connection->state = CONNECTION_RELAYING;
	reply_connected(connection);
	relay(connection);
}

/* Begins to dial one address. Returns 0 when it is under way or done, or negative errno. */
static int dial(struct proxy_connection *connection, u32 which)
{
	const struct proxy_address *address = &connection->addresses[which];
	struct proxy_server *server = connection->server;
	struct sockaddr_storage to;
	socklen_t length = proxy_address_to(address, connection->port, &to);
	const int on = 1;
	report_allowed(&server->report, &connection->told, address, connection->rules[which]);
	if (server->report.broken)
		return -EPIPE;
	connection->upstream.fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (connection->upstream.fd < 0)
		return -errno;
	(void)setsockopt(connection->upstream.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(connection->upstream.fd, (const struct sockaddr *)&to, length) && errno != EINPROGRESS)
		return -errno;
	set_deadline(connection, server->config->limits.connect_seconds);
	return proxy_watch(server, &connection->upstream, EPOLLOUT);
}

/* Goes on with the addresses that are left; error: why the last one did not work. */
static void dial_next(struct proxy_connection *connection, int error)
{
	connection->state = CONNECTION_DIALLING;
	while (connection->dialled < connection->address_count) {
		close_end(&connection->upstream);
		error = -dial(connection, connection->dialled++);
		if (error == 0)
			return;
	}
	fail(connection, error == ETIMEDOUT ? 504 : 502, socks_reply_of(error), strerror(error));
}

static void dialled(struct proxy_connection *connection)
{
	int error = 0;
	socklen_t length = sizeof(error);
	if (getsockopt(connection->upstream.fd, SOL_SOCKET, SO_ERROR, &error, &length))
		error = errno;
	if (error)
		dial_next(connection, error);
	else
		connected(connection);
}

static void add_address(struct proxy_connection *connection, const struct proxy_address *address, const struct proxy_rule *rule)
{
	connection->addresses[connection->address_count] = *address;
	connection->rules[connection->address_count++] = rule;
}

void connection_answered(struct proxy_connection *connection, const struct lookup *lookup)
{
	struct proxy_server *server = connection->server;
	struct proxy_verdict verdict = { .why = "no rule allows it" };
	connection->lookup = NULL;
	for (u32 i = 0; i < lookup->count; i++) {
		verdict = proxy_rules_address(&server->config->rules, connection->rule, &lookup->addresses[i], connection->port);
		if (verdict.rule)
			add_address(connection, &lookup->addresses[i], verdict.rule);
	}
	if (connection->address_count) {
		dial_next(connection, 0);
	} else if (lookup->count) {
		report_denied(&server->report, &connection->told, &lookup->addresses[lookup->count - 1], verdict.why);
		refuse(connection, 403, SOCKS_NOT_ALLOWED, verdict.why);
	} else {
		fail(connection, 502, SOCKS_HOST_UNREACHABLE,
		     lookup->error ? gai_strerror(lookup->error) : "the name has no address");
	}
}

static void look_up(struct proxy_connection *connection)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	if (!lookup) {
		fail(connection, 502, SOCKS_FAILURE, strerror(ENOMEM));
		return;
	}
	memcpy(lookup->name, connection->host.text, sizeof(lookup->name));
	lookup->owner = connection;
	connection->lookup = lookup;
	connection->state = CONNECTION_LOOKING_UP;
	set_deadline(connection, connection->server->config->limits.connect_seconds);
	lookup_ask(&connection->server->lookups, lookup);
}

/* The request is complete: is it let through? */
static void judge(struct proxy_connection *connection)
{
	struct proxy_server *server = connection->server;
	(void)proxy_target_text(&connection->host, connection->port, connection->told.target);
	struct proxy_verdict verdict = proxy_rules_target(&server->config->rules, &connection->host, connection->port);
	/* nothing is read until there is somebody to pass it on to */
	if (proxy_watch(server, &connection->client, 0)) {
		connection_close(connection, NULL);
	} else if (!verdict.rule) {
		report_denied(&server->report, &connection->told, NULL, verdict.why);
		refuse(connection, 403, SOCKS_NOT_ALLOWED, verdict.why);
	} else if (connection->host.literal) {
		add_address(connection, &connection->host.address, verdict.rule);
		dial_next(connection, 0);
	} else {
		connection->rule = verdict.rule;
		look_up(connection);
	}
}

/* Takes the first bytes of what was read away. */
static void consume(struct proxy_buffer *buffer, size_t length)
{
	memmove(buffer->bytes, buffer->bytes + length, buffer->end - length);
	buffer->end -= length;
}

/* The head for the server, then what is here of the body, take the place of what was read; `down`, which is empty, is where they are put together. */
static int prepare_forward(struct proxy_connection *connection, size_t head, size_t written)
{
	struct proxy_buffer *up = &connection->up, *down = &connection->down;
	ssize_t more = proxy_body_take(&connection->body, up->bytes + head, up->end - head);
	if (more < 0)
		return (int)more;
	memcpy(down->bytes + written, up->bytes + head, (size_t)more);
	up->end = written + (size_t)more;
	memcpy(up->bytes, down->bytes, up->end);
	connection->sent = up->end;
	return 0;
}

static void read_http(struct proxy_connection *connection)
{
	struct proxy_buffer *up = &connection->up;
	struct proxy_request request;
	struct proxy_refusal refusal = { 400, "" };
	ssize_t length = proxy_http_head(up->bytes, up->end);
	if (length == 0)
		return;
	if (length < 0) {
		bool long_ = length == -EMSGSIZE;
		malformed(connection, long_ ? 431 : 400, 0, NULL, 0,
			  long_ ? "the head is longer than 32 KiB" : "a line does not end in CRLF");
		return;
	}
	int r = proxy_http_parse(up->bytes, (size_t)length, connection->down.bytes, &request, &refusal);
	connection->told.via = request.tunnel ? PROXY_VIA_CONNECT : PROXY_VIA_HTTP;
	if (request.has_target)
		(void)proxy_target_text(&request.host, request.port, connection->told.target);
	if (r) {
		malformed(connection, refusal.status, 0, request.target, request.target_length, refusal.why);
		return;
	}
	connection->host = request.host;
	connection->port = request.port;
	connection->body = request.body;
	if (request.tunnel) {
		consume(up, (size_t)length);
		connection->sent = up->end;
	} else if (prepare_forward(connection, (size_t)length, request.head_length)) {
		malformed(connection, 400, 0, request.target, request.target_length, "a chunk of the body is malformed");
		return;
	}
	judge(connection);
}

static void read_socks_request(struct proxy_connection *connection)
{
	struct socks_request request;
	ssize_t length = socks_parse(connection->up.bytes, connection->up.end, &request);
	if (length == 0)
		return;
	if (length < 0) {
		malformed(connection, 0, (u8)request.reply, request.raw, request.raw_length, request.why);
		return;
	}
	consume(&connection->up, (size_t)length);
	connection->host = request.host;
	connection->port = request.port;
	connection->body = (struct proxy_body){ .kind = PROXY_BODY_TUNNEL };
	connection->sent = connection->up.end;
	judge(connection);
}

static void read_socks(struct proxy_connection *connection)
{
	bool accepted = false;
	connection->told.via = PROXY_VIA_SOCKS;
	if (!connection->greeted) {
		ssize_t length = socks_greeting(connection->up.bytes, connection->up.end, &accepted);
		if (length == 0)
			return;
		if (length < 0 || !accepted) {
			malformed(connection, 0, 0, NULL, 0, "the client wants authentication");
			return;
		}
		consume(&connection->up, (size_t)length);
		connection->greeted = true;
		if (send(connection->client.fd, "\x05", 2, MSG_NOSIGNAL) != 2) { /* method 0: none */
			connection_close(connection, NULL);
			return;
		}
	}
	read_socks_request(connection);
}

static void read_request(struct proxy_connection *connection)
{
	struct proxy_buffer *up = &connection->up;
	ssize_t n = recv(connection->client.fd, up->bytes + up->end, PROXY_HEAD_MAX - up->end, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* gone without having asked for anything */
		connection_close(connection, NULL);
		return;
	}
	up->end += (size_t)n;
	if (connection->greeted || up->bytes[0] == SOCKS_VERSION)
		read_socks(connection);
	else if (up->bytes[0] < 'A' || up->bytes[0] > 'Z') /* as the registered methods begin */
		malformed(connection, 400, 0, NULL, 0, "it is neither HTTP nor SOCKS 5");
	else
		read_http(connection);
}

static void drain(struct proxy_connection *connection)
{
	ssize_t n = recv(connection->client.fd, connection->up.bytes, PROXY_BUFFER_SIZE, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		connection_close(connection, NULL);
}

void connection_event(struct proxy_connection *connection, struct proxy_end *end, u32 events)
{
	bool hung_up = (events & (EPOLLERR | EPOLLHUP)) && !(end->watched & (EPOLLIN | EPOLLOUT));
	if (end->fd < 0)
		return;
	if (hung_up) {
		connection_close(connection, "the connection was reset");
		return;
	}
	switch (connection->state) {
	case CONNECTION_READING:
		read_request(connection);
		break;
	case CONNECTION_DIALLING:
		dialled(connection);
		break;
	case CONNECTION_RELAYING:
		relay(connection);
		break;
	case CONNECTION_CLOSING:
		drain(connection);
		break;
	case CONNECTION_LOOKING_UP:
	case CONNECTION_CLOSED:
		break;
	}
}

void connection_expire(struct proxy_connection *connection)
{
	switch (connection->state) {
	case CONNECTION_READING:
		malformed(connection, 408, SOCKS_FAILURE, NULL, 0, "the request did not come in time");
		break;
	case CONNECTION_LOOKING_UP:
		connection->lookup->owner = NULL;
		connection->lookup = NULL;
		fail(connection, 504, SOCKS_TTL_EXPIRED, "the name was not looked up in time");
		break;
	case CONNECTION_DIALLING:
		dial_next(connection, ETIMEDOUT);
		break;
	case CONNECTION_RELAYING:
	case CONNECTION_CLOSING:
	case CONNECTION_CLOSED:
		connection_close(connection, "nothing came for too long");
		break;
	}
}

void connection_open(struct proxy_server *server, int fd)
{
	struct proxy_connection *connection = calloc(1, sizeof(*connection));
	const int on = 1;
	if (!connection) {
		close_fd(&fd);
		return;
	}
	connection->server = server;
	connection->told.id = ++server->last_id;
	connection->next = server->first;
	connection->client = (struct proxy_end){ .connection = connection, .fd = fd };
	connection->upstream = (struct proxy_end){ .connection = connection, .fd = FD_NONE };
	if (server->first)
		server->first->previous = connection;
	server->first = connection;
	server->count++;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	set_deadline(connection, server->config->limits.head_seconds);
	if (proxy_watch(server, &connection->client, EPOLLIN))
		connection_close(connection, NULL);
}
