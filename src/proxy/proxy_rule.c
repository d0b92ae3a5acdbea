// SPDX-License-Identifier: Apache-2.0
/* The rules: see the header for what they mean. */
#include "proxy/proxy_rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char *why, const char **ret_why)
{
	*ret_why = why;
	return -EINVAL;
}

/* Takes "/24" or "/32]" out of a pattern's host: what is left is a host, with a length. -EINVAL when it is no number. */
static int take_prefix(char *host, int *ret_bits)
{
	char *slash = strchr(host, '/'), *end = slash ? slash + 1 : NULL;
	long bits = -1;
	*ret_bits = -1;
	if (!slash)
		return 0;
	if (*end < '0' || *end > '9')
		return -EINVAL;
	bits = strtol(end, &end, 10);
	if (bits > 128 || (*end != '\0' && strcmp(end, "]") != 0))
		return -EINVAL;
	memmove(slash, end, strlen(end) + 1);
	*ret_bits = (int)bits;
	return 0;
}

/* The bits of a network behind its prefix are zero. */
static bool is_network(const struct proxy_address *address, u32 bits)
{
	for (u32 i = bits; i < 8u * address->length; i++)
		if (address->bytes[i / 8] >> (7 - i % 8) & 1)
			return false;
	return true;
}

static int take_literal(struct proxy_rule *rule, int bits, const char **ret_why)
{
	u32 width = 8u * rule->host.address.length;
	rule->kind = PROXY_RULE_NETWORK;
	rule->bits = (u8)(bits < 0 ? (int)width : bits);
	if (rule->bits > width)
		return refuse("has a prefix longer than an address", ret_why);
	if (!is_network(&rule->host.address, rule->bits))
		return refuse("has address bits behind its prefix", ret_why);
	enum address_class class = proxy_address_class(&rule->host.address);
	if (rule->bits == width && class >= ADDRESS_MULTICAST)
		return refuse("is an address that is never dialled", ret_why);
	if (rule->bits == width && class != ADDRESS_PUBLIC && !rule->private)
		return refuse("is not a public address: it belongs under network.private", ret_why);
	return 0;
}

int proxy_rule_parse(const char *text, bool private_list, struct proxy_rule *ret, const char **ret_why)
{
	struct proxy_rule rule = { .kind = PROXY_RULE_NAME, .private = private_list };
	char host[PROXY_RULE_TEXT], target[PROXY_RULE_TEXT];
	const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
	u16 port;
	int bits;
	if (!colon || (bracket && bracket > colon))
		return refuse("has no port", ret_why);
	if (strncmp(text, "*.", 2) == 0) {
		rule.kind = PROXY_RULE_BELOW;
		text += 2;
	}
	int length = snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (colon < text || length < 0 || (size_t)length >= sizeof(host))
		return refuse("is too long", ret_why);
	if (take_prefix(host, &bits))
		return refuse("has a prefix that is no number", ret_why);
	bool any = strcmp(colon, ":*") == 0;
	length = snprintf(target, sizeof(target), "%s%s", host, any ? ":1" : colon);
	if (length < 0 || (size_t)length >= sizeof(target))
		return refuse("is too long", ret_why);
	int r = proxy_target_parse(target, strlen(target), 0, &rule.host, &port, ret_why);
	if (r)
		return r;
	rule.port = any ? 0 : port;
	if (rule.host.literal && rule.kind == PROXY_RULE_BELOW)
		return refuse("is a pattern of names with an address", ret_why);
	if (rule.host.literal)
		r = take_literal(&rule, bits, ret_why);
	else if (bits >= 0)
		r = refuse("has a prefix, and is not an address", ret_why);
	if (r == 0)
		*ret = rule;
	return r;
}

const char *proxy_rule_text(const struct proxy_rule *rule, char to[PROXY_RULE_TEXT])
{
	bool six = rule->kind == PROXY_RULE_NETWORK && rule->host.address.length == 16;
	bool prefix = rule->kind == PROXY_RULE_NETWORK && rule->bits != 8u * rule->host.address.length;
	char bits[8] = "", port[8] = "*";
	if (prefix)
		(void)snprintf(bits, sizeof(bits), "/%u", rule->bits);
	if (rule->port)
		(void)snprintf(port, sizeof(port), "%u", rule->port);
	(void)snprintf(to, PROXY_RULE_TEXT, "network.%s %s%s%s%s%s:%s", rule->private ? "private" : "allow",
		       rule->kind == PROXY_RULE_BELOW ? "*." : "", six ? "[" : "", rule->host.text, bits, six ? "]" : "", port);
	return to;
}

int proxy_rules_add(struct proxy_rules *rules, const struct proxy_rule *rule)
{
	struct proxy_rule *more = reallocarray(rules->rule, rules->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	rules->rule = more;
	rules->rule[rules->count++] = *rule;
	return 0;
}

void proxy_rules_free(struct proxy_rules *rules)
{
	free(rules->rule);
	*rules = (struct proxy_rules){ .rule = NULL };
}

static bool names(const struct proxy_rule *rule, const struct proxy_host *host, u16 port)
{
	size_t length = strlen(host->text), tail = strlen(rule->host.text);
	if (rule->port && rule->port != port)
		return false;
	switch (rule->kind) {
	case PROXY_RULE_NAME:
		return !host->literal && strcmp(rule->host.text, host->text) == 0;
	case PROXY_RULE_BELOW:
		return !host->literal && length > tail + 1 && host->text[length - tail - 1] == '.' &&
		       strcmp(host->text + length - tail, rule->host.text) == 0;
	case PROXY_RULE_NETWORK:
		return host->literal && proxy_address_within(&host->address, &rule->host.address, rule->bits);
	}
	return false;
}

struct proxy_verdict proxy_rules_target(const struct proxy_rules *rules, const struct proxy_host *host, u16 port)
{
	struct proxy_verdict verdict = { .why = "no rule allows it" };
	for (size_t i = 0; i < rules->count; i++) {
		const struct proxy_rule *rule = &rules->rule[i];
		if (names(rule, host, port) && (!verdict.rule || (rule->private && !verdict.rule->private)))
			verdict.rule = rule;
	}
	if (verdict.rule && host->literal)
		return proxy_rules_address(rules, verdict.rule, &host->address, port);
	return verdict;
}

struct proxy_verdict proxy_rules_address(const struct proxy_rules *rules, const struct proxy_rule *rule,
					 const struct proxy_address *address, u16 port)
{
	enum address_class class = proxy_address_class(address);
	struct proxy_host host;
	if (class == ADDRESS_PUBLIC || (rule->private && class < ADDRESS_MULTICAST))
		return (struct proxy_verdict){ .rule = rule };
	proxy_host_from_address(address, &host);
	for (size_t i = 0; i < rules->count && class < ADDRESS_MULTICAST; i++)
		if (rules->rule[i].private && names(&rules->rule[i], &host, port))
			return (struct proxy_verdict){ .rule = &rules->rule[i] };
	return (struct proxy_verdict){ .why = proxy_address_class_text(class) };
}
