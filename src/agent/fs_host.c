/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host calls that follow no symbolic link: the only place where a canonical path becomes an object.
 *
 *   openat2(RESOLVE_NO_SYMLINKS)       where the host has it: one call
 *   openat(O_PATH), then readlink of   elsewhere: what was opened must be named as wanted. Only directories and O_PATH are opened so; what has
 *   /proc/self/fd/N                    effects is opened in a directory that was reached so, with O_NOFOLLOW
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

#define PATH_MAX_ 4096u
#define AT_SYMLINK_NOFOLLOW_ 0x100
#define FAR_FD 256u /* helper descriptors leave the low numbers to the guest */
/* What open(2) knows: openat2(2) refuses the rest, which open ignores. */
#define OPEN_FLAGS (UINT64_C(037777703) & ~UINT64_C(074))
#define OPEN_FLAGS_O_PATH (O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_)

struct how {
	u64 flags, mode, resolve;
};

long fs_to_host(struct fs_work *work)
{
	const struct fs_mount *m = &work->mount;
	u64 length = strlen(work->guest), below;
	long r;

	work->layer = 0;
	if (work->deep) {
		work->mount = (struct fs_mount){ .id = work->root.mount };
		memcpy(work->host, length ? work->guest + 1 : ".", length ? length : 2);
		work->host_length = length ? (u32)length - 1 : 1;
		return 0;
	}
	r = fs_find_mount(work);
	if (r < 0)
		return r;
	below = length - m->target_length;
	if (m->source_length + below + 2 > FS_HOST_MAX)
		return -ENAMETOOLONG;
	memcpy(work->host, work->root.table->text + m->source, m->source_length);
	memcpy(work->host + m->source_length, work->guest + m->target_length, below);
	work->host_length = (u32)(m->source_length + below);
	if (!work->host_length)
		work->host[work->host_length++] = '/';
	work->host[work->host_length] = 0;
	if (pids_on()) {
		r = pids_host_path(work->host, FS_HOST_MAX);
		if (r < 0)
			return r;
		work->host_length = (u32)r;
	}
	if (!fs_is_current(&work->root))
		return -ELOOP;
	return m->layer_count ? fs_set_inner(work) : 0;
}

static u64 wanted_flags(u64 flags)
{
	return flags & O_PATH_ ? flags & OPEN_FLAGS_O_PATH : flags & OPEN_FLAGS;
}

/* Whether an O_PATH descriptor is what the work's host path says: 0, -ENOENT when it has been removed since it was opened, else -ELOOP. */
static long is_named(struct fs_work *work, long fd)
{
	static const char gone[] = " (deleted)";
	u64 length = work->host_length;
	char link[AGENT_FD_LINK_SIZE];
	long n;

	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	if (n < (long)length || memcmp(work->check, work->host, length))
		return -ELOOP;
	if (n == (long)(length + sizeof(gone) - 1) && !memcmp(work->check + length, gone, sizeof(gone) - 1))
		return -ENOENT;
	return n == (long)length ? 0 : -ELOOP;
}

/* Whether a path is one step from a directory that is open: then O_NOFOLLOW is all that it takes. */
static bool is_one_name(s32 base, const char *from)
{
	if (base == AT_FDCWD_ && from[0] == '/')
		return false;
	while (*from && *from != '/')
		from++;
	return !*from;
}

/* Whether an O_PATH descriptor, opened without following and without O_DIRECTORY, is of the type that flags ask for: 0 or negative errno. */
static long is_wanted(long fd, u64 flags)
{
	struct kernel_stat st;
	u64 type;

	if ((flags & O_NOFOLLOW_) && !(flags & O_DIRECTORY_))
		return 0;
	if (sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_) < 0)
		return -ELOOP;
	type = st.mode & VFS_TYPE;
	if (type == VFS_LINK)
		return flags & O_NOFOLLOW_ ? -ENOTDIR : -ELOOP;
	return (flags & O_DIRECTORY_) && type != VFS_DIRECTORY ? -ENOTDIR : 0;
}

