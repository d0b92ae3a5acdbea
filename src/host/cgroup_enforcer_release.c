// SPDX-License-Identifier: Apache-2.0
/*
 * notify_on_release and release_agent of v1: cgroups(7), kernel/cgroup/cgroup-v1.c. A group that somebody has been in, or that has lost a group, is
 * looked at once more when nobody is in it: so what came and went between two looks is not missed. A release_agent that cannot be started is forgotten.
 */
#include <stdio.h>
#include <string.h>

#include "host/cgroup_enforcer_int.h"
#include "host/launch_aside.h"

static bool has_groups(const struct cgroup_state *s, u32 group)
{
	for (u32 i = 1; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		if (i != group && s->group[i].parent == group &&
		    __atomic_load_n(&s->group[i].state, __ATOMIC_ACQUIRE) != CGROUP_FREE)
			return true;
	return false;
}

void cgroup_release(struct cgroup_enforcer *e, u32 group, bool populated)
{
	const struct cgroup_state *s = e->state;
	struct cgroup *g = &e->state->group[group];
	char agent[sizeof(s->tree[0].release_agent)], path[GROUP_PATH_SIZE];
	char home[] = "HOME=/", search[] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin";
	char *argv[] = { agent, path, NULL }, *envp[] = { home, search, NULL };

	if (populated || !__atomic_exchange_n(&g->count[CGROUP_COUNT_RELEASABLE], 0, __ATOMIC_ACQ_REL))
		return;
	(void)snprintf(agent, sizeof(agent), "%.*s", (int)sizeof(agent) - 1, s->tree[g->tree % CGROUP_TREES_MAX].release_agent);
	if (!g->set[CGROUP_SET_NOTIFY] || !agent[0] || has_groups(s, group) || cgroup_path(s, group, path) < 0)
		return;
	(void)!launch_aside(e->aside, argv, envp);
}
