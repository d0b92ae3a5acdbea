// SPDX-License-Identifier: Apache-2.0
/* Which models flows may ask, where, and at what price. */
#include "flow/flow_models.h"

#include <errno.h>
#include <string.h>

#include "flow/money.h"

#define PRICE_MOST 1000000000000000ull /* nano-dollars for a million tokens: a dollar a token */

static const char *const provider_keys[] = { "api", "url", "socket", "key", "max_tokens_field", "stream_options", NULL };
static const char *const model_keys[] = { "input", "output", NULL };

/* --- the check -------------------------------------------------------------------------------------------------------------------- */

static int check_text(const struct yaml_node *provider, const char *key, const char **ret, struct yaml_error *error)
{
	const struct yaml_node *node = yaml_get(provider, key);
	*ret = NULL;
	return node ? yaml_string(node, ret, error) : 0;
}

static bool is_variable(const char *name)
{
	size_t length = strlen(name);
	return length && length < 128 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == length &&
	       (*name < '0' || *name > '9');
}

static int check_provider(const struct yaml_node *name, const struct yaml_node *provider, struct yaml_error *error)
{
	const char *api, *url, *socket, *key, *field;
	bool usage;
	if (provider->kind != YAML_MAPPING)
		return yaml_refuse(provider, error, "a provider is a mapping");
	int r = yaml_check_keys(provider, provider_keys, error);
	if (!r)
		r = check_text(provider, "api", &api, error);
	if (!r)
		r = check_text(provider, "url", &url, error);
	if (!r)
		r = check_text(provider, "socket", &socket, error);
	if (!r)
		r = check_text(provider, "key", &key, error);
	if (!r)
		r = check_text(provider, "max_tokens_field", &field, error);
	if (!r && yaml_get(provider, "stream_options"))
		r = yaml_bool(yaml_get(provider, "stream_options"), &usage, error);
	if (r)
		return r;
	if (strcmp(name->text, FLOW_PROVIDER_ECHO) == 0)
		return yaml_refuse(name, error, "the provider echo is lichen's own");
	if (api && strcmp(api, "openai") != 0 && strcmp(api, "anthropic") != 0)
		return yaml_refuse(yaml_get(provider, "api"), error, "api is openai or anthropic");
	if (!url && !socket)
		return yaml_refuse(provider, error, "a provider has a url or a socket");
	if (url && strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return yaml_refuse(yaml_get(provider, "url"), error, "a url begins with https:// or http://");
	if (socket && (*socket != '/' || strlen(socket) > 107))
		return yaml_refuse(yaml_get(provider, "socket"), error, "a socket is an absolute path of at most 107 bytes");
	if (key && !is_variable(key))
		return yaml_refuse(yaml_get(provider, "key"), error, "key is the name of a variable that holds it, not the key");
	if (field && strcmp(field, "max_tokens") != 0 && strcmp(field, "max_completion_tokens") != 0)
		return yaml_refuse(yaml_get(provider, "max_tokens_field"), error,
				   "max_tokens_field is max_tokens or max_completion_tokens");
	return 0;
}

static int read_price(const struct yaml_node *model, struct model_price *ret, struct yaml_error *error)
{
	const struct yaml_node *input = yaml_get(model, "input"), *output = yaml_get(model, "output");
	if (model->kind != YAML_MAPPING)
		return yaml_refuse(model, error, "a model is a mapping of its prices: input, output");
	int r = yaml_check_keys(model, model_keys, error);
	if (!r && (!input || !output))
		r = yaml_refuse(model, error, "a model has both prices: input, output");
	if (!r)
		r = yaml_fixed(input, 9, 0, PRICE_MOST, &ret->input, error);
	return r ? r : yaml_fixed(output, 9, 0, PRICE_MOST, &ret->output, error);
}

int flow_models_check(const struct flow_config *config, struct yaml_error *error)
{
	const struct yaml_node *lists[] = { config->providers, config->models };
	struct model_price price;
	for (size_t list = 0; list < ARRAY_SIZE(lists); list++) {
		const struct yaml_node *node = lists[list];
		if (node && node->kind != YAML_MAPPING)
			return yaml_refuse(node, error, "%s is a mapping", list ? "models" : "providers");
		for (size_t i = 0; node && i < node->count; i += 2) {
			int r = list ? read_price(node->items[i + 1], &price, error)
				     : check_provider(node->items[i], node->items[i + 1], error);
			if (r)
				return r;
		}
	}
	return 0;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------------- */

static const char *text_or(const struct yaml_node *provider, const char *key, const char *other)
{
	const struct yaml_node *node = yaml_get(provider, key);
	return node && node->kind == YAML_SCALAR ? node->text : other;
}

int flow_provider_find(const struct flow_config *config, const char *name, struct flow_provider *ret)
{
	static const struct flow_provider built_in[] = {
#define LLM_PROVIDER(word, shape, base, variable, field, usage) \
	{ .name = word, .api = shape, .url = base, .key = variable, .most_field = field, .asks_usage = usage },
#include "flow/llm_provider.def"
#undef LLM_PROVIDER
		{ .name = FLOW_PROVIDER_ECHO, .api = LLM_OPENAI, .most_field = "max_tokens", .asks_usage = true, .echo = true },
	};
	const struct yaml_node *own = config->providers ? yaml_get(config->providers, name) : NULL;
	if (own) {
		*ret = (struct flow_provider){
			.name = name,
			.api = strcmp(text_or(own, "api", "openai"), "anthropic") == 0 ? LLM_ANTHROPIC : LLM_OPENAI,
			.url = text_or(own, "url", NULL),
			.socket = text_or(own, "socket", NULL),
			.key = text_or(own, "key", NULL),
			.most_field = text_or(own, "max_tokens_field", "max_tokens"),
			.asks_usage = strcmp(text_or(own, "stream_options", "true"), "true") == 0,
			.declared = true,
		};
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		if (strcmp(name, built_in[i].name) == 0) {
			*ret = built_in[i];
			return 0;
		}
	return -ENOENT;
}

int flow_model_price(const struct flow_config *config, const char *model, struct model_price *ret)
{
	struct yaml_error error;
	const struct yaml_node *own = config->models ? yaml_get(config->models, model) : NULL;
	if (own)
		return read_price(own, ret, &error) ? -ENOENT : 0;
	return model_price_find(model, ret);
}

/* --- the budget ------------------------------------------------------------------------------------------------------------------- */

int flow_budget_open(const struct flow_config *config, const char *run, const char *path, struct budget **ret)
{
	const struct budget_limits limits = {
		.cost = config->cost_kill_enabled ? config->budget_limit_per_run : UINT64_MAX,
		.tokens = config->max_tokens_per_run ? (u64)config->max_tokens_per_run : UINT64_MAX,
	};
	return budget_open(path, run, &limits, ret);
}

json_t *flow_budget_facts(struct budget *budget)
{
	struct budget_state state;
	char limit[MONEY_TEXT], spent[MONEY_TEXT], reserved[MONEY_TEXT];
	if (!budget || budget_look(budget, &state))
		return NULL;
	json_t *facts = json_pack("{s:s, s:s, s:I, s:I}", "spent", money_text(state.spent.cost, spent), "reserved",
				  money_text(state.reserved.cost, reserved), "tokens",
				  (json_int_t)(state.run.tokens > INT64_MAX ? INT64_MAX : state.run.tokens), "calls",
				  (json_int_t)state.calls);
	if (facts && state.limits.cost != UINT64_MAX)
		(void)json_object_set_new(facts, "limit", json_string(money_text(state.limits.cost, limit)));
	return facts;
}
