/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a pid namespace whose init was killed: its members are, as the kernel does (zap_pid_ns_processes()). Agents that bear a child look whether the
 * namespace is dead after they have noted the child in the commons, so one pass over what is noted finds all. The commons are the guest's:
 * nobody is killed but who executes the cell's agent.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "abi/view_state.h"
#include "host/broker_int.h"

void broker_knows_members(struct broker *broker, struct view_state *views, int agent)
{
	broker->views = views;
	broker->agent = agent;
}

static bool is_below(const struct view_state *views, u32 space, u32 above)
{
	for (u32 i = 0; i < PID_LEVELS_MAX && space && space != above && space < PID_SPACES_MAX; i++)
		space = views->pid_space[space].parent;
	return space == above;
}

static bool is_member(const struct stat *agent, s32 pid)
{
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return pid > 1 && stat(path, &st) == 0 && st.st_dev == agent->st_dev && st.st_ino == agent->st_ino;
}

void broker_space_ends(struct broker *broker, u32 space)
{
	struct view_state *views = broker->views;
	struct stat agent;

	__atomic_store_n(&views->pid_space[space].dead, 1, __ATOMIC_SEQ_CST);
	if (fstat(broker->agent, &agent) < 0)
		return;
	for (u32 i = 0; i < VIEW_TASKS_MAX; i++) {
		u64 at = __atomic_load_n(&views->task[i], __ATOMIC_SEQ_CST);
		u32 row = (u32)at < VIEWS_MAX ? (u32)at : 0, of = at & VIEW_ENDED ? (u32)at & ~VIEW_ENDED : views->view[row].pid;

		if (at && is_below(views, of, space) && is_member(&agent, (s32)(at >> 32)))
			(void)kill((pid_t)(at >> 32), SIGKILL);
	}
}
