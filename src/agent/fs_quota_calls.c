/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that make a file larger, where it lies on a file system whose size is limited (fs_quota.h). What does not fit is cut off at a page, as
 * the kernel does; where nothing fits, ENOSPC. Anything else is made by the guest itself: pipes may block.
 */
#include "agent/fs_quota.h"
#include "agent/vfs_int.h"

#define IOVS_MAX 1024u
#define WRITE_MAX UINT64_C(0x7ffff000) /* MAX_RW_COUNT */
#define PIPE_ROOM 65536u
#define RWF_APPEND_ 0x10u
#define FALLOC_PUNCH_HOLE 2u
#define AT_POSITION (-1) /* the file's own */

struct iovec {
	u64 base, size;
};

struct growth {
	struct fs_quota *quota; /* NULL: the call is none of ours */
	s32 fd;
	u64 size;     /* that fits */
	u64 reserved; /* pages */
	struct kernel_stat before;
};

static void *scratch(void)
{
	return slot_current()->scratch;
}

#define SEEK_DATA_ 3
#define SEEK_HOLE_ 4

/* The first page at or behind one that the file has, or has not; of a host that cannot tell, it has all up to its end. */
static u64 seek(const struct growth *g, s32 fd, u64 page, int what)
{
	u64 length = ((u64)g->before.size + LAYOUT_PAGE - 1) / LAYOUT_PAGE;
	long at = page < length ? sys3(__NR_lseek, fd, page * LAYOUT_PAGE, what) : -ENXIO;

	if (page < length && fs_quota_pages(&g->before) == length) /* those of fallocate(2) are holes to lseek(2) */
		return what == SEEK_DATA_ ? page : length;
	if (at >= 0)
		return (u64)at / LAYOUT_PAGE;
	if (at == -ENXIO)
		return what == SEEK_DATA_ ? UINT64_MAX : page;
	return what == SEEK_DATA_ ? page : length;
}

/* How many bytes of a write fit where so many pages are left; *need: pages that it makes. */
static u64 fitting(const struct growth *g, s32 fd, u64 at, u64 size, u64 room, u64 *need)
{
	u64 page = at / LAYOUT_PAGE, last = (at + size + LAYOUT_PAGE - 1) / LAYOUT_PAGE;

	*need = 0;
	while (page < last) {
		u64 data = seek(g, fd, page, SEEK_DATA_);

		if (data > last)
			data = last;
		if (data > page && data - page > room - *need) {
			u64 full = (page + room - *need) * LAYOUT_PAGE;

			*need = room;
			return full > at ? full - at : 0;
		}
		*need += data > page ? data - page : 0;
		page = data < last ? seek(g, fd, data, SEEK_HOLE_) : last;
		if (page <= data)
			page = data + 1;
	}
	return size;
}

/* Takes what fits of a write. */
static long take_exactly(struct growth *g, u64 at, u64 size)
{
	char link[AGENT_FD_LINK_SIZE];
	long again;

	agent_fd_link(link, (u32)g->fd);
	again = sys3(__NR_open, link, O_CLOEXEC_, 0); /* with a position of its own */
	do
		g->size = fitting(g, (s32)again, at, size, fs_quota_free(g->quota->pages, &g->quota->used_pages), &g->reserved);
	while (!fs_quota_reserve(g->quota, g->reserved));
	if (again >= 0)
		(void)sys1(__NR_close, again);
	return g->size ? 0 : -ENOSPC;
}

/* Whether a write of so many bytes is to be looked at; it is, with *g, until end(). position: AT_POSITION, or the offset. 0 or -ENOSPC. */
static long begin(struct growth *g, s32 fd, s64 position, u64 size, bool append)
{
	u64 most;

	g->quota = NULL;
	if (fd < 0 || !size || (s64)size < 0 || position < AT_POSITION || sys2(__NR_fstat, fd, &g->before) < 0 ||
	    (g->before.mode & VFS_TYPE) != VFS_REGULAR)
		return 0;
	g->quota = fs_quota_of_fd(fd, scratch());
	if (!g->quota || !g->quota->pages) {
		g->quota = NULL;
		return 0;
	}
	g->fd = fd;
	g->size = size < WRITE_MAX ? size : WRITE_MAX;
	g->reserved = most = g->size / LAYOUT_PAGE + 2;
	if (fs_quota_reserve(g->quota, most))
		return 0;
	fs_quota_count(g->quota);
	if (fs_quota_reserve(g->quota, most))
		return 0;
	if (append || (sys2(__NR_fcntl, fd, 3 /* F_GETFL */) & O_APPEND_))
		position = g->before.size;
	else if (position == AT_POSITION)
		position = sys3(__NR_lseek, fd, 0, 1 /* SEEK_CUR */);
	return take_exactly(g, position < 0 ? 0 : (u64)position, g->size);
}

/* Gives back what was not needed. */
static void end(const struct growth *g)
{
	struct kernel_stat after;
	u64 before = fs_quota_pages(&g->before), now;

	if (sys2(__NR_fstat, g->fd, &after) < 0)
		return;
	now = fs_quota_pages(&after);
	now = now > before ? now - before : 0;
	if (now < g->reserved)
		fs_quota_return(g->quota, g->reserved - now);
	else if (now > g->reserved)
		__atomic_fetch_add(&g->quota->used_pages, now - g->reserved, __ATOMIC_RELAXED);
}

/* Makes the call with the arguments that it has by now. A call that the host lacks is another gap's. */
static enum verdict make(struct call *call, const struct growth *g, const u64 arg[6])
{
	call->ret = agent_reissue(call->nr, arg);
	end(g);
	return call->ret == -ENOSYS ? CALL_PASS : CALL_DONE;
}

