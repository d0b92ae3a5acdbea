/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below /proc/PID that gVisor lacks, or takes in part (proc(5); fs/proc/base.c):
 *
 *   setgroups, projid_map     those of the first user namespace, which nobody changes
 *   loginuid, sessionid       of the process or its nearest ancestor that has set one; kept by pid (struct process_login)
 *   oom_adj                   oom_score_adj in old terms
 *   oom_score_adj             the kernel's, which is written as a decimal number without what follows it: runc writes "0\0". A process without
 *                             CAP_SYS_RESOURCE may lower it to 0, also where one with it has raised it (kernel: EACCES below that)
 *   timerslack_ns             the caller's is the kernel's (prctl); others' cannot be set
 */
#include "base/decimal.h"
#include "gaps/processes/processes_int.h"

#define AT_FDCWD_ (-100)
#define O_WRONLY_ 1
#define O_CLOEXEC_ 02000000
#define PR_SET_TIMERSLACK_ 29
#define PR_GET_TIMERSLACK_ 30
#define SLACK 50000
#define OOM_MIN (-1000)
#define OOM_MAX 1000
#define OOM_DISABLE 17
#define OOM_ADJUST_MAX 15

enum file { FILE_SETGROUPS = 1, FILE_PROJID_MAP, FILE_LOGINUID, FILE_SESSIONID, FILE_OOM_ADJ, FILE_OOM_SCORE_ADJ, FILE_TIMERSLACK };

/* By enum file. */
static const struct {
	char name[16];
	u32 mode;
} files[] = {
	{ "", 0 },           { "setgroups", 0644 },     { "projid_map", 0644 },    { "loginuid", 0644 }, { "sessionid", 0444 },
	{ "oom_adj", 0644 }, { "oom_score_adj", 0644 }, { "timerslack_ns", 0666 },
};

/* A number of a process at the start of text: how many bytes it has; 0: none. "self": the caller's. */
static u64 number(const char *text, s32 *ret)
{
	u64 n = 0;

	if (!strncmp(text, "self/", 5)) {
		*ret = agent_caller_pid();
		return 4;
	}
	for (*ret = 0; n < 9 && text[n] >= '0' && text[n] <= '9'; n++)
		*ret = *ret * 10 + (text[n] - '0');
	return n && text[n] == '/' ? n : 0;
}

/* Takes a path apart: enum file, 0 when it is none of these; of whom. */
static u32 file_of(const char *path, s32 *ret_pid)
{
	s32 tid;
	u64 n;

	if (strncmp(path, "/proc/", 6))
		return 0;
	path += 6;
	if (!strncmp(path, "thread-self/", 12)) {
		*ret_pid = agent_caller_pid();
		path += 12;
	} else {
		n = number(path, ret_pid);
		if (!n)
			return 0;
		path += n + 1;
		if (!strncmp(path, "task/", 5) && (n = number(path + 5, &tid)))
			path += 5 + n + 1;
	}
	for (u32 i = 1; i < ARRAY_SIZE(files); i++)
		if (!strcmp(path, files[i].name))
			return i;
	return 0;
}

bool processes_vfs_find(const char *path, struct vnode *node)
{
	s32 pid;

	node->id = file_of(path, &pid);
	if (!node->id)
		return false;
	node->mode = VFS_REGULAR | files[node->id].mode;
	if ((node->mode & 0200) && pid == agent_caller_pid())
		node->mode |= 0022; /* it is the caller's, whoever that is */
	node->real = node->id != FILE_OOM_SCORE_ADJ && !(commons()->refused & (1u << GAP_processes));
	node->id += 4096; /* below are directories */
	return true;
}

bool processes_vfs_knows(const char *last)
{
	for (u32 i = 1; i < ARRAY_SIZE(files); i++)
		if (!strcmp(last, files[i].name))
			return true;
	return false;
}

/* --- values -------------------------------------------------------------------------------------------------------------------------- */

static u64 put(char *to, s64 value)
{
	u64 n = value < 0;

	to[0] = '-';
	return n + decimal_put(to + n, (u32)(value < 0 ? -value : value));
}

/* Of a character; 99: it is none. */
static u32 digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 : 99;
}

