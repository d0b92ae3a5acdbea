/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose newer flags an old host does not know: memfd_create(2), getrandom(2), preadv2(2) and pwritev2(2).
 *
 * preadv2 and pwritev2 become preadv and pwritev, or readv and writev for offset -1. Flags that ask for nothing the old call would not do
 * are dropped, RWF_DSYNC and RWF_SYNC are followed by fdatasync or fsync; what is left is EOPNOTSUPP, which is how a kernel says
 * that it does not know a flag, or that this file cannot do it.
 */
#include "gaps/newcalls/newcalls_int.h"

#define MFD_ALLOW_SEALING_ 2u
#define MFD_NOEXEC_SEAL_ 8u
#define MFD_EXEC_ 16u

/* Before Linux 6.3 every memfd is executable. */
enum verdict newcalls_memfd_create(struct call *call)
{
	u32 flags = (u32)call->arg[1], exec = flags & (MFD_EXEC_ | MFD_NOEXEC_SEAL_);
	long fd;

	if (!exec || newcall_there(NEWCALL_MEMFD_EXEC))
		return CALL_PASS;
	if (exec == MFD_EXEC_) {
		call->arg[1] = flags & ~MFD_EXEC_;
		return CALL_PASS;
	}
	if (exec & MFD_EXEC_)
		return done(call, -EINVAL);
	fd = sys2(__NR_memfd_create, call->arg[0], (flags & ~MFD_NOEXEC_SEAL_) | MFD_ALLOW_SEALING_);
	if (fd >= 0)
		(void)sys2(__NR_fchmod, fd, 0666);
	return done(call, fd);
}

#define GRND_NONBLOCK_ 1u
#define GRND_RANDOM_ 2u
#define GRND_INSECURE_ 4u

/* GRND_INSECURE: never wait. Once the host's generator is seeded, and it is, GRND_NONBLOCK gives the same. */
enum verdict newcalls_getrandom(struct call *call)
{
	u32 flags = (u32)call->arg[2];

	if (!(flags & GRND_INSECURE_) || newcall_there(NEWCALL_GETRANDOM_INSECURE))
		return CALL_PASS;
	if (flags & ~(GRND_NONBLOCK_ | GRND_INSECURE_))
		return done(call, -EINVAL);
	call->arg[2] = GRND_NONBLOCK_;
	return CALL_PASS;
}

#define RWF_HIPRI_ 0x01u
#define RWF_DSYNC_ 0x02u
#define RWF_SYNC_ 0x04u
#define RWF_APPEND_ 0x10u
#define RWF_NOAPPEND_ 0x20u

/* 0 when the flags ask for nothing, 1 or 2 when fdatasync or fsync must follow; negative errno. */
static long rwf_meaning(s32 fd, s64 pos, u32 flags, bool write)
{
	long open = sys2(__NR_fcntl, fd, F_GETFL_), mode = open & O_ACCMODE_;
	u32 nothing = RWF_HIPRI_ | (write ? 0 : RWF_DSYNC_ | RWF_SYNC_ | RWF_APPEND_ | RWF_NOAPPEND_);

	if (pos < -1)
		return -EINVAL;
	if (open < 0 || (open & O_PATH_) || mode == (write ? 0 : O_WRONLY_))
		return -EBADF;
	if ((flags & RWF_APPEND_) && (flags & RWF_NOAPPEND_))
		return flags & ~(RWF_HIPRI_ | RWF_DSYNC_ | RWF_SYNC_ | RWF_APPEND_ | RWF_NOAPPEND_) ? -EOPNOTSUPP : -EINVAL;
	if (write)
		nothing |= open & O_APPEND_ ? RWF_APPEND_ : RWF_NOAPPEND_;
	flags &= ~nothing;
	if (flags & ~(RWF_DSYNC_ | RWF_SYNC_))
		return -EOPNOTSUPP;
	return flags & RWF_SYNC_ ? 2 : flags & RWF_DSYNC_ ? 1 : 0;
}

static bool keeps_data(s32 fd)
{
	struct kernel_stat st;

	return sys2(__NR_fstat, fd, &st) == 0 && ((st.mode & S_IFMT_) == S_IFREG_ || (st.mode & S_IFMT_) == 0060000u);
}

static enum verdict vector_call(struct call *call, bool write)
{
	s32 fd = (s32)call->arg[0];
	s64 pos = (s64)call->arg[3];
	u32 flags = (u32)call->arg[5];
	long sync = flags ? rwf_meaning(fd, pos, flags, write) : 0;

	if (sync < 0)
		return done(call, sync);
	if (write)
		call->nr = pos == -1 ? __NR_writev : __NR_pwritev;
	else
		call->nr = pos == -1 ? __NR_readv : __NR_preadv;
	if (!sync || !keeps_data(fd))
		return CALL_PASS;
	call->ret = sys5(call->nr, fd, call->arg[1], call->arg[2], pos, 0);
	if (call->ret > 0) {
		long r = sys1(sync == 2 ? __NR_fsync : __NR_fdatasync, fd);

		call->ret = r < 0 ? r : call->ret;
	}
	return CALL_DONE;
}

enum verdict newcalls_preadv2(struct call *call)
{
	return newcall_there(NEWCALL_PREADV2) ? CALL_PASS : vector_call(call, false);
}

enum verdict newcalls_pwritev2(struct call *call)
{
	return newcall_there(NEWCALL_PREADV2) ? CALL_PASS : vector_call(call, true);
}
