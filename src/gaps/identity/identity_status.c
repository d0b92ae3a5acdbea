/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/status and those of tasks (proc_pid_status(5)): the kernel's text, with the lines that tell who it is told anew. A process that is not of
 * the cell keeps its lines but for the ids of who runs lichen. A snapshot, made when it is opened.
 */
#include "base/decimal.h"
#include "gaps/identity/identity_int.h"

#define AT_FDCWD_ (-100)
#define O_ACCMODE_ 3
#define O_NONBLOCK_ 04000
#define O_CLOEXEC_ 02000000
#define O_PATH_ 010000000
#define KERNEL_ROOM 16384u                            /* of the kernel's text, but for the groups */
#define GROUPS_ROOM (IDENTITY_NGROUPS_MAX * 11u + 64) /* 10 digits and a blank each */
#define TEXT_ROOM ALIGN_UP(KERNEL_ROOM * 2u + GROUPS_ROOM * 2u, (u32)LAYOUT_PAGE)

enum file { FILE_STATUS = 1, FILE_MAP };

/* --- paths -------------------------------------------------------------------------------------------------------------------------- */

static u64 digits_at(const char *at)
{
	u64 n = 0;

	while (at[n] >= '0' && at[n] <= '9')
		n++;
	return n;
}

static s32 number_at(const char *at)
{
	s32 value = 0;

	for (u64 i = 0; i < 9 && at[i] >= '0' && at[i] <= '9'; i++)
		value = value * 10 + (at[i] - '0');
	return value;
}

static u32 file_of(const char *name)
{
	return !strcmp(name, "status") ? FILE_STATUS : !strcmp(name, "uid_map") || !strcmp(name, "gid_map") ? FILE_MAP : 0;
}

/* Which of the files it is, 0: none; whose: pid (0 the caller's process), tid (0 none named, -1 the caller). */
static u32 parse(const char *path, s32 *pid, s32 *tid)
{
	u64 n;

	*pid = *tid = 0;
	if (strncmp(path, "/proc/", 6))
		return 0;
	path += 6;
	if (!strncmp(path, "thread-self/", 12)) {
		*tid = -1;
		return file_of(path + 12);
	}
	n = digits_at(path);
	*pid = number_at(path);
	if (!n && strncmp(path, "self/", 5))
		return 0;
	path += n ? n : 4;
	if (!strncmp(path, "/task/", 6)) {
		n = digits_at(path + 6);
		*tid = number_at(path + 6);
		if (!n)
			return 0;
		path += 6 + n;
	}
	return *path == '/' ? file_of(path + 1) : 0;
}

bool identity_vfs_find(const char *path, struct vnode *node)
{
	s32 pid, tid;

	node->id = parse(path, &pid, &tid);
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return node->id != 0;
}

bool identity_vfs_knows(const char *last)
{
	return file_of(last) != 0;
}

static const struct identity_cred *whose(const char *path)
{
	const struct identity_cred *cred = NULL;
	s32 pid, tid;

	if (!parse(path, &pid, &tid))
		return NULL;
	if (tid == -1 || tid == (s32)sys0(__NR_gettid))
		return identity_self();
	if (!pid)
		pid = (s32)sys0(__NR_getpid);
	if (tid > 0)
		cred = identity_published(tid);
	if (!cred)
		cred = identity_published(pid);
	return cred ? cred : pid == (s32)sys0(__NR_getpid) ? identity_self() : NULL;
}

/* --- text --------------------------------------------------------------------------------------------------------------------------- */

struct text {
	char *to;
	u64 used, room;
};

static void put(struct text *text, const char *from, u64 size)
{
	if (size > text->room - text->used)
		size = text->room - text->used;
	memcpy(text->to + text->used, from, size);
	text->used += size;
}

static void put_decimal(struct text *text, u32 value)
{
	char digits[DECIMAL_MAX];

	put(text, digits, decimal_put(digits, value));
}

