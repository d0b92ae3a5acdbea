/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a guest's path to a canonical one, as text (fs.h). Without `step` the path is only straightened: whoever uses it finds out by ELOOP that a
 * link is in it. With it, each component is looked at, links are put in its place, and magic links of /proc are known by where they stand.
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"
#include "agent/view.h"
#include "base/decimal.h"

#define LINKS_MAX 40u
#define DELETED " (deleted)"

static bool ends_with(const char *text, u64 length, const char *end)
{
	u64 n = strlen(end);

	return length >= n && !memcmp(text + length - n, end, n);
}

static bool is_scratch(const char *host)
{
	u64 n = strlen(commons()->scratch);

	return n && !strncmp(host, commons()->scratch, n) && host[n] == '/';
}

/* Where paths start that are relative to a tree that is mounted nowhere, or has been moved since. */
static long begin_at_tree(struct fs_work *work, u32 space)
{
	const struct fs_space *s = fs_space_of(space);
	u32 moved = __atomic_load_n(&s->moved_id, __ATOMIC_ACQUIRE);
	long r = fs_root_of(&work->root, moved ? s->moved_space : space, moved, "", 0);

	if (r < 0)
		return r;
	fs_enter_root(work);
	return fs_find_mount(work);
}

/* Where a relative path starts: work->guest is the directory's. */
static long begin_at(struct fs_work *work, s32 dirfd)
{
	char link[AGENT_FD_LINK_SIZE];
	struct kernel_stat st;
	struct fs_place place;
	bool gone = false;
	long n, r;

	agent_fd_link(link, (u32)dirfd);
	if (dirfd != AT_FDCWD_ && (dirfd < 0 || agent_reserved_fd((u32)dirfd)))
		return -EBADF;
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	if (n == -ENAMETOOLONG || n >= 4095) { /* gVisor tells what fits */
		if (fs_any_layers())
			return -ENAMETOOLONG; /* which layer it is of is not known */
		work->deep = true;
		work->base = dirfd;
		work->base_guest = work->base_length = 0;
		work->guest[0] = 0;
		return 0;
	}
	if (n < 0)
		return n == -ENOENT ? -EBADF : n;
	work->check[n] = 0;
	if (work->check[0] != '/')
		return -ENOTDIR; /* a pipe, a socket … */
	if (ends_with(work->check, (u64)n, DELETED)) {
		r = dirfd == AT_FDCWD_ ? sys2(__NR_stat, ".", &st) : sys2(__NR_fstat, dirfd, &st);
		if (r < 0)
			return r;
		gone = !st.nlink;
		if (gone) { /* where it was: "." is still it, and ".." what is above */
			n -= sizeof(DELETED) - 1;
			work->check[n] = 0;
		}
	}
	r = mnt_handle_space(work->check);
	if (r >= 0)
		return begin_at_tree(work, (u32)r);
	work->root.hint = fs_hint(dirfd);
	r = fs_place_in(&work->root, work->check, work->guest, &place);
	work->root.hint = 0;
	if (r == -ESRCH && is_scratch(work->check)) { /* a file system that has been unmounted since */
		work->deep = true;
		work->base = dirfd;
		work->base_guest = work->base_length = 0;
		work->guest[0] = 0;
		return 0;
	}
	if (r < 0)
		return r == -ESRCH ? -EACCES : r;
	work->mount = place.mount;
	work->layer = place.layer;
	work->anchor = place.mount.id;
	work->anchor_from = (u32)r + 1;
	if (!gone) {
		work->near = dirfd;
		work->near_layer = place.layer;
	}
	if (!gone && (fs_mounts_below(work) || place.mount.layer_count))
		return 0;
	work->base = dirfd;
	work->base_guest = (u32)r;
	work->base_length = work->check[1] ? (u32)n : 0;
	return 0;
}

