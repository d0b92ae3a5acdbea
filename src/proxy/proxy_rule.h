/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the proxy: lists `allow` and `private` of patterns
 *
 *     name:port    *.domain:port (every name below it, not itself)    1.2.3.4:port    1.2.3.0/24:port    [2001:db8::/32]:port
 *
 * with a port from 1 to 65535, or * for each. What a client asks for is judged twice: the target as it is written, before a name is resolved (a name
 * that no rule knows is never told to a resolver), then each address before it is dialled. `allow` lets to public addresses only, also where a name
 * resolves to another (DNS rebinding). `private` names what may be any address but multicast and 0.0.0.0: as a name, whatever that resolves to; as an
 * address, that address, also for names of `allow`.
 */
#ifndef LICHEN_PROXY_RULE_H
#define LICHEN_PROXY_RULE_H

#include "proxy/proxy_host.h"

enum proxy_rule_kind {
	PROXY_RULE_NAME,   /* `host` is it */
	PROXY_RULE_BELOW,  /* names that end in a dot and `host` */
	PROXY_RULE_NETWORK /* `host.address` and `bits` */
};

struct proxy_rule {
	enum proxy_rule_kind kind;
	bool private;
	u8 bits;
	u16 port; /* 0: any */
	struct proxy_host host;
};

#define PROXY_RULE_TEXT (PROXY_TARGET_MAX + 16u) /* a rule as text, with its list */

struct proxy_rules {
	struct proxy_rule *rule; /* from malloc */
	size_t count;
};

struct proxy_verdict {
	const struct proxy_rule *rule; /* that allows it; NULL: it is denied */
	const char *why;               /* when it is denied: a phrase */
};

/* Reads a pattern. Returns 0, or -EINVAL with the reason: the rest of a sentence about it. */
int proxy_rule_parse(const char *text, bool private_list, struct proxy_rule *ret, const char **ret_why) MUST_CHECK;
/* Writes a rule as in a policy: "network.allow *.debian.org:80". */
const char *proxy_rule_text(const struct proxy_rule *rule, char to[PROXY_RULE_TEXT]);
/* Adds a rule at the end. 0 or -ENOMEM. */
int proxy_rules_add(struct proxy_rules *rules, const struct proxy_rule *rule) MUST_CHECK;
void proxy_rules_free(struct proxy_rules *rules);

/* Judges what is asked for. Of a name that is allowed, each address has to be judged as well. */
struct proxy_verdict proxy_rules_target(const struct proxy_rules *rules, const struct proxy_host *host, u16 port);
/* Judges an address that the target has, which `rule` allows. */
struct proxy_verdict proxy_rules_address(const struct proxy_rules *rules, const struct proxy_rule *rule,
					 const struct proxy_address *address, u16 port);

#endif
