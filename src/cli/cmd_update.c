// SPDX-License-Identifier: Apache-2.0
/* lichen update and lichen rename: what a cell was made with, changed. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cell_options.h"
#include "cli/cells.h"
#include "cli/words.h"
#include "host/cell_cgroup.h"
#include "host/cell_control.h"
#include "host/cell_name.h"
#include "lichen.h"

#define ANSWER_MS 10000

struct update_options {
	struct cell_restart_policy restart;
	struct resource_options resources;
};

static const struct option_row options[] = {
	{ .name = "restart",
	  .value = "POLICY",
	  .offset = offsetof(struct update_options, restart),
	  .parse = cell_parse_restart,
	  .help = "no, on-failure[:N], always, unless-stopped: start CMD again when it ends" },
	RESOURCE_OPTIONS(struct update_options, resources, false),
};

/* The limits as they shall be: those that were given, over those that there are. */
static void merge(const struct resource_options *given, struct cell_resources *limits)
{
	if (given->given & 1u << CELL_MEMORY)
		limits->memory = given->limits.memory;
	if (given->given & RESOURCE_SWAP)
		limits->memory_swap = given->limits.memory_swap;
	if (given->given & 1u << CELL_CPUS)
		limits->cpus = given->limits.cpus;
	if (given->given & 1u << CELL_PIDS)
		limits->pids = given->limits.pids;
	if (given->given & 1u << CELL_CPUSET)
		memcpy(limits->cpuset, given->limits.cpuset, sizeof(limits->cpuset));
}

/* How a limit is kept from now on. The processes of a cell that runs are in the cgroups that it began with, and in no others. */
static void plan(const struct cell_found *found, const struct resource_options *given, const struct cell_resources *limits,
		 struct cell_enforcement *by)
{
	struct cell_resources asked = *limits;
	struct cell_enforcement fresh;
	struct cell_cgroup cgroup;
	bool runs = found->state.status == CELL_RUNNING;
	cell_cgroup_load(found->dir, &cgroup);
	if (runs) { /* nothing has to be tried */
		fresh = *by;
		for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
			if (given->given & 1u << i && i != CELL_CPUSET)
				fresh.by[i] = cgroup.path[i][0] ? CELL_BY_CGROUP : CELL_SAMPLED;
		if (given->given & 1u << CELL_CPUSET)
			fresh.by[CELL_CPUSET] = CELL_BY_AFFINITY;
		snprintf(fresh.why, sizeof(fresh.why), "the cell runs, and began without a cgroup for it");
	} else {
		cell_resources_plan(&asked, &fresh);
	}
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (!cell_resource_given(limits, i))
			fresh.by[i] = runs && cgroup.path[i][0] ? CELL_BY_CGROUP : CELL_UNLIMITED;
	*by = fresh;
}

static int update(int store, const char *word, const struct cell_found *found, const struct update_options *given)
{
	struct cell_resources limits;
	struct cell_enforcement by;
	struct cell_reply reply;
	json_t *members = json_object();
	cell_resources_read(found->config, &limits, &by);
	if (given->resources.given) {
		merge(&given->resources, &limits);
		if (resource_conflict(&limits)) {
			json_decref(members);
			return cells_say(&command_update, word, "%s", resource_conflict(&limits));
		}
		plan(found, &given->resources, &limits, &by);
		resource_say(&command_update, &given->resources.limits, &by);
		json_object_set_new(members, "resources", cell_resources_json(&limits, &by));
	}
	if (given->restart.given) {
		json_object_set_new(members, "restart", json_string(cell_restart_name(given->restart.restart)));
		json_object_set_new(members, "restart_max", json_integer(given->restart.max));
	}
	int r = given->restart.given && given->restart.restart != CELL_RESTART_NO &&
				json_is_true(json_object_get(found->config, "remove"))
		      ? -EINVAL
		      : cell_store_change(store, found->id, members);
	json_decref(members);
	if (r == -EINVAL)
		return cells_say(&command_update, word, "--rm and --restart contradict each other");
	if (r == 0 && (found->state.status == CELL_RUNNING || found->state.status == CELL_RESTARTING))
		r = cell_control_ask(found->dir, CELL_UPDATE, 0, ANSWER_MS, &reply, NULL, NULL);
	if (r == -EBUSY)
		return cells_say(&command_update, word, "it uses more memory than that");
	if (r < 0 && r != -ESRCH)
		return cells_say(&command_update, word, "%s (%s)", strerror(-r), errno_name(-r));
	puts(word);
	return 0;
}

static int update_one(int store, const char *word, void *data)
{
	struct cell_found found;
	if (cells_find(&command_update, store, word, &found) < 0)
		return CELLS_FAILED;
	int status =
		found.config ? update(store, word, &found, data) : cells_say(&command_update, word, "its config.json is damaged");
	cells_done(&found);
	return status;
}

static int run_update(int argc, char **argv)
{
	struct update_options given = { 0 };
	int first, status = command_parse(&command_update, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_update, "which cell?");
	if (!given.restart.given && !given.resources.given)
		return command_usage(&command_update, "what shall be changed?");
	return cells_each(&command_update, argc - first, argv + first, update_one, &given);
}

static int run_rename(int argc, char **argv)
{
	struct cell_found found;
	int first, status = command_parse(&command_rename, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (argc - first != 2)
		return command_usage(&command_rename, "it takes a cell and its new name");
	const char *word = argv[first], *name = argv[first + 1];
	if (!cell_name_valid(name))
		return command_usage(
			&command_rename,
			"a cell cannot be called '%.100s': letters, digits and _.-, a letter or digit first, at most %u", name,
			CELL_NAME_MAX);
	CLEANUP_FD int store = cells_open(&command_rename);
	if (store < 0 || cells_find(&command_rename, store, word, &found) < 0)
		return CELLS_FAILED;
	json_t *members = json_pack("{s:s}", "name", name);
	int r = members ? cell_store_change(store, found.id, members) : -ENOMEM;
	json_decref(members);
	cells_done(&found);
	if (r == -EEXIST)
		return cells_say(&command_rename, word, "there is a cell called '%s' already", name);
	return r < 0 ? cells_say(&command_rename, word, "%s (%s)", strerror(-r), errno_name(-r)) : 0;
}

const struct command command_update = {
	.name = "update",
	.synopsis = "[OPTION…] CELL…",
	.summary = "Changes limits and the restart policy of cells",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run_update,
};

const struct command command_rename = {
	.name = "rename",
	.synopsis = "CELL NAME",
	.summary = "Gives a cell another name",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run_rename,
};
