/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that ask about a path in the tree, and those that go there: each finds the object and asks the kernel by its descriptor. */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

#define AT_SYMLINK_NOFOLLOW_ 0x100
#define AT_EACCESS_ 0x200
#define STATX_SYNC 0x6000u
#define STATX_FLAGS ((u64)(AT_SYMLINK_NOFOLLOW_ | 0x800 /* AT_NO_AUTOMOUNT */ | AT_EMPTY_PATH_ | STATX_SYNC))

static struct fs_work *scratch(void)
{
	return (struct fs_work *)(void *)slot_current()->scratch;
}

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* enum fs_flag of AT_ flags. */
static u32 how(u64 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW_ ? 0 : FS_FOLLOW) | (flags & AT_EMPTY_PATH_ ? FS_EMPTY : 0);
}

/* Makes a call that takes a path in its argument `at` with the name of the object's descriptor instead. */
static enum verdict by_link(struct call *call, u32 at, s32 dirfd, u32 flags)
{
	char link[AGENT_FD_LINK_SIZE];
	long object = fs_object(scratch(), dirfd, call->arg[at], flags);
	u64 args[6];

	if (object < 0)
		return done(call, object);
	agent_fd_link(link, (u32)object);
	memcpy(args, call->arg, sizeof(args));
	args[at] = (u64)link;
	call->ret = fs_reissue(call->nr, args);
	fs_object_done(object, dirfd);
	return CALL_DONE;
}

/* --- stat ---------------------------------------------------------------------------------------------------------------------------- */

static void correct(long object, u32 known, struct kernel_stat *st)
{
	if (identity_on())
		identity_stat((s32)object, known, st);
	else
		fs_origin_stat((s32)object, known, st);
}

/* What is to be looked at. A link of /proc/PID/ns that this kernel does not have is looked at as the one beside it that every kernel has: they differ in
 * their numbers alone. */
static long object_of(s32 dirfd, u64 path, u64 flags)
{
	struct fs_work *work = scratch();
	long object = fs_object(work, dirfd, path, how(flags));

	if (object != -ENOENT || !(flags & AT_SYMLINK_NOFOLLOW_) || !(work->mount.flags & FS_PROC) ||
	    !(commons()->emulated & (1u << GAP_namespaces)) || !fs_may_be_namespace(work->host, work->host_length) ||
	    ns_link(work->host, work->check) <= 0)
		return object;
	while (work->host[work->host_length - 1] != '/')
		work->host_length--;
	memcpy(work->host + work->host_length, "net", 4);
	return sys4(__NR_openat, AT_FDCWD_, work->host, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
}

/* fstat(3) of libc: nothing to look for. */
static bool is_empty(u64 path)
{
	char first;

	return guest_read(&first, path, 1) == 0 && !first;
}

/* The same through a descriptor of it. */
static long stat_object(s32 dirfd, u64 path, u64 flags, struct kernel_stat *st)
{
	long object = object_of(dirfd, path, flags), r;

	if (object < 0)
		return object;
	r = sys4(__NR_newfstatat, object, "", st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_);
	if (r == 0)
		correct(object, 0, st);
	fs_object_done(object, dirfd);
	return r;
}

static enum verdict stat_path(struct call *call, s32 dirfd, u64 path, u64 to, u64 flags)
{
	struct kernel_stat st;
	bool empty = (flags & AT_EMPTY_PATH_) && is_empty(path);

	call->ret = empty ? -ENOENT : fs_stat_path(scratch(), dirfd, path, how(flags), &st);
	if (call->ret == -ENOENT && (empty || ((flags & AT_SYMLINK_NOFOLLOW_) && (scratch()->mount.flags & FS_PROC))))
		call->ret = stat_object(dirfd, path, flags, &st);
	return done(call, call->ret < 0 ? call->ret : guest_write(to, &st, sizeof(st)));
}

enum verdict fs_stat(struct call *call)
{
	return stat_path(call, AT_FDCWD_, call->arg[0], call->arg[1], 0);
}

enum verdict fs_lstat(struct call *call)
{
	return stat_path(call, AT_FDCWD_, call->arg[0], call->arg[1], AT_SYMLINK_NOFOLLOW_);
}

enum verdict fs_newfstatat(struct call *call)
{
	u64 flags = (u32)call->arg[3], path = call->arg[1];

	if (flags & ~STATX_FLAGS)
		return done(call, -EINVAL);
	if ((flags & AT_EMPTY_PATH_) && (!path || is_empty(path)) && !agent_reserved_fd((u32)call->arg[0]))
		return !fs_any_layers() || identity_on() || !path ? CALL_PASS
								  : stat_path(call, (s32)call->arg[0], path, call->arg[2], flags);
	return stat_path(call, (s32)call->arg[0], path, call->arg[2], flags);
}

/* What is known of an object; itself: the path was empty. */
static u32 known(bool itself)
{
	return itself ? 0 : fs_stat_known(scratch());
}

static void correct_statx(long object, bool itself, struct kernel_statx *x)
{
	if (identity_on())
		identity_statx((s32)object, known(itself), x);
	else
		fs_origin_statx((s32)object, known(itself), x);
}

#define STATX_MOUNT_IDS 0x5000u  /* STATX_MNT_ID, STATX_MNT_ID_UNIQUE */
#define STATX_MOUNT_ROOT 0x2000u /* STATX_ATTR_MOUNT_ROOT */

/* Which mount of the cell it lies on, where gap mounts is filled. itself: the path was empty. */
static void tell_mount(long object, bool itself, u64 asked, struct kernel_statx *x)
{
	struct fs_work *work = scratch();
	char link[AGENT_FD_LINK_SIZE];

	if (!(commons()->emulated & (1u << GAP_mounts)))
		return;
	if (itself || work->magic || work->deep) {
		agent_fd_link(link, (u32)object);
		long n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);

		if (n <= 0 || work->check[0] != '/')
			return;
		work->check[n] = 0;
		if (fs_place_hinted(work, work->check, itself ? fs_hint((s32)object) : 0) < 0)
			return;
	}
	x->mask |= (u32)asked & STATX_MOUNT_IDS;
	if (asked & STATX_MOUNT_IDS)
		x->spare[0] = work->mount.id; /* stx_mnt_id */
	x->attributes_mask |= STATX_MOUNT_ROOT;
	x->attributes &= ~(u64)STATX_MOUNT_ROOT;
	if (strlen(work->guest) == work->mount.target_length)
		x->attributes |= STATX_MOUNT_ROOT;
}