/* A call of whose arguments `length` says how many bytes. */
static enum verdict limited(struct call *call, s32 fd, s64 position, u32 length, u64 size)
{
	struct growth g;
	u64 arg[6];

	call->ret = begin(&g, fd, position, size, false);
	if (!g.quota)
		return CALL_PASS;
	if (call->ret < 0)
		return CALL_DONE;
	memcpy(arg, call->arg, sizeof(arg));
	if (g.size < arg[length])
		arg[length] = g.size;
	return make(call, &g, arg);
}

enum verdict quota_write(struct call *call)
{
	return limited(call, (s32)call->arg[0], AT_POSITION, 2, call->arg[2]);
}

enum verdict quota_pwrite64(struct call *call)
{
	return (s64)call->arg[3] < 0 ? CALL_PASS : limited(call, (s32)call->arg[0], (s64)call->arg[3], 2, call->arg[2]);
}

/* --- vectors -------------------------------------------------------------------------------------------------------------------------------- */

/* The bytes of a vector; 0: the kernel says what is wrong with it. */
static u64 vector_size(u64 from, u64 count)
{
	u64 size = 0;

	if (count > IOVS_MAX)
		return 0;
	for (u64 i = 0; i < count; i++) {
		struct iovec v;

		if (guest_read(&v, from + i * sizeof(v), sizeof(v)) < 0 || (s64)v.size < 0 ||
		    __builtin_add_overflow(size, v.size, &size))
			return 0;
	}
	return size;
}

/* A copy that is cut off; its number of rows. */
static u64 cut(struct iovec *to, u64 from, u64 count, u64 size)
{
	if (guest_read(to, from, count * sizeof(*to)) < 0)
		return 0;
	for (u64 i = 0; i < count; i++) {
		if (to[i].size >= size) {
			to[i].size = size;
			return i + 1;
		}
		size -= to[i].size;
	}
	return count;
}
static_assert(IOVS_MAX * sizeof(struct iovec) <= SLOT_SCRATCH && FS_HOST_MAX <= SLOT_SCRATCH, "one after the other");

static enum verdict limited_vector(struct call *call, s64 position, bool append)
{
	u64 size = vector_size(call->arg[1], call->arg[2]), arg[6];
	struct growth g;

	call->ret = begin(&g, (s32)call->arg[0], position, size, append);
	if (!g.quota)
		return CALL_PASS;
	if (call->ret < 0)
		return CALL_DONE;
	memcpy(arg, call->arg, sizeof(arg));
	if (g.size < size) {
		arg[2] = cut(scratch(), arg[1], arg[2], g.size);
		arg[1] = (u64)scratch();
	}
	return make(call, &g, arg);
}

enum verdict quota_writev(struct call *call)
{
	return limited_vector(call, AT_POSITION, false);
}

enum verdict quota_pwritev(struct call *call)
{
	s64 position = (s64)call->arg[3];
	u32 flags = call->nr == __NR_pwritev2 ? (u32)call->arg[5] : 0;

	if (position < 0 && (call->nr != __NR_pwritev2 || position != AT_POSITION))
		return CALL_PASS;
	return limited_vector(call, position, flags & RWF_APPEND_);
}

/* --- others --------------------------------------------------------------------------------------------------------------------------------- */

/* All of it, or nothing. */
enum verdict quota_fallocate(struct call *call)
{
	u64 size = call->arg[3];
	struct growth g;

	if ((call->arg[1] & FALLOC_PUNCH_HOLE) || (s64)call->arg[2] < 0)
		return CALL_PASS;
	call->ret = begin(&g, (s32)call->arg[0], (s64)call->arg[2], size, false);
	if (!g.quota)
		return CALL_PASS;
	if (call->ret == 0 && g.size < size) {
		fs_quota_return(g.quota, g.reserved);
		call->ret = -ENOSPC;
	}
	return call->ret < 0 ? CALL_DONE : make(call, &g, call->arg);
}

/* What can come from a descriptor; from one that may block, so much as is asked for. */
static u64 at_most(s32 fd, u64 size)
{
	struct kernel_stat st;

	if (sys2(__NR_fstat, fd, &st) < 0 || (st.mode & VFS_TYPE) != VFS_REGULAR || (u64)st.size > size)
		return size;
	return (u64)st.size;
}

enum verdict quota_sendfile(struct call *call)
{
	return limited(call, (s32)call->arg[0], AT_POSITION, 3, at_most((s32)call->arg[1], call->arg[3]));
}

enum verdict quota_copy_file_range(struct call *call)
{
	s64 position = AT_POSITION;

	if (call->arg[3] && guest_read(&position, call->arg[3], sizeof(position)) < 0)
		return CALL_PASS;
	return limited(call, (s32)call->arg[2], position, 4, at_most((s32)call->arg[0], call->arg[4]));
}

/* From a pipe, which may have nothing yet: the guest waits itself, and what it did not need is given back when the directory is counted. */
enum verdict quota_splice(struct call *call)
{
	s64 position = AT_POSITION;
	struct growth g;
	u64 size = call->arg[4] < PIPE_ROOM ? call->arg[4] : PIPE_ROOM;

	if (call->arg[3] && guest_read(&position, call->arg[3], sizeof(position)) < 0)
		return CALL_PASS;
	call->ret = begin(&g, (s32)call->arg[2], position, size, false);
	if (!g.quota)
		return CALL_PASS;
	if (call->ret == 0 && g.size < size) {
		fs_quota_return(g.quota, g.reserved);
		call->ret = -ENOSPC;
	}
	return call->ret < 0 ? CALL_DONE : CALL_PASS;
}
