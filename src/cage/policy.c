// SPDX-License-Identifier: Apache-2.0
/* Policies: from a tree of YAML to struct cage_policy. Grammar first, of all sections, then what the values mean. */
#include "cage/policy.h"

#include <errno.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cage/policy_int.h"

#define KEYS_MAX 12u /* of one section, and the NULL behind them */

int policy_refuse(const struct policy_reader *reader, const struct yaml_node *node, const char *format, ...)
{
	char text[sizeof(reader->error->at.text)];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reader->error->meaning = true;
	return yaml_refuse(node, &reader->error->at, "%s", text);
}

/* --- grammar -------------------------------------------------------------------------------------------------------------------------- */

/* The targets are for the proxy: without it they would do nothing. */
static int check_network(const struct yaml_node *network, struct yaml_error *error)
{
	static const char *const lists[] = { "allow", "private" };
	const struct yaml_node *mode = yaml_get(network, "mode");
	if (mode && strcmp(mode->text, "proxy") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct yaml_node *list = yaml_get(network, lists[i]);
		if (list && list->count)
			return yaml_refuse(list, error, "'%s' needs 'mode: proxy'", lists[i]);
	}
	return 0;
}

/* Checks the section that begins at fields[first]. Returns the index of the next, or -EINVAL. */
static int check_section(const struct yaml_node *root, size_t first, struct yaml_error *error)
{
	size_t count, next = first, keys = 0;
	const struct policy_field *fields = policy_fields(&count);
	const char *section = fields[first].section, *known[KEYS_MAX] = { NULL };
	const struct yaml_node *mapping = yaml_get(root, section);
	for (; next < count && strcmp(fields[next].section, section) == 0; next++)
		known[keys++] = fields[next].key;
	int r = mapping ? yaml_check_keys(mapping, known, error) : 0;
	for (size_t i = first; i < next && !r; i++) {
		const struct yaml_node *value = yaml_get(mapping, fields[i].key);
		r = value ? policy_check_value(&fields[i], value, error) : 0;
	}
	if (!r && strcmp(section, "network") == 0)
		r = check_network(mapping, error);
	return r ? r : (int)next;
}

static int check_version(const struct yaml_node *root, struct yaml_error *error)
{
	const struct yaml_node *version = yaml_get(root, "version");
	s64 number;
	if (!version)
		return yaml_refuse(NULL, error, "'version: 1' is missing");
	return yaml_int(version, 1, 1, &number, error);
}

static int check(const struct yaml_node *root, struct yaml_error *error)
{
	size_t count, keys = 1;
	const struct policy_field *fields = policy_fields(&count);
	const char *known[KEYS_MAX] = { "version" };
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].section, known[keys - 1]) != 0)
			known[keys++] = fields[i].section;
	int r = yaml_check_keys(root, known, error);
	if (!r)
		r = check_version(root, error);
	for (int next = 0; !r && (size_t)next < count;) {
		next = check_section(root, (size_t)next, error);
		r = next < 0 ? next : 0;
	}
	return r;
}

/* --- meaning -------------------------------------------------------------------------------------------------------------------------- */

/* What passes when environment.pass is missing. */
static const char *usual_names[] = {
	"PATH", "LANG", "LANGUAGE", "LC_*", "TERM", "COLORTERM", "TZ", "HOME", "USER", "LOGNAME", NULL
};

static int set_defaults(struct cage_policy *policy)
{
	policy->files.defaults = true;
	policy->audit.redact = true;
	if (yaml_get(yaml_get(policy->root, "environment"), "pass"))
		return 0;
	policy->environment.pass.word = malloc(sizeof(usual_names));
	if (!policy->environment.pass.word)
		return -ENOMEM;
	memcpy((void *)policy->environment.pass.word, (const void *)usual_names, sizeof(usual_names));
	policy->environment.pass.count = ARRAY_SIZE(usual_names) - 1;
	return 0;
}

static int take(const struct policy_reader *reader)
{
	size_t count;
	const struct policy_field *fields = policy_fields(&count);
	int r = set_defaults(reader->policy);
	for (size_t i = 0; i < count && !r; i++) {
		const struct yaml_node *value = yaml_get(yaml_get(reader->policy->root, fields[i].section), fields[i].key);
		r = value ? policy_take_value(reader, &fields[i], value) : 0;
	}
	return r;
}

int cage_policy_parse(const char *text, size_t length, const char *directory, const char *home, struct cage_policy **ret,
		      struct cage_policy_error *error)
{
	CLEANUP_POLICY struct cage_policy *policy = calloc(1, sizeof(*policy));
	const struct policy_reader reader = { .policy = policy, .error = error };
	*error = (struct cage_policy_error){ .meaning = false };
	if (!policy)
		return -ENOMEM;
	policy->name = strdup("(policy)");
	policy->directory = strdup(directory);
	policy->home = home ? strdup(home) : NULL;
	if (!policy->name || !policy->directory || (home && !policy->home))
		return -ENOMEM;
	crypto_hash_sha256(policy->digest, (const u8 *)text, length);
	int r = yaml_parse(text, length, &policy->root, &error->at);
	if (!r)
		r = check(policy->root, &error->at);
	if (!r)
		r = take(&reader);
	if (r)
		return r;
	*ret = policy;
	policy = NULL;
	return 0;
}

/* --- the end -------------------------------------------------------------------------------------------------------------------------- */

static void free_path(struct cage_path *path)
{
	free(path->path);
	free(path->real);
}

static void free_paths(struct cage_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free_path(&paths->path[i]);
	free(paths->path);
}

static void free_one(struct cage_path *path)
{
	if (path)
		free_path(path);
	free(path);
}

void cage_policy_free(struct cage_policy *policy)
{
	if (!policy)
		return;
	free_paths(&policy->files.read);
	free_paths(&policy->files.execute);
	free_paths(&policy->files.write);
	free_paths(&policy->files.deny);
	free_paths(&policy->network.sockets);
	free_one(policy->processes.profile);
	free_one(policy->audit.directory);
	for (size_t i = 0; i < policy->report.count; i++)
		free_path(&policy->report.quiet[i].path);
	free(policy->report.quiet);
	free((void *)policy->network.allow.word);
	free((void *)policy->network.private.word);
	free((void *)policy->processes.allow.word);
	free((void *)policy->processes.deny.word);
	free((void *)policy->environment.pass.word);
	free(policy->environment.set);
	free(policy->name);
	free(policy->directory);
	free(policy->home);
	yaml_node_free(policy->root);
	free(policy);
}
