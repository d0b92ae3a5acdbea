/* SPDX-License-Identifier: Apache-2.0 */
/* What `lichen cage env-check` prints. */
#ifndef LICHEN_CLI_CAGE_ENV_H
#define LICHEN_CLI_CAGE_ENV_H

#include <jansson.h>
#include <stdio.h>

#include "cage/layer.h"
#include "cli/cage_print.h"

struct cage_env_row {
	const char *layer;
	const char *asked; /* of the layer network: the mode; else "" */
	struct cage_finding finding;
};

/* Starts as { .count = 0 }. */
struct cage_env {
	struct cage_env_row rows[2 * CAGE_LAYERS];
	size_t count;
	bool missing; /* one of them is */
};

/* Tries these layers (bit per layer) for a policy. 0 or negative errno. */
int cage_env_add(struct cage_env *env, const struct cage_policy *policy, u32 layers) MUST_CHECK;
/* Tries each layer, the network both without and with the proxy. */
int cage_env_add_all(struct cage_env *env) MUST_CHECK;

void cage_env_print(const struct cage_env *env, FILE *to);
/* `policy`: its name, NULL for none. NULL: no memory. */
json_t *cage_env_json(const struct cage_env *env, const char *policy) MUST_CHECK;

#endif
