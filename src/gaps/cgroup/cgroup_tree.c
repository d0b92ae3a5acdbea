/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups and their directories. mkdir takes a row, makes the directory and its files, then the row counts; rmdir the other way round. Whoever is killed in
 * between leaves a row that says so, and the next one that takes the lock undoes what was begun.
 */
#include "base/decimal.h"
#include "base/kernel_stat.h"
#include "gaps/cgroup/cgroup_int.h"

#define AT_SYMLINK_NOFOLLOW_ 0x100
#define AT_REMOVEDIR_ 0x200
#define AT_EMPTY_PATH_ 0x1000
#define CG_NO_PARENT UINT32_MAX

/* --- the table of files ------------------------------------------------------------------------------------------------------------------ */

#define CORE CGROUP_CORE
#define CPUSET CGROUP_CPUSET
#define CPU CGROUP_CPU
#define IO CGROUP_IO
#define MEMORY CGROUP_MEMORY
#define HUGETLB CGROUP_HUGETLB
#define PIDS CGROUP_PIDS
#define ROOT CG_ROOT
#define CHILD CG_CHILD
#define SHOWN CG_SHOWN
#define LIVE CG_LIVE
#define V1 CG_V1
#define CPUACCT CGROUP_CPUACCT
#define DEVICES CGROUP_DEVICES
#define FREEZER CGROUP_FREEZER
#define NET_CLS CGROUP_NET_CLS
#define NET_PRIO CGROUP_NET_PRIO
static const struct cgroup_file files[CG_FILES] = {
#define CGROUP_FILE(id, name_, controller_, flags_, mode_, text_) \
	{ .name = name_, .text = text_, .mode = mode_, .controller = controller_, .flags = flags_ },
#include "gaps/cgroup/cgroup_files.def"
#undef CGROUP_FILE
};

const struct cgroup_file *cg_file(u32 id)
{
	return &files[id < CG_FILES ? id : 0];
}

u32 cg_file_named(const char *name, bool v1)
{
	for (u32 i = 0; i < CG_FILES; i++)
		if (!(files[i].flags & CG_V1) == !v1 && !strcmp(files[i].name, name))
			return i;
	return CG_FILES;
}

const char *cg_controller_name(u32 controller, bool v1)
{
	static const char names[CGROUP_CONTROLLERS][12] = { "cpuset",  "cpu",     "cpuacct",    "io",       "memory",  "devices",
							    "freezer", "net_cls", "perf_event", "net_prio", "hugetlb", "pids" };

	return v1 && controller == CGROUP_IO ? "blkio" : controller < CGROUP_CONTROLLERS ? names[controller] : "";
}

u32 cg_unified_controllers(void)
{
	u32 all = 1u << CGROUP_CPUSET | 1u << CGROUP_CPU | 1u << CGROUP_IO | 1u << CGROUP_MEMORY | 1u << CGROUP_HUGETLB |
		  1u << CGROUP_PIDS;

	for (u32 i = 1; i < CGROUP_TREES_MAX; i++)
		if (cg()->tree[i].state == CGROUP_READY)
			all &= ~cg()->tree[i].controllers;
	return all;
}

/* --- files ------------------------------------------------------------------------------------------------------------------------------------ */

static bool is_file_of(const struct cgroup_file *file, u32 group, u32 controllers)
{
	bool v1 = cg_group(group)->tree != 0;

	return (controllers & 1u << file->controller) && (file->flags & (cg_is_root(group) ? CG_ROOT : CG_CHILD)) &&
	       !(file->flags & CG_V1) == !v1;
}

static long make_file(s32 directory, const struct cgroup_file *file)
{
	long fd = sys4(__NR_openat, directory, file->name, CG_O_WRONLY | CG_O_CREAT | CG_O_TRUNC | CG_O_NOFOLLOW | CG_O_CLOEXEC,
		       0600);
	u64 size = strlen(file->text);
	long r = fd < 0 ? fd : 0;

	if (fd < 0)
		return fd;
	if (size && sys3(__NR_write, fd, file->text, size) != (long)size)
		r = -EIO;
	if (r == 0 && identity_on())
		r = identity_made(-1, (s32)fd, 0, file->mode | 0100000u);
	if (r == 0)
		r = identity_on() ? identity_chmod((s32)fd, 0, file->mode) : sys2(__NR_fchmod, fd, file->mode);
	(void)sys1(__NR_close, fd);
	return r;
}

