/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of openat2(2) with RESOLVE_ flags, one component at a time (semantics: openat2(2), path_resolution(7), fs/namei.c of 6.18).
 *
 * Each directory on the way is an O_PATH descriptor, and the next component is opened in it with O_NOFOLLOW: whatever others rename
 * meanwhile, one step leads into a directory that was there, and never through a symbolic link. Links are read and put in
 * front of what is left of the path. With RESOLVE_BENEATH and RESOLVE_IN_ROOT the descriptors of the whole way are kept, and ".." goes back
 * along them, not to the parent that a directory has by then; so nothing outside the first one is ever reached. (Linux follows
 * the parent and says EAGAIN when anything was renamed meanwhile.)
 *
 * The file's number: the first descriptor made is the lowest free one and is held (`place`) until the file itself is opened, which so
 * gets that number, as natively. No descriptor but O_PATH ones is ever closed here: closing another would drop the process's POSIX locks.
 *
 * Numbers: a way remembers LEVELS_MAX directories; ".." beyond them is EAGAIN. 40 links. TEXT_SIZE bytes of path with links put in.
 */
#include "gaps/newcalls/openat2.h"

#define LEVELS_MAX 64u
#define LINKS_MAX 40u
#define NAME_SIZE 256u
#define TEXT_SIZE 16384u
#define PROC_MAGIC 0x9fa0u
#define PROC_ROOT_INO 1u
#define FOLLOWED 0x10000000L /* no descriptor is as high: the walk goes on */
#define STEP (O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_)

struct walk {
	struct open_how how;
	bool scoped;
	s32 place;     /* descriptor held for the file's number, -1 = none */
	u32 depth;     /* of level[]: [0] is the first directory, [depth - 1] where the walk stands; 1 unless scoped */
	u32 forgotten; /* levels between [0] and [1] */
	s32 level[LEVELS_MAX];
	u32 links;
	u64 mount;            /* RESOLVE_NO_XDEV: the first directory's */
	u32 at;               /* the rest of the path: text[at…], NUL-terminated at the buffer's end */
	char name[NAME_SIZE]; /* the component at hand */
	char target[PATH_MAX_];
	char text[TEXT_SIZE];
};
static_assert(sizeof(struct walk) <= AGENT_SCRATCH, "a trap's scratch holds it");

static s32 here(const struct walk *w)
{
	return w->level[w->depth - 1];
}

static void close_path(s32 fd)
{
	(void)sys1(__NR_close, fd);
}

/* Puts text in front of the rest. */
static int put_before(struct walk *w, const char *text, u64 length)
{
	if (length > w->at)
		return -ENAMETOOLONG;
	w->at -= (u32)length;
	memcpy(w->text + w->at, text, length);
	return 0;
}

/* What tells mounts apart: mnt_id of /proc/self/fdinfo/N (Linux 3.15), or the device of a directory where that is not told (gVisor). 0 =
 * not known: overlays give files devices of their own. */
static u64 mount_of(s32 fd)
{
	char path[AGENT_FD_LINK_SIZE + 4] = "/proc/self/fdinfo/", link[AGENT_FD_LINK_SIZE], text[256];
	struct kernel_stat st = { 0 };
	long info, n = 0;

	agent_fd_link(link, (u32)fd);
	memcpy(path + 18, link + 14, sizeof(link) - 14);
	info = sys3(__NR_open, path, O_CLOEXEC_, 0);
	if (info >= 0) {
		n = sys3(__NR_read, info, text, sizeof(text));
		(void)sys1(__NR_close, info);
	}
	for (long i = 0; i + 8 < n; i++) {
		u64 id = 0;

		if (strncmp(text + i, "mnt_id:\t", 8))
			continue;
		for (i += 8; i < n && text[i] >= '0' && text[i] <= '9'; i++)
			id = id * 10 + (u64)(text[i] - '0');
		return id;
	}
	(void)sys2(__NR_fstat, fd, &st);
	return (st.mode & S_IFMT_) == S_IFDIR_ ? st.dev | UINT64_C(1) << 63 : 0;
}

