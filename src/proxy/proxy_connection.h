/* SPDX-License-Identifier: Apache-2.0 */
/* One client of the proxy, from its first byte on: proxy_server.h has its life. */
#ifndef LICHEN_PROXY_CONNECTION_H
#define LICHEN_PROXY_CONNECTION_H

#include "proxy/proxy_http.h"
#include "proxy/proxy_server.h"

#define PROXY_BUFFER_SIZE (PROXY_HEAD_MAX + PROXY_HEAD_GROWTH)

enum connection_state {
	CONNECTION_READING,
	CONNECTION_LOOKING_UP,
	CONNECTION_DIALLING,
	CONNECTION_RELAYING,
	CONNECTION_CLOSING,
	CONNECTION_CLOSED, /* only waits to be freed */
};

struct proxy_buffer {
	size_t start, end; /* what is in it */
	char bytes[PROXY_BUFFER_SIZE];
};

struct proxy_connection {
	struct proxy_server *server;
	enum connection_state state;
	struct proxy_end client, upstream;
	struct proxy_told told;
	bool greeted;           /* SOCKS: the methods are settled */
	struct proxy_body body; /* what of the client's bytes is passed on */
	struct proxy_host host; /* the target */
	u16 port;
	const struct proxy_rule *rule;
	struct lookup *lookup; /* that we wait for */
	struct proxy_address addresses[LOOKUP_ADDRESSES];
	const struct proxy_rule *rules[LOOKUP_ADDRESSES]; /* by which each may be dialled */
	u32 address_count, dialled;
	s64 deadline;
	u64 sent, received;
	struct proxy_connection *next, *previous;
	struct proxy_buffer up, down; /* to the server, to the client */
};

/* Takes a client over; fd is closed in any case. */
void connection_open(struct proxy_server *server, int fd);
/* Something has happened at one of its ends. */
void connection_event(struct proxy_connection *connection, struct proxy_end *end, u32 events);
void connection_answered(struct proxy_connection *connection, const struct lookup *lookup);
/* Its deadline is over. */
void connection_expire(struct proxy_connection *connection);
void connection_close(struct proxy_connection *connection, const char *why);

/* Moves bytes (proxy_relay.c). Returns 0: there is more to come; 1: all is done; negative errno. */
int relay_step(struct proxy_connection *connection) MUST_CHECK;
/* What epoll shall watch for the next step. */
u32 relay_wants_client(const struct proxy_connection *connection);
u32 relay_wants_upstream(const struct proxy_connection *connection);

/* Writes the answer for a request that is not served to the client, as well as it goes (proxy_reply.c). */
void reply_refusal(struct proxy_connection *connection, u16 status, u8 socks, const char *why);
/* Puts the answer for one that is served into the empty buffer `down`; nothing for plain HTTP, where the server answers. */
void reply_connected(struct proxy_connection *connection);

#endif
