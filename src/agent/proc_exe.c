/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that was executed by a descriptor may have no name by which it could be opened again: a memfd, a file that was unlinked, or one on a
 * mount that is gone (how runc makes sure that nobody overwrites it). It is then kept open, beside the reserved descriptors, and is what the
 * process's own link opens. A guest that closes every number may close it: the link is then ENOENT.
 */
#include "agent/engine.h"
#include "agent/fs.h"
#include "base/decimal.h"

#define PATH_MAX_ 4096u

void exe_keep(s32 fd, bool by_descriptor)
{
	struct kernel_stat st, named;
	char link[AGENT_FD_LINK_SIZE];
	char *target = (char *)slot_current()->scratch;
	bool keep = by_descriptor && sys2(__NR_fstat, fd, &st) == 0 && !st.nlink;
	long n;

	if (by_descriptor && !keep) {
		agent_fd_link(link, (u32)fd);
		n = sys3(__NR_readlink, link, target, PATH_MAX_ - 1);
		target[n > 0 ? n : 0] = 0;
		keep = n <= 0 || sys2(__NR_stat, target, &named) < 0 || named.ino != st.ino || named.dev != st.dev;
	}
	if (keep) {
		n = sys3(__NR_fcntl, fd, 1030 /* F_DUPFD_CLOEXEC */,
			 agent_reserved_lowest() > 64 ? agent_reserved_lowest() - 16 : 3);
		private()->program_fd = n > 0 ? (s32)n : 0;
		private()->program_device = st.dev;
		private()->program_inode = st.ino;
	}
	(void)sys1(__NR_close, fd);
}

s32 exe_kept(const char *path)
{
	struct kernel_stat st;
	char maps[64], own[24] = "/proc/";
	s32 fd = private()->program_fd;

	if (!fd || !exe_link_maps(path, maps))
		return -1;
	own[6 + decimal_put(own + 6, (u32)agent_pid())] = 0;
	if (strncmp(path + 6, "self/", 5) && strncmp(path + 6, "thread-self/", 12) &&
	    (strncmp(path, own, strlen(own)) || path[strlen(own)] != '/'))
		return -1;
	if (sys2(__NR_fstat, fd, &st) < 0 || st.ino != private()->program_inode || st.dev != private()->program_device)
		return -1;
	return fd;
}