/* jumped: by a magic link, which hardly ever leads to a file of the same mount. */
static bool other_mount(const struct walk *w, s32 fd, bool jumped)
{
	u64 mount;

	if (!(w->how.resolve & RESOLVE_NO_XDEV_))
		return false;
	mount = mount_of(fd);
	return mount ? mount != w->mount : jumped;
}

/* The walk stands in the directory that fd is open on; takes fd. */
static long enter(struct walk *w, s32 fd, bool jumped)
{
	if (other_mount(w, fd, jumped)) {
		close_path(fd);
		return -EXDEV;
	}
	if (!w->scoped) {
		close_path(here(w));
		w->level[0] = fd;
		return 0;
	}
	if (w->depth == LEVELS_MAX) {
		close_path(w->level[1]);
		memmove(&w->level[1], &w->level[2], (LEVELS_MAX - 2) * sizeof(w->level[0]));
		w->depth--;
		w->forgotten++;
	}
	w->level[w->depth++] = fd;
	return 0;
}

static void back_to(struct walk *w, u32 depth)
{
	while (w->depth > depth)
		close_path(w->level[--w->depth]);
}

static long hold_place(struct walk *w)
{
	w->place = (s32)sys3(__NR_fcntl, w->level[0], F_DUPFD_CLOEXEC_, 0);
	return w->place < 0 ? w->place : 0;
}

/* The open that makes the file's descriptor. */
static long open_file(struct walk *w, s32 dirfd, const char *name, u64 flags)
{
	long fd, r;

	close_path(w->place);
	w->place = -1;
	fd = sys4(__NR_openat, dirfd, name, flags, w->how.mode);
	if (fd < 0 && (r = hold_place(w)) < 0)
		return r;
	return fd;
}

/* "." and "..". Both need the right to search the directory, which opening its "." asks for. */
static long step_dots(struct walk *w)
{
	bool up = w->name[1] == '.';
	long fd = sys4(__NR_openat, here(w), up && !w->scoped ? ".." : ".", STEP, 0);

	if (fd < 0)
		return fd;
	if (up && !w->scoped)
		return enter(w, (s32)fd, false);
	close_path((s32)fd);
	if (!up)
		return 0;
	if (w->depth == 1)
		return w->how.resolve & RESOLVE_BENEATH_ ? -EXDEV : 0;
	if (w->depth == 2 && w->forgotten)
		return -EAGAIN;
	back_to(w, w->depth - 1);
	return 0;
}

/* Where the walk stands. gVisor of 2022 has no fstatfs for /proc/PID/ns: there the device tells. */
static bool on_procfs(const struct walk *w, const struct kernel_stat *st)
{
	u64 fs[15] = { 0 }; /* struct statfs; [0]: f_type */
	struct kernel_stat proc;

	if (sys2(__NR_fstatfs, here(w), fs) == 0)
		return fs[0] == PROC_MAGIC;
	return sys4(__NR_newfstatat, AT_FDCWD_, "/proc", &proc, 0) == 0 && proc.dev == st->dev;
}

/* Whether a link is one of procfs that leads to an open file rather than to a path. The few other links of procfs are relative or lie
 * in its root. */
static bool is_magic(const struct walk *w, long length)
{
	struct kernel_stat st;

	if (sys2(__NR_fstat, here(w), &st) < 0 || !on_procfs(w, &st) || st.ino == PROC_ROOT_INO)
		return false;
	for (long i = 0; i < length; i++)
		if (w->target[i] == ':')
			return true;
	return w->target[0] == '/' || w->target[0] == '(';
}

/* A magic link: where it leads only the kernel knows. */
static long jump(struct walk *w)
{
	long fd;

	if (w->how.resolve & RESOLVE_NO_MAGICLINKS_)
		return -ELOOP;
	if (w->scoped)
		return -EXDEV;
	fd = sys4(__NR_openat, here(w), w->name, O_PATH_ | O_CLOEXEC_, 0);
	return fd < 0 ? fd : enter(w, (s32)fd, true);
}

/* Follows the component at hand. 0: the walk goes on; 1: to the open file that a magic link stands for, which the walk stands on; -EINVAL:
 * it is no link. */