/* Where the host has no statx, or not this flag: what stat tells. */
static long statx_by_stat(long object, bool itself, u64 mask, u64 to)
{
	struct kernel_statx x;
	struct kernel_stat st = { 0 };
	long r = sys4(__NR_newfstatat, object, "", &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_);

	if (r < 0)
		return r;
	kernel_statx_from(&x, &st);
	correct_statx(object, itself, &x);
	tell_mount(object, itself, mask, &x);
	return guest_write(to, &x, sizeof(x));
}

static long statx_object(long object, bool itself, u64 flags, u64 mask, u64 to)
{
	struct kernel_statx x;
	long r;

	if (!identity_on() && !fs_any_layers() && !(commons()->emulated & (1u << GAP_mounts)))
		return sys5(__NR_statx, object, "", flags | AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_, mask, to);
	r = sys5(__NR_statx, object, "", flags | AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_, mask | KERNEL_STATX_BASIC_STATS, &x);
	if (r < 0)
		return r;
	correct_statx(object, itself, &x);
	tell_mount(object, itself, mask, &x);
	return guest_write(to, &x, sizeof(x));
}

enum verdict fs_statx(struct call *call)
{
	s32 dirfd = (s32)call->arg[0];
	u64 flags = (u32)call->arg[2];
	bool itself;
	long object;

	if ((flags & ~STATX_FLAGS) || (flags & STATX_SYNC) == STATX_SYNC || (call->arg[3] & 0x80000000u))
		return done(call, -EINVAL);
	if ((flags & AT_EMPTY_PATH_) && !call->arg[1])
		return CALL_PASS;
	object = object_of(dirfd, call->arg[1], flags);
	if (object < 0)
		return done(call, object);
	itself = (flags & AT_EMPTY_PATH_) && is_empty(call->arg[1]);
	call->ret = statx_object(object, itself, flags, call->arg[3], call->arg[4]);
	if (call->ret == -ENOSYS || call->ret == -EINVAL)
		call->ret = statx_by_stat(object, itself, call->arg[3], call->arg[4]);
	fs_object_done(object, dirfd);
	return CALL_DONE;
}