/* A number as kstrtoint() takes it, blanks around it; what follows a NUL does not count. base 0: 0x and 0 are prefixes. */
static long parse(const char *text, u32 base, s64 *ret)
{
	bool minus;
	u64 n = 0;

	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	minus = *text == '-';
	text += *text == '-' || *text == '+';
	if (!base && *text == '0' && (text[1] | 0x20) == 'x' && digit_of(text[2]) < 16) {
		base = 16;
		text += 2;
	} else if (!base) {
		base = *text == '0' ? 8 : 10;
	}
	for (*ret = 0; digit_of(text[n]) < base; n++)
		if (n < 12)
			*ret = *ret * base + digit_of(text[n]);
	text += n;
	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	if (!n || *text)
		return -EINVAL;
	if (minus)
		*ret = -*ret;
	return 0;
}

/* The kernel's oom_score_adj of whose file is at path: the number, or negative errno. */
static void oom_path(char path[64], s32 pid)
{
	memcpy(path, "/proc/", 6);
	memcpy(path + 6 + decimal_put(path + 6, (u32)pid), "/oom_score_adj", 15);
}

static long oom_read(s32 pid, s64 *ret)
{
	char path[64], text[24] = "";
	long fd, n;

	oom_path(path, pid);
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	n = sys3(__NR_read, fd, text, sizeof(text) - 1);
	(void)sys1(__NR_close, fd);
	return n < 0 ? n : parse(text, 10, ret);
}

/* Who may not, makes no process of his better than it was (__set_oom_adj()): what somebody who may has allowed it before, is not known. */
static bool oom_may(s32 pid, s64 value)
{
	struct agent_creds creds;
	s64 now;

	agent_creds_get(&creds);
	return creds.cap_sys_resource || value >= 0 || (oom_read(pid, &now) == 0 && value >= now);
}

static long oom_write(s32 pid, s64 value)
{
	char path[64], text[24];
	u64 size = put(text, value);
	long fd, n;

	if (value < OOM_MIN || value > OOM_MAX)
		return -EINVAL;
	if (!oom_may(pid, value))
		return -EACCES;
	oom_path(path, pid);
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_WRONLY_ | O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	n = sys3(__NR_write, fd, text, size);
	(void)sys1(__NR_close, fd);
	return n < 0 ? n : 0;
}

static s64 oom_adj_of(s64 score)
{
	s64 adj = score == OOM_MAX ? OOM_ADJUST_MAX : score * OOM_DISABLE / OOM_MAX;

	return adj > OOM_ADJUST_MAX ? OOM_ADJUST_MAX : adj;
}

static struct process_login *login_of(s32 pid)
{
	struct process_login *login = processes_area()->login;

	for (u32 i = 0; i < PROCESSES_LOGINS; i++)
		if (__atomic_load_n(&login[i].pid, __ATOMIC_ACQUIRE) == pid)
			return &login[i];
	return NULL;
}

static const struct process_login *login_above(s32 pid)
{
	const struct process_login *login = NULL;

	for (u32 i = 0; i < 64 && pid > 1 && __atomic_load_n(&processes_area()->logins, __ATOMIC_ACQUIRE); i++) {
		login = login_of(pid);
		if (login)
			break;
		pid = family_parent(pid);
	}
	return login;
}

