// SPDX-License-Identifier: Apache-2.0
/* lichen run, when its options ask for a cell. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cell_options.h"
#include "cli/cells.h"
#include "cli/image_words.h"
#include "cli/run_audit.h"
#include "host/attach.h"
#include "host/cell_log.h"
#include "host/cell_monitor.h"
#include "host/cell_name.h"
#include "host/cell_tree.h"
#include "host/native.h"
#include "lichen.h"

/* The directory that the command starts in, absolute. NULL after saying what is wrong. */
static char *absolute_workdir(const char *given)
{
	char *here = given && *given == '/' ? strdup("") : getcwd(NULL, 0), *path = NULL;
	if (!here) {
		fprintf(stderr, "lichen run: cannot tell the working directory: %s (%s); use --workdir\n", strerror(errno),
			errno_name(errno));
		return NULL;
	}
	if (asprintf(&path, "%s%s%s", here, *here && given ? "/" : "", given ? given : "") < 0)
		path = NULL;
	free(here);
	return path;
}

static struct cell_config config_of(const struct cell_options *given, const struct launch *launch, const struct plan *plan)
{
	struct cell_config config = {
		.argv = launch->argv,
		.env = launch->envp,
		.workdir = launch->workdir,
		.labels = given->labels.words,
		.limits = given->limits.limits,
		.limit_count = given->limits.count,
		.stop_signal = given->stop_signal ? given->stop_signal : SIGTERM,
		.stop_timeout = given->stop_timeout ? (u32)(given->stop_timeout - 1) : 10,
		.restart = given->restart.restart,
		.restart_max = given->restart.max,
		.detached = given->detach,
		.remove = given->remove,
		.interactive = given->interactive,
		.tty = given->tty,
		.log_size = given->log_size ? (u64)given->log_size : CELL_LOG_SIZE_DEFAULT,
		.plan = plan,
	};
	if (given->name)
		snprintf(config.name, sizeof(config.name), "%s", given->name);
	return config;
}

/* What contradicts itself. -1 = nothing. */
static int refuse(const struct command *command, const struct cell_options *given)
{
	if (given->name && !cell_name_valid(given->name))
		return command_usage(
			command, "a cell cannot be called '%.100s': letters, digits and _.-, a letter or digit first, at most %u",
			given->name, CELL_NAME_MAX);
	if (given->remove && given->restart.restart != CELL_RESTART_NO)
		return command_usage(command, "--rm and --restart contradict each other");
	if (resource_conflict(&given->resources.limits))
		return command_usage(command, "%s", resource_conflict(&given->resources.limits));
	if (given->tty && given->interactive && !given->detach && !isatty(STDIN_FILENO))
		return command_usage(command, "--tty and --interactive: standard input is no terminal");
	return -1;
}

static int say_not_made(const char *name, int error)
{
	if (error == -EEXIST)
		fprintf(stderr, "lichen run: there is a cell called '%s' already; `lichen rm %s` removes it\n", name, name);
	else
		fprintf(stderr, "lichen run: cannot make the cell: %s (%s)\n", strerror(-error), errno_name(-error));
	return LICHEN_EXIT_FAILED;
}

/* With a terminal: the cell runs in the background, and we are attached to it. */
static int start_attached(struct cell_run *run, const struct cell_options *given, const char *program)
{
	struct launch_result result = { .status = LICHEN_EXIT_FAILED };
	struct attach attach = { .terminal = true, .input = given->interactive, .ours = true, .keys = cells_keys(&given->keys) };
	if (cell_monitor_detach(run, &attach.connection, &result)) {
		guest_say_failure(program, run->launch.workdir, &result);
		return result.status;
	}
	int r = attach_run(&attach, &result.status);
	close(attach.connection);
	if (r == ATTACH_DETACHED)
		cells_say_detached(&command_run, "the cell", run->config->name);
	if (r == ATTACH_LOST || r < 0)
		fprintf(stderr, "lichen run: %s\n",
			r < 0 ? strerror(-r) : "the cell's monitor was killed: how the command ended is not known");
	return r == ATTACH_LOST || r < 0 ? LICHEN_EXIT_FAILED : result.status;
}

static int start(struct cell_run *run, const struct cell_options *given, const char *program)
{
	struct launch_result result = { .status = LICHEN_EXIT_FAILED };
	const struct cell_config *config = run->config;
	if (config->tty && !config->detached)
		return start_attached(run, given, program);
	if (config->detached ? cell_monitor_detach(run, NULL, &result) : cell_monitor_run(run, &result)) {
		guest_say_failure(program, run->launch.workdir, &result);
		return result.status;
	}
	if (!config->detached)
		return result.status;
	puts(config->id);
	return command_flush(0);
}

