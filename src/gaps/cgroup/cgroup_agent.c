/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap cgroup, agent half: control groups for a cell with a tree of its own. abi/cgroup_state.h has the state and its rules.
 *
 *   agent/fs_cgroup.c   what paths in a hierarchy come to
 *   cgroup_tree.c       groups: mkdir, rmdir, their files; cgroup_paths.c: what they are called; cgroup_mount.c: hierarchies
 *   cgroup_tasks.c      who is in them: from fork to exit; the limit of pids
 *   cgroup_show.c       what files tell; cgroup_usage.c: by what /proc says
 *   cgroup_write.c      what is written to them; cgroup_v1_show.c, cgroup_v1_write.c: the same for v1
 *   cgroup_event.c      cgroup.event_control of v1; cgroup_poll.c: poll(2) of cgroup.events, memory.events, pids.events
 *   cgroup_stat.c       /proc/stat
 *   cgroup_agent.c      /proc/PID/cgroup, /proc/cgroups, and control files that are open
 *
 * A control file is opened as any virtual file (agent/vfs.h): for reading it is a snapshot, for writing a pipe that nobody reads. Such a file is known
 * by the number of its group and that number's use, so what is open on a group that is gone says ENODEV.
 *
 * Limits: what is read again from an open file is what it was when it was opened, but for those that are text (cgroup_files.def). Threads are where their process is: cgroup.type is "domain" always. docs/limits.md has more.
 */
#include "agent/vfs.h"
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

#define PATH_HEAD 9u  /* "/cgroup2:" */
#define FILE_ID 4096u /* of a control file: + its number */
enum { ID_PROC = 1, ID_TABLE = 2, ID_STAT = 3 };

/* --- names --------------------------------------------------------------------------------------------------------------------------------- */

long cgroup_describe(const char *host, char out[CGROUP_FILE_PATH])
{
	u64 length = strlen(host), cut = length;
	long group;
	u32 file, generation;
	u64 at = PATH_HEAD;
	bool v1;

	if (UNLIKELY(__atomic_load_n(&cg()->changing, __ATOMIC_ACQUIRE)))
		cgroup_recover(); /* if whoever changes it was killed; else it is waited for */
	while (cut && host[cut - 1] != '/')
		cut--;
	group = cut ? cg_find(host, cut - 1) : -ENODEV;
	generation = group < 0 ? 0 : __atomic_load_n(&cg_group((u32)group)->generation, __ATOMIC_ACQUIRE);
	if (group >= 0 && cg_find(host, cut - 1) != group)
		group = -ENODEV; /* removed meanwhile: the row may be another's, and the number of its use that one's */
	if (group < 0) {
		cgroup_recover(); /* a directory whose group was never made, or is being removed */
		return group;
	}
	v1 = cg_group((u32)group)->tree != 0;
	file = cg_file_named(host + cut, v1);
	if (file == CG_FILES)
		return -ENODEV;
	memcpy(out, v1 ? "/cgroup1:" : "/cgroup2:", PATH_HEAD);
	at += decimal_put(out + at, (u32)group);
	out[at++] = '.';
	at += decimal_put(out + at, generation);
	out[at++] = '/';
	memcpy(out + at, cg_file(file)->name, strlen(cg_file(file)->name) + 1);
	if (cg_file(file)->flags & CG_LIVE)
		cg_refresh((u32)group, file);
	return cg_file(file)->flags & CG_SHOWN ? 1 : 0;
}

/* The group of such a path, or -ENODEV when it is gone; its file. */
static long parse(const char *path, u32 *ret_file)
{
	const char *at = path + PATH_HEAD;
	u64 group, generation;

	if (strncmp(path, "/cgroup", 7) || (path[7] != '1' && path[7] != '2') || path[8] != ':')
		return -ENOENT;
	group = cg_parse_u64(&at);
	if (*at++ != '.' || group >= CGROUP_GROUPS_MAX)
		return -ENOENT;
	generation = cg_parse_u64(&at);
	if (*at++ != '/')
		return -ENOENT;
	*ret_file = cg_file_named(at, path[7] == '1');
	if (*ret_file == CG_FILES)
		return -ENOENT;
	if (cg_group((u32)group)->generation != generation || cg_group((u32)group)->state != CGROUP_READY)
		return -ENODEV;
	return (long)group;
}

