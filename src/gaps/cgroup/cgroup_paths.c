/* SPDX-License-Identifier: Apache-2.0 */
/* Groups by their paths: of the host, as the kernel tells them, and from a group to those that it has. */
#include "gaps/cgroup/cgroup_int.h"

u32 cg_hash(const char *name, u64 length)
{
	u32 hash = 2166136261u;

	for (u64 i = 0; i < length; i++)
		hash = (hash ^ (u8)name[i]) * 16777619u;
	return hash;
}

u32 cg_child_named(u32 parent, const char *name, u64 length)
{
	struct cgroup_state *s = cg();
	u32 hash = cg_hash(name, length), used = __atomic_load_n(&s->groups_used, __ATOMIC_ACQUIRE);

	for (u32 i = 1; i < used && i < CGROUP_GROUPS_MAX; i++) {
		const struct cgroup *g = &s->group[i];

		if (g->hash == hash && g->parent == parent && i != parent &&
		    __atomic_load_n(&g->state, __ATOMIC_ACQUIRE) == CGROUP_READY && !memcmp(g->name, name, length) &&
		    !g->name[length])
			return i;
	}
	return 0;
}

long cg_find(const char *host, u64 length)
{
	struct cgroup_state *s = cg();

	for (u32 t = 0; t < CGROUP_TREES_MAX; t++) {
		u64 at = strlen(s->tree[t].path);
		u32 group = s->tree[t].root;

		if (__atomic_load_n(&s->tree[t].state, __ATOMIC_ACQUIRE) != CGROUP_READY || length < at ||
		    memcmp(host, s->tree[t].path, at) || (length > at && host[at] != '/'))
			continue;
		while (at < length) {
			u64 end = ++at;

			while (end < length && host[end] != '/')
				end++;
			if (end - at >= CGROUP_NAME_SIZE)
				return -ENODEV;
			group = end > at ? cg_child_named(group, host + at, end - at) : group;
			if (end > at && !group)
				return -ENODEV;
			at = end;
		}
		return group;
	}
	return -ENODEV;
}

/* Writes the names from the root down, to the end of `out`. */
static long path_of(u32 group, char *out, u64 size)
{
	u64 at = size - 1;

	out[at] = 0;
	for (u32 depth = 0; !cg_is_root(group); depth++) {
		const struct cgroup *g = cg_group(group);
		u64 length = strlen(g->name);

		if (length + 1 > at || depth > CGROUP_DEPTH_MAX)
			return -ENAMETOOLONG;
		at -= length;
		memcpy(out + at, g->name, length);
		out[--at] = '/';
		group = g->parent % CGROUP_GROUPS_MAX;
	}
	memmove(out, out + at, size - at);
	return (long)(size - 1 - at);
}

long cg_directory(u32 group, char *out, u64 size)
{
	const char *root = cg()->tree[cg_group(group)->tree % CGROUP_TREES_MAX].path;
	u64 length = strlen(root);
	long n;

	memcpy(out, root, length);
	n = path_of(group, out + length, size - length);
	return n < 0 ? n : n + (long)length;
}

void cgroup_new_space(u32 number)
{
	const struct cgroup_task *task = cg_task(agent_caller_pid());

	for (u32 t = 0; number < CGROUP_SPACES_MAX && t < CGROUP_TREES_MAX; t++)
		cg()->space[number][t] = task ? task->place[t] : 0;
}

u32 cg_own_root(u32 tree)
{
	struct agent_spaces spaces;

	if (agent_spaces_of(0, 0, &spaces) < 0 || !spaces.cgroup || spaces.cgroup >= CGROUP_SPACES_MAX)
		return cg()->tree[tree].root;
	return cgroup_of_place(cg(), cg()->space[spaces.cgroup][tree], tree);
}

/* kernfs_path_from_node() */
long cg_path_seen(u32 group, char *out, u64 size)
{
	u32 root = cg_own_root(cg_group(group)->tree), up = root;
	u64 at = 0, skip;
	long n;

	while (!cgroup_is_below(cg(), group, up) && !cg_is_root(up) && at + 4 < size) {
		memcpy(out + at, "/..", 3);
		at += 3;
		up = cgroup_above(cg(), up);
	}
	n = path_of(up, out + at, size - at);
	if (n < 0)
		return n;
	skip = (u64)n;
	n = path_of(group, out + at, size - at);
	if (n < 0)
		return n;
	memmove(out + at, out + at + skip, (u64)n - skip + 1);
	at += (u64)n - skip;
	if (at == 0)
		memcpy(out, "/", 2), at = 1;
	return (long)at;
}

u32 cg_next_child(u32 group, u32 after)
{
	struct cgroup_state *s = cg();
	u32 used = __atomic_load_n(&s->groups_used, __ATOMIC_ACQUIRE);

	for (u32 i = after + 1; i < used && i < CGROUP_GROUPS_MAX; i++)
		if (s->group[i].parent == group && i != group &&
		    __atomic_load_n(&s->group[i].state, __ATOMIC_ACQUIRE) == CGROUP_READY)
			return i;
	return 0;
}

bool cg_has_children(u32 group)
{
	return cg_next_child(group, 0) != 0;
}
