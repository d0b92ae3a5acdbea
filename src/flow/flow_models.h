/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which models flows may ask, where, and at what price: `providers:` and `models:` of config.yaml, before the tables that are built in (llm_provider.def,
 * model_price.def).
 *
 *     providers:
 *       local: {api: openai, socket: /run/llama.sock}                     # api: openai (default) or anthropic
 *       gpu:   {url: "http://10.0.0.5:8080/v1", key: GPU_API_KEY, max_tokens_field: max_tokens, stream_options: false}
 *     models:
 *       llama-3: {input: 0, output: 0}                                    # USD for a million tokens
 *
 * Sockets and URLs stand in config.yaml only: a flow names a provider.
 */
#ifndef LICHEN_FLOW_FLOW_MODELS_H
#define LICHEN_FLOW_FLOW_MODELS_H

#include "flow/budget.h"
#include "flow/flow_config.h"
#include "flow/llm_answer.h"
#include "flow/model_price.h"

#define FLOW_PROVIDER_ECHO "echo" /* lichen-echo-model, started for the call */

struct flow_provider {
	const char *name;
	const char *url;        /* without a slash at its end; NULL: there is only a socket */
	const char *socket;     /* NULL: none */
	const char *key;        /* name of the variable; NULL: none is needed */
	const char *most_field; /* "max_tokens" */
	enum llm_api api;
	bool asks_usage; /* of a stream, by stream_options */
	bool declared;   /* in config.yaml: its URL may be within the machine's networks */
	bool echo;
};

/* Looks at `providers:` and `models:`. 0, or -EINVAL with error set. */
int flow_models_check(const struct flow_config *config, struct yaml_error *error) MUST_CHECK;

/* The provider of that name. 0 or -ENOENT. */
int flow_provider_find(const struct flow_config *config, const char *name, struct flow_provider *ret) MUST_CHECK;
/* The price of a model. 0 or -ENOENT. */
int flow_model_price(const struct flow_config *config, const char *model, struct model_price *ret) MUST_CHECK;

/* Opens the budget of a run, with the limits of config.yaml. As budget_open(). */
int flow_budget_open(const struct flow_config *config, const char *run, const char *path, struct budget **ret) MUST_CHECK;
/* {"limit": "1.00", "spent": …, "reserved": …, "tokens": N, "calls": N}; NULL when it cannot be read. */
json_t *flow_budget_facts(struct budget *budget);

#endif
