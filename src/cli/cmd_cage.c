// SPDX-License-Identifier: Apache-2.0
/* lichen cage: what a policy means. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cage_print.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "lichen.h"

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

static int check(const struct cage_check_options *given, char **words)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	CLEANUP_FREE char *text = NULL;
	struct cage_policy_error error;
	int r = cage_policy_load(words[0], &policy, &text, &error);
	if (r == -ENOMEM)
		return no_memory();
	if (r < 0)
		fprintf(stderr, "lichen cage: %s\n", text);
	if (given->json)
		return print_json(r < 0 ? cage_refusal_json(words[0], &error) : cage_policy_json(policy),
				  r < 0 ? LICHEN_EXIT_CONFIG : 0);
	if (r < 0)
		return LICHEN_EXIT_CONFIG;
	cage_print_policy(policy, stdout);
	return command_flush(0);
}

static const struct action {
	const char *name, *takes; /* the words behind it */
	int words;
	int (*run)(const struct cage_check_options *given, char **words);
} actions[] = {
	{ "check", "a policy", 1, check },
};

static int run(int argc, char **argv)
{
	struct cage_check_options given = { 0 };
	int first, status = command_parse(&command_cage, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_cage, "there is nothing to do");
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, argv[first]) != 0)
			continue;
		if (argc - first - 1 != actions[i].words)
			return command_usage(&command_cage, "%s takes %s", actions[i].name, actions[i].takes);
		return actions[i].run(&given, argv + first + 1);
	}
	return command_usage(&command_cage, "it does no '%.100s'", argv[first]);
}

static const char *const notes[] = {
	"check POLICY: reads a policy (a file, or the profile offline) and prints all that it means, as a policy with nothing left out, and what "
	"each layer of the cage will be asked for.",
	"Exit status: 0; 64 wrong words, 78 the policy is wrong or cannot be read, 70 and 74 as everywhere.",
	NULL,
};

const struct command command_cage = {
	.name = "cage",
	.synopsis = "check [OPTION…] POLICY",
	.summary = "Tells what a policy of `run --cage` means",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
