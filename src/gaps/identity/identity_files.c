/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as gap identity has them: the hooks that the file tree of the engine (agent/fs.h) calls with descriptors of what it found, and the calls that
 * have descriptors already. Rules: inode(7), chown(2), chmod(2), fs/attr.c, generic_permission() and may_delete() of fs/namei.c, Linux 6.18.
 *
 * The kernel checks what the user who runs lichen may; these rules come before it, for who the guest's task is.
 */
#include "base/kernel_stat.h"
#include "gaps/identity/identity_int.h"

#define STATFS_WORDS 15u /* struct statfs */
#define PROC_MAGIC 0x9fa0u

#define AT_EMPTY_PATH_ 0x1000
#define AT_SYMLINK_NOFOLLOW_ 0x100
#define S_ISUID_ 04000u
#define S_ISGID_ 02000u
#define S_ISVTX_ 01000u
#define NO_ID UINT32_MAX

static bool in_group(const struct identity_cred *cred, u32 gid)
{
	return cred->gid.fs == gid || identity_in_groups(cred, gid);
}

static u64 encode_device(u32 major, u32 minor)
{
	return (minor & 0xffu) | (u64)(major & 0xfffu) << 8 | (u64)(minor & ~0xffu) << 12 | (u64)(major & ~0xfffu) << 32;
}

/* --- stat ----------------------------------------------------------------------------------------------------------------------------- */

static void tell(const struct identity_file *file, struct kernel_stat *st)
{
	st->uid = file->uid;
	st->gid = file->gid;
	st->mode = file->mode;
	if ((file->mode ^ file->host_mode) & IDENTITY_TYPE)
		st->rdev = encode_device(file->major, file->minor);
}

void identity_stat(s32 fd, u32 known, struct kernel_stat *st)
{
	struct identity_file file;

	if (identity_file_seen(fd, known, st, &file))
		fs_origin_stat(fd, known, st);
	tell(&file, st);
}

bool identity_stat_name(s32 directory, const char *name, struct kernel_stat *st)
{
	struct identity_file file;

	if (!identity_file_plain(directory, name, st, &file))
		return false;
	tell(&file, st);
	return true;
}

void identity_statx(s32 fd, u32 known, struct kernel_statx *x)
{
	struct identity_file file;
	const struct kernel_stat st = {
		.mode = x->mode, .uid = x->uid, .gid = x->gid, .rdev = encode_device(x->rdev_major, x->rdev_minor)
	};

	if (identity_file_seen(fd, known, &st, &file))
		fs_origin_statx(fd, known, x);
	x->uid = file.uid;
	x->gid = file.gid;
	x->mode = (u16)file.mode;
	if ((file.mode ^ file.host_mode) & IDENTITY_TYPE) {
		x->rdev_major = file.major;
		x->rdev_minor = file.minor;
	}
}

/* --- permission ----------------------------------------------------------------------------------------------------------------------- */

/* access(2) asks as the real ids, with the capabilities that these would have (fs/open.c, access_override_creds()). */
static struct identity_cred real_cred(const struct identity_cred *cred)
{
	struct identity_cred real = *cred;

	real.uid.fs = cred->uid.real;
	real.gid.fs = cred->gid.real;
	if (!(cred->securebits & SECURE_NO_SETUID_FIXUP_))
		real.caps.effective = cred->uid.real ? 0 : cred->caps.permitted;
	return real;
}

static bool may(const struct identity_cred *cred, const struct identity_file *file, u32 mask)
{
	bool directory = (file->mode & IDENTITY_TYPE) == IDENTITY_DIRECTORY;
	u32 granted = cred->uid.fs == file->uid || !file->kept ? file->mode >> 6
		    : in_group(cred, file->gid)                ? file->mode >> 3
							       : file->mode;

	if (!(mask & ~granted & 7))
		return true;
	if (identity_capable(cred, CAP_DAC_OVERRIDE_) && (directory || !(mask & 1) || (file->mode & 0111)))
		return true;
	return identity_capable(cred, CAP_DAC_READ_SEARCH_) && (directory ? !(mask & 2) : mask == 4);
}