static void put_hex(struct text *text, u64 value)
{
	char digits[16];

	for (int i = 15; i >= 0; i--, value >>= 4)
		digits[i] = "0123456789abcdef"[value & 15];
	put(text, digits, sizeof(digits));
}

static void put_ids(struct text *text, const struct identity_ids *ids)
{
	const u32 values[] = { ids->real, ids->effective, ids->saved, ids->fs };

	for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
		put(text, "\t", 1);
		put_decimal(text, values[i]);
	}
}

static void put_groups(struct text *text, const struct identity_cred *cred)
{
	u32 count;
	const u32 *gids = identity_groups(cred, &count);

	put(text, "\t", 1);
	for (u32 i = 0; i < count; i++) {
		put_decimal(text, gids[i]);
		put(text, " ", 1);
	}
	if (!count)
		put(text, " ", 1);
}

/* The ids of a process that is not of the cell: of who runs lichen, root's. */
static void put_shown(struct text *text, const char *from, const char *end, bool users)
{
	while (from < end) {
		u64 n = digits_at(from);

		if (n) {
			u32 id = 0;

			for (u64 i = 0; i < n; i++)
				id = id * 10 + (u32)(from[i] - '0');
			put_decimal(text, users ? identity_shown_uid(id) : identity_shown_gid(id));
			from += n;
		} else {
			put(text, from++, 1);
		}
	}
}

/* What lichen is confined by counts as what confines every guest; lichen's own filters do not. */
static void put_seccomp(struct text *text, u32 filters, bool count)
{
	const struct outer_state *outer = &commons()->outer;

	put(text, "\t", 1);
	if (filters == IDENTITY_STRICT)
		put_decimal(text, count ? 0 : 1);
	else if (count)
		put_decimal(text, outer->filters + filters);
	else
		put_decimal(text, filters ? 2 : outer->seccomp);
}

/* The value behind a line's colon; false: it stays. */
static bool put_value(struct text *text, const char *name, u64 length, const struct identity_cred *cred)
{
	const struct identity_caps *caps = &cred->caps;

#define IS(what) (length == sizeof(what) - 1 && !memcmp(name, what, sizeof(what) - 1))
	if (IS("Uid"))
		put_ids(text, &cred->uid);
	else if (IS("Gid"))
		put_ids(text, &cred->gid);
	else if (IS("Groups"))
		put_groups(text, cred);
	else if (length == 6 && !memcmp(name, "Cap", 3))
		put(text, "\t", 1), put_hex(text, IS("CapInh")   ? caps->inheritable
						  : IS("CapPrm") ? caps->permitted
						  : IS("CapEff") ? caps->effective
						  : IS("CapBnd") ? caps->bounding
								 : caps->ambient);
	else if (IS("NoNewPrivs"))
		put(text, cred->no_new_privs ? "\t1" : "\t0", 2);
	else if (IS("Seccomp"))
		put_seccomp(text, cred->filters, false);
	else if (IS("Seccomp_filters"))
		put_seccomp(text, cred->filters, true);
	else
		return false;
#undef IS
	return true;
}

/* A line of pids, where they are others to the guest. */
static bool put_pids(struct text *text, const char *name, u64 length, const char *from, u64 size)
{
	u64 used = 0;

	if (text->room - text->used >= PIDS_LINE_MAX)
		used = pids_tell_status(name, length, from, size, text->to + text->used);
	text->used += used;
	return used;
}

/* Lines that an older kernel does not have. */
static void put_newer(struct text *text, const struct identity_cred *cred)
{
	put(text, "CapAmb:", 7);
	(void)put_value(text, "CapAmb", 6, cred);
	put(text, "\nNoNewPrivs:", 12);
	(void)put_value(text, "NoNewPrivs", 10, cred);
	put(text, "\n", 1);
}

