// SPDX-License-Identifier: Apache-2.0
/* lichen run: plans which gaps to fill for a command, and runs it. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cage_run.h"
#include "cli/cage_tell.h"
#include "cli/cage_tree.h"
#include "cli/cell_options.h"
#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/guest_image.h"
#include "cli/guest_names.h"
#include "cli/guest_root.h"
#include "cli/guest_user.h"
#include "cli/report.h"
#include "cli/run_audit.h"
#include "cli/run_learn.h"
#include "cli/words.h"
#include "host/launch.h"
#include "host/native.h"
#include "host/native_plan.h"
#include "host/plan.h"
#include "host/probe.h"
#include "lichen.h"

struct run_options {
	struct guest_options guest;
	struct guest_root root;
	struct guest_user user;
	struct guest_image_options image;
	struct cell_options cell;
	struct run_audit audit;
	struct run_learn learn;
	struct cage_options cage;
	char hostname[HOSTNAME_SIZE];
	enum guest_pid pid;
	enum launch_network network;
	bool explain, json;
};

#define HEADING(text)          \
	{                      \
		.help = (text) \
	}

static const struct option_row options[] = {
	HEADING("What the kernel lacks"),
	GUEST_GAP_OPTIONS(struct run_options, guest),
	{ .name = "explain",
	  .offset = offsetof(struct run_options, explain),
	  .help = "print the plan and its reasons to stderr, then run; without CMD: only print it, to stdout" },
	{ .name = "json", .offset = offsetof(struct run_options, json), .rare = true, .help = "let --explain print JSON" },
	HEADING("The command"),
	GUEST_PLACE_OPTIONS(struct run_options, guest),
	{ .name = "env-file",
	  .value = "FILE",
	  .offset = offsetof(struct run_options, guest.env),
	  .parse = guest_parse_env_file,
	  .rare = true,
	  .help = "set the variables that a file lists, KEY=VALUE a line" },
	GUEST_USER_OPTIONS(struct run_options, user),
	GUEST_IMAGE_OPTIONS(struct run_options, image),
	{ .name = "hostname",
	  .value = "NAME",
	  .offset = offsetof(struct run_options, hostname),
	  .parse = guest_parse_hostname,
	  .rare = true,
	  .help = "the host name that the command sees" },
	{ .name = "pid",
	  .value = "private|host",
	  .offset = offsetof(struct run_options, pid),
	  .parse = guest_parse_pid,
	  .rare = true,
	  .help = "private: it is pid 1 and sees its own processes only" },
	{ .name = "network",
	  .value = "host|none",
	  .offset = offsetof(struct run_options, network),
	  .parse = guest_parse_network,
	  .help = "none: the kernel keeps it from every network" },
	{ .name = "audit",
	  .value = "DIR",
	  .offset = offsetof(struct run_options, audit),
	  .parse = run_audit_parse,
	  .rare = true,
	  .help = "tell the log in this directory before it starts and when it ends; see lichen audit" },
	{ .name = "learn",
	  .value = "FILE",
	  .offset = offsetof(struct run_options, learn.path),
	  .rare = true,
	  .help = "write a policy for a cage: what the command, unconfined, uses" },
	CAGE_OPTIONS(struct run_options, cage),
	HEADING("Its files: of an image, or"),
	GUEST_ROOT_OPTIONS(struct run_options, root),
	HEADING("A cell: named, watched over, listed by `lichen ps`"),
	CELL_OPTIONS(struct run_options, cell),
};

static int explain(const struct plan *plan, const struct native_plan *tree, const struct cell_resources *limits,
		   char *const *command, bool json)
{
	FILE *to = command ? stderr : stdout;
	if (!json) {
		plan_print(plan, tree, command, to);
		resource_explain(limits, to);
	} else if (plan_print_json(plan, tree, command, to)) {
		fputs("lichen run: out of memory\n", stderr);
		return LICHEN_EXIT_FAILED;
	}
	return command ? 0 : command_flush(0);
}

/* All that a run is made of, from the command line to the end. Freed by run_done(). */
struct run {
	struct run_options given;
	struct plan_request request;
	struct plan plan;
	struct native_plan mechanisms;
	struct guest_image image;
	struct user_found user;
	char **argv, **env;
	char *home; /* "HOME=…" */
	struct guest_tree tree;
	struct cage_run cage;
	struct cage_inside inside; /* with a tree of its own */
	struct cage_tell tell;     /* what the cage denies */
};

