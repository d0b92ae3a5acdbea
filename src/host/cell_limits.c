/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor does about limits, and a cell that stands still. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cell_monitor_int.h"
#include "host/cell_store.h"
#include "host/supervise.h"

int monitor_read_limits(struct monitor *monitor)
{
	json_t *config = NULL;
	const char *restart;
	int r = cell_store_config(monitor->run->dir, &config);

	if (r < 0)
		return r;
	restart = json_string_value(json_object_get(config, "restart"));
	monitor->restart = CELL_RESTART_NO;
	for (enum cell_restart i = CELL_RESTART_NO; restart && i <= CELL_RESTART_UNLESS_STOPPED; i++)
		if (strcmp(restart, cell_restart_name(i)) == 0)
			monitor->restart = i;
	monitor->restart_max = (u32)json_integer_value(json_object_get(config, "restart_max"));
	cell_resources_read(config, &monitor->resources, &monitor->enforcement);
	json_decref(config);
	return 0;
}

/* --cpuset-cpus of those that run; a child that is just being made may miss it. */
static void choose_processors(const struct monitor *monitor)
{
	struct cell_process *all = NULL;
	cpu_set_t cpus;
	int count;

	if (!monitor->resources.cpuset[0] || cell_cpuset_parse(monitor->resources.cpuset, &cpus) < 0)
		return;
	count = cell_processes(monitor->run->config->id, getpid(), monitor_search(monitor), &all, NULL);
	for (int i = 0; all && i < count; i++) {
		char path[64];
		const struct dirent *entry;
		DIR *tasks;

		(void)snprintf(path, sizeof(path), "/proc/%d/task", all[i].pid);
		tasks = opendir(path);
		while (tasks && (entry = readdir(tasks)))
			if (entry->d_name[0] != '.')
				(void)sched_setaffinity((pid_t)strtol(entry->d_name, NULL, 10), sizeof(cpus), &cpus);
		if (tasks)
			(void)closedir(tasks);
	}
	free(all);
}

int monitor_update(struct monitor *monitor)
{
	int r = monitor_read_limits(monitor);

	if (r == 0)
		r = cell_cgroup_set(&monitor->cgroup, &monitor->resources);
	if (r == 0 && monitor->guest)
		choose_processors(monitor);
	return r;
}

int monitor_limits_begin(struct monitor *monitor)
{
	int r = cell_cgroup_make(monitor->run->config->id, &monitor->resources, &monitor->enforcement, &monitor->cgroup);

	monitor->state.flags = 0;
	monitor->sampler =
		(struct cell_sampler){ .id = monitor->run->config->id, .limits = &monitor->resources, .by = &monitor->enforcement };
	return r < 0 ? r : cell_cgroup_save(&monitor->cgroup, monitor->run->dir);
}

void monitor_limits_end(struct monitor *monitor)
{
	if (cell_cgroup_oom_kills(&monitor->cgroup) || monitor->sampler.killed_for_memory)
		monitor->state.flags |= CELL_OOM_KILLED;
	monitor->state.flags &= ~(u32)CELL_PAUSED;
	cell_sampler_end(&monitor->sampler);
	free(monitor->held.pids); /* they are gone */
	monitor->held = (struct cell_held){ 0 };
	cell_cgroup_remove(&monitor->cgroup);
	memset(&monitor->cgroup, 0, sizeof(monitor->cgroup));
	(void)unlinkat(monitor->run->dir, "cgroup", 0);
}

int monitor_tick(void *data)
{
	struct monitor *monitor = data;

	if (!cell_sampled(&monitor->enforcement) || monitor->held.count)
		return -1;
	if (monitor->enforcement.by[CELL_CPUS] == CELL_SAMPLED)
		monitor->supervisor->held = true;
	monitor->sampler.search = monitor_search(monitor);
	return cell_sampler_tick(&monitor->sampler);
}

/* --- standing still --------------------------------------------------------------------------------------------------------------------- */

static int stand(struct monitor *monitor)
{
	if (!monitor->guest)
		return -ESRCH;
	monitor->supervisor->held = true; /* for good: a stop that is seen late is ours, too */
	return cell_hold(monitor->run->config->id, monitor_search(monitor), &monitor->held);
}

static void go_on(struct monitor *monitor)
{
	if (monitor->holders || monitor->state.flags & CELL_PAUSED)
		return;
	cell_release(&monitor->held);
	monitor->sampler.last = 0; /* the time that it stood is not paid for */
}

int monitor_pause(struct monitor *monitor)
{
	int r = monitor->state.flags & CELL_PAUSED ? -EALREADY : stand(monitor);

	if (r < 0)
		return r;
	monitor->state.flags |= CELL_PAUSED;
	monitor_write_state(monitor);
	return 0;
}

int monitor_resume(struct monitor *monitor)
{
	if (!(monitor->state.flags & CELL_PAUSED))
		return -EALREADY;
	monitor->state.flags &= ~(u32)CELL_PAUSED;
	go_on(monitor);
	monitor_write_state(monitor);
	return 0;
}

int monitor_hold(struct monitor *monitor)
{
	int r = stand(monitor);

	if (r == 0)
		monitor->holders++;
	return r;
}

void monitor_let_go(struct monitor *monitor)
{
	monitor->holders--;
	go_on(monitor);
}
