/* SPDX-License-Identifier: Apache-2.0 */
/*
 * close_range(2) on a host without it: close, or fcntl for CLOSE_RANGE_CLOEXEC, of each descriptor in the range. The open ones are read
 * from /proc/self/fd; without it every number up to the limit is tried. Numbers that are not the guest's stay as they are. What a
 * host does in one step takes many here: descriptors that another thread opens meanwhile may escape.
 */
#include "gaps/newcalls/newcalls_int.h"

#define CLOSE_RANGE_UNSHARE_ 2u
#define CLOSE_RANGE_CLOEXEC_ 4u
#define CLONE_FILES_ 0x400
#define F_SETFD_ 2
#define FD_CLOEXEC_ 1
#define FEW 16u /* so many numbers are tried rather than looked up */
#define LIST_SIZE 512u
#define DESCRIPTORS_MAX (1u << 20) /* fs.nr_open's default: above it no descriptor is */

static void treat(u32 fd, u32 flags)
{
	if (agent_reserved_fd(fd))
		return;
	if (flags & CLOSE_RANGE_CLOEXEC_)
		(void)sys3(__NR_fcntl, fd, F_SETFD_, FD_CLOEXEC_);
	else
		(void)sys1(__NR_close, fd);
}

static void treat_all(u32 first, u32 last, u32 flags)
{
	if (last > DESCRIPTORS_MAX)
		last = DESCRIPTORS_MAX;
	for (u32 fd = first; fd <= last; fd++)
		treat(fd, flags);
}

/* A name in /proc/self/fd as a number; UINT32_MAX for "." and "..". */
static u32 number_of(const char *name)
{
	u32 number = 0;

	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return UINT32_MAX;
		number = number * 10 + (u32)(*name - '0');
	}
	return number;
}

/* One buffer of entries. */
static void treat_listed(const u8 *list, u32 size, u32 first, u32 last, u32 flags, u32 own)
{
	for (u32 at = 0; at < size;) {
		const u8 *entry = list + at; /* struct linux_dirent64: length at 16, name at 19 */
		u32 fd = number_of((const char *)entry + 19);

		if (fd != own && fd >= first && fd <= last)
			treat(fd, flags);
		at += *(const u16 *)(const void *)(entry + 16);
	}
}

static long close_range_by_steps(u32 first, u32 last, u32 flags)
{
	u8 list[LIST_SIZE] __attribute__((aligned(8)));
	long fd, n;

	if ((flags & ~(CLOSE_RANGE_UNSHARE_ | CLOSE_RANGE_CLOEXEC_)) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE_) {
		n = sys1(__NR_unshare, CLONE_FILES_);
		if (n < 0)
			return n;
	}
	if (last - first < FEW) {
		treat_all(first, last, flags);
		return 0;
	}
	fd = sys3(__NR_open, "/proc/self/fd", O_DIRECTORY_ | O_CLOEXEC_, 0);
	if (fd < 0) {
		treat_all(first, last, flags);
		return 0;
	}
	while ((n = sys3(__NR_getdents64, fd, list, LIST_SIZE)) > 0)
		treat_listed(list, (u32)n, first, last, flags, (u32)fd);
	(void)sys1(__NR_close, fd);
	return 0;
}

enum verdict newcalls_close_range(struct call *call)
{
	if (newcall_there(NEWCALL_CLOSE_RANGE))
		return CALL_PASS;
	return done(call, close_range_by_steps((u32)call->arg[0], (u32)call->arg[1], (u32)call->arg[2]));
}
