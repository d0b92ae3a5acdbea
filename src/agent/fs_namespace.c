/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that lead to namespaces: a link of /proc/PID/ns of a kind that gap namespaces supplies, or one to a descriptor that was opened so, is followed
 * to the namespace's file in the cell's scratch directory (gaps/namespaces/ns_files.c), which need not be a path of the guest's.
 */
#include "agent/fs.h"

bool fs_may_be_namespace(const char *path, u64 length)
{
	u64 at = length;

	while (at && path[at - 1] != '/')
		at--;
	return at > 4 && length - at < 20 && !memcmp(path + at - 4, "/ns/", 4);
}

long fs_to_namespace(struct fs_work *work, const char *host, bool more)
{
	u64 n = strlen(host);

	if (!(commons()->emulated & (1u << GAP_namespaces)) || !ns_name_of(host))
		return 0;
	if (more)
		return -ENOTDIR;
	memmove(work->host, host, n + 1);
	work->host_length = (u32)n;
	work->mount.source_length = (u16)n; /* nothing of it is searched as the caller */
	work->base = FS_NO_BASE;
	work->magic = work->nsfs = true;
	return 1;
}

long fs_follow_namespace(struct fs_work *work, bool more)
{
	char file[NS_PATH_SIZE];
	bool may_be = (commons()->emulated & (1u << GAP_namespaces)) && fs_may_be_namespace(work->host, work->host_length);
	long r = may_be ? ns_file_path(work->host, file) : 0;

	if (r <= 0)
		return r;
	if (work->resolve & (RESOLVE_NO_MAGICLINKS_ | RESOLVE_NO_SYMLINKS_))
		return -ELOOP;
	return work->resolve & (RESOLVE_NO_XDEV_ | RESOLVE_SCOPED) ? -EXDEV : fs_to_namespace(work, file, more);
}
