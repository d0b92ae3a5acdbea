// SPDX-License-Identifier: Apache-2.0
/* lichen run: plans which gaps to fill for a command, and runs it. */
#include <errno.h>
#include <limits.h>
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
#include "host/native_plan.h"
#include "host/plan.h"
#include "host/probe.h"
#include "lichen.h"

struct run_options {
	struct guest_options guest;
	struct guest_root root;
	struct cell_options cell;
	char hostname[HOSTNAME_SIZE];
	enum guest_pid pid;
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
	{ .name = "pid",
	  .value = "private|host",
	  .offset = offsetof(struct run_options, pid),
	  .parse = guest_parse_pid,
	  .help = "private: it is pid 1 and sees its own processes only" },
	CELL_OPTIONS(struct run_options, cell),
};

static int explain(const struct plan *plan, const struct native_plan *tree, char *const *command, bool json)
{
	FILE *to = command ? stderr : stdout;
	if (!json) {
		plan_print(plan, tree, command, to);
	} else if (plan_print_json(plan, tree, command, to)) {
		fputs("lichen run: out of memory\n", stderr);
		return LICHEN_EXIT_FAILED;
	}
	return command ? 0 : command_flush(0);
}

/* An image named on the command line, if any: its tree, its command, its user. Returns -1, or the exit status after saying what is wrong. */
static int use_image(int argc, char **argv, int first, struct run_options *given, struct guest_image *ret)
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
	return -1;
}

/* Both plans. Returns -1, or the exit status after saying what is wrong. */
static int make_plans(const struct run_options *given, const struct guest_image *image, struct plan_request *request,
		      struct plan *plan, struct native_plan *tree)
{
	struct gap_finding findings[GAP_COUNT] = { 0 }, finding;
	struct native_wish wish = {
		.tree = given->root.directory != NULL,
		.overlay = given->root.upper || given->root.ephemeral || image->used,
		.agent = given->guest.emulate.all || (given->guest.emulate.named & (NATIVE_TREE_GAPS | GAP_BIT(GAP_identity))),
		.kernel = given->guest.native.named & NATIVE_TREE_GAPS,
		.root = geteuid() == 0,
		.host_pids = given->pid == GUEST_PID_HOST,
		.refused = request->refuse,
	};
	char place[PATH_MAX];
	/* Only what the plan depends on is probed, unless the plan is to be shown. */
	u32 probed = given->explain ? GAPS_ALL : plan_wants_probed(request, gaps_built());
	int error = probe_gaps(probed, request->refuse, findings);
	if (error) {
		fprintf(stderr, "lichen: cannot probe this host: %s (%s)\n", strerror(-error), errno_name(-error));
		return LICHEN_EXIT_FAILED;
	}
	plan_make(request, gaps_built(), probed, findings, plan);
	wish.emulated = plan->emulated;
	bool wanted = native_plan_wants_probed(&wish);
	if (wanted)
		native_probe(guest_root_place(&given->root, image->used, place), given->root.directory, &finding);
	native_plan_make(&wish, wanted ? &finding : NULL, tree);
	/* What the agent's way takes besides; its users are root's, too: another real user could not reach the store, which is closed to all but us. */
	u32 implied = image->used ? GAP_BIT(GAP_identity) | GAP_BIT(GAP_namespaces) | GAP_BIT(GAP_mounts) : 0;
	implied |= given->hostname[0] || given->pid == GUEST_PID_PRIVATE ? GAP_BIT(GAP_namespaces) : 0;
	if (tree->state != NATIVE_KERNEL && (implied & ~request->native)) {
		request->emulate |= implied & ~request->native;
		plan_make(request, gaps_built(), probed, findings, plan);
	}
	return -1;
}

/* A gap that is only about trees was named, and there is none. Returns -1, or the exit status after saying so. */
static int refuse_unbuilt(const struct run_options *given)
{
	u32 unbuilt = given->guest.emulate.named & NATIVE_TREE_GAPS & ~gaps_built();
	if (given->root.directory || !unbuilt)
		return -1;
	return guest_say_unbuilt(&command_run, (enum gap_id)__builtin_ctz(unbuilt));
}

/* Without a tree nobody but the engine names a command. Returns -1, or the exit status after saying so. */
static int refuse_names(const struct run_options *given)
{
	if (given->root.directory || !(given->guest.native.named & GAP_BIT(GAP_namespaces)) ||
	    !(given->hostname[0] || given->pid == GUEST_PID_PRIVATE))
		return -1;
	return command_usage(&command_run, "%s and --native=namespaces cannot be used together",
			     given->hostname[0] ? "--hostname" : "--pid=private");
}

static int run(int argc, char **argv)
{
	struct run_options given = { 0 };
	struct plan_request request;
	struct plan plan;
	struct native_plan mechanisms;
	int first;
	int status = command_parse(&command_run, argc, argv, &given, &first);
	if (status < 0)
		status = guest_request(&command_run, &given.guest, NATIVE_TREE_GAPS, &request);
	if (status >= 0)
		return status;
	struct guest_image image;
	request.emulate &= gaps_built();
	status = use_image(argc, argv, first, &given, &image);
	if (status < 0)
		status = refuse_unbuilt(&given);
	if (status < 0)
		status = refuse_names(&given);
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

	status = make_plans(&given, &image, &request, &plan, &mechanisms);
	if (status >= 0)
		return status;
	status = given.explain ? explain(&plan, &mechanisms, command, given.json) : 0;
	if (status || !command)
		return status;
	if (mechanisms.state == NATIVE_REFUSED) {
		fprintf(stderr, "lichen run: the kernel gives no root here, and --native forbids the agent: %s\n",
			mechanisms.reason);
		return LICHEN_EXIT_FAILED;
	}
	given.root.native = mechanisms.state == NATIVE_KERNEL;

	struct guest_tree tree = { 0 };
	bool in_cell = image.used && cell_wanted(&given.cell); /* which has a place for what is changed, and a name */
	if (image.used && !in_cell && (given.root.native || (plan.emulated & GAP_BIT(GAP_namespaces)))) {
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
		.tree = tree.agent,
		.native = tree.native,
	};
	launch.namespaces.pids = given.pid == GUEST_PID_DEFAULT ? image.used : given.pid == GUEST_PID_PRIVATE;
	memcpy(launch.namespaces.hostname, given.hostname, sizeof(given.hostname));
	if (tree.native) {
		tree.native->identity = image.identity;
		tree.native->hostname = given.hostname;
	}
	if (cell_wanted(&given.cell)) {
		status = cell_run_command(&command_run, &given.cell, &launch, &plan, &mechanisms, &given.root,
					  image.used ? &image : NULL);
		guest_tree_done(&tree);
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
	guest_tree_done(&tree);
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