/* --- access -------------------------------------------------------------------------------------------------------------------------- */

static bool is_link(long object)
{
	struct kernel_stat st = { 0 };

	return sys4(__NR_newfstatat, object, "", &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_) == 0 &&
	       (st.mode & VFS_TYPE) == VFS_LINK;
}

/* Whether an object lies in a lower layer; itself: the path was empty. */
static bool in_lower(long object, bool itself)
{
	const struct fs_work *work = scratch();

	if (itself || work->magic || work->base != FS_NO_BASE)
		return fs_reaches_lower((s32)object);
	return fs_layered(work) && work->layer;
}

/* As the guest's task; then whether the host lets it be written. */
static long access_as(long object, bool itself, const char *link, u64 mode, u64 flags)
{
	bool asks = (mode & 1) || !identity_unchecked(!(flags & AT_EACCESS_));
	long r = asks ? identity_may((s32)object, (u32)mode, !(flags & AT_EACCESS_)) : 0;

	if (r < 0 || !(mode & 6) || in_lower(object, itself))
		return r; /* its copy can be written */
	r = sys3(__NR_faccessat, AT_FDCWD_, link, mode & 6);
	return fs_unlocked(r, (s32)object) ? sys3(__NR_faccessat, AT_FDCWD_, link, mode & 6) : r;
}

/* Whether it is a file of a mount from which nothing is executed. */
static bool is_noexec(struct fs_work *work, long object, bool itself)
{
	struct kernel_stat st = { 0 };

	return (fs_flags_of(work, (s32)object, itself) & FS_NOEXEC) && sys2(__NR_fstat, object, &st) == 0 &&
	       (st.mode & VFS_TYPE) == VFS_REGULAR;
}

static enum verdict access_path(struct call *call, s32 dirfd, u64 path, u64 mode, u64 flags)
{
	struct fs_work *work = scratch();
	char link[AGENT_FD_LINK_SIZE];
	bool itself;
	long object;

	if (mode & ~UINT64_C(7))
		return done(call, -EINVAL);
	object = fs_object(work, dirfd, path, how(flags) | (mode & 2 ? FS_WRITE : 0) | (flags & AT_EACCESS_ ? 0 : FS_REAL));
	if (object < 0)
		return done(call, object);
	itself = (flags & AT_EMPTY_PATH_) && is_empty(path);
	if ((flags & (AT_SYMLINK_NOFOLLOW_ | AT_EMPTY_PATH_)) && is_link(object)) {
		fs_object_done(object, dirfd);
		return done(call, 0); /* a link's mode allows everything, and is not looked at */
	}
	if ((mode & 1) && is_noexec(work, object, itself)) {
		fs_object_done(object, dirfd);
		return done(call, -EACCES);
	}
	agent_fd_link(link, (u32)object);
	if (identity_on()) {
		call->ret = access_as(object, itself, link, mode, flags);
		fs_object_done(object, dirfd);
		return CALL_DONE;
	}
	call->ret = flags & AT_EACCESS_ ? sys4(__NR_faccessat2, AT_FDCWD_, link, mode, AT_EACCESS_) : -ENOSYS;
	if (call->ret == -ENOSYS)
		call->ret = sys3(__NR_faccessat, AT_FDCWD_, link, mode);
	fs_object_done(object, dirfd);
	return CALL_DONE;
}

enum verdict fs_access(struct call *call)
{
	return access_path(call, AT_FDCWD_, call->arg[0], call->arg[1], 0);
}

enum verdict fs_faccessat(struct call *call)
{
	return access_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], 0);
}

enum verdict fs_faccessat2(struct call *call)
{
	u64 flags = (u32)call->arg[3];

	if (flags & ~(u64)(AT_EACCESS_ | AT_SYMLINK_NOFOLLOW_ | AT_EMPTY_PATH_))
		return done(call, -EINVAL);
	return access_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], flags);
}

/* --- readlink, getcwd ---------------------------------------------------------------------------------------------------------------- */

/* Whether the work's host path lies in a procfs: its links name host paths, and that of a program the agent. */
static bool in_proc(const struct fs_work *work)
{
	return work->mount.flags & FS_PROC;
}