static long follow(struct walk *w)
{
	long n = sys4(__NR_readlinkat, here(w), w->name, w->target, sizeof(w->target)), fd, r;

	if (n < 0)
		return n;
	if (w->links++ >= LINKS_MAX || (w->how.resolve & RESOLVE_NO_SYMLINKS_))
		return -ELOOP;
	if (is_magic(w, n)) {
		r = jump(w);
		return r < 0 ? r : 1;
	}
	if (w->target[0] == '/') {
		if (w->how.resolve & RESOLVE_BENEATH_)
			return -EXDEV;
		if (w->scoped) {
			back_to(w, 1);
			w->forgotten = 0;
		} else {
			fd = sys4(__NR_openat, AT_FDCWD_, "/", STEP, 0);
			r = fd < 0 ? fd : enter(w, (s32)fd, false);
			if (r < 0)
				return r;
		}
	}
	return put_before(w, w->target, (u64)n);
}

/* A component that is not the last. */
static long step(struct walk *w)
{
	long fd = sys4(__NR_openat, here(w), w->name, STEP | O_NOFOLLOW_, 0), r;

	if (fd >= 0)
		return enter(w, (s32)fd, false);
	if (fd != -ENOTDIR && fd != -ELOOP)
		return fd;
	r = follow(w);
	return r == -EINVAL ? -ENOTDIR : r < 0 ? r : 0;
}

static bool is_link(s32 fd)
{
	struct kernel_stat st;

	return sys2(__NR_fstat, fd, &st) == 0 && (st.mode & S_IFMT_) == S_IFLNK_;
}

/* Opens again, as a file, what an O_PATH descriptor stands for. */
static long reopen(struct walk *w, s32 fd, u64 flags)
{
	char link[AGENT_FD_LINK_SIZE];
	long r;

	agent_fd_link(link, (u32)fd);
	r = open_file(w, AT_FDCWD_, link, flags & ~(u64)(O_CREAT_ | O_EXCL_ | O_NOFOLLOW_));
	if (r != -ENOENT)
		return r;
	if (flags & O_DIRECTORY_) /* no /proc */
		return open_file(w, fd, ".", flags & ~(u64)O_NOFOLLOW_);
	return open_file(w, here(w), w->name, flags | O_NOFOLLOW_);
}

/* The last component, looked at before it is opened: where mounts count, and for O_DIRECTORY, with which gVisor follows links in spite of
 * O_NOFOLLOW. -ELOOP or -ENOTDIR for a link. */
static long open_looked_at(struct walk *w, u64 flags)
{
	for (u32 tries = 0; tries < LINKS_MAX; tries++) {
		long fd = sys4(__NR_openat, here(w), w->name, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0), r;

		if (fd == -ENOENT && (flags & O_CREAT_)) {
			r = open_file(w, here(w), w->name, flags | O_EXCL_ | O_NOFOLLOW_);
			if (r != -EEXIST)
				return r;
			continue;
		}
		if (fd < 0)
			return fd;
		if (other_mount(w, (s32)fd, false))
			r = -EXDEV;
		else if ((flags & O_CREAT_) && (flags & O_EXCL_))
			r = -EEXIST;
		else if (!is_link((s32)fd))
			r = reopen(w, (s32)fd, flags);
		else if ((flags & (O_PATH_ | O_DIRECTORY_)) == O_PATH_)
			r = open_file(w, here(w), w->name, flags | O_NOFOLLOW_);
		else
			r = flags & O_DIRECTORY_ ? -ENOTDIR : -ELOOP;
		close_path((s32)fd);
		return r;
	}
	return -EAGAIN;
}

/* The file is what the walk stands on. */
static long open_here(struct walk *w, u64 flags)
{
	if (flags & O_CREAT_)
		return flags & O_EXCL_ ? -EEXIST : -EISDIR;
	return open_file(w, here(w), ".", flags & ~(u64)O_NOFOLLOW_);
}

