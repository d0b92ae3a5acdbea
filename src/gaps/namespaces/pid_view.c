/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pid namespaces (pid_namespaces(7)): the first process of each (init) is told that it is pid 1, and so are its other members; all others keep the
 * host's numbers. So in each only one number is ever translated. Which namespace a process is of is a number of its view (agent/view.h); the cell's is
 * 0, in which numbers are translated when commons->namespaces.pids says so.
 *
 * Who belongs to the cell is asked of the kernel: whose /proc/PID/exe is the cell's agent, a file that each cell has of its own. A process without
 * one (a zombie), and one that does not let itself be looked at, belongs where its parent does.
 *
 * Numbers that are no pid's (a group whose leader has gone) stay as they are. Init's own host number is understood, too: it is what futexes and
 * set_tid_address(2) go by.
 */
#include "base/decimal.h"
#include "base/kernel_stat.h"
#include "gaps/namespaces/namespaces_int.h"

#define AT_FDCWD_ (-100)
#define AT_EMPTY_PATH_ 0x1000
#define O_CLOEXEC_ 02000000
#define ANCESTORS_MAX 16u
#define STRANGER UINT32_MAX /* no pid namespace of the cell */

struct pid_space *pids_space(void)
{
	return &views()->pid_space[agent_view()->pid];
}

bool pids_on(void)
{
	return commons()->namespaces.pids || (__atomic_load_n(&views()->pid_spaces, __ATOMIC_ACQUIRE) && agent_view()->pid);
}

static s32 init_pid(void)
{
	return __atomic_load_n(&pids_space()->init, __ATOMIC_ACQUIRE);
}

bool pids_is_init(s32 pid)
{
	return pid == init_pid();
}

s32 pids_to_host(s32 pid)
{
	return pid == 1 ? init_pid() : pid;
}

bool pids_is_below(u32 space, u32 above)
{
	for (u32 i = 0; i < PID_LEVELS_MAX && space && space != above && space < PID_SPACES_MAX; i++)
		space = views()->pid_space[space].parent;
	return space == above;
}

/* "/proc/PID/NAME" */
static void proc_path(char out[PIDS_PATH_SIZE], s32 pid, const char *name)
{
	u64 at = 6;

	memcpy(out, "/proc/", 6);
	at += decimal_put(out + at, (u32)pid);
	memcpy(out + at, name, strlen(name) + 1);
}

long pids_stat_of(s32 pid, char *text, u64 size)
{
	char path[PIDS_PATH_SIZE];
	long fd, n;

	proc_path(path, pid, "/stat");
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	n = sys3(__NR_read, fd, text, size - 1);
	(void)sys1(__NR_close, fd);
	text[n > 0 ? n : 0] = 0;
	return n;
}

const char *pids_stat_fields(const char *text)
{
	const char *end = NULL;

	for (; *text; text++)
		if (text[0] == ')' && text[1] == ' ')
			end = text + 2; /* the name before it may have anything in it */
	return end;
}

s32 pids_number(const char **at)
{
	s32 value = 0;

	for (; **at >= '0' && **at <= '9' && value < 100000000; (*at)++)
		value = value * 10 + (**at - '0');
	return value;
}

/* The parent of a process, *ret_state: as proc_pid_stat(5) has it. 0: there is none. */
static s32 parent_of(s32 pid, char *ret_state)
{
	char text[512];
	const char *at = pids_stat_of(pid, text, sizeof(text)) > 0 ? pids_stat_fields(text) : NULL;

	*ret_state = at ? *at : 0;
	if (!at || !at[0] || !at[1])
		return 0;
	at += 2;
	return pids_number(&at);
}

/* The process that a thread is of, as /proc tells; 0: it does not. */
static s32 process_of(s32 tid)
{
	char path[PIDS_PATH_SIZE], text[512];
	const char *at = text;
	long fd, n;

	proc_path(path, tid, "/status");
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0);
	if (fd < 0)
		return 0;
	n = sys3(__NR_read, fd, text, sizeof(text) - 1);
	(void)sys1(__NR_close, fd);
	text[n > 0 ? n : 0] = 0;
	while (*at && strncmp(at, "\nTgid:\t", 7))
		at++;
	at += *at ? 7 : 0;
	return pids_number(&at);
}

/* The namespace of a task of the cell that has no view noted for its own number: that of its process, else the cell's. */
static u32 space_of_unnoted(s32 pid)
{
	s32 process = __atomic_load_n(&views()->pid_spaces, __ATOMIC_ACQUIRE) ? process_of(pid) : pid;
	long space = process && process != pid ? view_pid_space_of(process) : 0;

	return process == agent_pid() ? agent_view()->pid : space > 0 ? (u32)space : 0;
}

