/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The size of a tmpfs that is a directory of the host: how many pages its files have, and how many files it has. Semantics: tmpfs(5), mm/shmem.c.
 *
 *   open for writing     a process that opens a file of one (fs_open.c) gets a further filter, for all of its threads, by which the calls of
 *                        fs_quota.def come to the agent; what it makes later inherits the filter. Processes that never do pay nothing
 *   such a call          reserves the pages that it may need, is made, and gives back what it did not take (fs_quota_calls.c)
 *   making a name        counts (fs_names.c, fs_open.c)
 *
 * Removing and cutting files counts nothing: the numbers may be too high. When they reach the limit the directory is walked and they are what is
 * there (fs_quota_count()); only then ENOSPC is said, for what would not fit. So whoever is killed in between leaves at most a number that is too high.
 * What others are writing while the directory is walked is not in the result: by so much the file system may become larger than it should.
 *
 * What is not seen: pages made by storing into a mapping (they count when the directory is walked next), writes through descriptors that were sent to a
 * process without the filter, io_submit(2). What has been removed while open does not count. At most FS_QUOTAS_MAX are limited at once.
 */
#ifndef LICHEN_AGENT_FS_QUOTA_H
#define LICHEN_AGENT_FS_QUOTA_H

#include "agent/fs.h"

struct mnt_super;
struct mnt_work;

/* Whether there may be one at all. */
static inline bool fs_quota_on(void)
{
	return __atomic_load_n(&commons()->fs.quota_count, __ATOMIC_ACQUIRE) != 0;
}

/* The one that a path of the host lies in; NULL: none. */
struct fs_quota *fs_quota_of(const char *host);
/* The one that what a descriptor stands for lies in. text: FS_HOST_MAX bytes. */
struct fs_quota *fs_quota_of_fd(s32 fd, char *text);

/* A directory is limited, or no longer (both 0), or otherwise: 0, -EINVAL when more is used already. Under the lock of the mounts; where all rows are
 * taken by what is mounted, it goes without a limit. */
long fs_quota_set(struct mnt_work *work, const char *path, u64 pages, u64 files) MUST_CHECK;
void fs_quota_drop(const char *path);
/* The same of a tmpfs, as its options say; nothing for others. */
long fs_quota_mounted(struct mnt_work *work, const char *path, const struct mnt_super *super) MUST_CHECK;

/* What is there now. */
void fs_quota_count(struct fs_quota *quota);
/* Takes so many pages, or none: whether they were there. Gives some back. */
bool fs_quota_reserve(struct fs_quota *quota, u64 pages) MUST_CHECK;
void fs_quota_return(struct fs_quota *quota, u64 pages);
static inline u64 fs_quota_free(u64 limit, const u64 *used)
{
	u64 now = __atomic_load_n(used, __ATOMIC_RELAXED);

	return now < limit ? limit - now : 0;
}

/* One more file: 0 or -ENOSPC. */
long fs_quota_add_file(struct fs_quota *quota) MUST_CHECK;
/* Pages of a file. */
struct kernel_stat;
u64 fs_quota_pages(const struct kernel_stat *st);

/* A file of one was opened for writing: its writes are to be seen. 0 or negative errno. */
long fs_quota_watch(void) MUST_CHECK;

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "agent/fs_quota.def"
#undef GAP_CALL
enum verdict quota_dispatch(struct call *call);

#endif