long fs_begin(struct fs_work *work, s32 dirfd, u64 path)
{
	long n = guest_read_string(work->rest, path, 4096);

	work->at = 0;
	work->base = work->near = FS_NO_BASE;
	work->links = work->scope = work->expired = 0;
	work->slash = work->magic = work->nsfs = work->exe = work->deep = work->rooted = false;
	work->last = FS_LAST_ROOT;
	if (n < 0)
		return n;
	if (!n)
		return -ENOENT;
	work->rooted = work->rest[0] == '/';
	if (commons()->emulated & (1u << GAP_namespaces))
		work->step |= fs_may_be_namespace(work->rest, (u64)n);
	n = fs_root_get(&work->root);
	if (n < 0)
		return n;
	fs_enter_root(work);
	if (work->rooted && !(work->resolve & RESOLVE_SCOPED))
		return 0;
	if (work->rooted && (work->resolve & RESOLVE_BENEATH_))
		return -EXDEV;
	n = begin_at(work, dirfd);
	if (work->resolve & RESOLVE_SCOPED) {
		work->scope = (u32)strlen(work->guest);
		work->scope_anchor = work->anchor;
	}
	return n;
}

static u64 slashes(const char *text)
{
	u64 n = 0;

	while (text[n] == '/')
		n++;
	return n;
}

/* What base stands for is left. */
static void leave_base(struct fs_work *work)
{
	if (work->base != FS_NO_BASE && strlen(work->guest) < work->base_guest)
		work->base = FS_NO_BASE;
}

/* Takes the last component, a link's name, off again. */
static void take_back(struct fs_work *work)
{
	u64 length = strlen(work->guest);

	while (length && work->guest[length - 1] != '/')
		length--;
	work->guest[length ? length - 1 : 0] = 0;
	leave_base(work);
}

/* To the directory above. From where the path is not known, it is the kernel's. */
static long go_up(struct fs_work *work)
{
	u64 length = strlen(work->guest);

	if (work->deep && !length) {
		if (work->rest[work->at + slashes(work->rest + work->at)])
			return -ENAMETOOLONG;
		memcpy(work->guest, "/..", 4);
		return 0;
	}
	if (work->deep)
		take_back(work);
	else
		fs_above(work);
	leave_base(work);
	return 0;
}

/* What "." and ".." need: that the path so far is a directory that may be searched. */
static long must_be_directory(struct fs_work *work)
{
	long fd = fs_to_host(work), r;

	if (fd == 0)
		fd = fs_host_open(work, O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_, 0);
	if (fd < 0)
		return fd;
	r = sys3(__NR_faccessat, fd, ".", 0);
	(void)sys1(__NR_close, fd);
	return r == -EACCES ? r : 0;
}

/* RESOLVE_NO_XDEV: what was at `from` is now elsewhere. */
static long may_cross(const struct fs_work *work, u32 from)
{
	return (work->resolve & RESOLVE_NO_XDEV_) && work->mount.id != from ? -EXDEV : 0;
}

/* ".." */
static long step_up(struct fs_work *work)
{
	u32 from = work->mount.id;
	long r;

	if ((work->resolve & RESOLVE_SCOPED) && strlen(work->guest) <= work->scope)
		return work->resolve & RESOLVE_BENEATH_ ? -EXDEV : 0;
	r = go_up(work);
	if (r == 0)
		r = fs_to_host(work);
	return r < 0 ? r : may_cross(work, from);
}

static u64 digits(const char *at)
{
	u64 n = 0;

	while (at[n] >= '0' && at[n] <= '9')
		n++;
	return n;
}

enum magic { MAGIC_NONE, MAGIC_OBJECT, MAGIC_ROOT, MAGIC_EXE };

static s32 number(const char *at, u64 count)
{
	u32 n = 0;

	for (u64 i = 0; i < count; i++)
		n = n * 10 + (u32)(at[i] - '0');
	return (s32)n;
}

/* Behind the process that a path of procfs is of: "/cwd" of "/proc/1/task/2/cwd". *ret_pid: the process, *ret_tid: the task. NULL: of none. */
static const char *behind_task(const struct fs_work *work, s32 *ret_pid, s32 *ret_tid)
{
	const char *at = work->guest + work->mount.target_length;
	u64 n;

	if (!(work->mount.flags & FS_PROC) || *at++ != '/' || !(n = digits(at)))
		return NULL;
	*ret_pid = *ret_tid = number(at, n);
	if (pids_on())
		*ret_pid = *ret_tid = pids_to_host(*ret_pid);
	at += n;
	if (!strncmp(at, "/task/", 6) && (n = digits(at + 6))) {
		*ret_tid = number(at + 6, n);
		if (pids_on())
			*ret_tid = pids_to_host(*ret_tid);
		at += 6 + n;
	}
	return at;
}

