/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /proc tells where the first process of the cell is pid 1 (pid_view.c): /proc lists the cell's processes, init as 1; /proc/PID/stat and status
 * name processes as they are seen. Snapshots, made when they are opened. Gap identity has its own word on status, and asks here for its part.
 */
#include "base/decimal.h"
#include "gaps/namespaces/namespaces_int.h"

#define AT_FDCWD_ (-100)
#define O_ACCMODE_ 3
#define O_CLOEXEC_ 02000000
#define O_NONBLOCK_ 04000
#define O_PATH_ 010000000
#define TEXT_SIZE 8192u

static u64 digits_at(const char *at)
{
	u64 n = 0;

	while (at[n] >= '0' && at[n] <= '9')
		n++;
	return n;
}

/* Whether it is /proc/{self,thread-self,PID}[/task/TID]/NAME. */
static bool is_file_of_process(const char *path, const char *name)
{
	u64 n;

	if (strncmp(path, "/proc/", 6))
		return false;
	path += 6;
	n = digits_at(path);
	path += n ? n : !strncmp(path, "self/", 5) ? 4 : !strncmp(path, "thread-self/", 12) ? 11 : 0;
	if (*path != '/')
		return false;
	if (!strncmp(path, "/task/", 6) && (n = digits_at(path + 6)))
		path += 6 + n;
	return !strcmp(path + 1, name);
}

bool pids_file_find(const char *path, struct vnode *node)
{
	bool stat = is_file_of_process(path, "stat");

	if (!stat && (identity_on() || !is_file_of_process(path, "status")))
		return false;
	node->id = stat ? PIDS_STAT : PIDS_STATUS;
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return true;
}

/* --- text ----------------------------------------------------------------------------------------------------------------------------- */

static u64 put_number(char *to, s32 number)
{
	if (number >= 0)
		return decimal_put(to, (u64)number);
	*to = '-';
	return 1 + decimal_put(to + 1, 0 - (u64)number);
}

/* What a process is in each pid namespace from the reader's down to its own. */
static u64 put_levels(char *to, s32 pid)
{
	u32 level[PID_LEVELS_MAX + 1], count = 0, mine = agent_view()->pid, space = pids_space_of(pid);
	u64 used = 0;

	if (space == UINT32_MAX || !pids_is_below(space, mine))
		return 0;
	for (; space != mine && count < PID_LEVELS_MAX; space = views()->pid_space[space].parent)
		level[count++] = space;
	level[count++] = mine;
	while (count--) {
		to[used++] = '\t';
		used += put_number(to + used, views()->pid_space[level[count]].init == pid ? 1 : pid);
	}
	return used;
}

u64 pids_tell_status(const char *name, u64 length, const char *from, u64 size, char *to)
{
	static const char names[][8] = { "Tgid", "Ngid", "Pid", "PPid", "TracerP", "NStgid", "NSpid", "NSpgid", "NSsid" };
	u64 used = 0, which;

	for (which = 0; which < ARRAY_SIZE(names); which++)
		if (length >= strlen(names[which]) && !memcmp(name, names[which], strlen(names[which])) &&
		    (length == strlen(names[which]) || which == 4))
			break;
	if (which == ARRAY_SIZE(names) || size > PIDS_LINE_MAX)
		return 0;
	if ((which == 5 || which == 6) && size > 1 && __atomic_load_n(&views()->pid_spaces, __ATOMIC_ACQUIRE)) {
		const char *digits = from + 1; /* behind the tabulator */

		used = put_levels(to, pids_number(&digits));
		if (used)
			return used;
	}
	if (!pids_on())
		return 0;
	for (u64 at = 0; at < size;) {
		u64 n = digits_at(from + at);
		const char *digits = from + at;

		if (n) {
			s32 pid = pids_number(&digits);

			used += put_number(to + used, which >= 7 ? pids_group_to_guest(pid) : pids_to_guest(pid));
			at += n;
		} else {
			to[used++] = from[at++];
		}
	}
	return used;
}

static u64 tell_status(char *to, const char *from, u64 size)
{
	u64 used = 0;

	for (u64 line = 0, end, colon; line < size; line = end + 1) {
		u64 told = 0;

		for (end = line; end < size && from[end] != '\n'; end++)
			;
		for (colon = line; colon < end && from[colon] != ':'; colon++)
			;
		if (colon < end) {
			memcpy(to + used, from + line, colon + 1 - line);
			told = pids_tell_status(from + line, colon - line, from + colon + 1, end - colon - 1,
						to + used + colon + 1 - line);
			used += told ? told + colon + 1 - line : 0;
		}
		if (!told) {
			memcpy(to + used, from + line, end - line);
			used += end - line;
		}
		if (end < size)
			to[used++] = '\n';
	}
	return used;
}