/* Settings and counts as those of a group that has just got a controller. */
static void reset(struct cgroup *g, u32 controllers)
{
	if (controllers & 1u << CGROUP_PIDS) {
		g->set[CGROUP_SET_PIDS_MAX] = CGROUP_NO_LIMIT;
		g->count[CGROUP_COUNT_PIDS] = g->count[CGROUP_COUNT_PIDS_PEAK] = g->count[CGROUP_COUNT_PIDS_EVENTS] = 0;
	}
	if (controllers & 1u << CGROUP_MEMORY) {
		g->set[CGROUP_SET_MEMORY_MAX] = g->set[CGROUP_SET_MEMORY_HIGH] = CGROUP_NO_LIMIT;
		g->set[CGROUP_SET_OOM_GROUP] = 0;
		for (u32 i = CGROUP_COUNT_MEMORY_PEAK; i <= CGROUP_COUNT_OOM_GROUP_KILL; i++)
			g->count[i] = 0;
	}
	if (controllers & 1u << CGROUP_CPU) {
		g->set[CGROUP_SET_CPU_QUOTA] = CGROUP_NO_LIMIT;
		g->set[CGROUP_SET_CPU_PERIOD] = 100000;
	}
}

long cg_fill(u32 group, s32 directory, u32 controllers)
{
	for (u32 i = 0; i < CG_FILES; i++) {
		long r = is_file_of(&files[i], group, controllers) ? make_file(directory, &files[i]) : 0;

		if (r < 0)
			return r;
	}
	reset(cg_group(group), controllers);
	return 0;
}

void cg_empty(u32 group, s32 directory, u32 controllers)
{
	for (u32 i = 0; i < CG_FILES; i++)
		if (is_file_of(&files[i], group, controllers))
			(void)sys3(__NR_unlinkat, directory, files[i].name, 0);
}

/* Opens a file of a group. */
static long open_file(u32 group, u32 file, u32 flags)
{
	char path[CG_HOST_SIZE];
	long n = cg_directory(group, path, sizeof(path) - sizeof(files[0].name) - 1);

	if (n < 0)
		return n;
	path[n] = '/';
	memcpy(path + n + 1, files[file].name, strlen(files[file].name) + 1);
	return sys4(__NR_openat, CG_AT_FDCWD, path, flags | CG_O_NOFOLLOW | CG_O_CLOEXEC, 0);
}

long cg_put_text(u32 group, u32 file, const char *text, u64 size)
{
	long fd = open_file(group, file, CG_O_WRONLY), r;

	if (fd < 0)
		return fd;
	r = sys4(__NR_pwrite64, fd, text, size, 0) == (long)size ? sys2(__NR_ftruncate, fd, size) : -EIO;
	(void)sys1(__NR_close, fd);
	return r;
}

long cg_get_text(u32 group, u32 file, char *to, u64 size)
{
	long fd = open_file(group, file, 0), n;

	if (fd < 0)
		return fd;
	n = sys3(__NR_read, fd, to, size);
	(void)sys1(__NR_close, fd);
	return n;
}

/* --- the lock ----------------------------------------------------------------------------------------------------------------------------------- */

static void free_group(struct cgroup *g)
{
	__atomic_store_n(&g->state, CGROUP_FREE, __ATOMIC_RELEASE);
}

static void remove_directory(u32 group, s32 above, const char *name)
{
	long fd = sys4(__NR_openat, above, name, CG_O_PATH | CG_O_DIRECTORY | CG_O_NOFOLLOW | CG_O_CLOEXEC, 0);

	if (fd < 0)
		return;
	cg_empty(group, (s32)fd, ~0u);
	(void)sys1(__NR_close, fd);
	(void)sys3(__NR_unlinkat, above, name, AT_REMOVEDIR_);
}

static u32 controllers_of_child(u32 parent)
{
	const struct cgroup *g = cg_group(parent);

	return (g->tree ? g->given : g->subtree) | 1u << CGROUP_CORE;
}

/* A group has what its parent gives: a controller that it had in part begins anew. path: room for CG_HOST_SIZE bytes. */
static void complete(u32 group, char *path)
{
	struct cgroup *g = cg_group(group);
	u32 wanted = controllers_of_child(g->parent), again = wanted & ~g->given;
	long n = cg_directory(group, path, CG_HOST_SIZE);
	long fd = n < 0 ? n : sys4(__NR_openat, CG_AT_FDCWD, path, CG_O_DIRECTORY | CG_O_NOFOLLOW | CG_O_CLOEXEC, 0);

	if (fd < 0)
		return;
	for (u32 i = 0; i < CG_FILES; i++)
		if (is_file_of(&files[i], group, wanted) && sys3(__NR_faccessat, fd, files[i].name, 0) == -ENOENT)
			again |= 1u << files[i].controller;
	cg_empty(group, (s32)fd, ~wanted);
	(void)!cg_fill(group, (s32)fd, again);
	g->given = wanted;
	(void)sys1(__NR_close, fd);
}

/* Whether a row is the root of a hierarchy that was never there, or is no more. */
static bool is_lost_root(u32 group)
{
	const struct cgroup_tree *tree = &cg()->tree[cg_group(group)->tree % CGROUP_TREES_MAX];

	return cg_is_root(group) && (tree->root != group || tree->state != CGROUP_READY);
}