/* The last component. slash: it is followed by one. */
static long open_last(struct walk *w, bool slash)
{
	u64 flags = w->how.flags;
	bool follows = slash || !((flags & O_NOFOLLOW_) || ((flags & O_CREAT_) && (flags & O_EXCL_)));
	long fd, r;

	if (slash && (flags & O_CREAT_))
		return -EISDIR;
	if (slash)
		flags |= O_DIRECTORY_;
	if ((w->how.resolve & RESOLVE_NO_XDEV_) || (flags & O_DIRECTORY_))
		fd = open_looked_at(w, flags);
	else
		fd = open_file(w, here(w), w->name, flags | O_NOFOLLOW_);
	if (!follows)
		return fd;
	if (fd >= 0) {
		if (!(flags & O_PATH_) || (flags & O_DIRECTORY_) || !is_link((s32)fd))
			return fd;
		close_path((s32)fd);
		r = hold_place(w);
		if (r < 0)
			return r;
	} else if (fd != -ELOOP && !(fd == -ENOTDIR && (flags & O_DIRECTORY_))) {
		return fd;
	}
	r = follow(w);
	if (r == 1)
		return reopen(w, here(w), flags);
	return r == -EINVAL ? fd : r < 0 ? r : FOLLOWED;
}

/* Cuts the next component off. Its length, 0 at the end, or -ENAMETOOLONG. */
static long next_name(struct walk *w)
{
	u32 length = 0;

	while (w->text[w->at] == '/')
		w->at++;
	while (w->text[w->at + length] && w->text[w->at + length] != '/')
		length++;
	if (length >= NAME_SIZE)
		return -ENAMETOOLONG;
	memcpy(w->name, w->text + w->at, length);
	w->name[length] = 0;
	w->at += length;
	return (long)length;
}

static bool only_slashes(const char *text)
{
	while (*text == '/')
		text++;
	return !*text;
}

static long walk_on(struct walk *w)
{
	for (;;) {
		long r = next_name(w);
		bool last = only_slashes(w->text + w->at);

		if (r <= 0)
			return r < 0 ? r : open_here(w, w->how.flags);
		if (!strcmp(w->name, ".") || !strcmp(w->name, "..")) {
			r = step_dots(w);
		} else if (last) {
			r = open_last(w, w->text[w->at] == '/');
			if (r != FOLLOWED)
				return r;
		} else {
			r = step(w);
		}
		if (r < 0)
			return r;
	}
}

/* The first directory. */
static long walk_begin(struct walk *w, s32 dirfd)
{
	bool absolute = w->text[w->at] == '/', from_root = absolute && !(w->how.resolve & RESOLVE_IN_ROOT_);
	long fd;

	if (absolute && (w->how.resolve & RESOLVE_BENEATH_))
		return -EXDEV;
	fd = sys4(__NR_openat, from_root ? AT_FDCWD_ : dirfd, from_root ? "/" : ".", STEP, 0);
	if (fd < 0)
		return fd;
	w->level[0] = (s32)fd;
	fd = sys3(__NR_fcntl, w->level[0], F_DUPFD_CLOEXEC_, 0);
	if (fd < 0) {
		close_path(w->level[0]);
		return fd;
	}
	w->place = w->level[0];
	w->level[0] = (s32)fd;
	w->depth = 1;
	if (w->how.resolve & RESOLVE_NO_XDEV_)
		w->mount = mount_of((s32)fd);
	return 0;
}

long openat2_walk(s32 dirfd, u64 path, const struct open_how *how)
{
	struct walk *w = agent_scratch();
	long n = guest_read_string(w->target, path, sizeof(w->target)), r;

	if (n <= 0)
		return n ? n : -ENOENT;
	w->how = *how;
	w->scoped = how->resolve & (RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_);
	w->place = -1;
	w->depth = w->forgotten = w->links = 0;
	w->at = TEXT_SIZE - 1;
	w->text[w->at] = 0;
	r = put_before(w, w->target, (u64)n);
	if (r == 0)
		r = walk_begin(w, dirfd);
	if (r == 0)
		r = walk_on(w);
	back_to(w, 0);
	if (w->place >= 0)
		close_path(w->place);
	return r;
}
