// SPDX-License-Identifier: Apache-2.0
/* config.yaml: the defaults are YAML as well, and read by the same readers. */
#include "flow/flow_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum key_kind {
	KEY_BOOL,
	KEY_INT,
	KEY_MILLI, /* thousandths */
	KEY_NANO,  /* thousand millionths */
	KEY_SIZE,
	KEY_DURATION,
	KEY_STRING,
	KEY_STRINGS,
	KEY_NODE,
};

static const struct key {
	const char *name;
	enum key_kind kind;
	size_t offset;
	s64 least, most;
} keys[] = {
#define FLOW_KEY(kind, name, least, most, initial) { #name, KEY_##kind, offsetof(struct flow_config, name), least, most },
#include "flow/flow_config.def"
#undef FLOW_KEY
};

static const char *const names[] = {
#define FLOW_KEY(kind, name, least, most, initial) #name,
#include "flow/flow_config.def"
#undef FLOW_KEY
	NULL,
};

/* A document with every key that has a default. */
static const char defaults[] =
#define FLOW_KEY(kind, name, least, most, initial) #name ": " initial "\n"
#include "flow/flow_config.def"
#undef FLOW_KEY
	;

static int read_words(const struct yaml_node *node, struct flow_strings *to, struct yaml_error *error)
{
	const char **words;
	size_t count;
	int r = yaml_strings(node, &words, &count, error);

	if (r < 0)
		return r;
	free(to->words);
	*to = (struct flow_strings){ .words = words, .count = count };
	return 0;
}

static int read_key(const struct key *key, const struct yaml_node *node, struct flow_config *config, struct yaml_error *error)
{
	void *field = (char *)config + key->offset;

	switch (key->kind) {
	case KEY_BOOL:
		return yaml_bool(node, field, error);
	case KEY_INT:
		return yaml_int(node, key->least, key->most, field, error);
	case KEY_MILLI:
		return yaml_fixed(node, 3, (u64)key->least, (u64)key->most, field, error);
	case KEY_NANO:
		return yaml_fixed(node, 9, (u64)key->least, (u64)key->most, field, error);
	case KEY_SIZE:
		return yaml_size(node, (u64)key->least, (u64)key->most, field, error);
	case KEY_DURATION:
		return yaml_duration(node, (u64)key->least, (u64)key->most, field, error);
	case KEY_STRING:
		return yaml_string(node, field, error);
	case KEY_STRINGS:
		return read_words(node, field, error);
	case KEY_NODE:
		*(const struct yaml_node **)field = node;
		return 0;
	}
	return -EINVAL;
}

static int read_keys(const struct yaml_node *root, struct flow_config *config, struct yaml_error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(keys) / sizeof(*keys); i++) {
		const struct yaml_node *node = yaml_get(root, keys[i].name);

		if (node && (keys[i].kind == KEY_NODE || yaml_type(node) != YAML_NULL))
			r = read_key(&keys[i], node, config, error);
	}
	return r;
}

/* A key whose value is one of these words, which are written "a, b or c". */
static int check_choice(const struct flow_config *config, const char *key, const char *value, const char *const *words,
			const char *written, struct yaml_error *error)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(value, words[i]) == 0)
			return 0;
	return yaml_refuse(yaml_get(config->root, key), error, "'%.40s': %s is due here", value, written);
}

/* Directories are compared by their names: "..", and a home that would be one of that name, are none. */
static int check_paths(const struct flow_config *config, struct yaml_error *error)
{
	const struct yaml_node *paths = yaml_get(config->root, "allowed_paths");

	for (size_t i = 0; paths && i < paths->count; i++) {
		const char *path = paths->items[i]->text, *dots = strstr(path, "..");

		while (dots && !((dots == path || dots[-1] == '/') && (dots[2] == '/' || dots[2] == '\0')))
			dots = strstr(dots + 1, "..");
		if (dots || *path == '~' || !*path)
			return yaml_refuse(paths->items[i], error, "'%.80s': a path (/… or ./…, without .. and ~) is due here",
					   path);
	}
	return 0;
}

/* What a kind does not tell. */
static int check(const struct flow_config *config, struct yaml_error *error)
{
	static const char *const strategies[] = { "mask", "hash", "remove", NULL };
	static const char *const environments[] = { "development", "testing", "production", NULL };
	static const char *const levels[] = { "DEBUG", "INFO", "WARNING", "ERROR", NULL };
	int r = check_choice(config, "redaction_strategy", config->redaction_strategy, strategies, "mask, hash or remove", error);

	if (r == 0)
		r = check_choice(config, "environment", config->environment, environments, "development, testing or production",
				 error);
	if (r == 0)
		r = check_choice(config, "log_level", config->log_level, levels, "DEBUG, INFO, WARNING or ERROR", error);
	if (r == 0)
		r = check_paths(config, error);
	if (r < 0)
		return r;
	if (!config->sandbox_enabled && strcmp(config->environment, "production") == 0)
		return yaml_refuse(yaml_get(config->root, "sandbox_enabled"), error,
				   "the sandbox cannot be switched off in the environment production");
	if (!config->audit_enabled)
		return yaml_refuse(yaml_get(config->root, "audit_enabled"), error, "the audit log of flows cannot be switched off");
	if (strcmp(config->audit_export_format, "json") != 0)
		return yaml_refuse(yaml_get(config->root, "audit_export_format"), error, "json is the only format");
	if (config->budget_limit_per_run == 0 && config->cost_kill_enabled)
		return yaml_refuse(yaml_get(config->root, "budget_limit_per_run"), error, "a budget is more than 0");
	if (!*config->audit_storage_path)
		return yaml_refuse(yaml_get(config->root, "audit_storage_path"), error, "a path is not empty");
	return 0;
}

/* The defaults have a tree of their own, whose strings live as long as the configuration. */
static int read_defaults(struct flow_config *config, struct yaml_error *error)
{
	int r = yaml_parse(defaults, sizeof(defaults) - 1, &config->initial, error);

	return r < 0 ? r : read_keys(config->initial, config, error);
}

int flow_config_parse(const char *text, size_t length, struct flow_config *ret, struct yaml_error *error)
{
	struct flow_config config = { 0 };
	int r = read_defaults(&config, error);

	config.models = config.providers = NULL;
	if (r == 0 && text)
		r = yaml_parse(text, length, &config.root, error);
	if (r == 0 && config.root)
		r = yaml_check_keys(config.root, names, error);
	if (r == 0 && config.root)
		r = read_keys(config.root, &config, error);
	if (r == 0)
		r = check(&config, error);
	if (r < 0) {
		flow_config_done(&config);
		return r;
	}
	*ret = config;
	return 0;
}

void flow_config_done(struct flow_config *config)
{
	free(config->allowed_domains.words);
	free(config->allowed_commands.words);
	free(config->allowed_paths.words);
	free(config->allowed_private.words);
	free(config->quiet_denials.words);
	yaml_node_free(config->root);
	yaml_node_free(config->initial);
	explicit_bzero(config->redaction_key, sizeof(config->redaction_key));
	*config = (struct flow_config){ 0 };
}