/* What a link of procfs says to the guest: n bytes of work->check, which may become others. Their number. */
static long told(struct fs_work *work, long n)
{
	static const char gone[] = " (deleted)";
	long length, cut = n > 10 && !memcmp(work->check + n - 10, gone, 10) ? 10 : 0;

	work->check[n] = 0;
	if (!strncmp(work->host + work->host_length - 4, "/exe", 4)) {
		length = exe_link_target(work->host, work->check, work->guest, FS_PATH_MAX);
		if (length > 0)
			n = length, cut = 0;
	} else if (!strncmp(work->host + work->host_length - 5, "/root", 5)) {
		length = fs_root_path(fs_proc_view(work), work->check);
		if (length >= 0)
			return length;
		memcpy(work->check, "/", 2);
		return 1;
	}
	if (pids_on() && (!strcmp(work->host, "/proc/self") || !strcmp(work->host, "/proc/thread-self")))
		return pids_own_link(work->check, n, FS_HOST_MAX);
	if (commons()->emulated & (1u << GAP_namespaces)) {
		length = ns_link(work->host, work->check);
		if (length == 0)
			length = ns_told(work->check, work->check);
		if (length)
			return length;
	}
	if (work->check[0] != '/' || !strncmp(work->check, "/memfd:", 7))
		return n;
	work->check[n - cut] = 0;
	length = fs_guest_path(work->check, fs_proc_hint(work), work->guest, NULL);
	if (length > 0 && pids_on())
		length = pids_guest_path(work->guest, FS_PATH_MAX);
	if (length < 0 || (u64)(length + cut) >= FS_HOST_MAX) {
		work->check[n - cut] = cut ? ' ' : 0;
		return n; /* outside: told as it is */
	}
	memcpy(work->check, work->guest, (u64)length);
	memcpy(work->check + length, gone, (u64)cut);
	return length + cut;
}

/* A link of /proc/PID/ns that this kernel does not have: the length of its text, or the error. */
static long namespace_link(struct fs_work *work, long error)
{
	long n = ns_link(work->host, work->check);

	return n > 0 ? n : error;
}

static enum verdict readlink_path(struct call *call, s32 dirfd, u64 path, u64 to, s32 size)
{
	struct fs_work *work = scratch();
	char first;
	long object, n;

	if (size <= 0)
		return done(call, -EINVAL);
	if (dirfd != AT_FDCWD_ && guest_read(&first, path, 1) == 0 && !first)
		return CALL_PASS; /* of the descriptor itself */
	object = fs_object(work, dirfd, path, 0);
	if (object < 0 && object != -ENOENT)
		return done(call, object);
	n = object < 0 ? object : sys4(__NR_readlinkat, object, "", work->check, FS_HOST_MAX - 1);
	if (object >= 0)
		fs_object_done(object, dirfd);
	if (n == -ENOENT && object >= 0)
		n = -EINVAL; /* an O_PATH descriptor of what is no link */
	if (n < 0 && in_proc(work) && (commons()->emulated & (1u << GAP_namespaces)))
		n = namespace_link(work, n);
	if (n > 0 && in_proc(work))
		n = told(work, n);
	if (n > size)
		n = size;
	return done(call, n < 0 ? n : guest_write(to, work->check, (u64)n) < 0 ? -EFAULT : n);
}

enum verdict fs_readlink(struct call *call)
{
	return readlink_path(call, AT_FDCWD_, call->arg[0], call->arg[1], (s32)call->arg[2]);
}

enum verdict fs_readlinkat(struct call *call)
{
	return readlink_path(call, (s32)call->arg[0], call->arg[1], call->arg[2], (s32)call->arg[3]);
}

enum verdict fs_getcwd(struct call *call)
{
	static const char unreachable[] = "(unreachable)";
	struct fs_work *work = scratch();
	long n = sys2(__NR_getcwd, work->check, FS_HOST_MAX);
	bool inside;

