/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faccessat2(2) on a host without it. faccessat(2) answers where it can: no flags, AT_EACCESS where real and effective identity are the same,
 * AT_EMPTY_PATH by /proc/self/fd/N, AT_SYMLINK_NOFOLLOW for what is no symbolic link. The rest is decided here from the file's mode, as
 * the kernel does for a file without an access control list (fs/namei.c: generic_permission).
 */
#include "gaps/newcalls/newcalls_int.h"

#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u
#define CAP_DAC_OVERRIDE_BIT (1u << 1)
#define CAP_DAC_READ_SEARCH_BIT (1u << 2)
#define ST_RDONLY_ 1u
#define ST_NOEXEC_ 8u

/* Who asks. */
struct asker {
	u32 uid, gid;
	u32 caps; /* the two above */
};

/* Real: as access(2), which gives root its permitted capabilities and others none. Effective: as the file system sees the thread. */
static void askers_get(struct asker *real, struct asker *effective)
{
	struct {
		u32 version;
		s32 pid;
	} header = { 0x20080522, 0 };
	struct {
		u32 effective, permitted, inheritable;
	} caps[2] = { { 0 } };
	u32 uid[3], gid[3], dac = CAP_DAC_OVERRIDE_BIT | CAP_DAC_READ_SEARCH_BIT;

	(void)sys3(__NR_getresuid, &uid[0], &uid[1], &uid[2]);
	(void)sys3(__NR_getresgid, &gid[0], &gid[1], &gid[2]);
	(void)sys2(__NR_capget, &header, caps);
	*real = (struct asker){ uid[0], gid[0], uid[0] == 0 ? caps[0].permitted & dac : 0 };
	*effective = (struct asker){ uid[1], gid[1], caps[0].effective & dac };
}

static bool allowed(const struct asker *who, const struct kernel_stat *st, u32 want)
{
	bool directory = (st->mode & S_IFMT_) == S_IFDIR_;
	u32 granted = st->mode;

	if (who->uid == st->uid)
		granted >>= 6;
	else if (who->gid == st->gid || agent_in_group(st->gid))
		granted >>= 3;
	if ((granted & want) == want)
		return true;
	if ((who->caps & CAP_DAC_READ_SEARCH_BIT) && (want == MAY_READ || (directory && !(want & MAY_WRITE))))
		return true;
	return (who->caps & CAP_DAC_OVERRIDE_BIT) && (directory || !(want & MAY_EXEC) || (st->mode & 0111u));
}

static bool is_special(u32 mode)
{
	u32 type = mode & S_IFMT_;

	return type != S_IFREG_ && type != S_IFDIR_ && type != S_IFLNK_;
}

/* The answer for the file behind an O_PATH or other descriptor. */
static long decide(s32 fd, u32 want, const struct asker *who)
{
	struct kernel_stat st;
	u64 fs[15] = { 0 }; /* struct statfs; [10]: f_flags */
	long r = sys2(__NR_fstat, fd, &st);

	if (r < 0)
		return r;
	(void)sys2(__NR_fstatfs, fd, fs);
	if ((want & MAY_EXEC) && (st.mode & S_IFMT_) == S_IFREG_ && (fs[10] & ST_NOEXEC_))
		return -EACCES;
	if (!allowed(who, &st, want))
		return -EACCES;
	return (want & MAY_WRITE) && !is_special(st.mode) && (fs[10] & ST_RDONLY_) ? -EROFS : 0;
}

static long decide_path(s32 dirfd, u64 path, u32 flags, u32 want, const struct asker *who)
{
	u32 nofollow = flags & AT_SYMLINK_NOFOLLOW_ ? O_NOFOLLOW_ : 0;
	long fd = sys4(__NR_openat, dirfd, path, O_PATH_ | O_CLOEXEC_ | nofollow, 0), r;

	if (fd < 0)
		return fd;
	r = decide((s32)fd, want, who);
	(void)sys1(__NR_close, fd);
	return r;
}

/* The file that the descriptor is open on. */
static long access_descriptor(s32 fd, u32 want, const struct asker *who, bool by_real)
{
	char link[AGENT_FD_LINK_SIZE];
	struct kernel_stat st;
	long r;

	if (fd == AT_FDCWD_)
		return by_real ? sys3(__NR_faccessat, AT_FDCWD_, ".", want) : decide_path(fd, (u64) ".", 0, want, who);
	r = sys2(__NR_fstat, fd, &st);
	if (r < 0 || !by_real)
		return r < 0 ? r : decide(fd, want, who);
	agent_fd_link(link, (u32)fd);
	r = sys3(__NR_faccessat, AT_FDCWD_, link, want);
	return r == -ENOENT ? decide(fd, want, who) : r; /* no /proc */
}

enum verdict newcalls_faccessat2(struct call *call)
{
	s32 dirfd = (s32)call->arg[0];
	u32 want = (u32)call->arg[2], flags = (u32)call->arg[3];
	struct asker real, effective;
	struct kernel_stat st;
	bool by_real = true;
	char first;
	long r;

	if (newcall_there(NEWCALL_FACCESSAT2))
		return CALL_PASS;
	call->nr = __NR_faccessat;
	if (!flags)
		return CALL_PASS;
	if ((want & ~7u) || (flags & ~(AT_EACCESS_ | AT_SYMLINK_NOFOLLOW_ | AT_EMPTY_PATH_)))
		return done(call, -EINVAL);
	askers_get(&real, &effective);
	if (flags & AT_EACCESS_) {
		by_real = memcmp(&real, &effective, sizeof(real)) == 0;
		real = effective;
	}
	if (flags & AT_EMPTY_PATH_) {
		if (guest_read(&first, call->arg[1], 1) < 0)
			return done(call, -EFAULT);
		if (!first)
			return done(call, access_descriptor(dirfd, want, &real, by_real));
	}
	if (by_real && (flags & AT_SYMLINK_NOFOLLOW_)) {
		r = sys4(__NR_newfstatat, dirfd, call->arg[1], &st, AT_SYMLINK_NOFOLLOW_);
		if (r < 0 && r != -EACCES) /* the real identity may get there */
			return done(call, r);
		by_real = r < 0 || (st.mode & S_IFMT_) != S_IFLNK_;
	}
	if (!by_real)
		return done(call, decide_path(dirfd, call->arg[1], flags, want, &real));
	return CALL_PASS;
}
