/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/ns: links that tell the namespaces of a process, and what is behind them (namespaces(7)).
 *
 * Where the cell has a scratch directory, each namespace of a kind that lichen supplies is an empty file in it, "ns/KIND-NUMBER", made when it is first
 * asked for; its inode number is what the links tell. So it can be opened, stat'ed and mounted on a file (fs_mount_call.c) as any other, and setns(2)
 * knows it by its path. Who opens it locks it (flock), which keeps the namespace: ns_is_pinned().
 * Elsewhere the numbers are the kernel's for the first namespaces of a machine, and what is opened is a memfd with the link's text as its name.
 *
 * Kinds that are the kernel's affair (user, time, and net where it gives that) are its own files. Limits: docs/limits.md.
 */
#include "base/decimal.h"
#include "base/kernel_stat.h"
#include "gaps/namespaces/ns_int.h"

#define O_ACCMODE_ 3
#define O_CREAT_ 0100
#define O_NOFOLLOW_ 0400000
#define O_CLOEXEC_ 02000000
#define O_PATH_ 010000000
#define LOCK_SH_ 1
#define LOCK_EX_ 2
#define LOCK_NB_ 4
#define FIRST_NUMBER 4026531838u /* include/linux/proc_ns.h: PROC_UTS_INIT_INO, PROC_IPC_INIT_INO */
#define OTHERS 4026600000u       /* + 8 * number + kind */
#define MEMFD "/memfd:"

static const char kind_names[NS_KINDS][8] = { "uts", "ipc", "mnt", "pid", "cgroup", "net" };

u32 ns_kind_flag(enum ns_kind kind)
{
	static const u32 flags[NS_KINDS] = { 0x04000000, 0x08000000, 0x00020000, 0x20000000, 0x02000000, 0x40000000 };

	return flags[kind];
}

bool ns_is_supplied(enum ns_kind kind)
{
	bool tree = commons()->fs.table.count != 0;

	switch (kind) {
	case NS_UTS:
		return true;
	case NS_IPC:
		return commons()->emulated & (1u << GAP_sysvipc);
	default:
		return tree;
	}
}

static bool has_files(void)
{
	return commons()->fs.table.count && commons()->scratch[0];
}

/* --- names ---------------------------------------------------------------------------------------------------------------------------- */

/* What is behind "/ns/". */
static bool kind_of(const char *name, enum ns_kind *ret_kind, bool *ret_children)
{
	*ret_children = !strcmp(name, "pid_for_children");
	for (u32 kind = 0; kind < NS_KINDS; kind++)
		if ((*ret_children && kind == NS_PID) || !strcmp(name, kind_names[kind])) {
			*ret_kind = (enum ns_kind)kind;
			return ns_is_supplied(*ret_kind);
		}
	return false;
}

struct ns_name {
	s32 process, task; /* 0: the caller's */
	enum ns_kind kind;
	bool children;
};

/* Whether it is /proc/{self,thread-self,PID}[/task/TID]/ns/NAME. */
static bool parse(const char *path, struct ns_name *ret)
{
	*ret = (struct ns_name){ 0 };
	if (strncmp(path, "/proc/", 6))
		return false;
	path += 6;
	if (!strncmp(path, "self/", 5))
		path += 4;
	else if (!strncmp(path, "thread-self/", 12))
		path += 11;
	else
		ret->process = pids_number(&path);
	if (!strncmp(path, "/task/", 6)) {
		path += 6;
		ret->task = pids_number(&path);
	}
	return !strncmp(path, "/ns/", 4) && kind_of(path + 4, &ret->kind, &ret->children);
}

static u32 number_in(enum ns_kind kind, bool children, const struct agent_spaces *spaces)
{
	switch (kind) {
	case NS_UTS:
		return spaces->uts;
	case NS_IPC:
		return spaces->ipc;
	case NS_MNT:
		return spaces->mnt;
	case NS_PID:
		return children ? spaces->pid_children : spaces->pid;
	case NS_NET:
		return spaces->net;
	default:
		return spaces->cgroup;
	}
}

/* The number of the namespace that such a path leads to: 0 or negative errno. */
static long number_of(const struct ns_name *name, u32 *ret)
{
	struct agent_spaces spaces;
	long r = agent_spaces_of(name->process, name->task, &spaces);

	if (r < 0)
		return r;
	*ret = number_in(name->kind, name->children, &spaces);
	if (name->children && *ret && !views()->pid_space[*ret].init)
		return -ENOENT; /* nobody was born there yet */
	return 0;
}

/* --- files ---------------------------------------------------------------------------------------------------------------------------- */

const char *ns_name_of(const char *host)
{
	u64 n = strlen(commons()->scratch);

	return n && !strncmp(host, commons()->scratch, n) && !strncmp(host + n, "/ns/", 4) ? host + n + 4 : NULL;
}

/* "…/ns/uts-5": its length. */
static u64 put_path(char to[NS_PATH_SIZE], enum ns_kind kind, u32 number)
{
	u64 n = strlen(commons()->scratch), size = strlen(kind_names[kind]);

	memcpy(to, commons()->scratch, n);
	memcpy(to + n, "/ns/", 5);
	n += 4;
	memcpy(to + n, kind_names[kind], size);
	to[n + size] = '-';
	n += size + 1;
	n += decimal_put(to + n, number);
	to[n] = 0;
	return n;
}

