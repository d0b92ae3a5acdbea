/* SPDX-License-Identifier: Apache-2.0 */
/* What stat(2) and statx(2) fill in on x86-64, for code without libc (asm/stat.h and linux/stat.h clash with it when it is there). */
#ifndef LICHEN_BASE_KERNEL_STAT_H
#define LICHEN_BASE_KERNEL_STAT_H

#include <assert.h>

#include "base/types.h"

struct kernel_stat { /* struct stat */
	u64 dev, ino, nlink;
	u32 mode, uid, gid, pad;
	u64 rdev;
	s64 size, blksize, blocks;
	s64 atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	s64 unused[3];
};
static_assert(sizeof(struct kernel_stat) == 144, "kernel ABI");

struct kernel_statx_time {
	s64 sec;
	u32 nsec;
	s32 reserved;
};

struct kernel_statx { /* struct statx */
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, spare0;
	u64 ino, size, blocks, attributes_mask;
	struct kernel_statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 spare[14];
};
static_assert(sizeof(struct kernel_statx) == 256, "kernel ABI");

#define KERNEL_STATX_BASIC_STATS 0x7ffu

static inline u32 kernel_dev_major(u64 dev)
{
	return (u32)(dev >> 8 & 0xfff) | (u32)(dev >> 32 & ~UINT64_C(0xfff));
}

static inline u32 kernel_dev_minor(u64 dev)
{
	return (u32)(dev & 0xff) | (u32)(dev >> 12 & ~UINT64_C(0xff));
}

/* What statx tells of a file that is known by stat alone. */
static inline void kernel_statx_from(struct kernel_statx *to, const struct kernel_stat *st)
{
	*to = (struct kernel_statx){
		.mask = KERNEL_STATX_BASIC_STATS,
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
		.rdev_major = kernel_dev_major(st->rdev),
		.rdev_minor = kernel_dev_minor(st->rdev),
		.dev_major = kernel_dev_major(st->dev),
		.dev_minor = kernel_dev_minor(st->dev),
	};
}

#endif
