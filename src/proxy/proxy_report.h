/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the proxy tells, one JSON object a line (docs/proxy-json.md; members are only added). A line is written before what it tells is done, and
 * writing waits: nothing is let through that was not told.
 */
#ifndef LICHEN_PROXY_REPORT_H
#define LICHEN_PROXY_REPORT_H

#include "proxy/proxy_rule.h"

enum proxy_via {
	PROXY_VIA_UNKNOWN, /* nothing was understood yet */
	PROXY_VIA_CONNECT,
	PROXY_VIA_HTTP,
	PROXY_VIA_SOCKS,
};

struct proxy_report {
	int fd;
	bool broken; /* a line could not be written: the reader is gone */
};

/* What is told of a connection. `target`: HOST:PORT; "" = not known. */
struct proxy_told {
	u64 id;
	enum proxy_via via;
	char target[PROXY_TARGET_MAX];
};

/* The first line, with the schema. */
void report_ready(struct proxy_report *report);
/* An address is going to be dialled. */
void report_allowed(struct proxy_report *report, const struct proxy_told *told, const struct proxy_address *address,
		    const struct proxy_rule *rule);
/* It is refused. address: the one that is the reason; NULL = none. */
void report_denied(struct proxy_report *report, const struct proxy_told *told, const struct proxy_address *address,
		   const char *why);
/* What was asked is refused as malformed. `raw`: what stood for the target, any bytes; NULL = nothing. */
void report_malformed(struct proxy_report *report, const struct proxy_told *told, const char *raw, size_t length, const char *why);
/* What was allowed could not be done. */
void report_failed(struct proxy_report *report, const struct proxy_told *told, const char *why);
/* A connection to a server has ended. Bytes to it and from it. */
void report_ended(struct proxy_report *report, const struct proxy_told *told, u64 sent, u64 received, const char *why);

#endif
