/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statx(2). A host that has it, but not AT_NO_AUTOMOUNT (gVisor of 2022) or NULL for the path (Linux before 6.11), is asked without them;
 * both lose nothing there. A host without it is asked by newfstatat(2): stx_mask then is STATX_BASIC_STATS, no attribute is
 * known, and which mask bits were asked for does not matter.
 */
#include "gaps/newcalls/newcalls_int.h"

#define STATX_RESERVED 0x80000000u
#define STATX_BASIC_STATS_ 0x7ffu

struct statx_time {
	s64 sec;
	u32 nsec;
	s32 reserved;
};

struct statx { /* <linux/stat.h> */
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, spare0;
	u64 ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 spare[14];
};
static_assert(sizeof(struct statx) == 256, "as the guest has it");

static u32 dev_major(u64 dev)
{
	return (u32)(dev >> 8 & 0xfff) | (u32)(dev >> 32 & ~UINT64_C(0xfff));
}

static u32 dev_minor(u64 dev)
{
	return (u32)(dev & 0xff) | (u32)(dev >> 12 & ~UINT64_C(0xff));
}

static void fill(struct statx *to, const struct file_stat *st)
{
	*to = (struct statx){
		.mask = STATX_BASIC_STATS_,
		.blksize = (u32)st->blksize,
		.nlink = (u32)st->nlink,
		.uid = st->uid,
		.gid = st->gid,
		.mode = (u16)st->mode,
		.ino = st->ino,
		.size = (u64)st->size,
		.blocks = (u64)st->blocks,
		.atime = { st->atime, (u32)st->atime_nsec, 0 },
		.ctime = { st->ctime, (u32)st->ctime_nsec, 0 },
		.mtime = { st->mtime, (u32)st->mtime_nsec, 0 },
		.rdev_major = dev_major(st->rdev),
		.rdev_minor = dev_minor(st->rdev),
		.dev_major = dev_major(st->dev),
		.dev_minor = dev_minor(st->dev),
	};
}

static long statx_by_fstatat(s32 dirfd, u64 path, u32 flags, u32 mask, u64 buffer)
{
	u32 known = AT_SYMLINK_NOFOLLOW_ | AT_NO_AUTOMOUNT_ | AT_EMPTY_PATH_;
	struct file_stat st = { 0 };
	struct statx out;
	long r;

	if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE_) == AT_STATX_SYNC_TYPE_ ||
	    (flags & ~(known | AT_STATX_SYNC_TYPE_)))
		return -EINVAL;
	r = sys4(__NR_newfstatat, dirfd, path, &st, flags & known);
	if (r == -EINVAL && (flags & AT_NO_AUTOMOUNT_))
		r = sys4(__NR_newfstatat, dirfd, path, &st, flags & known & ~AT_NO_AUTOMOUNT_);
	if (r < 0)
		return r;
	fill(&out, &st);
	return guest_write(buffer, &out, sizeof(out));
}

enum verdict newcalls_statx(struct call *call)
{
	u32 flags = (u32)call->arg[2];

	if (!call->arg[1] && (flags & AT_EMPTY_PATH_) && !newcall_there(NEWCALL_STATX_NULL))
		call->arg[1] = (u64) "";
	if (newcall_there(NEWCALL_STATX)) {
		if ((flags & AT_NO_AUTOMOUNT_) && !newcall_there(NEWCALL_STATX_AUTOMOUNT))
			call->arg[2] = flags & ~AT_NO_AUTOMOUNT_;
		return CALL_PASS;
	}
	return done(call, statx_by_fstatat((s32)call->arg[0], call->arg[1], flags, (u32)call->arg[3], call->arg[4]));
}