/* Keeps the image as long as the cell is there. Returns -1, or the exit status after saying why not. */
static int pin_image(const struct command *command, const struct guest_image *image, const char *dir)
{
	struct image_store store;
	struct image_error why;
	int status = image_store_begin(command, &store);
	if (status)
		return status;
	int error = image_pin(&store, &image->image, dir, &why);
	store_close(&store);
	return error ? image_say(command, error, &why) : -1;
}

/* A cell's tree: what it needs for itself, and what an image's command changes, is kept beside the cell's other files. Returns -1, or the exit
 * status after saying why not. */
static int stage_tree(const struct command *command, const char *id, struct guest_root *root, const struct guest_image *image,
		      const char *workdir, struct guest_tree *ret)
{
	char state[PATH_MAX], dir[PATH_MAX + CELL_ID_SIZE + 8], upper[sizeof(dir) + 8], work[sizeof(dir) + 8],
		scratch[sizeof(dir) + 8];
	CLEANUP_FD int again = cell_store_open(state);
	bool own_upper = image && !root->upper;
	if (again < 0)
		return say_not_made(NULL, again);
	(void)snprintf(dir, sizeof(dir), "%s/cells/%s", state, id);
	(void)snprintf(upper, sizeof(upper), "%s/upper", dir);
	(void)snprintf(work, sizeof(work), "%s/work", dir);
	(void)snprintf(scratch, sizeof(scratch), "%s/scratch", dir);
	int status = image ? pin_image(command, image, dir) : -1;
	if (status >= 0)
		return status;
	root->scratch = scratch;
	if (own_upper) {
		root->upper = upper;
		root->work = work;
	}
	status = guest_root_stage(command, root, workdir, ret);
	if (own_upper)
		root->upper = root->work = NULL;
	root->scratch = NULL;
	return status;
}

struct tree_paths {
	char root[PATH_MAX], upper[PATH_MAX], work[PATH_MAX], id[DIGEST_TEXT_SIZE], manifest[DIGEST_TEXT_SIZE];
};

/* What config.json keeps of the tree. */
static struct cell_tree tree_of(const struct guest_root *root, const struct launch *launch, const struct guest_image *image,
				struct tree_paths *paths)
{
	struct cell_tree tree = {
		.mounts = &root->mounts,
		.hosts = root->hosts.words,
		.dns = root->dns.words,
		.dns_search = root->dns_search.words,
		.dns_options = root->dns_options.words,
		.read_only = root->read_only,
		.identity = launch->identity,
	};
	if (!root->directory || !realpath(root->directory, paths->root))
		return (struct cell_tree){ 0 };
	tree.root = paths->root;
	if (image) {
		tree.image = image->image.name;
		tree.image_id = digest_text(&image->image.id, paths->id);
		tree.manifest = digest_text(&image->image.manifest, paths->manifest);
	}
	if (root->ephemeral) {
		(void)snprintf(paths->upper, sizeof(paths->upper), "scratch/upper"); /* of the cell's directory */
		(void)snprintf(paths->work, sizeof(paths->work), "scratch/work");
	} else if (root->upper) {
		if (!realpath(root->upper, paths->upper)) /* an image's is made later on */
			(void)snprintf(paths->upper, sizeof(paths->upper), "%.2000s/%.2000s",
				       *root->upper != '/' && getcwd(paths->work, sizeof(paths->work)) ? paths->work : "",
				       root->upper);
		(void)snprintf(paths->work, sizeof(paths->work), "%.4000s.work", paths->upper);
	} else if (image) {
		(void)snprintf(paths->upper, sizeof(paths->upper), "upper"); /* of the cell's directory */
		(void)snprintf(paths->work, sizeof(paths->work), "work");
	} else {
		return tree;
	}
	tree.upper = paths->upper;
	tree.work = paths->work;
	return tree;
}

/* Makes the file that --cidfile names, so that it is known to be new. A descriptor, or negative: FD_NONE, none was asked for; else it has been said why not. */
static int make_cidfile(const char *path)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : FD_NONE;
	if (!path || fd >= 0)
		return fd;
	if (errno == EEXIST)
		fprintf(stderr,
			"lichen run: the file '%s' is there already: of another cell, or left over; remove it (--cidfile)\n", path);
	else
		fprintf(stderr, "lichen run: cannot write '%s': %s (%s)\n", path, strerror(errno), errno_name(errno));
	return -1;
}

static bool write_id(int fd, const char *id)
{
	return fd < 0 || write(fd, id, strlen(id)) == (ssize_t)strlen(id);
}

