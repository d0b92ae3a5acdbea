// SPDX-License-Identifier: Apache-2.0
/* The environment of a caged process: names that the policy passes, and what it sets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cage/cage.h"
#include "cage/cage_proxy.h"

/* "LC_*" is all that begin so. */
static bool matches(const char *pattern, const char *name, size_t length)
{
	size_t own = strlen(pattern);

	if (own && pattern[own - 1] == '*')
		return length >= own - 1 && memcmp(pattern, name, own - 1) == 0;
	return length == own && memcmp(pattern, name, own) == 0;
}

/* Variables that the guest gets whatever the caller has: `count` of them. */
struct own {
	struct cage_variable proxy[CAGE_PROXY_VARIABLES];
	size_t count;
};

static bool is_named(const struct cage_variable *variables, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(variables[i].name) == length && memcmp(variables[i].name, name, length) == 0)
			return true;
	return false;
}

static bool is_set(const struct cage_policy *policy, const char *name, size_t length)
{
	return is_named(policy->environment.set, policy->environment.set_count, name, length);
}

static bool passes(const struct cage_policy *policy, const struct own *own, const char *variable)
{
	const char *end = strchr(variable, '=');
	size_t length = end ? (size_t)(end - variable) : 0;
	bool wanted = false;

	for (size_t i = 0; i < policy->environment.pass.count && !wanted; i++)
		wanted = length && matches(policy->environment.pass.word[i], variable, length);
	return wanted && !is_set(policy, variable, length) && !is_named(own->proxy, own->count, variable, length);
}

void cage_environment_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free((void *)env);
}

static char *join(const struct cage_variable *variable)
{
	char *text;

	return asprintf(&text, "%s=%s", variable->name, variable->value) < 0 ? NULL : text;
}

/* Adds a string to the end of an array; false: there is none, for want of memory. */
static bool add(char **env, size_t *count, char *text)
{
	env[*count] = text;
	*count += text != NULL;
	return text != NULL;
}

static bool fill(const struct cage_policy *policy, const struct own *own, char *const *from, char **env)
{
	size_t count = 0;
	bool ok = true;

	for (size_t i = 0; ok && i < policy->environment.set_count; i++)
		ok = add(env, &count, join(&policy->environment.set[i]));
	for (size_t i = 0; ok && i < own->count; i++)
		if (!is_set(policy, own->proxy[i].name, strlen(own->proxy[i].name)))
			ok = add(env, &count, join(&own->proxy[i]));
	for (size_t i = 0; ok && from[i]; i++)
		if (passes(policy, own, from[i]))
			ok = add(env, &count, strdup(from[i]));
	return ok;
}

char **cage_environment(const struct cage_policy *policy, char *const *from)
{
	size_t room = policy->environment.set_count + CAGE_PROXY_VARIABLES + 1;
	struct own own = { .count = 0 };
	char **env;

	if (policy->network.mode == CAGE_NETWORK_PROXY)
		own.count = cage_proxy_environment(policy, own.proxy);
	for (size_t i = 0; from[i]; i++)
		room++;
	env = calloc(room, sizeof(*env));
	if (env && !fill(policy, &own, from, env)) {
		cage_environment_free(env);
		return NULL;
	}
	return env;
}