/* What kind of link of procfs a canonical path is, by where it stands below the mount. *own: of the calling process. */
static enum magic magic_link(const struct fs_work *work, bool *own)
{
	s32 pid, tid;
	const char *at = behind_task(work, &pid, &tid);

	if (!at)
		return MAGIC_NONE;
	*own = pid == (s32)sys0(__NR_getpid);
	if (!strcmp(at, "/root"))
		return MAGIC_ROOT;
	if (!strcmp(at, "/exe"))
		return MAGIC_EXE;
	if (!strcmp(at, "/cwd") || !strncmp(at, "/fd/", 4) || !strncmp(at, "/ns/", 4) || !strncmp(at, "/map_files/", 11))
		return MAGIC_OBJECT;
	return MAGIC_NONE;
}

/* N of the caller's …/fd/N, AT_FDCWD of its cwd; -1: neither. */
static s32 magic_descriptor(const struct fs_work *work)
{
	const char *at = work->guest + strlen(work->guest);
	u64 n;

	while (at[-1] != '/')
		at--;
	if (!strcmp(at, "cwd"))
		return AT_FDCWD_;
	n = digits(at);
	return !n || at[n] ? -1 : number(at, n);
}

long fs_proc_view(const struct fs_work *work)
{
	s32 pid, tid;
	long view;

	if (!behind_task(work, &pid, &tid))
		return -ESRCH;
	if (tid == (s32)sys0(__NR_gettid))
		return view_word();
	view = tid == pid ? 0 : view_of_task(tid);
	return view > 0 ? view : pid == agent_pid() ? (long)view_word() : view_of_task(pid);
}

u32 fs_proc_hint(const struct fs_work *work)
{
	bool own = false;

	return magic_link(work, &own) == MAGIC_OBJECT && own ? fs_hint(magic_descriptor(work)) : 0;
}

/* Whether the caller's own magic link is followed by the name of what it leads to: what lies in a lower layer is copied up before it is
 * written, and what is on a read-only mount is not written, but by a descriptor that may. In what is left to walk, which is nothing. */
static bool is_by_name(struct fs_work *work, const char *host)
{
	char end = work->rest[work->at];
	struct fs_place place;
	long size, flags;

	work->root.hint = fs_hint(magic_descriptor(work));
	size = fs_place_in(&work->root, host, work->rest, &place);
	work->root.hint = 0;
	work->rest[0] = end; /* a slash, or nothing */
	work->rest[1] = 0;
	work->at = 0;
	if (size < 0)
		return false;
	if (place.mount.layer_count && place.layer)
		return true;
	if (!(place.mount.flags & FS_READ_ONLY) || ends_with(host, strlen(host), DELETED))
		return false;
	flags = sys2(__NR_fcntl, magic_descriptor(work), 3 /* F_GETFL */);
	return flags < 0 || (flags & O_PATH_) || !(flags & O_ACCMODE_);
}

/* A path that goes on behind the caller's own fd/N or cwd: the walk goes on from that descriptor. 1 or negative errno. */
static long start_at_object(struct fs_work *work)
{
	s32 fd = magic_descriptor(work);
	struct kernel_stat st;
	long r;

	if (fd == -1)
		return -ENOTDIR; /* …/ns/NAME, map_files/RANGE */
	r = sys4(__NR_newfstatat, fd, fd == AT_FDCWD_ ? "." : "", &st, AT_EMPTY_PATH_);
	if (r < 0 || (st.mode & VFS_TYPE) != VFS_DIRECTORY)
		return r < 0 ? r : -ENOTDIR;
	work->base = FS_NO_BASE;
	r = ++work->links > LINKS_MAX ? -ELOOP : begin_at(work, fd);
	return r < 0 ? r : 1;
}

/* The walk goes on from a place. 1 or negative errno. */
static long jump(struct fs_work *work, long length)
{
	if (length < 0)
		return length == -ESRCH ? -EACCES : length;
	if (++work->links > LINKS_MAX)
		return -ELOOP;
	work->base = FS_NO_BASE;
	work->deep = false;
	return 1;
}

