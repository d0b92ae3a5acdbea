// SPDX-License-Identifier: Apache-2.0
/* Addresses: their one form, and what they are for. */
#include "proxy/proxy_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const u8 mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* A block of addresses; the first that fits says what an address is. `carried`: where in it an IPv4 address stands that counts instead; 0 = nowhere. */
struct block {
	u8 bytes[16];
	u8 bits;
	u8 class;
	u8 carried;
};

/* https://www.iana.org/assignments/iana-ipv4-special-registry, and what Azure, Alibaba and Oracle say of their metadata services */
static const struct block blocks4[] = {
	{ { 0 }, 8, ADDRESS_UNSPECIFIED, 0 },
	{ { 10 }, 8, ADDRESS_PRIVATE, 0 },
	{ { 100, 100, 100, 200 }, 32, ADDRESS_METADATA, 0 },
	{ { 100, 64 }, 10, ADDRESS_SHARED, 0 },
	{ { 127 }, 8, ADDRESS_LOOPBACK, 0 },
	{ { 168, 63, 129, 16 }, 32, ADDRESS_METADATA, 0 },
	{ { 169, 254, 169, 254 }, 32, ADDRESS_METADATA, 0 },
	{ { 169, 254, 170, 2 }, 32, ADDRESS_METADATA, 0 },
	{ { 169, 254 }, 16, ADDRESS_LINK_LOCAL, 0 },
	{ { 172, 16 }, 12, ADDRESS_PRIVATE, 0 },
	{ { 192, 0, 0, 192 }, 32, ADDRESS_METADATA, 0 },
	{ { 192, 0, 0 }, 24, ADDRESS_RESERVED, 0 },
	{ { 192, 0, 2 }, 24, ADDRESS_RESERVED, 0 },
	{ { 192, 88, 99 }, 24, ADDRESS_RESERVED, 0 },
	{ { 192, 168 }, 16, ADDRESS_PRIVATE, 0 },
	{ { 198, 18 }, 15, ADDRESS_RESERVED, 0 },
	{ { 198, 51, 100 }, 24, ADDRESS_RESERVED, 0 },
	{ { 203, 0, 113 }, 24, ADDRESS_RESERVED, 0 },
	{ { 224 }, 4, ADDRESS_MULTICAST, 0 },
	{ { 255, 255, 255, 255 }, 32, ADDRESS_UNSPECIFIED, 0 },
	{ { 240 }, 4, ADDRESS_RESERVED, 0 },
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry; all outside of 2000::/3 is not assigned to anybody (the last row) */
static const struct block blocks6[] = {
	{ { 0 }, 128, ADDRESS_UNSPECIFIED, 0 },
	{ { [15] = 1 }, 128, ADDRESS_LOOPBACK, 0 },
	{ { 0 }, 96, ADDRESS_PUBLIC, 12 },                         /* IPv4-compatible, RFC 4291 2.5.5.1 */
	{ { [8] = 0xff, [9] = 0xff }, 96, ADDRESS_PUBLIC, 12 },    /* ::ffff:0:a.b.c.d, RFC 2765 */
	{ { 0, 0x64, 0xff, 0x9b }, 96, ADDRESS_PUBLIC, 12 },       /* NAT64, RFC 6052 */
	{ { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, ADDRESS_PRIVATE, 0 }, /* local NAT64, RFC 8215 */
	{ { 0x20, 0x02 }, 16, ADDRESS_PUBLIC, 2 },                 /* 6to4, RFC 3056 */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDRESS_RESERVED, 0 },
	{ { 0x20, 0x01 }, 23, ADDRESS_RESERVED, 0 }, /* Teredo, ORCHID, benchmarks */
	{ { 0x3f, 0xff }, 20, ADDRESS_RESERVED, 0 }, /* RFC 9637 */
	{ { 0x20 }, 3, ADDRESS_PUBLIC, 0 },
	{ { 0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, 128, ADDRESS_METADATA, 0 },
	{ { 0xfc }, 7, ADDRESS_PRIVATE, 0 },
	{ { 0xfe, 0x80 }, 10, ADDRESS_LINK_LOCAL, 0 },
	{ { 0xfe, 0xc0 }, 10, ADDRESS_PRIVATE, 0 },
	{ { 0xff }, 8, ADDRESS_MULTICAST, 0 },
	{ { 0 }, 0, ADDRESS_RESERVED, 0 },
};

static bool same_bits(const u8 *a, const u8 *b, u32 bits)
{
	u32 rest = bits % 8;
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static const struct block *block_of(const struct proxy_address *address)
{
	const struct block *blocks = address->length == 4 ? blocks4 : blocks6;
	size_t count = address->length == 4 ? ARRAY_SIZE(blocks4) : ARRAY_SIZE(blocks6);
	for (size_t i = 0; i < count; i++)
		if (same_bits(address->bytes, blocks[i].bytes, blocks[i].bits))
			return &blocks[i];
	return NULL;
}

enum address_class proxy_address_class(const struct proxy_address *address)
{
	const struct block *block = block_of(address);
	if (block && block->carried) {
		struct proxy_address four = proxy_address_make(address->bytes + block->carried, 4);
		block = block_of(&four);
	}
	return block ? (enum address_class)block->class : ADDRESS_PUBLIC;
}

const char *proxy_address_class_text(enum address_class class)
{
	switch (class) {
	case ADDRESS_PUBLIC:
		return "a public address";
	case ADDRESS_LOOPBACK:
		return "a loopback address";
	case ADDRESS_PRIVATE:
		return "a private address";
	case ADDRESS_SHARED:
		return "an address behind carrier-grade NAT";
	case ADDRESS_LINK_LOCAL:
		return "a link-local address";
	case ADDRESS_METADATA:
		return "the address of a cloud's metadata service";
	case ADDRESS_RESERVED:
		return "a reserved address";
	case ADDRESS_MULTICAST:
		return "a multicast address";
	case ADDRESS_UNSPECIFIED:
		return "no address of one host";
	}
	return "an unknown address";
}

struct proxy_address proxy_address_make(const u8 *bytes, size_t length)
{
	struct proxy_address address = { .length = length == 4 ? 4 : 16 };
	if (length == 16 && memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		bytes += sizeof(mapped_prefix);
		address.length = 4;
	}
	memcpy(address.bytes, bytes, address.length);
	return address;
}

int proxy_address_from(const struct sockaddr *from, struct proxy_address *ret)
{
	if (from->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, from, sizeof(in));
		*ret = proxy_address_make((const u8 *)&in.sin_addr, 4);
		return 0;
	}
	if (from->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	struct sockaddr_in6 in6;
	memcpy(&in6, from, sizeof(in6));
	if (in6.sin6_scope_id)
		return -EINVAL;
	*ret = proxy_address_make((const u8 *)&in6.sin6_addr, 16);
	return 0;
}

int proxy_address_parse(const char *text, struct proxy_address *ret)
{
	u8 bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1) /* glibc's refuses leading zeros and short forms */
		*ret = proxy_address_make(bytes, 4);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*ret = proxy_address_make(bytes, 16);
	else
		return -EINVAL;
	return 0;
}

const char *proxy_address_text(const struct proxy_address *address, char to[PROXY_ADDRESS_TEXT])
{
	if (!inet_ntop(address->length == 4 ? AF_INET : AF_INET6, address->bytes, to, PROXY_ADDRESS_TEXT))
		*to = '\0';
	return to;
}

socklen_t proxy_address_to(const struct proxy_address *address, u16 port, struct sockaddr_storage *to)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	memset(to, 0, sizeof(*to));
	if (address->length == 4) {
		memcpy(&in.sin_addr, address->bytes, 4);
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, address->bytes, 16);
	memcpy(to, &in6, sizeof(in6));
	return sizeof(in6);
}

bool proxy_address_within(const struct proxy_address *address, const struct proxy_address *net, u32 bits)
{
	return address->length == net->length && same_bits(address->bytes, net->bytes, bits);
}