/* proc_pid_stat(5): 1 pid, 2 name, 3 state, 4 parent, 5 group, 6 session, 7 terminal, 8 its foreground group. */
static u64 tell_stat(char *to, const char *from, u64 size)
{
	const char *at = from, *rest = pids_stat_fields(from), *end = from + size;
	u64 used;

	if (!rest || !rest[0] || !rest[1]) {
		memcpy(to, from, size);
		return size;
	}
	used = put_number(to, pids_to_guest(pids_number(&at)));
	rest += 2;
	memcpy(to + used, at, (u64)(rest - at));
	used += (u64)(rest - at);
	for (u32 field = 4; rest < end && field <= 8; field++) {
		u64 n = digits_at(rest);

		if (field != 7 && n) {
			s32 pid = pids_number(&rest);

			used += put_number(to + used, field == 4 ? pids_to_guest(pid) : pids_group_to_guest(pid));
		}
		while (rest < end && *rest != ' ')
			to[used++] = *rest++;
		if (rest < end)
			to[used++] = *rest++;
	}
	memcpy(to + used, rest, (u64)(end - rest));
	return used + (u64)(end - rest);
}

/* --- opening -------------------------------------------------------------------------------------------------------------------------- */

static u64 read_whole(s32 fd, char *to, u64 room)
{
	u64 used = 0;
	long n;

	while (used < room && (n = sys3(__NR_read, fd, to + used, room - used)) > 0)
		used += (u64)n;
	return used;
}

long pids_file_open(const struct vnode *node, const char *path, int flags)
{
	char *from = agent_scratch(), *to = from + TEXT_SIZE + 1;
	long fd;
	u64 size;
	static_assert(3 * TEXT_SIZE + 2 <= AGENT_SCRATCH, "numbers become shorter, but for a line's first");

	if (flags & (O_ACCMODE_ | O_PATH_))
		return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
	fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	size = read_whole((s32)fd, from, TEXT_SIZE);
	(void)sys1(__NR_close, fd);
	from[size] = 0;
	size = node->id == PIDS_STAT ? tell_stat(to, from, size) : tell_status(to, from, size);
	return vfile_open(path, to, size, flags & (O_CLOEXEC_ | O_NONBLOCK_));
}

/* --- listing -------------------------------------------------------------------------------------------------------------------------- */

struct dirent64 { /* struct linux_dirent64 */
	u64 ino, offset;
	u16 length;
	u8 type;
	char name[13];
};
#define NAME_AT offsetof(struct dirent64, name)
#define DIRECTORY 4

/* What a descriptor lists: processes (1), threads (2), something else (0). */
static int lists(u32 fd)
{
	char link[AGENT_FD_LINK_SIZE], target[64];
	long n;

	agent_fd_link(link, fd);
	n = sys3(__NR_readlink, link, target, sizeof(target) - 1);
	if (n < 5 || strncmp(target, "/proc", 5))
		return 0;
	target[n] = 0;
	return n == 5 ? 1 : n > 10 && !strcmp(target + n - 5, "/task") ? 2 : 0;
}

/* Goes through what the kernel has written, closing up what is left out. */
long pids_list(u32 fd, u64 buffer, u64 size)
{
	u64 to = 0, length;
	int what = -1;

	for (u64 from = 0; from < size; from += length) {
		struct dirent64 e;
		const char *digits = e.name;
		u64 head = size - from < sizeof(e) ? size - from : sizeof(e);
		s32 pid = 0;

		if (guest_read(&e, buffer + from, head) < 0)
			return -EFAULT;
		length = e.length;
		if (length < NAME_AT + 2 || length > size - from)
			return (long)size;
		e.name[sizeof(e.name) - 1] = 0;
		if (e.type == DIRECTORY && e.name[0] > '0' && e.name[0] <= '9')
			pid = pids_number(&digits);
		if (pid && !*digits && what < 0)
			what = lists(fd);
		if (!what)
			return (long)size;
		if (pid && !*digits && what == 1 && !pids_visible(pid))
			continue;
		if (pid && !*digits && pids_is_init(pid)) {
			memcpy(e.name, "1", 2);
			if (guest_write(buffer + from + NAME_AT, e.name, 2) < 0)
				return -EFAULT;
		}
		for (u64 at = 0; to != from && at < length; at += sizeof(e)) {
			u64 part = length - at < sizeof(e) ? length - at : sizeof(e);

			if (guest_read(&e, buffer + from + at, part) < 0 || guest_write(buffer + to + at, &e, part) < 0)
				return -EFAULT;
		}
		to += length;
	}
	return (long)to;
}