	if (n < 0)
		return done(call, n);
	n = fs_guest_path(work->check, fs_hint(AT_FDCWD_), work->guest, &inside);
	if (n > 0 && pids_on())
		n = pids_guest_path(work->guest, FS_PATH_MAX);
	if (n < 0)
		return done(call, n == -ESRCH ? -ENOENT : n);
	memcpy(work->rest, unreachable, inside ? 0 : sizeof(unreachable) - 1);
	memcpy(work->rest + (inside ? 0 : sizeof(unreachable) - 1), work->guest, (u64)n + 1);
	n += inside ? 0 : (long)sizeof(unreachable) - 1;
	if ((u64)n + 1 > call->arg[1])
		return done(call, -ERANGE);
	return done(call, guest_write(call->arg[0], work->rest, (u64)n + 1) < 0 ? -EFAULT : n + 1);
}

enum verdict fs_chdir(struct call *call)
{
	long object = fs_object(scratch(), AT_FDCWD_, call->arg[0], FS_FOLLOW | FS_DIRECTORY);

	if (object < 0)
		return done(call, object);
	call->ret = identity_on() ? identity_may((s32)object, 1, false) : 0;
	if (call->ret == 0)
		call->ret = sys1(__NR_fchdir, object);
	if (call->ret == 0)
		fs_note(AT_FDCWD_, scratch()->magic || scratch()->deep ? 0 : scratch()->mount.id);
	fs_object_done(object, AT_FDCWD_);
	return CALL_DONE;
}

enum verdict fs_fchdir(struct call *call)
{
	call->ret = sys1(__NR_fchdir, call->arg[0]);
	if (call->ret == 0)
		fs_note(AT_FDCWD_, fs_hint((s32)call->arg[0]));
	return CALL_DONE;
}

long fs_start(const char *path)
{
	long object = fs_object(scratch(), AT_FDCWD_, (u64)path, FS_FOLLOW | FS_DIRECTORY), r;

	if (object < 0)
		return object;
	r = sys1(__NR_fchdir, object);
	fs_object_done(object, AT_FDCWD_);
	return r;
}

/* --- by the descriptor's name --------------------------------------------------------------------------------------------------------- */

enum verdict fs_xattr(struct call *call)
{
	if (identity_on())
		return fs_xattr_as(call, FS_FOLLOW);
	return by_link(call, 0, AT_FDCWD_, FS_FOLLOW);
}

enum verdict fs_lxattr(struct call *call)
{
	struct fs_unfollowed at;
	long r, nr = call->nr;
	u64 args[6];

	if (identity_on())
		return fs_xattr_as(call, 0);
	r = fs_unfollowed(scratch(), AT_FDCWD_, call->arg[0], 0, &at);
	if (r < 0)
		return done(call, r);
	if (at.follow)
		nr = nr == __NR_lgetxattr ? __NR_getxattr : __NR_listxattr;
	memcpy(args, call->arg, sizeof(args));
	args[0] = (u64)at.path;
	call->ret = fs_reissue(nr, args);
	fs_unfollowed_done(&at, AT_FDCWD_);
	return CALL_DONE;
}

#define IN_DONT_FOLLOW_ 0x02000000u
#define IN_ONLYDIR_ 0x01000000u

enum verdict fs_inotify_add_watch(struct call *call)
{
	u32 mask = (u32)call->arg[2];
	struct fs_unfollowed at;
	struct kernel_stat st = { 0 };
	long r;

	if (!(mask & IN_DONT_FOLLOW_))
		return by_link(call, 1, AT_FDCWD_, FS_FOLLOW | (mask & IN_ONLYDIR_ ? FS_DIRECTORY : 0));
	r = fs_unfollowed(scratch(), AT_FDCWD_, call->arg[1], 0, &at);
	if (r < 0)
		return done(call, r);
	if (!at.follow && (mask & IN_ONLYDIR_)) /* gVisor follows a link for a directory */
		r = sys4(__NR_newfstatat, AT_FDCWD_, at.path, &st, AT_SYMLINK_NOFOLLOW_);
	if (!at.follow && (mask & IN_ONLYDIR_) && r == 0 && (st.mode & VFS_TYPE) != VFS_DIRECTORY)
		r = -ENOTDIR;
	if (r == 0)
		r = sys3(__NR_inotify_add_watch, call->arg[0], at.path, at.follow ? mask & ~IN_DONT_FOLLOW_ : mask);
	call->ret = r;
	fs_unfollowed_done(&at, AT_FDCWD_);
	return CALL_DONE;
}
