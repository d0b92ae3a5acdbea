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

static bool passes(const struct cage_policy *policy, const char *variable)
{
	const char *end = strchr(variable, '=');
	size_t length = end ? (size_t)(end - variable) : 0;
	bool wanted = false;

	for (size_t i = 0; i < policy->environment.pass.count && !wanted; i++)
		wanted = length && matches(policy->environment.pass.word[i], variable, length);
	for (size_t i = 0; i < policy->environment.set_count && wanted; i++) /* is there already */
		wanted = strlen(policy->environment.set[i].name) != length ||
			 memcmp(policy->environment.set[i].name, variable, length) != 0;
	return wanted;
}

void cage_environment_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free((void *)env);
}

static bool is_set(const struct cage_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->environment.set_count; i++)
		if (strcmp(policy->environment.set[i].name, name) == 0)
			return true;
	return false;
}

/* Adds a variable, if there is memory for it. */
static size_t add(char **env, size_t count, const struct cage_variable *variable)
{
	if (asprintf(&env[count], "%s=%s", variable->name, variable->value) >= 0)
		return count + 1;
	env[count] = NULL;
	return count;
}

char **cage_environment(const struct cage_policy *policy, char *const *from)
{
	size_t count = 0, room = policy->environment.set_count + CAGE_PROXY_VARIABLES + 1, proxies = 0;
	struct cage_variable proxy[CAGE_PROXY_VARIABLES];
	char **env;

	for (size_t i = 0; from[i]; i++)
		room++;
	env = calloc(room, sizeof(*env));
	for (size_t i = 0; env && i < policy->environment.set_count; i++)
		count = add(env, count, &policy->environment.set[i]);
	if (policy->network.mode == CAGE_NETWORK_PROXY)
		proxies = cage_proxy_environment(policy, proxy);
	for (size_t i = 0; env && i < proxies; i++)
		if (!is_set(policy, proxy[i].name))
			count = add(env, count, &proxy[i]);
	for (size_t i = 0; env && from[i]; i++)
		if (passes(policy, from[i])) {
			env[count] = strdup(from[i]);
			count += env[count] != NULL;
		}
	return env;
}