/* To the root directory of a process. */
static long jump_to_root_of(struct fs_work *work)
{
	long view = fs_proc_view(work), r;
	const struct view *v = view_of(view < 0 ? 0 : (u32)view);
	struct fs_root other;

	if (view < 0)
		return view;
	if (v->space != work->root.space)
		return -EACCES;
	r = fs_root_of(&other, v->space, v->root_mount, view_root((u32)view), v->root_length);
	if (r < 0)
		return r;
	memcpy(work->guest, other.table->text + other.target, other.target_length);
	memcpy(work->guest + other.target_length, other.below, other.below_length);
	work->guest[fs_root_length(&other)] = 0;
	work->anchor = other.mount;
	work->anchor_from = fs_root_length(&other) + 1;
	work->last = FS_LAST_ROOT;
	return jump(work, fs_is_current(&other) ? 0 : -ELOOP);
}

/* To where a host path (work->check) is; hint: id of a mount that it is known to have been reached by, 0: none. */
static long jump_to_host(struct fs_work *work, u32 hint)
{
	struct fs_place place;
	long r;

	work->root.hint = hint;
	r = fs_place_in(&work->root, work->check, work->guest, &place);
	work->root.hint = 0;
	if (r >= 0) {
		work->anchor = place.mount.id;
		work->anchor_from = (u32)r + 1;
	}
	return jump(work, r);
}

/* Where the caller's own program has no name, its link leads to the descriptor that is kept of it. */
static bool leads_to_kept(struct fs_work *work)
{
	s32 fd = exe_kept(work->host);
	u64 at = strlen(work->guest) - 4;

	if (fd < 0)
		return false;
	memcpy(work->guest + at, "/fd/", 4);
	work->guest[at + 4 + decimal_put(work->guest + at + 4, (u32)fd)] = 0;
	return work->magic = work->exe = true;
}

/* A link of procfs to a file: the walk goes on from there, or the kernel follows it (work->magic). 1: that is done; 0: it is none. The text that
 * the kernel tells is in work->check, of that length. */
static long follow_magic(struct fs_work *work, bool more, long length)
{
	bool own = false;
	enum magic kind = magic_link(work, &own);
	char *text = work->check;

	if (kind == MAGIC_NONE)
		return 0;
	if (work->resolve & (RESOLVE_NO_MAGICLINKS_ | RESOLVE_NO_SYMLINKS_))
		return -ELOOP;
	if (work->resolve & (RESOLVE_NO_XDEV_ | RESOLVE_SCOPED))
		return -EXDEV; /* nd_jump_link(), but for links from procfs to itself */
	text[length] = 0;
	if (kind == MAGIC_ROOT)
		return jump_to_root_of(work);
	if (kind == MAGIC_OBJECT && UNLIKELY(fs_to_namespace(work, text, more)))
		return more ? -ENOTDIR : 1;
	if (kind == MAGIC_EXE && !more && leads_to_kept(work))
		return 1;
	if (kind == MAGIC_EXE && exe_link_target(work->host, text, work->guest, FS_PATH_MAX) <= 0)
		text[length] = 0; /* guest is written anew below */
	work->exe = kind == MAGIC_EXE && own && !more;
	if (text[0] != '/') /* "pipe:[1]": nothing of the tree's */
		return more ? -ENOTDIR : (work->magic = true, 1);
	if (own && !more && kind == MAGIC_OBJECT && !is_by_name(work, text)) {
		work->magic = true;
		return 1;
	}
	if (own && more && kind == MAGIC_OBJECT)
		return start_at_object(work);
	return jump_to_host(work, own && kind == MAGIC_OBJECT ? fs_hint(magic_descriptor(work)) : 0);
}

/* An absolute link: to the root directory, or to what is not left. */
static void jump_to_root(struct fs_work *work)
{
	work->rooted = true;
	work->last = FS_LAST_ROOT;
	if (work->resolve & RESOLVE_SCOPED) {
		work->guest[work->scope] = 0;
		work->anchor = work->scope_anchor;
		work->anchor_from = work->scope + 1;
		return;
	}
	fs_enter_root(work);
	work->base = FS_NO_BASE;
	work->deep = false;
}

