// SPDX-License-Identifier: Apache-2.0
/* Names of hosts: see the header for what is one. */
#include "proxy/proxy_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63u
#define PORT_DIGITS 5u

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static int refuse(const char *why, const char **ret_why)
{
	*ret_why = why;
	return -EINVAL;
}

/* Whether inet_aton(3) would take it for a number: decimal or octal digits, or 0x and hexadecimal ones. */
static bool is_number(const char *label)
{
	if (label[0] == '0' && label[1] == 'x')
		for (label += 2; is_hex(*label); label++)
			;
	else
		while (is_digit(*label))
			label++;
	return *label == '\0';
}

/* One label, already in small letters. */
static int check_label(const char *label, size_t length, const char **ret_why)
{
	if (length == 0)
		return refuse("has an empty label", ret_why);
	if (length > LABEL_MAX)
		return refuse("has a label of more than 63 bytes", ret_why);
	if (label[0] == '-' || label[length - 1] == '-')
		return refuse("has a label that begins or ends with a hyphen", ret_why);
	for (size_t i = 0; i < length; i++)
		if (!is_digit(label[i]) && !(label[i] >= 'a' && label[i] <= 'z') && label[i] != '-')
			return refuse("has a byte that is no letter, digit, hyphen or dot", ret_why);
	return 0;
}

static int parse_name(struct proxy_host *host, const char **ret_why)
{
	const char *label = host->text;
	for (;;) {
		size_t length = strcspn(label, ".");
		int r = check_label(label, length, ret_why);
		if (r)
			return r;
		if (label[length] == '\0')
			break;
		label += length + 1;
	}
	if (!is_number(label))
		return 0;
	if (proxy_address_parse(host->text, &host->address))
		return refuse("ends in a number, and is not an IPv4 address of four decimal numbers", ret_why);
	host->literal = true;
	return 0;
}

static int parse_bracketed(const char *bytes, size_t length, struct proxy_host *ret, const char **ret_why)
{
	char text[PROXY_ADDRESS_TEXT];
	struct proxy_address address;
	if (length < 2 || bytes[length - 1] != ']' || length - 2 >= sizeof(text) || memchr(bytes, '\0', length))
		return refuse("is not an IPv6 address in brackets", ret_why);
	memcpy(text, bytes + 1, length - 2);
	text[length - 2] = '\0';
	if (strchr(text, '%'))
		return refuse("has a zone", ret_why);
	if (!strchr(text, ':') || proxy_address_parse(text, &address))
		return refuse("is not an IPv6 address in brackets", ret_why);
	proxy_host_from_address(&address, ret);
	return 0;
}

int proxy_host_parse(const char *bytes, size_t length, struct proxy_host *ret, const char **ret_why)
{
	struct proxy_host host = { .literal = false };
	if (length && bytes[0] == '[')
		return parse_bracketed(bytes, length, ret, ret_why);
	if (length > 1 && bytes[length - 1] == '.')
		length--;
	if (length == 0)
		return refuse("is empty", ret_why);
	if (length > PROXY_HOST_MAX)
		return refuse("has more than 253 bytes", ret_why);
	if (memchr(bytes, '\0', length))
		return refuse("has a NUL byte", ret_why);
	for (size_t i = 0; i < length; i++)
		host.text[i] = lower(bytes[i]);
	int r = parse_name(&host, ret_why);
	if (r == 0)
		*ret = host;
	return r;
}

void proxy_host_from_address(const struct proxy_address *address, struct proxy_host *ret)
{
	*ret = (struct proxy_host){ .literal = true, .address = *address };
	(void)proxy_address_text(address, ret->text);
}

static int parse_port(const char *bytes, size_t length, u16 *ret)
{
	u32 port = 0;
	if (length == 0 || length > PORT_DIGITS || bytes[0] == '0')
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(bytes[i]))
			return -EINVAL;
		port = port * 10 + (u32)(bytes[i] - '0');
	}
	if (port > UINT16_MAX)
		return -EINVAL;
	*ret = (u16)port;
	return 0;
}

int proxy_target_parse(const char *bytes, size_t length, u16 default_port, struct proxy_host *ret_host, u16 *ret_port,
		       const char **ret_why)
{
	const char *end = bytes + length, *colon = length ? memchr(bytes, ':', length) : NULL;
	u16 port = default_port;
	if (length && bytes[0] == '[') {
		const char *bracket = memchr(bytes, ']', length);
		if (!bracket)
			return refuse("has no closing bracket", ret_why);
		colon = bracket + 1 < end ? bracket + 1 : NULL;
		if (colon && *colon != ':')
			return refuse("has something behind its closing bracket", ret_why);
	}
	if (!colon && !default_port)
		return refuse("has no port", ret_why);
	if (colon && parse_port(colon + 1, (size_t)(end - colon) - 1, &port))
		return refuse("has a port that is no number from 1 to 65535", ret_why);
	int r = proxy_host_parse(bytes, colon ? (size_t)(colon - bytes) : length, ret_host, ret_why);
	if (r == 0)
		*ret_port = port;
	return r;
}

const char *proxy_target_text(const struct proxy_host *host, u16 port, char to[PROXY_TARGET_MAX])
{
	bool six = host->literal && host->address.length == 16;
	(void)snprintf(to, PROXY_TARGET_MAX, six ? "[%s]:%u" : "%s:%u", host->text, port);
	return to;
}