/* Makes the file if it is not there. Its length or negative errno. */
static long make_file(char path[NS_PATH_SIZE], enum ns_kind kind, u32 number)
{
	u64 n = put_path(path, kind, number), at = strlen(commons()->scratch) + 3;
	struct kernel_stat st;
	long fd;

	if (sys4(__NR_newfstatat, AT_FDCWD_, path, &st, 0) == 0)
		return (long)n;
	path[at] = 0;
	(void)sys2(__NR_mkdir, path, 0755);
	path[at] = '/';
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_CREAT_ | O_NOFOLLOW_ | O_CLOEXEC_, 0444);
	if (fd < 0)
		return fd;
	(void)sys1(__NR_close, fd);
	return (long)n;
}

long ns_file_path(const char *path, char to[NS_PATH_SIZE])
{
	struct ns_name name;
	u32 number = 0;
	long r;

	if (!has_files() || !parse(path, &name))
		return 0;
	r = number_of(&name, &number);
	return r < 0 ? r : make_file(to, name.kind, number);
}

bool ns_known(const char *text, enum ns_kind *ret_kind, u32 *ret_number)
{
	const char *at = ns_name_of(text);

	for (u32 kind = 0; at && kind < NS_KINDS; kind++) {
		u64 n = strlen(kind_names[kind]);

		if (strncmp(at, kind_names[kind], n) || at[n] != '-')
			continue;
		at += n + 1;
		*ret_kind = (enum ns_kind)kind;
		*ret_number = 0;
		while (*at >= '0' && *at <= '9')
			*ret_number = *ret_number * 10 + (u32)(*at++ - '0');
		return !*at;
	}
	return false;
}

long ns_open(enum ns_kind kind, u32 number)
{
	char path[NS_PATH_SIZE];
	long r = has_files() ? make_file(path, kind, number) : -EPERM;

	if (r > 0)
		r = sys4(__NR_openat, AT_FDCWD_, path, O_NOFOLLOW_ | O_CLOEXEC_, 0);
	if (r >= 0)
		(void)sys2(__NR_flock, r, LOCK_SH_);
	return r;
}

/* Whether a file in the cell's scratch directory is open somewhere. */
static bool is_open(const char *path)
{
	long fd = sys4(__NR_openat, AT_FDCWD_, path, O_NOFOLLOW_ | O_CLOEXEC_, 0), r;

	if (fd < 0)
		return false;
	r = sys2(__NR_flock, fd, LOCK_EX_ | LOCK_NB_);
	(void)sys1(__NR_close, fd);
	return r < 0;
}

bool ns_is_pinned(u32 flag, u32 number)
{
	char path[NS_PATH_SIZE];
	u32 kind = 0;

	while (kind < NS_KINDS && ns_kind_flag((enum ns_kind)kind) != flag)
		kind++;
	if (!has_files() || kind == NS_KINDS)
		return false;
	(void)put_path(path, (enum ns_kind)kind, number);
	return is_open(path) || fs_is_mounted(path);
}

/* --- links ---------------------------------------------------------------------------------------------------------------------------- */

/* "uts:[4026531838]". Its length. */
static u64 put_link(char out[NS_NAME_SIZE], enum ns_kind kind, u64 number)
{
	u64 n = strlen(kind_names[kind]);

	memcpy(out, kind_names[kind], n);
	memcpy(out + n, ":[", 2);
	n += 2;
	n += decimal_put(out + n, number);
	memcpy(out + n, "]", 2);
	return n + 1;
}

/* The number of a namespace where it has no file. */
static u32 plain_number(enum ns_kind kind, u32 number)
{
	return kind == NS_MNT ? number : number ? OTHERS + 8 * number + kind : FIRST_NUMBER + kind;
}

long ns_told(const char *host, char *out)
{
	struct kernel_stat st = { .ino = 0 };
	enum ns_kind kind;
	u32 number;

	if (!ns_known(host, &kind, &number) || sys4(__NR_newfstatat, AT_FDCWD_, host, &st, 0) < 0)
		return 0;
	return (long)put_link(out, kind, st.ino);
}

long ns_link(const char *path, char *out)
{
	char file[NS_PATH_SIZE];
	struct ns_name name;
	u32 number = 0;
	long r;

	if (!parse(path, &name))
		return 0;
	r = number_of(&name, &number);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	if (has_files() && make_file(file, name.kind, number) > 0)
		return ns_told(file, out);
	return (long)put_link(out, name.kind, plain_number(name.kind, number));
}

/* --- without files -------------------------------------------------------------------------------------------------------------------- */

bool ns_file_find(const char *path, struct vnode *node)
{
	struct ns_name name;

	if (has_files() || !parse(path, &name))
		return false;
	node->id = NS_FILE;
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return true;
}

long ns_file_open(const char *path, int flags)
{
	char name[NS_NAME_SIZE];

	if ((flags & (O_ACCMODE_ | O_PATH_)) || ns_link(path, name) <= 0)
		return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
	return vfile_open(name, "", 0, flags & O_CLOEXEC_);
}

bool ns_memfd_known(const char *text, enum ns_kind *ret_kind, u32 *ret_number)
{
	if (strncmp(text, MEMFD, 7))
		return false;
	text += 7;
	for (u32 kind = 0; kind < NS_KINDS; kind++) {
		u64 n = strlen(kind_names[kind]);
		u32 number = 0;

		if (strncmp(text, kind_names[kind], n) || strncmp(text + n, ":[", 2))
			continue;
		for (const char *at = text + n + 2; *at >= '0' && *at <= '9'; at++)
			number = number * 10 + (u32)(*at - '0');
		*ret_kind = (enum ns_kind)kind;
		*ret_number = kind == NS_MNT ? number : number < OTHERS ? 0 : (number - OTHERS) / 8;
		return true;
	}
	return false;
}