/* Whether it is /proc/{self,thread-self,PID}[/task/TID]/cgroup: of whom, by the host's number, 0 = the caller. */
static bool is_of_process(const char *path, s32 *ret_pid)
{
	const char *at = path + 6;

	*ret_pid = 0;
	if (strncmp(path, "/proc/", 6))
		return false;
	if (!strncmp(at, "self/", 5))
		at += 4;
	else if (!strncmp(at, "thread-self/", 12))
		at += 11;
	else
		*ret_pid = (s32)cg_parse_u64(&at);
	if (!strncmp(at, "/task/", 6)) {
		at += 6;
		(void)cg_parse_u64(&at);
	}
	return !strcmp(at, "/cgroup");
}

bool cgroup_vfs_find(const char *path, struct vnode *node)
{
	u32 file;
	s32 pid;

	node->mode = VFS_REGULAR | 0444;
	if (path[1] == 'c') {
		if (parse(path, &file) == -ENOENT)
			return false;
		node->id = FILE_ID + file;
		node->mode = VFS_REGULAR | cg_file(file)->mode;
		return true;
	}
	if (!strcmp(path, "/proc/cgroups")) {
		node->id = ID_TABLE;
		return true;
	}
	node->contents = true;
	node->id = strcmp(path, "/proc/stat") ? ID_PROC : ID_STAT;
	return node->id == ID_STAT || is_of_process(path, &pid);
}

bool cgroup_vfs_knows(const char *last)
{
	return !strcmp(last, "cgroup") || !strcmp(last, "cgroups") || !strcmp(last, "stat");
}

bool cgroup_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	(void)path, (void)n, (void)entry;
	return false;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------------------------- */

static void say_tree(struct cg_text *out, const struct cgroup_task *task, u32 tree)
{
	struct cgroup_state *s = cg();
	u32 group = task ? cgroup_of_task(s, task, tree) : s->tree[tree].root;
	char path[CG_HOST_SIZE];
	bool any = false;

	cg_say_number(out, tree);
	cg_say(out, ":");
	for (u32 i = 0; tree && i < CGROUP_CONTROLLERS; i++)
		if (s->tree[tree].controllers & 1u << i) {
			cg_say(out, any ? "," : "");
			cg_say(out, cg_controller_name(i, true));
			any = true;
		}
	if (tree && s->tree[tree].name[0]) {
		cg_say(out, any ? ",name=" : "name=");
		cg_say(out, s->tree[tree].name);
	}
	cg_say(out, ":");
	cg_say(out, cg_path_seen(group, path, sizeof(path)) < 0 ? "/" : path);
	if (s->group[group].state != CGROUP_READY && !cg_is_root(group))
		cg_say(out, " (deleted)");
	cg_say(out, "\n");
}

static void say_process(struct cg_text *out, s32 pid)
{
	const struct cgroup_task *task = cg_task(pid ? pid : agent_caller_pid());

	if (!task && pid)
		task = cg_task(cg_process_of(pid));
	for (u32 tree = CGROUP_TREES_MAX - 1; tree; tree--)
		if (cg()->tree[tree].state == CGROUP_READY)
			say_tree(out, task, tree);
	say_tree(out, task, 0);
}

static void say_table(struct cg_text *out)
{
	struct cgroup_state *s = cg();

	cg_say(out, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	for (u32 i = 0; i < CGROUP_CONTROLLERS; i++) {
		u32 tree = 0, groups = 0;

		for (u32 t = 1; t < CGROUP_TREES_MAX; t++)
			if (s->tree[t].state == CGROUP_READY && (s->tree[t].controllers & 1u << i))
				tree = t;
		for (u32 g = 0; g < s->groups_used && g < CGROUP_GROUPS_MAX; g++)
			groups += s->group[g].state == CGROUP_READY && s->group[g].tree == tree;
		cg_say(out, cg_controller_name(i, true));
		cg_say(out, "\t");
		cg_say_number(out, tree);
		cg_say(out, "\t");
		cg_say_number(out, groups ? groups : 1);
		cg_say(out, "\t1\n");
	}
}

long cgroup_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	struct cg_text out = { .to = buffer, .size = size };
	u32 file;
	s32 pid;
	long r;

	if (node->id == ID_TABLE) {
		say_table(&out);
		return (long)out.used;
	}
	if (node->id == ID_STAT)
		return cg_stat_show(&out);
	if (node->id == ID_PROC) {
		(void)is_of_process(path, &pid);
		say_process(&out, pid);
		return (long)out.used;
	}
	r = parse(path, &file);
	if (r < 0)
		return r;
	if (!(cg_file(file)->flags & CG_SHOWN))
		return cg_get_text((u32)r, file, buffer, size);
	r = cg_show((u32)r, file, &out);
	return r < 0 ? r : (long)out.used;
}