/* All that a cell is made of, from the command line to the start of its command. */
struct making {
	const struct command *command;
	const struct cell_options *given;
	const struct launch *launch;
	struct guest_root *root;
	const struct guest_image *image; /* NULL = none */
	struct cell_config config;       /* points to what follows */
	struct tree_paths paths;
	struct cell_tree kept;
	struct cell_enforcement enforcement;
	struct cell_run run;
	struct cell_recorder recorder;
	struct guest_tree tree;
	char **env; /* cells_env() */
};

/* What config.json says of the cell. */
static void describe(struct making *making, const struct plan *plan, const struct native_plan *mechanisms)
{
	const struct cell_options *given = making->given;
	const struct guest_image *image = making->image;
	int its_signal = image ? cell_signal_number(image->image.config.stop_signal) : 0;
	making->config = config_of(given, &making->run.launch, plan);
	making->config.user = given->user;
	making->config.init = making->root->init;
	making->config.network_none = making->launch->network == LAUNCH_NETWORK_NONE;
	if (!given->stop_signal && its_signal)
		making->config.stop_signal = its_signal;
	making->kept = tree_of(making->root, making->launch, image, &making->paths);
	making->config.tree = &making->kept;
	making->config.mechanisms = mechanisms;
	cell_resources_plan(&given->resources.limits, &making->enforcement);
	resource_say(making->command, &given->resources.limits, &making->enforcement);
	making->config.resources = &given->resources.limits;
	making->config.enforcement = &making->enforcement;
	making->run.config = &making->config;
}

/* What its id is needed for: the host name, the tree, the environment, --cidfile. Returns -1, or the exit status. */
static int prepare(struct making *making, bool named, int cidfile)
{
	struct launch *launch = &making->run.launch;
	const char *id = making->config.id;
	if (named && !launch->namespaces.hostname[0])
		memcpy(launch->namespaces.hostname, id, CELL_ID_SIZE);
	if (making->root->directory) {
		making->root->hostname = named ? launch->namespaces.hostname : NULL;
		int status = stage_tree(making->command, id, making->root, making->image, launch->workdir, &making->tree);
		making->root->hostname = NULL;
		if (status >= 0)
			return status;
	}
	making->env = cells_env(launch->envp, id);
	if (!making->env)
		return say_not_made(making->config.name, -ENOMEM);
	return write_id(cidfile, id) ? -1 : say_not_made(making->config.name, -errno);
}

/* Starts its command. Returns the exit status. */
static int run_made(struct making *making)
{
	const struct cell_options *given = making->given;
	struct native_root *native = making->tree.native;
	if (given->audit) {
		given->audit->command.cell = making->config.id;
		given->audit->command.cell_name = making->config.name;
		making->recorder = (struct cell_recorder){ run_audit_starting, run_audit_ended, given->audit };
		making->run.recorder = &making->recorder;
	}
	if (native) {
		native->identity = making->launch->identity;
		native->temporary |= given->remove && !making->root->upper;
		native->hostname = making->run.launch.namespaces.hostname;
	}
	making->run.launch.tree = making->tree.agent;
	making->run.launch.native = native;
	making->run.launch.envp = making->env;
	return start(&making->run, given, making->launch->argv[0]);
}

int cell_run_command(const struct command *command, const struct cell_options *given, const struct launch *launch,
		     const struct plan *plan, const struct native_plan *mechanisms, struct guest_root *root,
		     const struct guest_image *image)
{
	struct making making = {
		.command = command, .given = given, .launch = launch, .root = root, .image = image, .run = { .launch = *launch }
	};
	bool named = image && ((plan->emulated & GAP_BIT(GAP_namespaces)) || mechanisms->state == NATIVE_KERNEL);
	int status = refuse(command, given);
	if (status >= 0)
		return status;
	CLEANUP_FD int store = cells_open(command);
	CLEANUP_FREE char *workdir = store < 0       ? NULL
				   : root->directory ? strdup(launch->workdir ? launch->workdir : "/")
						     : absolute_workdir(launch->workdir);
	if (!workdir)
		return LICHEN_EXIT_FAILED;
	making.run.store = store;
	making.run.launch.workdir = workdir;
	CLEANUP_FD int cidfile = make_cidfile(given->cidfile);
	if (given->cidfile && cidfile < 0)
		return LICHEN_EXIT_FAILED;
	describe(&making, plan, mechanisms);
	int r = cell_store_create(store, &making.config, &making.run.dir, &making.run.monitor);
	status = r < 0 ? say_not_made(making.config.name, r) : prepare(&making, named, cidfile);
	if (status < 0) {
		status = run_made(&making);
	} else {
		if (r == 0)
			cell_store_remove(store, making.config.id, true);
		if (given->cidfile)
			unlink(given->cidfile);
	}
	if (making.env)
		cells_env_free(making.env);
	guest_tree_done(&making.tree);
	return status;
}
