// SPDX-License-Identifier: Apache-2.0
/* memory.max, memory.high: who uses how much, who is killed, what memory.events tells. mm/oom_kill.c, mm/memcontrol.c */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cell_sampler.h"
#include "host/cgroup_enforcer_int.h"

#define OOM_NEVER (-1000)

/* Anonymous and shared memory of a process. */
static u64 used_by(pid_t pid)
{
	unsigned long long value, sum = 0;
	char path[32], line[128];
	bool told = false;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers */
		if (sscanf(line, "RssAnon: %llu kB", &value) == 1 || sscanf(line, "RssShmem: %llu kB", &value) == 1) {
			sum += value * 1024;
			told = true;
		}
	if (file)
		(void)fclose(file);
	return told ? sum : cell_process_memory(pid, true);
}

static int oom_score_adj(pid_t pid)
{
	char path[40];
	int value = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%d", &value) != 1) /* NOLINT(cert-err34-c) */
		value = 0;
	if (file)
		(void)fclose(file);
	return value;
}

u64 cgroup_used_memory(struct cgroup_enforcer *e, u32 group)
{
	u64 sum = 0;

	for (u32 i = 0; i < e->member_count; i++) {
		struct cgroup_member *member = &e->members[i];

		if (!cgroup_member_in(e, member, group))
			continue;
		if (!member->asked) {
			member->memory = used_by(member->pid);
			member->asked = true;
		}
		sum += member->memory;
	}
	return sum;
}

/* oom_badness(): the index of the member with most points; -1: there is none to be killed. */
static int choose(const struct cgroup_enforcer *e, u32 group, u64 limit)
{
	s64 most = INT64_MIN;
	int chosen = -1;

	for (u32 i = 0; i < e->member_count; i++) {
		const struct cgroup_member *member = &e->members[i];
		if (!cgroup_member_in(e, member, group))
			continue;
		int adj = oom_score_adj(member->pid);
		s64 points = (s64)(member->memory / 4096) + adj * (s64)(limit / 4096) / 1000;

		if (adj != OOM_NEVER && points > most) {
			most = points;
			chosen = (int)i;
		}
	}
	return chosen;
}

static u64 sum_of(const struct cgroup_state *s, u32 group, u32 count, bool local)
{
	u64 sum = 0;

	for (u32 i = 0; !local && i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		if (s->group[i].state == CGROUP_READY && cgroup_is_below(s, i, group))
			sum += s->group[i].count[count];
	return local ? s->group[group].count[count] : sum;
}

static void tell_events(const struct cgroup_enforcer *e, u32 group, bool local)
{
	const struct cgroup_state *s = e->state;
	char text[256];

	(void)snprintf(text, sizeof(text), "low 0\nhigh %llu\nmax %llu\noom %llu\noom_kill %llu\noom_group_kill %llu\n",
		       (unsigned long long)sum_of(s, group, CGROUP_COUNT_MEMORY_HIGH, local),
		       (unsigned long long)sum_of(s, group, CGROUP_COUNT_MEMORY_MAX, local),
		       (unsigned long long)sum_of(s, group, CGROUP_COUNT_OOM, local),
		       (unsigned long long)sum_of(s, group, CGROUP_COUNT_OOM_KILL, local),
		       (unsigned long long)sum_of(s, group, CGROUP_COUNT_OOM_GROUP_KILL, local));
	cgroup_tell(e, group, local ? CGROUP_TOLD_MEMORY_LOCAL : CGROUP_TOLD_MEMORY, text);
}

/* The group and those above it tell what happened. */
static void tell_all(const struct cgroup_enforcer *e, u32 group)
{
	const struct cgroup_state *s = e->state;

	if (s->group[group].tree) /* v1 has no such file */
		return;
	tell_events(e, group, true);
	CGROUP_EACH_UP(s, g, group)
	if (s->group[g].given & 1u << CGROUP_MEMORY)
		tell_events(e, g, false);
}

static void add(struct cgroup *g, u32 count)
{
	(void)__atomic_fetch_add(&g->count[count], 1, __ATOMIC_RELAXED);
}

/* mem_cgroup_get_oom_group(): the uppermost group, from the victim's to the one whose limit it is, that is killed as a whole; 0: none. */
static u32 whole_group(const struct cgroup_state *s, u32 from, u32 limited)
{
	u32 whole = 0;

	CGROUP_EACH_UP(s, g, from)
	{
		if (s->group[g].set[CGROUP_SET_OOM_GROUP])
			whole = g;
		if (g == limited)
			break;
	}
	return whole;
}

static void out_of_memory(struct cgroup_enforcer *e, u32 group, u64 limit)
{
	struct cgroup_state *s = e->state;
	int victim = choose(e, group, limit);
	u32 of, whole;

	add(&s->group[group], CGROUP_COUNT_MEMORY_MAX);
	add(&s->group[group], CGROUP_COUNT_OOM);
	cgroup_events_oom(e, group);
	if (victim >= 0) {
		of = cgroup_of_task(s, &s->task[e->members[victim].row], s->group[group].tree);
		whole = whole_group(s, of, group);
		if (whole)
			add(&s->group[whole], CGROUP_COUNT_OOM_GROUP_KILL);
		for (u32 i = 0; i < e->member_count; i++) {
			struct cgroup_member *member = &e->members[i];

			if ((int)i != victim &&
			    !(whole && cgroup_member_in(e, member, whole) && oom_score_adj(member->pid) != OOM_NEVER))
				continue;
			add(&s->group[cgroup_of_task(s, &s->task[member->row], s->group[group].tree)], CGROUP_COUNT_OOM_KILL);
			(void)kill(member->pid, SIGKILL);
			member->memory = 0; /* it is going */
		}
		tell_all(e, of);
	}
	tell_all(e, group);
}

void cgroup_enforce_memory(struct cgroup_enforcer *e, u32 group)
{
	struct cgroup *g = &e->state->group[group];
	u64 max = g->set[CGROUP_SET_MEMORY_MAX], high = g->set[CGROUP_SET_MEMORY_HIGH], used;

	if (max == CGROUP_NO_LIMIT && high == CGROUP_NO_LIMIT)
		return;
	used = cgroup_used_memory(e, group);
	if (used > g->count[CGROUP_COUNT_MEMORY_PEAK])
		g->count[CGROUP_COUNT_MEMORY_PEAK] = used;
	if (used > high) {
		add(g, CGROUP_COUNT_MEMORY_HIGH);
		tell_all(e, group);
	}
	if (used > max)
		out_of_memory(e, group, max);
}
