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
	r = identity_on() ? identity_made(-1, (s32)fd, 0, 0040755) : 0;
	if (r == 0)
		r = cg_fill(group, (s32)fd, g->given);
	if (r == 0)
		r = identity_on() ? identity_chmod((s32)fd, 0, 0555) : sys2(__NR_fchmod, fd, 0755);
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
	memcpy(ret->options, options, length + 1);
	return r;
}

/* --- v1 ------------------------------------------------------------------------------------------------------------------------------------ */

/* What was asked for: cgroup1_parse_param(). */
struct wish {
	u32 controllers;
	bool none, all;
	char name[64];
	char release_agent[sizeof(((struct cgroup_tree *)0)->release_agent)];
};

static bool is_word(const char *text, u64 length, const char *word)
{
	return strlen(word) == length && !memcmp(text, word, length);
}

static long take_name(struct wish *wish, const char *name, u64 length)
{
	if (!length || length >= sizeof(wish->name) || wish->name[0])
		return -EINVAL;
	for (u64 i = 0; i < length; i++)
		if (!((name[i] >= '0' && name[i] <= '9') || ((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z') ||
		      name[i] == '.' || name[i] == '-' || name[i] == '_'))
			return -EINVAL;
	memcpy(wish->name, name, length);
	return 0;
}

static long take_release_agent(struct wish *wish, const char *path, u64 length)
{
	struct agent_creds creds;

	agent_creds_get(&creds);
	if (!length || length >= sizeof(wish->release_agent) || wish->release_agent[0] || !creds.cap_sys_admin)
		return -EINVAL;
	memcpy(wish->release_agent, path, length);
	return 0;
}

static long take_option(struct wish *wish, const char *text, u64 length)
{
	static const char others[][16] = {
		"noprefix", "clone_children", "cpuset_v2_mode", "xattr", "favordynmods", "nofavordynmods"
	};

	if (is_word(text, length, "none") || is_word(text, length, "all")) {
		wish->none |= text[0] == 'n';
		wish->all |= text[0] == 'a';
		return 0;
	}
	if (length > 5 && !memcmp(text, "name=", 5))
		return take_name(wish, text + 5, length - 5);
	if (length >= 14 && !memcmp(text, "release_agent=", 14))
		return take_release_agent(wish, text + 14, length - 14);
	for (u32 i = 0; i < CGROUP_CONTROLLERS; i++)
		if (is_word(text, length, cg_controller_name(i, true))) {
			wish->controllers |= 1u << i;
			return 0;
		}
	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		if (is_word(text, length, others[i]))
			return 0;
	return -EINVAL;
}

static long parse(struct wish *wish, const char *options)
{
	memset(wish, 0, sizeof(*wish));
	while (*options) {
		u64 length = 0;
		long r;

		while (options[length] && options[length] != ',')
			length++;
		r = take_option(wish, options, length);
		if (r < 0)
			return r;
		options += length + (options[length] == ',');
	}
	if (wish->all && wish->controllers)
		return -EINVAL;
	if (wish->all || (!wish->controllers && !wish->none && !wish->name[0])) /* all that are free: those of no other hierarchy */
		wish->controllers = (1u << CGROUP_CONTROLLERS) - 1;
	if (wish->none && wish->controllers)
		return -EINVAL;
	return !wish->controllers && !wish->name[0] ? -EINVAL : 0;
}

/* The hierarchy that is meant, if it is there: its index, 0: none; -EBUSY. cgroup1_root_to_use() */
static long find(const struct wish *wish)
{
	for (u32 t = 1; t < CGROUP_TREES_MAX; t++) {
		const struct cgroup_tree *tree = &cg()->tree[t];
		bool named = wish->name[0] && !strcmp(wish->name, tree->name);

		if (tree->state != CGROUP_READY || (wish->name[0] && !named))
			continue;
		if ((wish->controllers || wish->none) && wish->controllers != tree->controllers) {
			if (!named)
				continue;
			return -EBUSY;
		}
		return t;
	}
	return 0;
}

/* A hierarchy without groups that is mounted nowhere gives its controllers back. */
static bool dissolve(u32 t)
{
	struct cgroup_tree *tree = &cg()->tree[t];
	long fd;

	if (cg_has_children(tree->root) || agent_device_mounted(tree->device))
		return false;
	fd = sys4(__NR_openat, CG_AT_FDCWD, tree->path, CG_O_DIRECTORY | CG_O_CLOEXEC, 0);
	__atomic_store_n(&tree->state, CGROUP_FREE, __ATOMIC_RELEASE);
	cg_group(tree->root)->state = CGROUP_FREE;
	if (fd >= 0) {
		cg_empty(tree->root, (s32)fd, ~0u);
		(void)sys1(__NR_close, fd);
		(void)sys1(__NR_rmdir, tree->path);
	}
	return true;
}

/* Whether controllers can be taken: from v2, whose groups must not use them, and from hierarchies that nobody uses. */
static bool are_free(u32 controllers)
{
	struct cgroup_state *s = cg();

	for (u32 t = 1; t < CGROUP_TREES_MAX; t++)
		if (s->tree[t].state == CGROUP_READY && (s->tree[t].controllers & controllers) && !dissolve(t))
			return false;
	return !(s->group[0].subtree & controllers);
}

/* Files that the root of v2 has no more. */
static void take_from_unified(u32 controllers)
{
	struct cgroup_state *s = cg();
	long fd;

	if (s->tree[0].state != CGROUP_READY)
		return;
	fd = sys4(__NR_openat, CG_AT_FDCWD, s->tree[0].path, CG_O_DIRECTORY | CG_O_CLOEXEC, 0);
	if (fd < 0)
		return;
	cg_empty(0, (s32)fd, controllers);
	(void)sys1(__NR_close, fd);
}

/* A new hierarchy: its index or negative errno. */
static long make_tree(const struct wish *wish, u32 device)
{
	struct cgroup_state *s = cg();
	u32 t = 1;
	long group, r;

	if ((!wish->controllers && !wish->none) || !are_free(wish->controllers))
		return !wish->controllers && !wish->none ? -EINVAL : -EBUSY;
	while (t < CGROUP_TREES_MAX && s->tree[t].state != CGROUP_FREE)
		t++;
	if (t == CGROUP_TREES_MAX)
		return -ENOSPC;
	group = cg_take_root();
	if (group < 0)
		return group;
	for (u32 i = 0; i < CGROUP_TASKS_MAX; i++) { /* where they were in one of the same number before */
		s->task[i].place[t] = 0;
		s->task[i].user[t] = s->task[i].system[t] = 0;
	}
	memset(&s->tree[t], 0, sizeof(s->tree[t]));
	s->tree[t].controllers = wish->controllers;
	memcpy(s->tree[t].name, wish->name, sizeof(wish->name));
	memcpy(s->tree[t].release_agent, wish->release_agent, sizeof(wish->release_agent));
	r = make_root(t, (u32)group, device);
	if (r == 0 && wish->release_agent[0])
		r = cg_put_line((u32)group, CG_V1_RELEASE_AGENT, wish->release_agent);
	__atomic_store_n(&cg_group((u32)group)->state, r < 0 ? CGROUP_FREE : CGROUP_READY, __ATOMIC_RELEASE);
	if (r == 0) {
		__atomic_store_n(&s->tree[t].state, CGROUP_READY, __ATOMIC_RELEASE);
		take_from_unified(wish->controllers);
	}
	return r < 0 ? r : (long)t;
}

static void show_options(const struct cgroup_tree *tree, char *to, u64 size)
{
	struct cg_text out = { .to = to, .size = size - 1 };
	bool any = false;

	for (u32 i = 0; i < CGROUP_CONTROLLERS; i++)
		if (tree->controllers & 1u << i) {
			cg_say(&out, any ? "," : "");
			cg_say(&out, cg_controller_name(i, true));
			any = true;
		}
	if (tree->release_agent[0]) { /* before the name, as cgroup1_show_options() has it */
		cg_say(&out, any ? ",release_agent=" : "release_agent=");
		cg_say(&out, tree->release_agent);
		any = true;
	}
	if (tree->name[0]) {
		cg_say(&out, any ? ",name=" : "name=");
		cg_say(&out, tree->name);
	}
	to[out.used < size ? out.used : size - 1] = 0;
}

static long mount_v1(const char *options, u32 device, struct cgroup_mounted *ret)
{
	struct wish wish;
	long t = parse(&wish, options);

	if (t == 0)
		t = find(&wish);
	if (t == 0)
		t = make_tree(&wish, device);
	if (t < 0)
		return t;
	ret->device = cg()->tree[t].device;
	show_options(&cg()->tree[t], ret->options, sizeof(ret->options));
	return 0;
}

long cgroup_mount(bool v1, const char *options, u32 device, struct cgroup_mounted *ret)
{
	long r;

	cg_lock();
	r = v1 ? mount_v1(options, device, ret) : mount_unified(options, device, ret);
	for (u32 t = 0; r == 0 && t < CGROUP_TREES_MAX; t++) /* in a cgroup namespace its root is what is mounted */
		if (cg()->tree[t].state == CGROUP_READY && cg()->tree[t].device == ret->device)
			r = cg_directory(cg_own_root(t), ret->path, ret->path_size);
	cg_unlock();
	return r < 0 ? r : 0;
}
