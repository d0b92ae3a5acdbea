/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the gap newcalls: what its agent files share. */
#ifndef LICHEN_GAPS_NEWCALLS_NEWCALLS_INT_H
#define LICHEN_GAPS_NEWCALLS_NEWCALLS_INT_H

#include "agent/agent.h"
#include "base/kernel_stat.h"
#include "gaps/newcalls/newcalls.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/newcalls/newcalls.def"
#undef GAP_CALL

/* Whether the host has a call (host_calls.c). Asks it when nobody of the cell has. */
bool newcall_there(enum newcall what);

static inline enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* From <fcntl.h>, which is libc's. */
#define AT_FDCWD_ (-100)
#define AT_SYMLINK_NOFOLLOW_ 0x100u
#define AT_EACCESS_ 0x200u
#define AT_NO_AUTOMOUNT_ 0x800u
#define AT_EMPTY_PATH_ 0x1000u
#define AT_STATX_SYNC_TYPE_ 0x6000u
#define O_ACCMODE_ 03u
#define O_WRONLY_ 01u
#define O_RDWR_ 02u
#define O_CREAT_ 0100u
#define O_EXCL_ 0200u
#define O_TRUNC_ 01000u
#define O_APPEND_ 02000u
#define O_NOFOLLOW_ 0400000u
#define O_DIRECTORY_ 0200000u
#define O_CLOEXEC_ 02000000u
#define O_PATH_ 010000000u
#define O_TMPFILE_ 020000000u /* without O_DIRECTORY: the kernel's __O_TMPFILE */
#define F_DUPFD_CLOEXEC_ 1030
#define F_GETFL_ 3
#define S_IFMT_ 0170000u
#define S_IFDIR_ 0040000u
#define S_IFREG_ 0100000u
#define S_IFLNK_ 0120000u
#define PATH_MAX_ 4096u
#define P_PIDFD_ 3 /* waitid(2) */

#endif
