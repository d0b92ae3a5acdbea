// SPDX-License-Identifier: Apache-2.0
/* lichen cage env-check: what this machine has of the layers, all of them or those that a policy needs. */
#include "cli/cage_env.h"

#include <errno.h>
#include <string.h>

#include "cli/json_out.h"
#include "cli/words.h"
#include "lichen.h"

#define NAME_COLUMNS 10u
#define ASKED_COLUMNS 7u
#define STATE_COLUMNS 9u

/* What a cage may be asked for at all: less, and more. */
static const char least[] = "version: 1\n";
static const char most[] =
	"version: 1\n"
	"files: {write: [/tmp/x], deny: [/tmp/x/y]}\n"
	"network: {mode: proxy, unix: [/run/x]}\n"
	"limits: {memory: 1g, cpu: 1.0, processes: 64, open_files: 64, file_size: 1g, output: 1g, disk: 1g, wall: 1h, cpu_time: 1h}\n";

int cage_env_add(struct cage_env *env, const struct cage_policy *policy, u32 layers)
{
	struct cage_host host;
	int r = cage_probe(policy, layers, NULL, &host);
	for (int i = 0; i < CAGE_LAYERS && !r; i++) {
		if (!(layers & CAGE_LAYER_BIT(i)))
			continue;
		env->rows[env->count++] = (struct cage_env_row){
			.layer = cage_layer_name((enum cage_layer)i),
			.asked = i == CAGE_LAYER_NETWORK ? cage_network_name(policy->network.mode) : "",
			.finding = host.layers[i],
		};
		env->missing = env->missing || host.layers[i].state == CAGE_MISSING;
	}
	return r;
}

static int add_text(struct cage_env *env, const char *text, u32 without)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	int r = cage_policy_parse(text, strlen(text), "/", NULL, &policy, &error);
	return r ? r : cage_env_add(env, policy, cage_layers_needed(policy) & ~without);
}

int cage_env_add_all(struct cage_env *env)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	int r = cage_policy_parse(least, sizeof(least) - 1, "/", NULL, &policy, &error);
	if (r)
		return r;
	u32 usual = cage_layers_needed(policy);
	r = cage_env_add(env, policy, usual);
	return r ? r : add_text(env, most, usual & ~CAGE_LAYER_BIT(CAGE_LAYER_NETWORK));
}

void cage_env_print(const struct cage_env *env, FILE *to)
{
	static const enum colour colours[] = {
		[CAGE_PASS] = COLOUR_GREEN, [CAGE_WEAKER] = COLOUR_YELLOW, [CAGE_MISSING] = COLOUR_RED
	};
	for (size_t i = 0; i < env->count; i++) {
		const struct cage_env_row *row = &env->rows[i];
		const struct cell cells[] = {
			{ row->layer, NAME_COLUMNS, COLOUR_BOLD },
			{ row->asked, ASKED_COLUMNS, COLOUR_NONE },
			{ cage_state_name(row->finding.state), STATE_COLUMNS, colours[row->finding.state] },
			{ row->finding.how, SCREEN_COLUMNS - NAME_COLUMNS - ASKED_COLUMNS - STATE_COLUMNS, COLOUR_NONE },
		};
		print_row(cells, ARRAY_SIZE(cells), to);
	}
}

json_t *cage_env_json(const struct cage_env *env, const char *policy)
{
	json_t *rows = json_array(), *root;
	bool ok = rows != NULL;
	for (size_t i = 0; i < env->count && ok; i++) {
		const struct cage_env_row *row = &env->rows[i];
		ok = json_array_append_new(rows, json_pack("{s:s, s:o, s:s, s:o}", "layer", row->layer, "asked",
							   *row->asked ? json_string(row->asked) : json_null(), "state",
							   cage_state_name(row->finding.state), "how",
							   json_out_text(row->finding.how))) == 0;
	}
	if (!ok) {
		json_decref(rows);
		return NULL;
	}
	root = json_pack("{s:s, s:s, s:o, s:b, s:o}", "schema", LICHEN_CAGE_ENV_SCHEMA, "lichen", LICHEN_VERSION, "policy",
			 policy ? json_out_text(policy) : json_null(), "complete", !env->missing, "layers", rows);
	return root;
}
