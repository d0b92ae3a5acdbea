/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy at work: one event loop (epoll) over a listener, its connections, and the threads that look names up.
 *
 * The life of a connection (proxy_connection.c):
 *
 *     READING     its first byte says SOCKS (5) or HTTP; the request is read as a whole. Malformed: an answer, CLOSING
 *     (judged)    by the rules, as it is written. Denied: told, an answer, CLOSING. An address: DIALLING
 *     LOOKING_UP  only of names that a rule allows. Every address is judged; those that may be dialled are kept, there is no second look-up
 *     DIALLING    one address after the other, told before
 *     RELAYING    bytes in both directions (proxy_relay.c), until both have ended or nothing came for too long
 *     CLOSING     our side is shut; what comes is thrown away for two seconds, lest a reset overtake the answer
 *
 * Limits: 128 KiB a connection; a client that neither reads nor writes holds its place until idle_seconds have passed.
 */
#ifndef LICHEN_PROXY_SERVER_H
#define LICHEN_PROXY_SERVER_H

#include "proxy/proxy_config.h"
#include "proxy/proxy_lookup.h"
#include "proxy/proxy_report.h"

struct proxy_connection;

/* Something that epoll watches. */
struct proxy_end {
	struct proxy_connection *connection; /* NULL: one of the server's own */
	int fd;                              /* negative: none, or closed */
	u32 watched;                         /* EPOLL…; meaningful while `added` */
	bool added;
	bool ended; /* everything was read */
	bool shut;  /* nothing more is written */
};

struct proxy_server {
	int epoll;
	struct proxy_end listener, signals, answers, reader;
	struct lookup_pool lookups;
	const struct proxy_config *config;
	struct proxy_report report;
	struct proxy_connection *first; /* that are open */
	struct proxy_connection *dead;  /* that were closed while events of theirs may still be in our hands */
	u32 count;
	bool door;   /* clients come with messages, over `listener` */
	bool shut;   /* no more come: it was closed */
	bool paused; /* no more clients for the moment */
	u64 last_id;
	s64 now, checked; /* milliseconds; checked: when deadlines were looked at */
};

/*
 * Serves until SIGTERM comes (0), or whoever reads what we tell is gone (-EPIPE). `listener` and `report` stay the caller's. door: each message of that socket
 * has a client's. Negative errno when it cannot begin, or go on.
 */
int proxy_serve(const struct proxy_config *config, int listener, bool door, int report);

/* Takes a message of one byte with a descriptor (SCM_RIGHTS). It, or negative errno (-ENODATA: the other end was closed). */
int proxy_receive(int from, char *byte) MUST_CHECK;

/* For connections: what is watched of an end; 0 still sees errors and hang-ups, unless all was read. */
int proxy_watch(struct proxy_server *server, struct proxy_end *end, u32 events) MUST_CHECK;

#endif
