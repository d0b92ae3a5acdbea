// SPDX-License-Identifier: Apache-2.0
/* lichen run: plans which gaps to fill for a command, and runs it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cell_options.h"
#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/guest_image.h"
#include "cli/guest_names.h"
#include "cli/guest_root.h"
#include "cli/report.h"
#include "cli/words.h"
#include "host/launch.h"
#include "host/plan.h"
#include "host/probe.h"
#include "lichen.h"

struct run_options {
	struct guest_options guest;
	struct guest_root root;
	struct cell_options cell;
	char hostname[HOSTNAME_SIZE];
	bool explain, json;
};

static const struct option_row options[] = {
	GUEST_GAP_OPTIONS(struct run_options, guest),
	{ .name = "explain",
	  .offset = offsetof(struct run_options, explain),
	  .help = "print the plan and its reasons to stderr, then run; without CMD: only print it, to stdout" },
	{ .name = "json", .offset = offsetof(struct run_options, json), .help = "let --explain print JSON" },
	GUEST_PLACE_OPTIONS(struct run_options, guest),
	GUEST_ROOT_OPTIONS(struct run_options, root),
	{ .name = "env-file",
	  .value = "FILE",
	  .offset = offsetof(struct run_options, guest.env),
	  .parse = cell_parse_env_file,
	  .help = "set the variables that a file lists, KEY=VALUE a line" },
	{ .name = "hostname",
	  .value = "NAME",
	  .offset = offsetof(struct run_options, hostname),
	  .parse = guest_parse_hostname,
	  .help = "the host name that the command sees" },
	CELL_OPTIONS(struct run_options, cell),
};

static int explain(const struct plan *plan, char *const *command, bool json)
{
	FILE *to = command ? stderr : stdout;
	if (!json) {
		plan_print(plan, command, to);
	} else if (plan_print_json(plan, command, to)) {
		fputs("lichen run: out of memory\n", stderr);
		return LICHEN_EXIT_FAILED;
	}
	return command ? 0 : command_flush(0);
}

/* An image named on the command line, if any: its tree, its command, its user. Returns -1, or the exit status after saying what is wrong. */
static int use_image(int argc, char **argv, int first, struct run_options *given, struct plan_request *request,
		     struct guest_image *ret)
{
	*ret = (struct guest_image){ 0 };
	if (given->root.directory)
		return -1;
	int status = guest_image_begin(&command_run, argc, argv, first, given->guest.env, ret);
	if (status >= 0 || !ret->used)
		return status;
	given->root.directory = ret->image.root;
	given->root.ephemeral = !given->root.upper && !cell_wanted(&given->cell);
	if (!given->guest.workdir)
		given->guest.workdir = ret->workdir;
	/* Root's, too: another real user could not reach the store, which is closed to all but us. */
	request->emulate |= ~request->native & (GAP_BIT(GAP_identity) | GAP_BIT(GAP_namespaces));
	return -1;
}

/* What it is called. Returns -1, or the exit status after saying what is wrong. */
static int use_names(const struct run_options *given, struct plan_request *request)
{
	if (!given->hostname[0])
		return -1;
	if (request->native & GAP_BIT(GAP_namespaces))
		return command_usage(&command_run, "--hostname and --native=namespaces cannot be used together");
	request->emulate |= GAP_BIT(GAP_namespaces);
	return -1;
}

static int run(int argc, char **argv)
{
	struct run_options given = { 0 };
	struct plan_request request;
	struct plan plan;
	struct gap_finding findings[GAP_COUNT] = { 0 };
	int first;
	int status = command_parse(&command_run, argc, argv, &given, &first);
	if (status < 0)
		status = guest_request(&command_run, &given.guest, &request);
	if (status >= 0)
		return status;
	struct guest_image image;
	status = use_image(argc, argv, first, &given, &request, &image);
	if (status < 0)
		status = use_names(&given, &request);
	if (status >= 0)
		return status;
	char *const *command = image.used ? image.argv : first < argc ? argv + first : NULL;
	if (!command && !given.explain)
		return command_usage(&command_run, "there is no command to run");
	if (given.root.ephemeral && given.cell.detach)
		return command_usage(&command_run, "--ephemeral and --detach cannot be used together");
	if (given.json && !given.explain)
		return command_usage(&command_run, "--json needs --explain");
	if (command && !*command[0])
		return command_usage(&command_run, "the command's name is empty");

	/* Only what the plan depends on is probed, unless the plan is to be shown. */
	u32 probed = given.explain ? GAPS_ALL : plan_wants_probed(&request, gaps_built());
	int error = probe_gaps(probed, request.refuse, findings);
	if (error) {
		fprintf(stderr, "lichen: cannot probe this host: %s (%s)\n", strerror(-error), errno_name(-error));
		return LICHEN_EXIT_FAILED;
	}
	plan_make(&request, gaps_built(), probed, findings, &plan);
	status = given.explain ? explain(&plan, command, given.json) : 0;
	if (status || !command)
		return status;

	struct fs_state *tree = NULL;
	bool in_cell = image.used && cell_wanted(&given.cell); /* which has a place for what is changed, and a name */
	if (image.used && !in_cell && (plan.emulated & GAP_BIT(GAP_namespaces))) {
		if (!given.hostname[0])
			guest_random_hostname(given.hostname);
		given.root.hostname = given.hostname;
	}
	status = in_cell ? -1 : guest_root_stage(&command_run, &given.root, given.guest.workdir, &tree);
	if (status >= 0) {
		guest_root_end(&given.root);
		return status;
	}
	struct launch launch = {
		.argv = command,
		.envp = image.used      ? image.env
		      : given.guest.env ? given.guest.env
					: environ,
		.emulate = plan.emulated,
		.forced = request.emulate,
		.refuse = plan.refused_natively,
		.workdir = given.guest.workdir,
		.identity = image.identity,
		.tree = tree,
	};
	memcpy(launch.namespaces.hostname, given.hostname, sizeof(given.hostname));
	if (cell_wanted(&given.cell)) {
		status = cell_run_command(&command_run, &given.cell, &launch, &plan, &given.root, image.used ? &image : NULL);
		guest_image_end(&image);
		cell_options_done(&given.cell);
		guest_root_end(&given.root);
		free(given.guest.env);
		return status;
	}
	struct launch_result result = { .status = LICHEN_EXIT_FAILED };
	if (launch_run(&launch, &result))
		guest_say_failure(command[0], given.guest.workdir, &result);
	guest_root_end(&given.root);
	guest_image_end(&image);
	free(tree);
	free(given.guest.env);
	return result.status;
}

static const char *const notes[] = {
	"Gaps are the features that 'lichen doctor' names. What works here is never touched unless --emulate asks for it.",
	"Exit status: that of CMD, 128+n when signal n ended it; 125 lichen failed, 126 CMD cannot be executed, 127 no such CMD.",
	NULL,
};

const struct command command_run = {
	.name = "run",
	.synopsis = "[OPTION…] [IMAGE] [--] CMD [ARG…]",
	.summary = "Runs a command, filling what this host's kernel lacks",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.word_ends_options = true,
	.usage_status = LICHEN_EXIT_FAILED,
	.notes = notes,
	.run = run,
};