/* Whether a file is procfs' own of a process of ours: there the owner is who the process is, and the host's check is the right one. */
static bool is_own_in_proc(s32 fd, const struct identity_file *file)
{
	u64 st[STATFS_WORDS];

	return file->mine && sys2(__NR_fstatfs, fd, st) == 0 && st[0] == PROC_MAGIC;
}

static long may_once(s32 fd, u32 mask, const struct identity_cred *cred, struct identity_file *file)
{
	long r = identity_file_read(fd, STAT_O_PATH, file);

	if (r < 0)
		return r;
	if ((file->host_mode & IDENTITY_TYPE) == 0120000u)
		return 0;
	return may(cred, file, mask) || is_own_in_proc(fd, file) ? 0 : -EACCES;
}

long identity_may(s32 fd, u32 mask, bool real)
{
	struct identity_cred cred = real ? real_cred(identity_self()) : *identity_self();
	struct identity_file file = { 0 };
	long r = may_once(fd, mask, &cred, &file);

	return r == -EACCES && identity_look_again(&file) ? may_once(fd, mask, &cred, &file) : r;
}

bool identity_unchecked(bool real)
{
	const struct identity_cred *cred = identity_self();

	if (real && (cred->uid.real != cred->uid.fs || cred->gid.real != cred->gid.fs))
		return false;
	return identity_capable(cred, CAP_DAC_OVERRIDE_) && identity_capable(cred, CAP_FOWNER_);
}

/* What the guest may and the host refuses because of the mode on the host: gives the user who runs lichen what its owner needs. */
bool identity_unlock(s32 fd)
{
	struct identity_file file;
	u32 before;

	if (identity_file_read(fd, STAT_O_PATH, &file) < 0 || !file.mine)
		return false;
	before = file.host_mode;
	return identity_file_write(fd, &file) == 0 && file.host_mode != before;
}

static bool owns(const struct identity_cred *cred, const struct identity_file *file)
{
	return cred->uid.fs == file->uid || identity_capable(cred, CAP_FOWNER_);
}

/* A file that the caller is about to do something with as its owner. */
static long read_as_owner(const struct identity_cred *cred, s32 fd, u32 known, struct identity_file *ret)
{
	long r = identity_file_read(fd, known, ret);

	return r == 0 && !owns(cred, ret) && identity_look_again(ret) ? identity_file_read(fd, known, ret) : r;
}

long identity_may_own(s32 fd)
{
	struct identity_file file;
	long r = read_as_owner(identity_self(), fd, STAT_O_PATH, &file);

	return r < 0 ? r : owns(identity_self(), &file) ? 0 : -EPERM;
}

long identity_may_remove(s32 directory, const char *name)
{
	const struct identity_cred *cred = identity_self();
	struct identity_file above = { 0 }, file = { 0 };
	bool denied;
	long r = may_once(directory, 3, cred, &above), fd;

	denied = r == -EACCES && (!identity_look_again(&above) || may_once(directory, 3, cred, &above) < 0);
	if (r < 0 && r != -EACCES)
		return r;
	fd = sys4(__NR_openat, directory, name, 012400000 /* O_PATH|O_NOFOLLOW|O_CLOEXEC */, 0);
	if (fd < 0)
		return fd;
	r = read_as_owner(cred, (s32)fd, STAT_O_PATH, &file);
	(void)sys1(__NR_close, fd);
	if (r == 0 && denied)
		r = -EACCES;
	if (r == 0 && (above.mode & S_ISVTX_) && cred->uid.fs != above.uid && file.kept && !owns(cred, &file))
		r = -EPERM;
	return r;
}

/* --- owner, mode ---------------------------------------------------------------------------------------------------------------------- */