static void tell(struct text *text, const char *from, u64 size, const struct identity_cred *cred)
{
	for (u64 line = 0, end, colon; line < size; line = end + 1) {
		for (end = line; end < size && from[end] != '\n'; end++)
			;
		for (colon = line; colon < end && from[colon] != ':'; colon++)
			;
		put(text, from + line, (colon < end ? colon + 1 : end) - line);
		if (colon < end && cred && put_value(text, from + line, colon - line, cred)) {
			put(text, "\n", 1);
			if (colon - line == 6 && !memcmp(from + line, "CapBnd", 6) &&
			    (size - end < 7 || memcmp(from + end + 1, "CapAmb", 6)))
				put_newer(text, cred);
			continue;
		}
		if (colon < end && (commons()->emulated & (1u << GAP_namespaces)) &&
		    put_pids(text, from + line, colon - line, from + colon + 1, end - colon - 1))
			;
		else if (colon < end && !cred && colon - line == 3 && !memcmp(from + line + 1, "id:", 3) && from[line] != 'P')
			put_shown(text, from + colon + 1, from + end, from[line] == 'U');
		else if (colon < end)
			put(text, from + colon + 1, end - colon - 1);
		if (end < size)
			put(text, "\n", 1);
	}
}

/* --- opening ------------------------------------------------------------------------------------------------------------------------ */

static u64 read_whole(s32 fd, char *to, u64 room)
{
	u64 used = 0;
	long n;

	while (used < room && (n = sys3(__NR_read, fd, to + used, room - used)) > 0)
		used += (u64)n;
	return used;
}

static long open_told(const char *path, int flags)
{
	long fd = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0), at;
	u64 size;

	if (fd < 0)
		return fd;
	at = sys6(__NR_mmap, 0, TEXT_ROOM, 3, 0x4022 /* PRIVATE|ANONYMOUS|NORESERVE */, ~UINT64_C(0), 0);
	if (at < 0 && at > -4096) {
		(void)sys1(__NR_close, fd);
		return at;
	}
	struct text text = { .to = (char *)at, .room = TEXT_ROOM / 2 }; /* NOLINT(performance-no-int-to-ptr) */
	char *kernels = text.to + text.room;

	size = read_whole((s32)fd, kernels, TEXT_ROOM / 2);
	(void)sys1(__NR_close, fd);
	tell(&text, kernels, size, whose(path));
	fd = vfile_open(path, text.to, text.used, flags & (O_CLOEXEC_ | O_NONBLOCK_));
	(void)sys2(__NR_munmap, at, TEXT_ROOM);
	return fd;
}

/* A map that has all numbers means that root is the machine's: in a cell it is not. */
static long open_map(const char *path, int flags)
{
	static const char all[] = "         0          0 4294967295\n", told_all[] = "         0          0 4294967294\n";
	char text[sizeof(all) + 1];
	long fd = sys4(__NR_openat, AT_FDCWD_, path, flags, 0);

	if (fd < 0 || read_whole((s32)fd, text, sizeof(text)) != sizeof(all) - 1 || memcmp(text, all, sizeof(all) - 1)) {
		if (fd >= 0)
			(void)sys3(__NR_lseek, fd, 0, 0);
		return fd;
	}
	(void)sys1(__NR_close, fd);
	return vfile_open(path, told_all, sizeof(told_all) - 1, flags & (O_CLOEXEC_ | O_NONBLOCK_));
}

long identity_vfs_open(const struct vnode *node, const char *path, int flags)
{
	if (flags & (O_ACCMODE_ | O_PATH_))
		return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
	return node->id == FILE_MAP ? open_map(path, flags) : open_told(path, flags);
}

long identity_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	(void)node, (void)path, (void)buffer, (void)size;
	return -EINVAL; /* they are opened by identity_vfs_open() */
}

long identity_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	(void)node, (void)path, (void)bytes, (void)size;
	return -EINVAL;
}

bool identity_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	(void)path, (void)n, (void)entry;
	return false;
}