/* /proc/PID/cgroup is the kernel's file, which gVisor and old kernels may lack, but for what it says. */
static long open_of_process(const struct vnode *node, const char *path, int flags)
{
	char text[960];
	long n, fd;

	if (flags & (3 | CG_O_PATH))
		return sys4(__NR_openat, CG_AT_FDCWD, path, flags, 0);
	fd = sys4(__NR_openat, CG_AT_FDCWD, path, flags, 0);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	n = cgroup_vfs_read(node, path, text, sizeof(text));
	return n < 0 ? n : n > (long)sizeof(text) ? -EOPNOTSUPP : vfile_open(path, text, (u64)n, flags & (CG_O_CLOEXEC | 04000));
}

long cgroup_vfs_open(const struct vnode *node, const char *path, int flags)
{
	return node->id == ID_PROC ? open_of_process(node, path, flags)
	     : node->id == ID_STAT ? cg_stat_open(path, flags)
				   : -EOPNOTSUPP;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

long cgroup_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	char text[256];
	u64 from = 0, to = size;
	u32 file;
	long r;

	(void)node;
	if (!size) /* which gVisor's pipes say EPIPE to */
		return 0;
	while (from < to && is_space(bytes[from]))
		from++;
	while (to > from && (is_space(bytes[to - 1]) || !bytes[to - 1]))
		to--;
	if (to - from >= sizeof(text))
		return -E2BIG;
	memcpy(text, bytes + from, to - from);
	text[to - from] = 0;
	r = parse(path, &file);
	if (r >= 0 && file == CG_V1_EVENT_CONTROL) {
		r = cg_write_event_control((u32)r, text); /* without the lock: the supervisor is asked */
		return r < 0 ? r : (long)size;
	}
	if (r >= 0 && file == CG_KILL) {
		r = cg_write_kill((u32)r, text); /* likewise: it waits for those that are killed */
		return r < 0 ? r : (long)size;
	}
	cg_lock();
	r = parse(path, &file);
	if (r >= 0)
		r = cg_write((u32)r, file, text);
	cg_unlock();
	return r < 0 ? r : (long)size;
}

long cg_known(const char *path, u32 *ret_file)
{
	return parse(path, ret_file);
}

long cg_open_file(s32 fd, u32 *ret_file)
{
	char link[AGENT_FD_LINK_SIZE], host[CG_HOST_SIZE], path[CGROUP_FILE_PATH];
	long n = vfs_fd_path(fd, host);

	static_assert(sizeof(host) >= VFS_PATH_MAX, "the path of a virtual file");
	if (n >= 0 && (n = parse(host, ret_file)) >= 0)
		return n;
	agent_fd_link(link, (u32)fd); /* or it is the host's file */
	n = sys3(__NR_readlink, link, host, sizeof(host) - 1);
	if (n < 0)
		return n;
	host[n] = 0;
	n = cgroup_describe(host, path);
	return n < 0 ? n : parse(path, ret_file);
}

/* --- processes -------------------------------------------------------------------------------------------------------------------------------- */

void cgroup_event(enum agent_event event, long arg)
{
	struct cgroup_task *task;
	u64 used[18]; /* struct rusage */

	(void)arg;
	if (event == EVENT_EXEC) {
		task = cg_task_enter(agent_caller_pid());
		if (task)
			__atomic_store_n(&task->forking, 0, __ATOMIC_RELEASE);
	} else if (event == EVENT_EXIT && cg()->tasks_used) {
		task = cg_task(agent_caller_pid());
		if (!task || sys2(__NR_getrusage, 0, used) < 0)
			return;
		task->last_user = used[0] * 1000000 + used[1];
		task->last_system = used[2] * 1000000 + used[3];
	}
}

void cgroup_member_reap(int member)
{
	(void)member;
}
