// SPDX-License-Identifier: Apache-2.0
/* Decisions as lines of JSON. */
#include "proxy/proxy_report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lichen.h"

#define RAW_SHOWN 128u /* bytes of a malformed target */

static const char *via_text(enum proxy_via via)
{
	switch (via) {
	case PROXY_VIA_CONNECT:
		return "connect";
	case PROXY_VIA_HTTP:
		return "http";
	case PROXY_VIA_SOCKS:
		return "socks5";
	case PROXY_VIA_UNKNOWN:
		break;
	}
	return "unknown";
}

static void write_all(struct proxy_report *report, const char *text, size_t length)
{
	while (length && !report->broken) {
		ssize_t n = write(report->fd, text, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			report->broken = true;
		else
			text += n, length -= (size_t)n;
	}
}

/* Takes the reference. What cannot be told must not happen: that includes being out of memory. */
static void tell(struct proxy_report *report, json_t *event)
{
	CLEANUP_FREE char *text = event ? json_dumps(event, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(event);
	if (!text) {
		report->broken = true;
		return;
	}
	size_t length = strlen(text);
	text[length] = '\n'; /* in the place of its NUL: one write, one line */
	write_all(report, text, length + 1);
}

static json_t *event_of(const char *event, const struct proxy_told *told)
{
	return json_pack("{ss sI ss ss*}", "event", event, "id", (json_int_t)told->id, "via", via_text(told->via), "target",
			 *told->target ? told->target : NULL);
}

static void add_text(json_t *event, const char *name, const char *text)
{
	if (event && text)
		(void)json_object_set_new(event, name, json_string(text));
}

static void add_address(json_t *event, const struct proxy_address *address)
{
	char text[PROXY_ADDRESS_TEXT];
	if (address)
		add_text(event, "address", proxy_address_text(address, text));
}

void report_ready(struct proxy_report *report)
{
	tell(report, json_pack("{ss ss}", "event", "ready", "schema", LICHEN_PROXY_SCHEMA));
}

void report_allowed(struct proxy_report *report, const struct proxy_told *told, const struct proxy_address *address,
		    const struct proxy_rule *rule)
{
	json_t *event = event_of("allowed", told);
	char text[PROXY_RULE_TEXT];
	add_address(event, address);
	add_text(event, "rule", proxy_rule_text(rule, text));
	tell(report, event);
}

void report_denied(struct proxy_report *report, const struct proxy_told *told, const struct proxy_address *address, const char *why)
{
	json_t *event = event_of("denied", told);
	add_address(event, address);
	add_text(event, "reason", why);
	tell(report, event);
}

/* Bytes as printable ASCII: all else, and the backslash, as \xNN. */
static void escape(const char *raw, size_t length, char to[4 * RAW_SHOWN + 4])
{
	for (size_t i = 0; i < length && i < RAW_SHOWN; i++) {
		u8 byte = (u8)raw[i];
		if (byte > ' ' && byte < 0x7f && byte != '\\')
			*to++ = (char)byte;
		else
			to += snprintf(to, 5, "\\x%02x", byte);
	}
	(void)snprintf(to, 4, "%s", length > RAW_SHOWN ? "..." : "");
}

void report_malformed(struct proxy_report *report, const struct proxy_told *told, const char *raw, size_t length, const char *why)
{
	json_t *event = event_of("malformed", told);
	char text[4 * RAW_SHOWN + 4];
	if (raw) {
		escape(raw, length, text);
		add_text(event, "raw", text);
	}
	add_text(event, "reason", why);
	tell(report, event);
}

void report_failed(struct proxy_report *report, const struct proxy_told *told, const char *why)
{
	json_t *event = event_of("failed", told);
	add_text(event, "reason", why);
	tell(report, event);
}

void report_ended(struct proxy_report *report, const struct proxy_told *told, u64 sent, u64 received, const char *why)
{
	json_t *event = event_of("ended", told);
	if (event)
		(void)json_object_update_new(event,
					     json_pack("{sI sI}", "sent", (json_int_t)sent, "received", (json_int_t)received));
	add_text(event, "reason", why);
	tell(report, event);
}