long identity_chown(s32 fd, u32 known, u32 uid, u32 gid)
{
	const struct identity_cred *cred = identity_self();
	bool may_give = identity_capable(cred, CAP_CHOWN_);
	struct identity_file file;
	long r = may_give ? identity_file_read(fd, known, &file) : read_as_owner(cred, fd, known, &file);

	if (r < 0)
		return r;
	if (uid != NO_ID && !may_give && (cred->uid.fs != file.uid || uid != file.uid))
		return -EPERM;
	if (gid != NO_ID && !may_give && (cred->uid.fs != file.uid || (gid != file.gid && !in_group(cred, gid))))
		return -EPERM;
	if ((file.mode & IDENTITY_TYPE) != IDENTITY_DIRECTORY) {
		file.mode &= ~S_ISUID_;
		if ((file.mode & 00010) || (!in_group(cred, file.gid) && !identity_capable(cred, CAP_FSETID_)))
			file.mode &= ~S_ISGID_;
	}
	if (uid != NO_ID)
		file.uid = uid;
	if (gid != NO_ID)
		file.gid = gid;
	return identity_file_write(fd, &file);
}

long identity_chmod(s32 fd, u32 known, u32 mode)
{
	const struct identity_cred *cred = identity_self();
	struct identity_file file;
	long r = read_as_owner(cred, fd, known, &file);

	if (r < 0)
		return r;
	if (!owns(cred, &file))
		return -EPERM;
	file.mode = (file.mode & IDENTITY_TYPE) | (mode & 07777);
	if (!in_group(cred, file.gid) && !identity_capable(cred, CAP_FSETID_))
		file.mode &= ~S_ISGID_;
	return identity_file_write(fd, &file);
}

/* A new file is the caller's, its group the directory's where that is set-group-ID, which directories hand on (inode_init_owner()). */
long identity_made(s32 directory, s32 fd, u32 known, u32 mode)
{
	const struct identity_cred *cred = identity_self();
	struct identity_file above = { 0 }, file;
	u32 type;
	long r = identity_file_new(fd, known, &file);

	if (r == 0 && directory >= 0)
		r = identity_file_read(directory, STAT_O_PATH, &above);
	if (r < 0)
		return r;
	type = file.host_mode & IDENTITY_TYPE;
	file.uid = cred->uid.fs;
	file.gid = cred->gid.fs;
	file.mode |= mode & (type == IDENTITY_DIRECTORY ? S_ISVTX_ : 07000u);
	if (type != IDENTITY_DIRECTORY)
		file.mode = (file.mode & ~07000u) | (mode & 07000u);
	if (above.mode & S_ISGID_) {
		file.gid = above.gid;
		if (type == IDENTITY_DIRECTORY)
			file.mode |= S_ISGID_;
		else if ((file.mode & 00010) && !in_group(cred, file.gid) && !identity_capable(cred, CAP_FSETID_))
			file.mode &= ~S_ISGID_;
	}
	return identity_file_write(fd, &file);
}

long identity_make_device(s32 directory, const char *name, u32 mode, u64 device)
{
	struct identity_file file;
	long fd, r;

	if (!identity_capable(identity_self(), CAP_MKNOD_))
		return -EPERM;
	fd = sys4(__NR_openat, directory, name, 02000301 /* O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC */, mode & 0777);
	if (fd < 0)
		return fd;
	r = identity_made(directory, (s32)fd, 0, mode);
	if (r == 0)
		r = identity_file_read((s32)fd, 0, &file);
	if (r == 0) {
		file.mode = (file.mode & 07777) | (mode & IDENTITY_TYPE);
		file.major = kernel_dev_major(device);
		file.minor = kernel_dev_minor(device);
		r = identity_file_write((s32)fd, &file);
	}
	if (r < 0)
		(void)sys3(__NR_unlinkat, directory, name, 0);
	(void)sys1(__NR_close, fd);
	return r;
}

/* --- devices --------------------------------------------------------------------------------------------------------------------------- */

