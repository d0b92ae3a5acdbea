// SPDX-License-Identifier: Apache-2.0
/* lichen cage: what a policy means, and what of it this machine can enforce. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cage/cage_profile.h"
#include "cli/cage_env.h"
#include "cli/cage_print.h"
#include "cli/cage_read.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "lichen.h"

#define ACTIONS "check or env-check"

struct cage_check_options {
	bool json;
};

static const struct option_row options[] = {
	{ .name = "json",
	  .offset = offsetof(struct cage_check_options, json),
	  .help = "print JSON, described in docs/cage-json.md" },
};

static int no_memory(void)
{
	fputs("lichen cage: out of memory\n", stderr);
	return LICHEN_EXIT_SOFTWARE;
}

static int print_json(json_t *object, int status)
{
	return json_out_print(object, stdout) < 0 ? no_memory() : command_flush(status);
}

/* Reads a policy and its profile, or says why not. Returns -1, or the exit status. */
static int load(const char *name, struct cage_policy **ret, struct cage_policy_error *error)
{
	struct oci_seccomp profile = { .program = NULL };
	int r = cage_read_policy("lichen cage", name, ret, error);
	if (r == 0) {
		r = cage_profile_load(*ret, &profile, error);
		free(profile.program);
		if (r == -EINVAL)
			r = cage_read_refuse("lichen cage", name, error);
		else if (r < 0)
			return no_memory();
	}
	return r == 0 ? -1 : r == -EINVAL ? LICHEN_EXIT_CONFIG : LICHEN_EXIT_SOFTWARE;
}

static int check(const struct cage_check_options *given, char **words)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	int status = load(words[0], &policy, &error);
	if (status == LICHEN_EXIT_CONFIG && given->json)
		return print_json(cage_refusal_json(words[0], &error), status);
	if (status >= 0)
		return status;
	if (given->json)
		return print_json(cage_policy_json(policy), 0);
	cage_print_policy(policy, stdout);
	return command_flush(0);
}

static int env_check(const struct cage_check_options *given, char **words)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	struct cage_env env = { .count = 0 };
	struct cage_policy_error error;
	int status = words[0] ? load(words[0], &policy, &error) : -1;
	if (status >= 0)
		return status;
	int r = policy ? cage_env_add(&env, policy, cage_layers_needed(policy)) : cage_env_add_all(&env);
	if (r < 0) {
		fprintf(stderr, "lichen cage: cannot try the layers: %s\n", strerror(-r));
		return LICHEN_EXIT_SOFTWARE;
	}
	status = env.missing ? LICHEN_EXIT_UNAVAILABLE : 0;
	if (given->json)
		return print_json(cage_env_json(&env, words[0]), status);
	cage_env_print(&env, stdout);
	return command_flush(status);
}

static const struct action {
	const char *name, *takes; /* the words behind it */
	int least, most;
	int (*run)(const struct cage_check_options *given, char **words);
} actions[] = {
	{ "check", "a policy", 1, 1, check },
	{ "env-check", "a policy or nothing", 0, 1, env_check },
};

static int run(int argc, char **argv)
{
	struct cage_check_options given = { 0 };
	int first, status = command_parse(&command_cage, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_no_action(&command_cage, NULL, ACTIONS);
	int count = argc - first - 1;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, argv[first]) != 0)
			continue;
		if (count < actions[i].least || count > actions[i].most)
			return command_usage(&command_cage, "%s takes %s", actions[i].name, actions[i].takes);
		return actions[i].run(&given, argv + first + 1);
	}
	return command_no_action(&command_cage, argv[first], ACTIONS);
}

static const char *const notes[] = {
	"check POLICY: reads a policy (a file, or the profile offline) and prints all that it means, as a policy with nothing left out, and what "
	"each layer of the cage will be asked for.",
	"env-check [POLICY]: tries what this machine has of the layers of the cage, or of those that a policy needs: pass, weaker or missing.",
	"Exit status: 0; 64 wrong words, 69 a layer is missing, 78 the policy is wrong or cannot be read, 70 and 74 as everywhere.",
	NULL,
};

const struct command command_cage = {
	.name = "cage",
	.synopsis = "ACTION [OPTION…] [POLICY]",
	.summary = "Checks policies of `run --cage`, and what can be enforced",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
