/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the Internet as the proxy judges them. There is one form of each: an IPv4 address that is written inside of IPv6 (::ffff:a.b.c.d, RFC
 * 4291 2.5.5.2) is the IPv4 address, because that is what the kernel dials.
 */
#ifndef LICHEN_PROXY_ADDRESS_H
#define LICHEN_PROXY_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/types.h"

#define PROXY_ADDRESS_TEXT 48u /* the longest text and its NUL */

struct proxy_address {
	u8 length; /* 4 or 16 */
	u8 bytes[16];
};

/*
 * What an address is for: the special-purpose registries of IANA (RFC 6890), with the addresses at which clouds hand out credentials. Addresses that
 * carry an IPv4 address to a translator or relay (NAT64, 6to4, IPv4-compatible) are what that address is.
 */
enum address_class {
	ADDRESS_PUBLIC,
	ADDRESS_LOOPBACK,
	ADDRESS_PRIVATE, /* RFC 1918, fc00::/7, fec0::/10 */
	ADDRESS_SHARED,  /* carrier-grade NAT: 100.64.0.0/10 */
	ADDRESS_LINK_LOCAL,
	ADDRESS_METADATA,    /* 169.254.169.254, 168.63.129.16, fd00:ec2::254 … */
	ADDRESS_RESERVED,    /* documentation, benchmarks, future use, relays that are no more */
	ADDRESS_MULTICAST,   /* from here on: never dialled, whatever is listed */
	ADDRESS_UNSPECIFIED, /* 0.0.0.0/8 and ::, which Linux takes for loopback; the broadcast address */
};

/* The one form of what the kernel or getaddrinfo(3) gave. -EAFNOSUPPORT for another family; -EINVAL for an address with a scope (fe80::1%eth0). */
int proxy_address_from(const struct sockaddr *from, struct proxy_address *ret) MUST_CHECK;
/* From 4 or 16 bytes in network order. */
struct proxy_address proxy_address_make(const u8 *bytes, size_t length);
/* From text, strictly: four decimal numbers without leading zeros, or inet_pton(3)'s IPv6. -EINVAL. */
int proxy_address_parse(const char *text, struct proxy_address *ret) MUST_CHECK;
/* As text, without brackets. */
const char *proxy_address_text(const struct proxy_address *address, char to[PROXY_ADDRESS_TEXT]);
/* For connect(2). Returns the length. */
socklen_t proxy_address_to(const struct proxy_address *address, u16 port, struct sockaddr_storage *to);

/* What an address is for, by the registries of RFC 6890 (proxy_address.c has the rows). */
enum address_class proxy_address_class(const struct proxy_address *address);
/* In words: "a loopback address". */
const char *proxy_address_class_text(enum address_class class);

/* Whether the first `bits` bits are those of `net`, and the family is. */
bool proxy_address_within(const struct proxy_address *address, const struct proxy_address *net, u32 bits);

#endif
