/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of hosts, byte by byte. What programs understand differently is not repaired but refused: one spelling is judged, resolved, dialled and told.
 * A name is labels of letters, digits and inner hyphens (RFC 952, RFC 1123 2.1), at most 63 bytes each and 253 together; letters become small, one
 * dot at the end goes. A name whose last label is a number would be an IPv4 address to inet_aton(3) (2130706433, 0x7f.1, 017700000001, 127.1): it is
 * one only when it is four decimal numbers without leading zeros. IPv6 stands in brackets, without a zone.
 */
#ifndef LICHEN_PROXY_HOST_H
#define LICHEN_PROXY_HOST_H

#include "proxy/proxy_address.h"

#define PROXY_HOST_MAX 253u                    /* RFC 1035 2.3.4, as text */
#define PROXY_TARGET_MAX (PROXY_HOST_MAX + 8u) /* "host:port" with its NUL */

struct proxy_host {
	bool literal; /* `address` is it */
	struct proxy_address address;
	char text[PROXY_HOST_MAX + 1]; /* the one spelling; an address without brackets */
};

/* Reads a name or an address. Returns 0, or -EINVAL with the reason: the rest of a sentence about the name. */
int proxy_host_parse(const char *bytes, size_t length, struct proxy_host *ret, const char **ret_why) MUST_CHECK;
/* Makes one of an address. */
void proxy_host_from_address(const struct proxy_address *address, struct proxy_host *ret);
/* Reads HOST:PORT, or HOST when `default_port` is not 0. The port has one to five digits and no leading zero. */
int proxy_target_parse(const char *bytes, size_t length, u16 default_port, struct proxy_host *ret_host, u16 *ret_port,
		       const char **ret_why) MUST_CHECK;
/* Writes it as HOST:PORT, IPv6 in brackets. */
const char *proxy_target_text(const struct proxy_host *host, u16 port, char to[PROXY_TARGET_MAX]);

#endif
