/* SPDX-License-Identifier: Apache-2.0 */
/* SOCKS version 5 (RFC 1928) without authentication, command CONNECT only. A domain goes by the rules of proxy_host.h; one that is an address is one. */
#ifndef LICHEN_PROXY_SOCKS_H
#define LICHEN_PROXY_SOCKS_H

#include <sys/types.h>

#include "proxy/proxy_host.h"

#define SOCKS_VERSION 5
#define SOCKS_MESSAGE_MAX 262u /* the longest request; a greeting has at most 257 bytes */
#define SOCKS_REPLY_SIZE 10u

enum socks_reply {
	SOCKS_SUCCEEDED = 0,
	SOCKS_FAILURE = 1,
	SOCKS_NOT_ALLOWED = 2,
	SOCKS_NETWORK_UNREACHABLE = 3,
	SOCKS_HOST_UNREACHABLE = 4,
	SOCKS_REFUSED = 5,
	SOCKS_TTL_EXPIRED = 6,
	SOCKS_COMMAND_NOT_SUPPORTED = 7,
	SOCKS_ADDRESS_NOT_SUPPORTED = 8,
};

struct socks_request {
	struct proxy_host host;
	u16 port;
	const char *raw; /* what stands for the host; NULL when there is nothing that could */
	size_t raw_length;
	enum socks_reply reply; /* when it is refused: the answer, and the reason */
	const char *why;
};

/* Reads the greeting. Returns its length, 0 when more is needed, -EBADMSG; ret_accepted: whether the client goes without authentication. */
ssize_t socks_greeting(const char *bytes, size_t length, bool *ret_accepted) MUST_CHECK;
/* Reads a request. Returns its length, 0 when more is needed, -EINVAL with reply and why; -EDESTADDRREQ when it is the host that is malformed. */
ssize_t socks_parse(const char *bytes, size_t length, struct socks_request *ret) MUST_CHECK;
/* Writes a reply. The address that we dial from is nobody's business: it is 0.0.0.0:0. */
void socks_reply_write(enum socks_reply reply, char to[SOCKS_REPLY_SIZE]);

#endif
