/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openat2(2) on a host without it: the checks of its arguments (fs/open.c: build_open_flags() of Linux 6.18). Without RESOLVE_ flags it then
 * is openat(2), with some the walk of openat2_walk.c.
 */
#include "gaps/newcalls/openat2.h"

#define HOW_SIZE sizeof(struct open_how)
#define HOW_SIZE_MAX 4096u
#define RESOLVE_KNOWN \
	(RESOLVE_NO_XDEV_ | RESOLVE_NO_MAGICLINKS_ | RESOLVE_NO_SYMLINKS_ | RESOLVE_BENEATH_ | RESOLVE_IN_ROOT_ | RESOLVE_CACHED_)
/* Everything that open(2) knows. */
#define FLAGS_KNOWN UINT64_C(037777703)
#define FLAGS_PATH (O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_)
#define MODE_KNOWN 07777u

/* As copy_struct_from_user(): a structure of a later kernel will do if all that is new in it is zero. */
static int read_how(struct open_how *how, u64 from, u64 size)
{
	u8 chunk[64];

	if (size < HOW_SIZE)
		return -EINVAL;
	if (size > HOW_SIZE_MAX)
		return -E2BIG;
	for (u64 at = HOW_SIZE; at < size; at += sizeof(chunk)) {
		u64 part = size - at < sizeof(chunk) ? size - at : sizeof(chunk);

		if (guest_read(chunk, from + at, part) < 0)
			return -EFAULT;
		for (u64 i = 0; i < part; i++)
			if (chunk[i])
				return -E2BIG;
	}
	return guest_read(how, from, HOW_SIZE);
}

static int check_how(const struct open_how *how)
{
	u64 flags = how->flags;
	bool creates = flags & (O_CREAT_ | O_TMPFILE_);

	if ((flags & ~FLAGS_KNOWN) || (how->resolve & ~(u64)RESOLVE_KNOWN))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH_) && (how->resolve & RESOLVE_IN_ROOT_))
		return -EINVAL;
	if (how->mode & ~(u64)(creates ? MODE_KNOWN : 0))
		return -EINVAL;
	if ((flags & O_DIRECTORY_) && (flags & O_CREAT_))
		return -EINVAL;
	if ((flags & O_TMPFILE_) && (!(flags & O_DIRECTORY_) || !(flags & O_ACCMODE_)))
		return -EINVAL;
	if ((flags & O_PATH_) && (flags & ~(u64)FLAGS_PATH))
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED_) && (flags & (O_TRUNC_ | O_CREAT_ | O_TMPFILE_)))
		return -EAGAIN;
	return 0;
}

enum verdict newcalls_openat2(struct call *call)
{
	struct open_how how;
	long r;

	if (newcall_there(NEWCALL_OPENAT2))
		return CALL_PASS;
	r = read_how(&how, call->arg[2], call->arg[3]);
	if (r == 0)
		r = check_how(&how);
	if (r < 0)
		return done(call, r);
	how.resolve &= ~(u64)RESOLVE_CACHED_;
	if (how.resolve)
		return done(call, openat2_walk((s32)call->arg[0], call->arg[1], &how));
	call->nr = __NR_openat;
	call->arg[2] = how.flags;
	call->arg[3] = how.mode;
	return CALL_PASS;
}