/* Who had the lock was killed: what it was making, or removing, goes. */
static void recover(void)
{
	struct cgroup_state *s = cg();
	u32 changing = s->changing;
	char path[CG_HOST_SIZE];

	for (u32 i = 1; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++) {
		u32 state = s->group[i].state;

		if (state != CGROUP_FREE && is_lost_root(i))
			free_group(&s->group[i]); /* it has no path; its directory, if there is one, has a name of its own */
		if ((state != CGROUP_MAKING && state != CGROUP_REMOVING) || cg_is_root(i))
			continue;
		if (cg_directory(i, path, sizeof(path)) > 0)
			remove_directory(i, CG_AT_FDCWD, path);
		free_group(&s->group[i]);
	}
	for (u32 child = changing ? cg_next_child(changing - 1, 0) : 0; child; child = cg_next_child(changing - 1, child))
		complete(child, path);
	__atomic_store_n(&s->changing, 0, __ATOMIC_RELEASE);
}

void cg_lock(void)
{
	if (lock_take((struct lock *)(void *)&cg()->lock) == 1)
		recover();
}

void cg_unlock(void)
{
	lock_release((struct lock *)(void *)&cg()->lock);
}

void cgroup_recover(void)
{
	cg_lock();
	cg_unlock();
}

/* --- mkdir, rmdir ------------------------------------------------------------------------------------------------------------------------------ */

/* Takes a row; parent: CG_NO_PARENT: it is a root. Its number, or -ENOSPC. */
static long take_row(u32 tree, u32 parent, const char *name, u64 length)
{
	struct cgroup_state *s = cg();

	for (u32 i = 1; i < CGROUP_GROUPS_MAX; i++) {
		struct cgroup *g = &s->group[i];
		u32 generation = g->generation + 1;

		if (g->state != CGROUP_FREE)
			continue;
		memset(g, 0, sizeof(*g));
		g->generation = generation;
		g->tree = tree;
		g->parent = parent == CG_NO_PARENT ? i : parent; /* before it is MAKING: recover() asks where it is */
		g->depth = parent == CG_NO_PARENT ? 0 : cg_group(parent)->depth + 1;
		g->hash = cg_hash(name, length);
		memcpy(g->name, name, length);
		reset(g, ~0u);
		g->set[CGROUP_SET_MAX_DEPTH] = g->set[CGROUP_SET_MAX_DESCENDANTS] = CGROUP_NO_LIMIT;
		if (i >= s->groups_used)
			__atomic_store_n(&s->groups_used, i + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&g->state, CGROUP_MAKING, __ATOMIC_RELEASE);
		return i;
	}
	return -ENOSPC;
}

long cg_take_root(void)
{
	return take_row(0, CG_NO_PARENT, "", 0);
}