/* Puts a link's text (work->check) in front of what is left. */
static long put_link(struct fs_work *work, u64 length)
{
	u64 left = strlen(work->rest + work->at) + 1;

	if (work->resolve & RESOLVE_NO_SYMLINKS_)
		return -ELOOP;
	if ((work->resolve & RESOLVE_BENEATH_) && work->check[0] == '/')
		return -EXDEV;
	if ((work->resolve & RESOLVE_NO_XDEV_) && work->check[0] == '/' && (work->mount.id != work->root.mount || !work->rooted))
		return -EXDEV; /* nd_jump_root(): also where the root was not known yet */
	if (++work->links > LINKS_MAX)
		return -ELOOP;
	if (!length)
		return -ENOENT;
	if (length + left + 1 > FS_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(work->rest + length + (left > 1), work->rest + work->at, left);
	if (left > 1)
		work->rest[length] = '/';
	memcpy(work->rest, work->check, length);
	work->at = 0;
	if (work->check[0] == '/')
		jump_to_root(work);
	else
		take_back(work);
	return 0;
}

/* Looks at the component just added. more: others follow, or a slash. */
static long look(struct fs_work *work, bool more, bool follow)
{
	u32 from = work->mount.id;
	long n = fs_to_host(work), r;

	if (n == 0)
		n = may_cross(work, from);
	if (n < 0)
		return n;
	if (!more && (work->slash ? work->names : !follow))
		return 0;
	n = (work->mount.flags & FS_PROC) ? fs_follow_namespace(work, more) : 0;
	if (n)
		return n < 0 ? n : 0;
	n = fs_layered(work) ? fs_layers_readlink(work)
			     : sys4(__NR_readlinkat, work->deep ? work->base : AT_FDCWD_, work->host, work->check, FS_HOST_MAX - 1);
	if (n == -EINVAL || (n == -ENOENT && !more))
		return 0;
	if (n < 0)
		return n;
	if (work->mount.flags & FS_NOSYMFOLLOW)
		return -ELOOP;
	r = follow_magic(work, more, n);
	if (r)
		return r < 0 ? r : 0;
	return put_link(work, (u64)n);
}

/* Takes the next component of rest: its length, 0 at the end. *at: where it is. */
static u32 next(struct fs_work *work, const char **at)
{
	u32 n = 0;

	while (work->rest[work->at] == '/')
		work->at++;
	*at = work->rest + work->at;
	while ((*at)[n] && (*at)[n] != '/')
		n++;
	work->at += n;
	return n;
}

/* One component, which is no dot. */
static long add(struct fs_work *work, const char *name, u32 size, bool follow)
{
	u64 length = strlen(work->guest), rest = work->at;
	bool more;

	while (work->rest[rest] == '/')
		rest++;
	more = work->rest[rest] != 0;
	if (size > 255 && (more || !work->names)) {
		long r = must_be_directory(work); /* what is above comes first */

		return r < 0 ? r : -ENAMETOOLONG;
	}
	if (length + size + 2 > FS_PATH_MAX)
		return -ENAMETOOLONG;
	work->guest[length] = '/';
	memcpy(work->guest + length + 1, name, size);
	work->guest[length + 1 + size] = 0;
	work->last = FS_LAST_NAME;
	return work->step ? look(work, more, follow) : 0;
}

long fs_walk(struct fs_work *work, bool follow)
{
	const char *name;
	u32 size;
	long r = fs_to_host(work); /* the mount it starts on */

	if (r < 0)
		return r;
	while ((size = next(work, &name))) {
		work->slash = work->rest[work->at] == '/';
		if (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))) {
			work->slash = true;
			work->last = size == 2 ? FS_LAST_DOTDOT : FS_LAST_DOT;
			r = must_be_directory(work);
			if (r == 0 && size == 2)
				r = step_up(work);
		} else {
			r = add(work, name, size, follow);
		}
		if (r < 0)
			return r;
		if (work->magic)
			break;
	}
	if (work->last == FS_LAST_ROOT || !work->guest[0])
		work->slash = true;
	return work->nsfs ? 0 : fs_to_host(work);
}
