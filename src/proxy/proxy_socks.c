// SPDX-License-Identifier: Apache-2.0
/* SOCKS messages, taken apart and written. */
#include "proxy/proxy_socks.h"

#include <errno.h>
#include <string.h>

#define NO_AUTHENTICATION 0
#define COMMAND_CONNECT 1
#define TYPE_IPV4 1
#define TYPE_DOMAIN 3
#define TYPE_IPV6 4
#define ADDRESS_AT 4u /* version, command, reserved, type */

ssize_t socks_greeting(const char *bytes, size_t length, bool *ret_accepted)
{
	size_t methods = length > 1 ? (u8)bytes[1] : 0;
	if (length && bytes[0] != SOCKS_VERSION)
		return -EBADMSG;
	if (length < 2 || length < methods + 2)
		return 0;
	*ret_accepted = methods && memchr(bytes + 2, NO_AUTHENTICATION, methods);
	return (ssize_t)methods + 2;
}

static ssize_t refuse(struct socks_request *request, enum socks_reply reply, const char *why)
{
	request->reply = reply;
	request->why = why;
	return -EINVAL;
}

/* How long a request is, as far as its first bytes tell: at least 5 of them. */
static ssize_t request_length(const char *bytes, struct socks_request *request)
{
	switch (bytes[3]) {
	case TYPE_IPV4:
		return ADDRESS_AT + 4 + 2;
	case TYPE_IPV6:
		return ADDRESS_AT + 16 + 2;
	case TYPE_DOMAIN:
		return (ssize_t)ADDRESS_AT + 1 + (u8)bytes[ADDRESS_AT] + 2;
	default:
		return refuse(request, SOCKS_ADDRESS_NOT_SUPPORTED, "the type of the address is unknown");
	}
}

static int take_domain(const char *bytes, struct socks_request *request)
{
	request->raw = bytes + ADDRESS_AT + 1;
	request->raw_length = (u8)bytes[ADDRESS_AT];
	if (proxy_host_parse(request->raw, request->raw_length, &request->host, &request->why) == 0)
		return 0;
	(void)refuse(request, SOCKS_NOT_ALLOWED, request->why);
	return -EDESTADDRREQ;
}

ssize_t socks_parse(const char *bytes, size_t length, struct socks_request *ret)
{
	*ret = (struct socks_request){ .why = "" };
	if (length && bytes[0] != SOCKS_VERSION)
		return refuse(ret, SOCKS_FAILURE, "the version is not 5");
	if (length <= ADDRESS_AT)
		return 0;
	if (bytes[1] != COMMAND_CONNECT)
		return refuse(ret, SOCKS_COMMAND_NOT_SUPPORTED, "the command is not CONNECT");
	ssize_t all = request_length(bytes, ret);
	if (all < 0 || length < (size_t)all)
		return all < 0 ? all : 0;
	if (bytes[2] != 0)
		return refuse(ret, SOCKS_FAILURE, "the reserved byte is not 0");
	ret->port = (u16)((u8)bytes[all - 2] << 8 | (u8)bytes[all - 1]);
	if (bytes[3] == TYPE_DOMAIN) {
		int r = take_domain(bytes, ret);
		if (r)
			return r;
	} else {
		struct proxy_address address = proxy_address_make((const u8 *)bytes + ADDRESS_AT, bytes[3] == TYPE_IPV4 ? 4 : 16);
		proxy_host_from_address(&address, &ret->host);
	}
	return ret->port ? all : refuse(ret, SOCKS_NOT_ALLOWED, "the port is 0");
}

void socks_reply_write(enum socks_reply reply, char to[SOCKS_REPLY_SIZE])
{
	memset(to, 0, SOCKS_REPLY_SIZE);
	to[0] = SOCKS_VERSION;
	to[1] = (char)reply;
	to[3] = TYPE_IPV4;
}
