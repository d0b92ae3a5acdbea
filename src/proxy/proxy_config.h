/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the proxy is told: one line of JSON (docs/proxy-json.md) over the control socket. An unknown member, a wrong type, a pattern that is none are
 * errors: nothing is guessed where it is about what to let through.
 */
#ifndef LICHEN_PROXY_CONFIG_H
#define LICHEN_PROXY_CONFIG_H

#include "proxy/proxy_rule.h"

#define PROXY_CONFIG_MAX (1u << 20) /* bytes of the line */
#define PROXY_CONNECTIONS_MAX 4096u

struct proxy_limits {
	u32 connections;     /* at one time; more wait in the listener's queue */
	u32 head_seconds;    /* for what a client asks */
	u32 connect_seconds; /* for looking a name up, and for each address that is dialled */
	u32 idle_seconds;    /* without a byte in either direction */
};

struct proxy_config {
	struct proxy_rules rules;
	struct proxy_limits limits;
};

#define PROXY_ERROR_MAX 512u

/* Reads it. 0; -EINVAL with a sentence in `error`; -ENOMEM. */
int proxy_config_parse(const char *text, size_t length, struct proxy_config *ret, char error[PROXY_ERROR_MAX]) MUST_CHECK;
void proxy_config_free(struct proxy_config *config);

#endif