/* Opens by openat2, or O_PATH and compared. from: the part of host behind the directory `base` (AT_FDCWD: all of it). */
static long open_there(struct fs_work *work, s32 base, const char *from, u64 flags, u64 mode)
{
	struct how how = { .flags = wanted_flags(flags), .resolve = RESOLVE_NO_SYMLINKS_ };
	long fd, r;

	if (commons()->fs.features & FS_OPENAT2) {
		if (from[0] != '/' && strcmp(from, ".."))
			how.resolve |= RESOLVE_BENEATH_;
		if (flags & (O_CREAT_ | (O_TMPFILE_ & ~O_DIRECTORY_)))
			how.mode = mode & 07777;
		return sys4(__NR_openat2, base, from, &how, sizeof(how));
	}
	fd = sys4(__NR_openat, base, from, (how.flags & ~(u64)O_DIRECTORY_) | O_NOFOLLOW_,
		  0); /* gVisor's O_DIRECTORY overrides O_NOFOLLOW */
	if (fd < 0)   /* of more than one name: there may have been a link in it, to anywhere */
		return !work->step && (fd == -ENOTDIR || !is_one_name(base, from)) ? -ELOOP : fd;
	r = is_one_name(base, from) ? 0 : is_named(work, fd);
	if (r == 0)
		r = is_wanted(fd, flags);
	if (r == 0)
		return fd;
	(void)sys1(__NR_close, fd);
	return r;
}

/* The same for a host path of any length: what is too long is gone in two steps. */
static long open_text(struct fs_work *work, u64 flags, u64 mode)
{
	s32 base = AT_FDCWD_;
	const char *from = work->host;
	u64 cut = PATH_MAX_ - 2;
	char *at;
	long near, fd;

	if (work->base != FS_NO_BASE && work->host_length >= work->base_length) {
		base = work->base;
		from = work->host + work->base_length;
		while (*from == '/')
			from++;
		if (!*from)
			from = ".";
	}
	if (from[0] == '.' && !from[1]) /* the directory itself, which may be deleted: no name to compare */
		return sys4(__NR_openat, base, from, wanted_flags(flags), 0);
	if (strlen(from) < PATH_MAX_)
		return open_there(work, base, from, flags, mode);
	if (!(commons()->fs.features & FS_OPENAT2))
		return -ENAMETOOLONG;
	while (cut && from[cut] != '/')
		cut--;
	at = work->host + (from - work->host) + cut;
	*at = 0;
	near = open_there(work, base, from, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
	*at = '/';
	if (near < 0)
		return near;
	fd = open_there(work, (s32)near, at + 1, flags, mode);
	(void)sys1(__NR_close, near);
	return fd;
}

/* A descriptor that does not take a number which the guest's own next one is to have. Takes fd. */
static long far(long fd)
{
	long up = sys3(__NR_fcntl, fd, 1030 /* F_DUPFD_CLOEXEC */, FAR_FD);

	if (up < 0)
		return fd;
	(void)sys1(__NR_close, fd);
	return up;
}

long fs_host_parent(struct fs_work *work, const char **name)
{
	u32 whole = work->host_length, at = whole;
	long fd;

	while (at && work->host[at - 1] != '/')
		at--;
	*name = work->host + at;
	/* cut the last component off, open, and put it back */
	work->host_length = at > 1 ? at - 1 : 1;
	if (work->deep && !at) {
		work->host_length = 1;
		fd = open_there(work, work->base, ".", O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
	} else if (at > 1) {
		work->host[at - 1] = 0;
		fd = open_text(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
		work->host[at - 1] = '/';
	} else {
		fd = sys4(__NR_openat, AT_FDCWD_, "/", O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
	}
	work->host_length = whole;
	return fd;
}

long fs_host_open(struct fs_work *work, u64 flags, u64 mode)
{
	return fs_layered(work) ? fs_layers_open(work, flags, mode) : fs_host_open_text(work, flags, mode);
}

long fs_host_open_text(struct fs_work *work, u64 flags, u64 mode)
{
	struct kernel_stat st;
	const char *name;
	long parent, fd;

	if ((commons()->fs.features & FS_OPENAT2) || (flags & O_PATH_))
		return open_text(work, flags, mode);
	if (flags & O_DIRECTORY_) { /* O_TMPFILE, too */
		parent = open_text(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_ | (flags & O_NOFOLLOW_), 0);
		if (parent < 0)
			return parent;
		parent = far(parent);
		fd = sys4(__NR_openat, parent, ".", flags, mode);
		(void)sys1(__NR_close, parent);
		return fd;
	}
	parent = fs_host_parent(work, &name);
	if (parent < 0)
		return parent;
	parent = far(parent);
	fd = sys4(__NR_openat, parent, *name ? name : ".", flags | O_NOFOLLOW_, mode);
	if (fd == -ENOTDIR && !(flags & O_NOFOLLOW_) &&
	    sys4(__NR_newfstatat, parent, name, &st, 0x100 /* AT_SYMLINK_NOFOLLOW */) == 0 && (st.mode & VFS_TYPE) == VFS_LINK)
		fd = -ELOOP;
	(void)sys1(__NR_close, parent);
	return fd;
}