/* The machine's own node of a device that everybody may open. */
static long open_device(const struct identity_file *file, u64 flags)
{
	const char *path = NULL;

	if ((file->mode & IDENTITY_TYPE) == IDENTITY_CHAR)
		switch (file->major << 8 | file->minor) {
		case 1 << 8 | 3:
			path = "/dev/null";
			break;
		case 1 << 8 | 5:
			path = "/dev/zero";
			break;
		case 1 << 8 | 7:
			path = "/dev/full";
			break;
		case 1 << 8 | 8:
			path = "/dev/random";
			break;
		case 1 << 8 | 9:
			path = "/dev/urandom";
			break;
		case 5 << 8 | 0:
			path = "/dev/tty";
			break;
		case 5 << 8 | 2:
			path = "/dev/ptmx";
			break;
		default:
			break;
		}
	return path ? sys4(__NR_openat, -100 /* AT_FDCWD */, path, flags & ~UINT64_C(0300) /* O_CREAT|O_EXCL */, 0) : -ENXIO;
}

long identity_opened(long fd, u64 flags)
{
	struct identity_file file;
	struct kernel_stat st = { 0 };
	long device, r;

	if (sys2(__NR_fstat, fd, &st) != 0 || (st.mode & IDENTITY_TYPE) != IDENTITY_REGULAR || st.size)
		return fd;
	identity_file_of((s32)fd, 0, &st, &file);
	if ((file.mode & IDENTITY_TYPE) == IDENTITY_REGULAR)
		return fd;
	device = open_device(&file, flags);
	if (device < 0) {
		(void)sys1(__NR_close, fd);
		return device;
	}
	r = sys3(__NR_dup3, device, fd, flags & 02000000 /* O_CLOEXEC */);
	(void)sys1(__NR_close, device);
	return r;
}

/* --- calls that have descriptors ------------------------------------------------------------------------------------------------------- */

static enum verdict stat_fd(struct call *call, s32 fd, u64 to)
{
	struct kernel_stat st = { 0 };
	long r = agent_reserved_fd((u32)fd) ? -EBADF : sys2(__NR_fstat, fd, &st);

	if (r == 0) {
		identity_stat(fd, 0, &st);
		r = guest_write(to, &st, sizeof(st));
	}
	return identity_done(call, r);
}

enum verdict identity_fstat(struct call *call)
{
	return stat_fd(call, (s32)call->arg[0], call->arg[1]);
}

/* With an empty path; others are the file tree's. */
enum verdict identity_newfstatat(struct call *call)
{
	return stat_fd(call, (s32)call->arg[0], call->arg[2]);
}

enum verdict identity_statx_call(struct call *call)
{
	struct kernel_statx x = { 0 };
	long r = agent_reserved_fd((u32)call->arg[0]) ? -EBADF
						      : sys5(__NR_statx, call->arg[0], "", call->arg[2] | AT_EMPTY_PATH_,
							     call->arg[3] | KERNEL_STATX_BASIC_STATS, &x);

	if (r == 0) {
		identity_statx((s32)call->arg[0], 0, &x);
		r = guest_write(call->arg[4], &x, sizeof(x));
	}
	return identity_done(call, r);
}

long identity_usable(u32 fd)
{
	long flags = agent_reserved_fd(fd) ? -EBADF : sys2(__NR_fcntl, fd, 3 /* F_GETFL */);

	return flags < 0 || (flags & 010000000 /* O_PATH */) ? -EBADF : 0;
}

enum verdict identity_fchown(struct call *call)
{
	long r = identity_usable((u32)call->arg[0]);

	return identity_done(call, r < 0 ? r : identity_chown((s32)call->arg[0], 0, (u32)call->arg[1], (u32)call->arg[2]));
}

enum verdict identity_fchmod(struct call *call)
{
	long r = identity_usable((u32)call->arg[0]);

	return identity_done(call, r < 0 ? r : identity_chmod((s32)call->arg[0], 0, (u32)call->arg[1]));
}