static long login_write(s32 pid, u32 uid)
{
	struct processes_area *area = processes_area();
	struct process_login *at = login_of(pid);
	const struct process_login *old = login_above(pid);
	struct agent_creds creds;

	agent_creds_get(&creds);
	if (pid != agent_caller_pid() || (old && old->uid != ~0u && !creds.cap_audit_control))
		return -EPERM;
	for (u32 i = 0; i < PROCESSES_LOGINS && !at; i++) {
		s32 was = __atomic_load_n(&area->login[i].pid, __ATOMIC_ACQUIRE);

		if ((!was || sys2(__NR_kill, was, 0) == -ESRCH) &&
		    __atomic_compare_exchange_n(&area->login[i].pid, &was, pid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			at = &area->login[i];
	}
	if (!at)
		return -ENOMEM;
	at->uid = uid;
	at->session = uid == ~0u ? ~0u : __atomic_add_fetch(&area->sessions, 1, __ATOMIC_ACQ_REL);
	__atomic_store_n(&area->logins, 1, __ATOMIC_RELEASE);
	return 0;
}

/* --- files --------------------------------------------------------------------------------------------------------------------------- */

static long copy(char *buffer, u64 size, const char *text, u64 length)
{
	memcpy(buffer, text, length < size ? length : size);
	return (long)length;
}

static long put_line(char *buffer, u64 size, s64 value, bool newline)
{
	char text[24];
	u64 n = put(text, value);

	text[n] = '\n';
	return copy(buffer, size, text, n + newline);
}

/* Whether there is a process, or thread, of which it is a file. */
static bool directory_exists(const char *path)
{
	char directory[VFS_PATH_MAX];
	u64 cut = 0;

	for (u64 i = 0; path[i] && i < sizeof(directory); i++) {
		directory[i] = path[i];
		cut = path[i] == '/' ? i : cut;
	}
	directory[cut] = 0;
	return sys2(__NR_access, directory, 0) == 0;
}

long processes_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	static const char map[] = "         0          0 4294967295\n";
	const struct process_login *login;
	s64 value = 0;
	s32 pid = 0;
	long r = 0;

	(void)file_of(path, &pid);
	if (!directory_exists(path))
		return -ENOENT;
	switch (node->id - 4096) {
	case FILE_SETGROUPS:
		return copy(buffer, size, "allow\n", 6);
	case FILE_PROJID_MAP:
		return copy(buffer, size, map, sizeof(map) - 1);
	case FILE_LOGINUID:
	case FILE_SESSIONID:
		login = login_above(pid);
		return put_line(buffer, size,
				!login                             ? (s64)~0u
				: node->id - 4096 == FILE_LOGINUID ? login->uid
								   : login->session,
				false);
	case FILE_TIMERSLACK:
		r = pid == agent_caller_pid() ? sys2(__NR_prctl, PR_GET_TIMERSLACK_, 0) : SLACK;
		return put_line(buffer, size, r > 0 ? r : SLACK, true);
	default:
		r = oom_read(pid, &value);
		return r < 0 ? r : put_line(buffer, size, node->id - 4096 == FILE_OOM_ADJ ? oom_adj_of(value) : value, true);
	}
}

long processes_vfs_open(const struct vnode *node, const char *path, int flags)
{
	struct agent_creds creds;

	(void)path;
	if (node->id - 4096 == FILE_SETGROUPS && (flags & 3)) {
		agent_creds_get(&creds);
		if (!creds.cap_sys_admin)
			return -EACCES;
	}
	return -EOPNOTSUPP; /* processes_vfs_read(), processes_vfs_written() */
}

/* "allow" is what it says already; gid_map is written, so "deny" comes too late (proc_setgroups_write()). */
static long setgroups_write(const char *text)
{
	bool allow = !strncmp(text, "allow", 5), deny = !strncmp(text, "deny", 4);

	text += allow ? 5 : 4;
	if (!allow && !deny)
		return -EINVAL;
	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	return *text ? -EINVAL : allow ? 0 : -EPERM;
}

static long write_number(u32 file, s32 pid, const char *bytes)
{
	s64 value;
	long r = parse(bytes, file == FILE_OOM_ADJ || file == FILE_OOM_SCORE_ADJ ? 0 : 10, &value);

	if (r < 0)
		return r;
	switch (file) {
	case FILE_LOGINUID:
		return value < 0 ? -EINVAL : value > 0xffffffffL ? -ERANGE : login_write(pid, (u32)value);
	case FILE_OOM_ADJ:
		if (value < -OOM_DISABLE || value > OOM_ADJUST_MAX)
			return -EINVAL;
		return oom_write(pid, value == OOM_ADJUST_MAX ? OOM_MAX : value * OOM_MAX / OOM_DISABLE);
	case FILE_OOM_SCORE_ADJ:
		return oom_write(pid, value);
	default:
		r = pid == agent_caller_pid() ? sys2(__NR_prctl, PR_SET_TIMERSLACK_, value) : -EPERM;
		return r == -EINVAL ? 0 : r;
	}
}

long processes_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	u32 file = node->id - 4096;
	s32 pid = 0;
	long r;

	(void)file_of(path, &pid);
	if (file == FILE_PROJID_MAP || file == FILE_SESSIONID)
		r = -EPERM;
	else if (file == FILE_SETGROUPS)
		r = size >= 8 ? -EINVAL : setgroups_write(bytes);
	else
		r = write_number(file, pid, bytes);
	return r < 0 ? r : (long)size;
}

bool processes_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	(void)path, (void)n, (void)entry;
	return false; /* they are found by name, and not listed */
}
