// SPDX-License-Identifier: Apache-2.0
/* Policies of tools: see the header. */
#include "flow/flow_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cage/policy.h"
#include "flow/flow_paths.h"

#define TARGET_MAX 300u

/* What programs are made of, wherever a distribution puts it. */
static const char *const system_paths[] = { "/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives" };

/* --- its parts -------------------------------------------------------------------------------------------------------------------------- */

static json_t *allowed_json(const struct flow_task *task)
{
	json_t *paths = json_array();
	char clean[PATH_MAX], path[PATH_MAX + 1];
	int r = 0;

	for (size_t i = 0; r == 0; i++) {
		r = flow_path_allowed(task, i, clean);
		(void)snprintf(path, sizeof(path), "/%s", clean);
		if (r == 0)
			(void)json_array_append_new(paths, json_string(path));
	}
	return paths;
}

static json_t *files_json(const struct flow_task *task)
{
	bool writes = json_is_false(json_object_get(task->settings, "read_only"));
	json_t *execute = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(system_paths); i++)
		(void)json_array_append_new(execute, json_string(system_paths[i]));
	return json_pack("{s:o, s:o, s:b}", "execute", execute, writes ? "write" : "read", allowed_json(task), "tmp", true);
}

/* A domain as a target: without a port it means each, as for http. */
static void write_target(const char *domain, char to[TARGET_MAX])
{
	const char *colon = strrchr(domain, ':');
	bool port = colon && (*domain != '[' || colon[-1] == ']');

	(void)snprintf(to, TARGET_MAX, "%s%s", domain, port ? "" : ":*");
}

static json_t *words_json(const struct flow_strings *words)
{
	json_t *list = json_array();

	for (size_t i = 0; i < words->count; i++)
		(void)json_array_append_new(list, json_string(words->words[i]));
	return list;
}

static json_t *network_json(const struct flow_config *config)
{
	char target[TARGET_MAX];
	json_t *allow;

	if (!config->network_access_allowed)
		return json_pack("{s:s}", "mode", "none");
	if (config->allowed_domains.count == 0)
		return json_pack("{s:s}", "mode", "host");
	allow = json_array();
	for (size_t i = 0; i < config->allowed_domains.count; i++) {
		write_target(config->allowed_domains.words[i], target);
		(void)json_array_append_new(allow, json_string(target));
	}
	return json_pack("{s:s, s:o, s:o}", "mode", "proxy", "allow", allow, "private", words_json(&config->allowed_private));
}

static json_t *limits_json(const struct flow_config *config)
{
	return json_pack("{s:I, s:I, s:I, s:f}", "memory", (json_int_t)config->memory_limit_mb << 20, "open_files",
			 (json_int_t)config->max_open_files, "file_size", (json_int_t)config->max_file_size_mb << 20, "cpu",
			 (double)config->cpu_limit / 1000);
}

char *flow_policy_text(const struct flow_task *task)
{
	const struct flow_config *config = task->config;
	json_t *policy =
		json_pack("{s:i, s:o, s:o, s:o, s:{s:o}}", "version", 1, "files", files_json(task), "network", network_json(config),
			  "limits", limits_json(config), "report", "quiet", words_json(&config->quiet_denials));
	char *text = json_dumps(policy, JSON_COMPACT | JSON_REAL_PRECISION(6));

	json_decref(policy);
	return text;
}

/* --- words of config.yaml --------------------------------------------------------------------------------------------------------------- */

/* A policy with nothing but this word in it. */
static char *one_word(const char *list, const char *word)
{
	char target[TARGET_MAX];
	json_t *policy;

	if (strcmp(list, "quiet") == 0) {
		policy = json_pack("{s:i, s:{s:[s]}}", "version", 1, "report", list, word);
	} else {
		write_target(word, target);
		policy = json_pack("{s:i, s:{s:s, s:[s]}}", "version", 1, "network", "mode", "proxy", list,
				   strcmp(list, "allow") == 0 ? target : word);
	}
	char *text = json_dumps(policy, JSON_COMPACT);
	json_decref(policy);
	return text;
}

static int check_word(const struct yaml_node *node, const char *list, struct yaml_error *error)
{
	CLEANUP_FREE char *text = one_word(list, node->text);
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	struct cage_policy_error why;
	int r = text ? cage_policy_parse(text, strlen(text), "/", NULL, &policy, &why) : -ENOMEM;

	return r == -EINVAL ? yaml_refuse(node, error, "%s", why.at.text) : r;
}

int flow_policy_check(const struct flow_config *config, struct yaml_error *error)
{
	static const char *const keys[][2] = {
		{ "allowed_domains", "allow" },
		{ "allowed_private", "private" },
		{ "quiet_denials", "quiet" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct yaml_node *words = yaml_get(config->root, keys[i][0]);

		for (size_t word = 0; r == 0 && words && word < words->count; word++)
			r = check_word(words->items[word], keys[i][1], error);
	}
	return r;
}

/* --- what it always reads --------------------------------------------------------------------------------------------------------------- */

const char *flow_policy_reads(const char *path)
{
	size_t count;
	const struct cage_default *defaults = cage_default_paths(&count);

	for (size_t i = 0; i < ARRAY_SIZE(system_paths); i++) {
		CLEANUP_FREE char *real = realpath(system_paths[i], NULL);

		if (real && policy_within(real, path))
			return system_paths[i];
	}
	for (size_t i = 0; i < count; i++)
		if (policy_within(defaults[i].path, path))
			return defaults[i].path;
	return NULL;
}