u32 pids_space_of(s32 pid)
{
	const struct view_state *state = views();

	for (u32 i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		char path[PIDS_PATH_SIZE], reason;
		struct kernel_stat st;
		long r, space;
		s32 parent;

		if (pid == agent_pid())
			return agent_view()->pid;
		space = __atomic_load_n(&state->pid_spaces, __ATOMIC_ACQUIRE) ? view_pid_space_of(pid) : -ESRCH;
		proc_path(path, pid, "/exe");
		r = sys4(__NR_newfstatat, AT_FDCWD_, path, &st, 0);
		if (r == 0 && (st.dev != state->agent_device || st.ino != state->agent_inode))
			return STRANGER;
		if (space >= 0)
			return (u32)space;
		if (r == 0)
			return space_of_unnoted(pid);
		for (u32 k = __atomic_load_n(&state->pid_spaces, __ATOMIC_ACQUIRE); k; k--)
			if (state->pid_space[k].init == pid && !state->pid_space[k].dead)
				return k;
		parent = parent_of(pid, &reason);
		if (r == -ENOENT && reason != 'Z' && reason != 'X')
			return STRANGER;
		pid = parent;
	}
	return STRANGER;
}

bool pids_visible(s32 pid)
{
	u32 mine = agent_view()->pid, space;

	if (pid == agent_pid() || pid == init_pid())
		return true;
	space = pids_space_of(pid);
	return space != STRANGER && pids_is_below(space, mine);
}

s32 pids_to_guest(s32 pid)
{
	return pid == init_pid() ? 1 : pid > 0 && !pids_visible(pid) ? 0 : pid;
}

s32 pids_group_to_guest(s32 group)
{
	s32 shown = pids_to_guest(group);

	return shown || group <= 0 || sys2(__NR_kill, group, 0) != -ESRCH ? shown : group;
}

/* --- paths of /proc ------------------------------------------------------------------------------------------------------------------ */

/* Puts a number in the place of the digits at `at`. The new length, or -ENAMETOOLONG. */
static long put_number(char *path, u64 at, s32 number, u64 room)
{
	char digits[DECIMAL_MAX];
	u64 n = decimal_put(digits, (u32)number), old = 0, length = strlen(path);

	while (path[at + old] >= '0' && path[at + old] <= '9')
		old++;
	if (length + n - old >= room)
		return -ENAMETOOLONG;
	memmove(path + at + n, path + at + old, length - at - old + 1);
	memcpy(path + at, digits, n);
	return (long)strlen(path);
}

/* The number behind a prefix, which ends there; 0: none. */
static s32 number_at(const char *at)
{
	s32 number = *at == '0' ? 0 : pids_number(&at);

	return *at && *at != '/' ? 0 : number;
}

/* Where the thread's number stands in /proc/PID/task/TID; 0: nowhere. */
static u64 task_at(const char *path)
{
	u64 at = 6;

	while (path[at] && path[at] != '/')
		at++;
	return strncmp(path + at, "/task/", 6) ? 0 : at + 6;
}

long pids_host_path(char *path, u64 room)
{
	long length = (long)strlen(path);
	s32 pid;
	u64 at;

	if (strncmp(path, "/proc/", 6))
		return length;
	if (path[6] == '0')
		return -ENOENT; /* Linux knows no such number, gVisor does */
	pid = number_at(path + 6);
	if (pid == 1)
		length = put_number(path, 6, init_pid(), room);
	else if (pid && !pids_visible(pid))
		return -ENOENT;
	if (length < 0)
		return length;
	at = task_at(path);
	return at && number_at(path + at) == 1 ? put_number(path, at, init_pid(), room) : length;
}

long pids_guest_path(char *path, u64 room)
{
	long length = (long)strlen(path);
	u64 at;

	if (strncmp(path, "/proc/", 6))
		return length;
	at = task_at(path);
	if (at && pids_is_init(number_at(path + at)))
		length = put_number(path, at, 1, room);
	return length >= 0 && pids_is_init(number_at(path + 6)) ? put_number(path, 6, 1, room) : length;
}

long pids_own_link(char *text, long length, u64 room)
{
	u64 at = 0;

	text[length] = 0;
	if (pids_is_init(number_at(text)))
		length = put_number(text, 0, 1, room);
	while (text[at] && text[at] != '/')
		at++;
	return !strncmp(text + at, "/task/", 6) && pids_is_init(number_at(text + at + 6)) ? put_number(text, at + 6, 1, room)
											  : length;
}
