/* SPDX-License-Identifier: Apache-2.0 */
/* For targets in whose cells nobody has a tree or pids of its own (commons()->fs.count is 0): its functions are never called. */
#ifndef LICHEN_FUZZ_NO_TREE_H
#define LICHEN_FUZZ_NO_TREE_H

#include <stdlib.h>

#include "agent/fs.h"

int fs_exec_open(s32 dirfd, u64 path, int flags)
{
	(void)dirfd, (void)path, (void)flags;
	abort();
}

u32 fs_hint(s32 fd)
{
	(void)fd;
	abort();
}

s32 exe_kept(const char *path)
{
	(void)path;
	return -1; /* nothing is executed by a descriptor that is gone */
}

void agent_fd_link(char out[AGENT_FD_LINK_SIZE], u32 fd)
{
	(void)out, (void)fd;
	abort();
}

void pids_start(u64 mask)
{
	(void)mask;
	abort();
}

long fs_start(const char *path)
{
	(void)path;
	abort();
}

#endif