static int no_memory(void)
{
	fputs("lichen run: out of memory\n", stderr);
	return LICHEN_EXIT_FAILED;
}

/* The image's tree and directory, unless the command line says otherwise. */
static int use_image(struct run *run)
{
	struct run_options *given = &run->given;
	const char *workdir = run->image.image.config.working_dir;
	char why[512];
	if (!run->image.used)
		return -1;
	given->root.directory = run->image.image.root;
	given->root.ephemeral = !given->root.upper && !cell_wanted(&given->cell);
	if (!given->guest.workdir)
		given->guest.workdir = workdir && *workdir ? workdir : "/";
	for (char **volume = run->image.image.config.volumes; *volume; volume++)
		if (mount_spec_image(&given->root.mounts, *volume, why) < 0) {
			fprintf(stderr, "lichen run: the image's volume '%.100s': %s\n", *volume, why);
			return LICHEN_EXIT_FAILED;
		}
	return -1;
}

/* Who the command is. An image's is never simply who we are. */
static int find_user(struct run *run)
{
	struct run_options *given = &run->given;
	const char *layers[2];
	u32 count = guest_root_layers(&given->root, layers);
	if (!run->image.used && !guest_user_given(&given->user))
		return -1;
	int status = guest_user_find(&command_run, &given->user, run->image.used ? run->image.image.config.user : NULL, layers,
				     count, &run->user);
	if (status >= 0)
		return status;
	if (asprintf(&run->home, "HOME=%s", run->user.home) < 0) {
		run->home = NULL;
		return no_memory();
	}
	return -1;
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

/* What is run, with which environment. *first: of the command line's words. */
static int make_command(struct run *run, char *const *words)
{
	char *const *ours = run->cage.env ? run->cage.env : environ;
	const struct run_options *given = &run->given;
	const struct image_config *config = run->image.used ? &run->image.image.config : NULL;
	run->argv = guest_command(&given->image, config, run->image.used ? run->image.words : words);
	if (config) {
		run->env = guest_image_env(config, &given->guest.env, run->home, given->cell.tty);
	} else if (run->home && !guest_env_has((char *const *)(uintptr_t)given->guest.env.words, "HOME")) {
		struct option_words home = { (const char *[]){ run->home, NULL }, 1 };
		CLEANUP_FREE char **env = guest_env(&home, ours);
		run->env = env ? guest_env(&given->guest.env, env) : NULL;
	} else {
		run->env = guest_env(&given->guest.env, ours);
	}
	if (!run->argv || !run->env)
		return no_memory();
	if (given->root.init && run->argv[0] && !guest_prepend_init(&given->root, &run->argv))
		return no_memory();
	if (config && !run->argv[0]) {
		fprintf(stderr, "lichen run: image '%s' names no command; give one\n", run->image.image.name);
		return LICHEN_EXIT_FAILED;
	}
	return -1;
}

/* What contradicts itself. -1 = nothing. */
static int check(const struct run *run)
{
	const struct run_options *given = &run->given;
	char *const *command = run->argv[0] ? run->argv : NULL;
	if (!command && !given->explain)
		return command_usage(&command_run, "there is no command to run");
	if (given->root.ephemeral && given->cell.detach)
		return command_usage(&command_run, "--ephemeral and --detach cannot be used together");
	if (given->root.directory && given->guest.workdir && *given->guest.workdir != '/')
		return command_usage(&command_run, "--workdir: in a tree of its own it must be an absolute path, not '%.100s'",
				     given->guest.workdir);
	if (given->learn.path && given->cage.policy)
		return command_usage(&command_run,
				     "--cage and --learn cannot be used together: what is learnt from is not confined");
	if (given->learn.path && cell_wanted(&given->cell))
		return command_usage(&command_run, "--learn watches one run from beginning to end, not a cell");
	if (given->json && !given->explain)
		return command_usage(&command_run, "--json needs --explain");
	if (command && !*command[0])
		return command_usage(&command_run, "the command's name is empty");
	return guest_root_check(&command_run, &given->root);
}

/* What a policy settles cannot be asked for besides. */
static const char *settled_by_policy(const struct run_options *given)
{
	return given->network == LAUNCH_NETWORK_NONE ? "--network"
	     : guest_user_given(&given->user)        ? "--user"
	     : given->pid == GUEST_PID_PRIVATE       ? "--pid=private"
	     : cell_wanted(&given->cell)             ? "an option that makes a cell"
						     : NULL;
}

/* Reads the policy, and tries what it needs. Returns -1, or the exit status. */
static int open_cage(struct run *run)
{
	struct run_options *given = &run->given;
	if (!given->cage.policy && given->cage.weaker)
		return command_usage(&command_run, "--allow-weaker needs --cage");
	if (!given->cage.policy)
		return given->learn.path ? cage_run_choose_log(NULL, &given->audit) : -1;
	if (settled_by_policy(given))
		return command_usage(&command_run, "--cage and %s cannot be used together", settled_by_policy(given));
	if (given->root.directory)
		return cage_tree_begin(&given->cage, &given->audit, &run->inside);
	return cage_run_open(&command_run, &given->cage, &given->audit, &run->cage);
}

/* Reads the command line. Returns -1, or the exit status. */
static int read_options(struct run *run, int argc, char **argv)
{
	int first, status = command_parse(&command_run, argc, argv, &run->given, &first);
	if (status < 0)
		status = guest_request(&command_run, &run->given.guest, &run->request);
	if (status < 0 && !run->given.root.directory)
		status = guest_image_begin(&command_run, argc, argv, first, &run->given.image, &run->image);
	if (status >= 0)
		return status;
	status = use_image(run);
	if (status < 0)
		status = guest_imply(&command_run, run->given.root.directory, &run->request);
	if (status < 0)
		status = refuse_names(&run->given);
	if (status < 0)
		status = find_user(run);
	if (status < 0)
		status = open_cage(run);
	if (status < 0)
		status = make_command(run, argv + first);
	return status < 0 ? check(run) : status;
}

/* What the agent's way of making a tree takes besides; its users are root's, too: another real user could not reach the store, which is closed to all
 * but us. */
static u32 implied_gaps(const struct run *run)
{
	const struct run_options *given = &run->given;
	u32 gaps = run->image.used ? GAP_BIT(GAP_identity) | GAP_BIT(GAP_namespaces) | GAP_BIT(GAP_mounts) : 0;
	if (given->hostname[0] || given->pid == GUEST_PID_PRIVATE)
		gaps |= GAP_BIT(GAP_namespaces);
	if (run->request.emulate & GAP_BIT(GAP_cgroup)) /* whose files are in a mount of the cell */
		gaps |= GAP_BIT(GAP_mounts);
	if (given->root.directory && guest_user_given(&given->user))
		gaps |= GAP_BIT(GAP_identity);
	if (run->mechanisms.overlay || (gaps & GAP_BIT(GAP_mounts)))
		gaps |= GAP_BIT(GAP_overlay);
	return gaps & ~run->request.native & ~run->request.emulate;
}

/* Probes and makes both plans; only what they depend on is probed, unless they are to be shown. Returns -1, or the exit status. */
static int make_plans(struct run *run)
{
	struct run_options *given = &run->given;
	struct plan_request *request = &run->request;
	struct gap_finding findings[GAP_COUNT] = { 0 }, finding;
	struct native_wish wish = {
		.tree = given->root.directory != NULL,
		.overlay = given->root.upper || given->root.ephemeral || run->image.used,
		.agent = given->guest.emulate.all ||
			 (given->guest.emulate.named & (NATIVE_TREE_GAPS | GAP_BIT(GAP_identity) | GAP_BIT(GAP_cgroup))),
		.kernel = given->guest.native.named & NATIVE_TREE_GAPS,
		.root = geteuid() == 0,
		.host_pids = given->pid == GUEST_PID_HOST,
		.refused = request->refuse,
	};
	char place[PATH_MAX];
	u32 probed = given->explain ? GAPS_ALL : plan_wants_probed(request, gaps_built());
	int error = probe_gaps(probed, request->refuse, findings);
	if (error) {
		fprintf(stderr, "lichen: cannot probe this host: %s (%s)\n", strerror(-error), errno_name(-error));
		return LICHEN_EXIT_FAILED;
	}
	plan_make(request, gaps_built(), probed, findings, &run->plan);
	wish.emulated = run->plan.emulated;
	bool wanted = native_plan_wants_probed(&wish);
	if (wanted)
		native_probe(guest_root_place(&given->root, wish.overlay, cell_wanted(&given->cell), place), given->root.directory,
			     &finding);
	native_plan_make(&wish, wanted ? &finding : NULL, &run->mechanisms);
	if (run->mechanisms.state != NATIVE_KERNEL && implied_gaps(run)) {
		request->implied |= implied_gaps(run);
		request->emulate |= request->implied;
		plan_make(request, gaps_built(), probed, findings, &run->plan);
	}
	if ((request->emulate & GAP_BIT(GAP_cgroup)) && !(given->guest.emulate.named & GAP_BIT(GAP_mounts)))
		(void)snprintf(run->plan.rows[GAP_mounts].reason, sizeof(run->plan.rows[GAP_mounts].reason),
			       "gap cgroup needs it: control groups are mounted in the cell's tree");
	run->mechanisms.namespaces = run->plan.emulated & GAP_BIT(GAP_namespaces);
	given->root.native = run->mechanisms.state == NATIVE_KERNEL;
	return -1;
}

/* Shows the plans, if that is asked for, and whether they can be followed. Returns -1, or the exit status. */
static int show_plans(const struct run *run)
{
	char *const *command = run->argv[0] ? run->argv : NULL;
	int status = run->given.explain
			   ? explain(&run->plan, &run->mechanisms, &run->given.cell.resources.limits, command, run->given.json)
			   : 0;
	if (status || !command)
		return status;
	if (run->mechanisms.state != NATIVE_REFUSED)
		return -1;
	fprintf(stderr, "lichen run: the kernel gives no root here, and --native forbids the agent: %s\n", run->mechanisms.reason);
	return LICHEN_EXIT_FAILED;
}

/* What the log is told of the command. */
static void describe(struct run *run)
{
	static const char *const trees[] = { [NATIVE_MACHINE] = "machine", [NATIVE_KERNEL] = "kernel", [NATIVE_AGENT] = "agent" };
	struct run_options *given = &run->given;
	given->audit.command = (struct audit_command){
		.argv = run->argv,
		.workdir = given->guest.workdir,
		.image = run->image.used ? run->image.image.name : NULL,
		.root = given->root.directory,
		.user = given->user.user,
		.host = run->inside.begun ? run->inside.machine.nodename : NULL,
		.tree = trees[run->mechanisms.state],
		.plan = &run->plan,
	};
}

/* A run without a cell, between its two entries in the log if that is asked for. */
struct audited {
	struct run *run;
	const struct launch *launch;
	bool asked, begun; /* whether its start is to be told, and is */
	int limit;         /* the exit status of one that ended it */
	bool denied;       /* it could not be started since the cage refuses its program, and that has been told */
};

/* Durably, before the command executes anything. */
static int tell_start(void *data, struct launch_result *result)
{
	struct audited *audited = data;
	struct run *run = audited->run;
	struct run_options *given = &run->given;
	audited->asked = true;
	if (run->cage.cage && cage_run_describe(&run->cage, &given->audit) < 0) {
		*result = (struct launch_result){ .status = LICHEN_EXIT_FAILED, .stage = "writing the audit log", .error = ENOMEM };
		return -ENOMEM;
	}
	int r = run_audit_starting(&given->audit, result);
	audited->begun = r == 0;
	return r == 0 && given->learn.path ? run_audit_learning(&given->audit, &given->learn, result) : r;
}

static int tell_end(struct audited *audited, bool failed, struct launch_result *result)
{
	struct run *run = audited->run;
	const char *refused = failed && run->cage.cage ? cage_refused_program(run->cage.cage) : "";
	if (!audited->begun)
		return 0;
	audited->limit = cage_run_limit(&run->cage, &run->given.audit);
	audited->denied = *refused && cage_tell_program(&run->tell, refused);
	return run_audit_ended(&run->given.audit, result);
}

static void sweep(void *data)
{
	struct run *run = ((struct audited *)data)->run;
	cage_tmp_sweep(&run->given.learn.tmp);
	cage_tmp_sweep(&run->cage.tmp);
}

static int launch_audited(struct run *run, const struct launch *launch)
{
	struct run_options *given = &run->given;
	struct audited audited = { .run = run, .launch = launch };
	const struct launch_hooks hooks = { .permit = tell_start, .released = sweep, .data = &audited };
	struct launch_result result = { .status = LICHEN_EXIT_FAILED }, failed;
	struct launch inside = *launch;
	if (given->audit.path[0])
		inside.hooks = &hooks;
	int r = run->cage.cage ? cage_launch(run->cage.cage, &inside, &result) : launch_run(&inside, &result);
	if (r < 0 && given->audit.path[0] && !audited.asked && tell_start(&audited, &failed) < 0)
		result = failed; /* it did not come so far; the log is told all the same */
	int end = tell_end(&audited, r < 0, &result), limit = audited.limit;
	r = audited.denied ? 0 : r;
	if (r < 0 || end < 0)
		guest_say_failure(run->argv[0], given->guest.workdir, &result);
	if (run->cage.cage && *cage_network_problem(run->cage.cage))
		fprintf(stderr, "lichen: the network of the cage was gone: %s\n", cage_network_problem(run->cage.cage));
	if (run->cage.cage)
		return cage_tell_end(&run->tell, limit ? limit : result.status, r < 0 || end < 0 || limit);
	if (r == 0 && given->learn.path) {
		int status = run_learn_end(&command_run, &given->learn);
		if (status >= 0)
			return status;
	}
	return limit ? limit : result.status;
}

/* Lets what the cage refuses be recorded. 0, or -ENOMEM. */
static int tell_denials(struct run *run, struct launch *launch)
{
	u64 refused[TRACE_NUMBERS_SIZE] = { 0 };
	const struct cage_proxy_reader network = { cage_tell_network, &run->tell };
	cage_refused_calls(run->cage.cage, refused);
	cage_hear_network(run->cage.cage, &network);
	return cage_tell_begin(&run->tell, run->cage.policy, refused, cage_hides(run->cage.cage), run->given.audit.path,
			       &run->given.audit.run, launch);
}

/* Lets lichen enter the tree, where the cage is. Returns -1, or the exit status. */
static int enter_cage(struct run *run, struct launch *launch)
{
	const struct native_root *native = run->tree.native;
	const struct run_options *given = &run->given;
	const struct user_found *user = run->image.used ? &run->user : NULL;
	int status = cage_tree_enter(&run->inside, native, user, given->cage.weaker, &run->given.audit, &run->cage);
	if (status >= 0)
		return status;
	char **env = cage_tree_env(&run->cage, run->image.used ? run->env : NULL, &given->guest.env);
	if (!env)
		return no_memory();
	free((void *)run->env);
	launch->envp = run->env = env;
	launch->workdir = native ? native->workdir : NULL;
	launch->native = NULL;
	launch->become = false;
	return -1;
}

/* Runs it. Returns the exit status. */
static int execute(struct run *run)
{
	struct run_options *given = &run->given;
	bool in_cell = cell_wanted(&given->cell); /* which has a place for what the tree needs, and a name */
	if (run->image.used && !in_cell && (given->root.native || (run->plan.emulated & GAP_BIT(GAP_namespaces)))) {
		if (!given->hostname[0])
			guest_random_hostname(given->hostname);
		given->root.hostname = given->hostname;
	}
	int status = run->inside.begun ? cage_tree_check(&run->inside, &run->mechanisms) : -1;
	if (status < 0 && !in_cell)
		status = guest_root_stage(&command_run, &given->root, given->guest.workdir, &run->tree);
	if (status >= 0)
		return status;
	struct launch launch = {
		.argv = run->argv,
		.envp = run->env,
		.emulate = run->plan.emulated,
		.forced = run->request.emulate,
		.refuse = run->plan.refused_natively,
		.workdir = given->guest.workdir,
		.identity = run->user.identity,
		.become = guest_user_given(&given->user),
		.network = given->network,
		.tree = run->tree.agent,
		.native = run->tree.native,
	};
	launch.namespaces.pids = given->pid == GUEST_PID_DEFAULT ? run->image.used : given->pid == GUEST_PID_PRIVATE;
	memcpy(launch.namespaces.hostname, given->hostname, sizeof(given->hostname));
	if (run->tree.native) {
		run->tree.native->identity = run->user.identity;
		run->tree.native->hostname = given->hostname;
	}
	if (run->inside.begun) {
		status = enter_cage(run, &launch);
		if (status >= 0)
			return status;
	}
	given->cell.user = given->user.user;
	if (given->audit.path[0]) {
		describe(run);
		given->cell.audit = &given->audit;
	}
	if (given->learn.path) {
		status = run_learn_begin(&command_run, &given->learn, &launch);
		if (status >= 0)
			return status;
	}
	if (run->cage.cage && tell_denials(run, &launch) < 0)
		return no_memory();
	if (in_cell)
		return cell_run_command(&command_run, &given->cell, &launch, &run->plan, &run->mechanisms, &given->root,
					run->image.used ? &run->image : NULL);
	return launch_audited(run, &launch);
}

static void run_done(struct run *run)
{
	struct guest_root *root = &run->given.root;
	cage_run_close(&run->cage);
	cage_tree_end(&run->inside);
	guest_root_end(root);
	guest_image_end(&run->image);
	cell_options_done(&run->given.cell);
	guest_tree_done(&run->tree);
	run_learn_done(&run->given.learn);
	free((void *)run->argv);
	free((void *)run->env);
	free(run->home);
	free((void *)run->given.guest.env.words);
	free((void *)run->given.user.groups.words);
	mount_specs_done(&root->mounts);
	free((void *)root->hosts.words);
	free((void *)root->dns.words);
	free((void *)root->dns_search.words);
	free((void *)root->dns_options.words);
}

/* Not on the stack, which may be small (ulimit -s): it holds paths. */
static int run(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	if (!run)
		return no_memory();
	int status = read_options(run, argc, argv);
	if (status < 0)
		status = make_plans(run);
	if (status < 0)
		status = show_plans(run);
	if (status < 0)
		status = execute(run);
	run_done(run);
	free(run);
	return status;
}

static const char *const notes[] = {
	"Gaps are the features that 'lichen doctor' names. What works here is never touched unless --emulate asks for it.",
	"Exit status: that of CMD, 128+n when signal n ended it; 125 lichen failed, 126 CMD cannot be executed, 127 no such CMD; 74 the "
	"audit log could not be written, 65 it is broken; with --cage: 77 something was denied, 69 the host lacks a layer, 78 the policy is wrong, 124 a limit of time "
	"ended it.",
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