static u64 descendants(u32 group)
{
	struct cgroup_state *s = cg();
	u64 n = 0;

	for (u32 i = 1; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		n += i != group && s->group[i].state == CGROUP_READY && cgroup_is_below(s, i, group);
	return n;
}

/* cgroup_check_hierarchy_limits() */
static bool is_within_limits(u32 parent)
{
	u64 level = 0;

	for (u32 g = parent;; g = cg_group(g)->parent) {
		const u64 *set = cg_group(g)->set;

		if ((set[CGROUP_SET_MAX_DESCENDANTS] != CGROUP_NO_LIMIT && descendants(g) >= set[CGROUP_SET_MAX_DESCENDANTS]) ||
		    level >= set[CGROUP_SET_MAX_DEPTH] || level >= CGROUP_DEPTH_MAX)
			return false;
		if (cg_is_root(g))
			return true;
		level++;
	}
}

static long inherit_text(u32 group, u32 parent, u32 file)
{
	char text[512];
	long n = cg_get_text(parent, file, text, sizeof(text));

	return n < 0 ? n : cg_put_text(group, file, text, (u64)n);
}

/* v1: what a new group has of its parent. cgroup_create(), cgrp_css_online() */
static long inherit(u32 group, u32 parent)
{
	struct cgroup *g = cg_group(group);
	const struct cgroup *from = cg_group(parent);
	long r = 0;

	g->set[CGROUP_SET_NOTIFY] = from->set[CGROUP_SET_NOTIFY];
	g->set[CGROUP_SET_CLONE] = from->set[CGROUP_SET_CLONE];
	if (g->tree && g->set[CGROUP_SET_NOTIFY])
		r = cg_put_line(group, CG_V1_NOTIFY, "1");
	if (g->tree && g->set[CGROUP_SET_CLONE] && r == 0)
		r = cg_put_line(group, CG_V1_CLONE_CHILDREN, "1");
	if (g->tree && (g->given & 1u << CGROUP_NET_CLS) && r == 0)
		r = inherit_text(group, parent, CG_V1_CLASSID);
	if (g->tree && (g->given & 1u << CGROUP_NET_PRIO) && r == 0)
		r = inherit_text(group, parent, CG_V1_IFPRIOMAP);
	return r;
}

static NOINLINE bool numbers_of(s32 at, const char *path, u64 ret[2])
{
	struct kernel_stat st;

	if (sys4(__NR_newfstatat, at, path, &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_) < 0)
		return false;
	ret[0] = st.dev;
	ret[1] = st.ino;
	return true;
}

/* Whether a descriptor that was opened before the lock was taken still is a group's directory: the group may have been removed and made again since. */
static bool is_directory_of(u32 group, s32 directory)
{
	u64 opened[2], there[2];
	char path[CG_HOST_SIZE];

	return cg_directory(group, path, sizeof(path)) > 0 && numbers_of(directory, "", opened) &&
	       numbers_of(CG_AT_FDCWD, path, there) && opened[0] == there[0] && opened[1] == there[1];
}

static long make_group(u32 parent, s32 directory, const char *name, u32 mode)
{
	u64 length = strlen(name);
	long row, fd, r;

	if (cg_child_named(parent, name, length)) /* a row beside it, whose maker is killed, would take its directory along */
		return -EEXIST;
	row = take_row(cg_group(parent)->tree, parent, name, length);
	if (row < 0)
		return row;
	r = sys3(__NR_mkdirat, directory, name, mode & 01777);
	if (r < 0) {
		free_group(cg_group((u32)row));
		return r;
	}
	fd = sys4(__NR_openat, directory, name, CG_O_DIRECTORY | CG_O_NOFOLLOW | CG_O_CLOEXEC, 0);
	r = fd < 0 ? fd : identity_on() ? identity_made(directory, (s32)fd, 0, (mode & 01777) | 0040000u) : 0;
	cg_group((u32)row)->given = controllers_of_child(parent);
	if (r == 0)
		r = cg_fill((u32)row, (s32)fd, cg_group((u32)row)->given);
	if (r == 0)
		r = inherit((u32)row, parent);
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	if (r < 0)
		remove_directory((u32)row, directory, name);
	__atomic_store_n(&cg_group((u32)row)->state, r < 0 ? CGROUP_FREE : CGROUP_READY, __ATOMIC_RELEASE);
	return r;
}

long cgroup_make(const char *host, s32 directory, const char *name, u32 mode)
{
	u64 length = strlen(host);
	long parent, r;

	for (const char *c = name; *c; c++)
		if (*c == '\n')
			return -EINVAL;
	if (strlen(name) >= CGROUP_NAME_SIZE || length + sizeof(files[0].name) + 1 >= CG_HOST_SIZE)
		return -ENAMETOOLONG;
	while (length && host[length - 1] != '/')
		length--;
	cg_lock();
	parent = cg_find(host, length ? length - 1 : 0);
	if (parent < 0 || !is_directory_of((u32)parent, directory))
		r = -ENOENT; /* its directory has been removed */
	else if (!is_within_limits((u32)parent))
		r = -EAGAIN;
	else
		r = make_group((u32)parent, directory, name, mode);
	cg_unlock();
	return r;
}

static long remove_group(const char *host, s32 directory, const char *name)
{
	enum cg_tasks tasks;
	long group, r = 0;

	cg_lock();
	group = cg_find(host, strlen(host));
	tasks = group < 0 ? CG_TASKS_NONE : cg_tasks_of((u32)group, false);
	if (group < 0)
		r = group;
	else if (cg_is_root((u32)group) || cg_has_children((u32)group) || tasks == CG_TASKS_LIVE)
		r = -EBUSY;
	else if (tasks == CG_TASKS_ENDING)
		r = -EAGAIN;
	if (r == 0 && !is_directory_of(cg_group((u32)group)->parent, directory))
		r = -ENOENT;
	if (r == 0) {
		__atomic_store_n(&cg_group((u32)group)->state, CGROUP_REMOVING, __ATOMIC_RELEASE);
		remove_directory((u32)group, directory, name);
		cg_group(cgroup_above(cg(), (u32)group))->count[CGROUP_COUNT_RELEASABLE] = 1;
		free_group(cg_group((u32)group));
	}
	cg_unlock();
	return r;
}

/* Who has seen init end may remove its group at once: runc does not ask twice. What init has left is waited for, five seconds at most. */
long cgroup_remove(const char *host, s32 directory, const char *name)
{
	struct agent_time step = { 0, 1000000 };
	long r = remove_group(host, directory, name);

	for (u32 i = 0; r == -EAGAIN && i < 5000; i++) {
		(void)sys2(__NR_nanosleep, &step, 0);
		r = remove_group(host, directory, name);
	}
	return r == -EAGAIN ? -EBUSY : r;
}
