/* SPDX-License-Identifier: Apache-2.0 */
/* Process descriptors of the gap newcalls (pidfd.c), for its files that make and use them. */
#ifndef LICHEN_GAPS_NEWCALLS_PIDFD_INT_H
#define LICHEN_GAPS_NEWCALLS_PIDFD_INT_H

#include "gaps/newcalls/newcalls_int.h"

#define O_NONBLOCK_ 04000u /* also SOCK_NONBLOCK */
#define CLONE_PIDFD_ UINT64_C(0x1000)
#define CLONE_THREAD_ UINT64_C(0x10000)
#define CLONE_PARENT_SETTID_ UINT64_C(0x100000)
#define CLONE_DETACHED_ UINT64_C(0x400000)

/* A pidfd in the making: the guest's descriptor, and the end that goes to the supervisor. */
struct pidfd_pair {
	s32 fd, peer;
};

/* Makes one that stands for no process yet. flags: 0 or O_NONBLOCK. 0 or negative errno. */
int pidfd_new(struct pidfd_pair *pair, u32 flags) MUST_CHECK;
/* Lets it stand for a process, or with `thread` for a thread: -ESRCH when there is none, -ENOENT when pid is a thread, but no process. Then
 * nothing is done. */
int pidfd_set(const struct pidfd_pair *pair, s32 pid, bool thread) MUST_CHECK;
/* Has the process watched, and lets go of the supervisor's end. */
void pidfd_watch(struct pidfd_pair *pair);
void pidfd_drop(struct pidfd_pair *pair);

/* What a descriptor stands for. */
struct pidfd {
	s32 pid; /* as the caller sees it; 0 once it has been reaped, or out of the caller's pid namespace */
	bool thread;
	bool nonblock;
};
/* 0, or -EBADF when it is no pidfd of ours. */
int pidfd_get(s32 fd, struct pidfd *ret) MUST_CHECK;

#endif
