// SPDX-License-Identifier: Apache-2.0
/* The configuration, from JSON. */
#include "proxy/proxy_config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int take_list(const json_t *list, const char *name, struct proxy_rules *rules, char *error)
{
	size_t i;
	const json_t *entry;
	if (!json_is_array(list)) {
		(void)snprintf(error, PROXY_ERROR_MAX, "%s is not a list", name);
		return -EINVAL;
	}
	json_array_foreach(list, i, entry)
	{
		const char *text = json_string_value(entry), *why = "is not a text";
		struct proxy_rule rule;
		if (!text || strlen(text) != json_string_length(entry) ||
		    proxy_rule_parse(text, strcmp(name, "private") == 0, &rule, &why)) {
			(void)snprintf(error, PROXY_ERROR_MAX, "%s: '%.200s' %s", name, text ? text : "", why);
			return -EINVAL;
		}
		if (proxy_rules_add(rules, &rule))
			return -ENOMEM;
	}
	return 0;
}

static u32 *limit_named(struct proxy_limits *limits, const char *name)
{
	if (strcmp(name, "connections") == 0)
		return &limits->connections;
	if (strcmp(name, "head_seconds") == 0)
		return &limits->head_seconds;
	if (strcmp(name, "connect_seconds") == 0)
		return &limits->connect_seconds;
	return strcmp(name, "idle_seconds") == 0 ? &limits->idle_seconds : NULL;
}

static int take_limits(json_t *object, struct proxy_limits *limits, char *error)
{
	const char *name;
	json_t *value;
	if (!json_is_object(object)) {
		(void)snprintf(error, PROXY_ERROR_MAX, "limits is not an object");
		return -EINVAL;
	}
	json_object_foreach(object, name, value)
	{
		u32 *limit = limit_named(limits, name);
		json_int_t most = limit == &limits->connections ? PROXY_CONNECTIONS_MAX : 1 << 20;
		if (!limit || !json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > most) {
			(void)snprintf(error, PROXY_ERROR_MAX, "limits.%.100s %s", name,
				       limit ? "is no number in range" : "is unknown");
			return -EINVAL;
		}
		*limit = (u32)json_integer_value(value);
	}
	return 0;
}

static int take_members(json_t *root, struct proxy_config *config, char *error)
{
	const char *name;
	json_t *value;
	int r = 0;
	if (!json_is_object(root)) {
		(void)snprintf(error, PROXY_ERROR_MAX, "it is not an object");
		return -EINVAL;
	}
	json_object_foreach(root, name, value)
	{
		if (strcmp(name, "allow") == 0 || strcmp(name, "private") == 0) {
			r = take_list(value, name, &config->rules, error);
		} else if (strcmp(name, "limits") == 0) {
			r = take_limits(value, &config->limits, error);
		} else {
			(void)snprintf(error, PROXY_ERROR_MAX, "%.100s is unknown", name);
			r = -EINVAL;
		}
		if (r)
			break;
	}
	return r;
}

int proxy_config_parse(const char *text, size_t length, struct proxy_config *ret, char error[PROXY_ERROR_MAX])
{
	struct proxy_config config = { .limits = { 256, 30, 30, 900 } };
	json_error_t wrong;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
	if (!root) {
		(void)snprintf(error, PROXY_ERROR_MAX, "it is no JSON: %s", wrong.text);
		return -EINVAL;
	}
	int r = take_members(root, &config, error);
	json_decref(root);
	if (r)
		proxy_config_free(&config);
	else
		*ret = config;
	return r;
}

void proxy_config_free(struct proxy_config *config)
{
	proxy_rules_free(&config->rules);
}
