/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchies: made by the first mount(2), there for all others. kernel/cgroup/cgroup.c, cgroup-v1.c. */
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

/* Makes the directory of a hierarchy's root, with its files. */
static long make_root(u32 tree, u32 group, u32 device)
{
	struct cgroup_tree *t = &cg()->tree[tree];
	u64 length = strlen(commons()->scratch);
	struct cgroup *g = cg_group(group);
	long fd, r;

	if (!length || length + DECIMAL_MAX + 2 > sizeof(t->path))
		return -ENOSPC;
	memcpy(t->path, commons()->scratch, length);
	t->path[length++] = '/';
	length += decimal_put(t->path + length, device);
	t->path[length] = 0;
	r = sys2(__NR_mkdir, t->path, 0755);
	if (r < 0)
		return r;
	fd = sys4(__NR_openat, CG_AT_FDCWD, t->path, CG_O_DIRECTORY | CG_O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	g->tree = tree;
	g->parent = group;
	g->set[CGROUP_SET_MAX_DEPTH] = g->set[CGROUP_SET_MAX_DESCENDANTS] = CGROUP_NO_LIMIT;
	g->given = (tree ? t->controllers : cg_unified_controllers()) | 1u << CGROUP_CORE;
	t->device = device;
	t->root = group;
	r = identity_on() ? identity_made(-1, (s32)fd, 0040755) : 0;
	if (r == 0)
		r = cg_fill(group, (s32)fd, g->given);
	if (r == 0)
		r = identity_on() ? identity_chmod((s32)fd, 0555) : sys2(__NR_fchmod, fd, 0755);
	(void)sys1(__NR_close, fd);
	return r;
}

/* Options of v2, of which none changes anything here. */
static bool known(const char *options)
{
	static const char names[][28] = {
		"nsdelegate",      "favordynmods", "memory_localevents", "memory_recursiveprot", "memory_hugetlb_accounting",
		"pids_localevents"
	};

	while (*options) {
		u64 length = 0;
		bool is = false;

		while (options[length] && options[length] != ',')
			length++;
		for (u32 i = 0; i < ARRAY_SIZE(names) && !is; i++)
			is = strlen(names[i]) == length && !memcmp(names[i], options, length);
		if (!is)
			return false;
		options += length + (options[length] == ',');
	}
	return true;
}

static long mount_unified(const char *options, u32 device, struct cgroup_mounted *ret)
{
	struct cgroup_state *s = cg();
	u64 length = strlen(options);
	long r = 0;

	if (!known(options) || length >= sizeof(ret->options))
		return -EINVAL;
	if (s->tree[0].state != CGROUP_READY) {
		r = make_root(0, 0, device);
		if (r == 0) {
			s->group[0].state = CGROUP_READY;
			s->groups_used = s->groups_used ? s->groups_used : 1;
			__atomic_store_n(&s->tree[0].state, CGROUP_READY, __ATOMIC_RELEASE);
		}
	}
	ret->device = s->tree[0].device;
	memcpy(ret->path, s->tree[0].path, sizeof(ret->path));
	memcpy(ret->options, options, length + 1);
	return r;
}

long cgroup_mount(bool v1, const char *options, u32 device, struct cgroup_mounted *ret)
{
	long r;

	if (v1)
		return -ENODEV;
	cg_lock();
	r = mount_unified(options, device, ret);
	cg_unlock();
	return r;
}
