/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_file_range(2) on a host without it: the checks of Linux 6.18 in its order (mm/filemap.c, fs/read_write.c: generic_copy_file_checks),
 * then pread and pwrite through a buffer. One call copies COPY_MOST bytes at most, so that a signal does not have to wait long; callers
 * repeat it until it says 0 anyway. Nothing is shared between the files and holes are filled.
 */
#include "gaps/newcalls/newcalls_int.h"

#define COPY_MOST (UINT64_C(8) << 20)
#define COPY_CHUNK (UINT64_C(1) << 20)
#define PROT_RW 3
#define MAP_PRIVATE_ANONYMOUS 0x22
#define S64_MAX 0x7fffffffffffffffL
#define SEEK_SET_ 0
#define SEEK_CUR_ 1

/* One of the two files. */
struct copy_end {
	s32 fd;
	u64 offset_at; /* the guest's pointer, 0: the file's own position counts */
	s64 pos;
	long flags;
	struct kernel_stat st;
};

static long end_open(struct copy_end *end, u64 fd, u64 offset_at)
{
	*end = (struct copy_end){ .fd = (s32)fd, .offset_at = offset_at };
	end->flags = sys2(__NR_fcntl, end->fd, F_GETFL_);
	return end->flags < 0 || (end->flags & O_PATH_) || sys2(__NR_fstat, end->fd, &end->st) < 0 ? -EBADF : 0;
}

static long end_position(struct copy_end *end)
{
	if (end->offset_at)
		return guest_read(&end->pos, end->offset_at, sizeof(end->pos));
	end->pos = sys3(__NR_lseek, end->fd, 0, SEEK_CUR_);
	if (end->pos < 0)
		end->pos = 0; /* not a file that is copied: said below */
	return 0;
}

static long end_advance(struct copy_end *end, long count)
{
	end->pos += count;
	if (end->offset_at)
		return guest_write(end->offset_at, &end->pos, sizeof(end->pos));
	(void)sys3(__NR_lseek, end->fd, end->pos, SEEK_SET_);
	return 0;
}

static u32 type_of(const struct copy_end *end)
{
	return end->st.mode & S_IFMT_;
}

/* What the kernel checks before it copies: the number of bytes to copy, or negative errno. */
static long copy_check(const struct copy_end *in, const struct copy_end *out, u64 count)
{
	long readable = in->flags & O_ACCMODE_, writable = out->flags & O_ACCMODE_;

	if (type_of(in) == S_IFDIR_ || type_of(out) == S_IFDIR_)
		return -EISDIR;
	if (type_of(in) != S_IFREG_ || type_of(out) != S_IFREG_)
		return -EINVAL;
	if (readable == O_WRONLY_ || writable == 0 || (out->flags & O_APPEND_))
		return -EBADF;
	if (in->st.dev != out->st.dev)
		return -EXDEV;
	if ((u64)in->pos + count < (u64)in->pos || (u64)out->pos + count < (u64)out->pos)
		return -EOVERFLOW;
	if (in->pos >= in->st.size)
		count = 0;
	else if (count > (u64)(in->st.size - in->pos))
		count = (u64)(in->st.size - in->pos);
	if (out->pos == S64_MAX)
		return -EFBIG;
	if (out->pos >= 0 && count > (u64)(S64_MAX - out->pos))
		count = (u64)(S64_MAX - out->pos);
	if (in->st.ino == out->st.ino && (u64)out->pos + count > (u64)in->pos && (u64)out->pos < (u64)in->pos + count)
		return -EINVAL;
	if (in->pos < 0 || out->pos < 0)
		return -EINVAL;
	return (long)(count < COPY_MOST ? count : COPY_MOST);
}

/* Copies up to `count` bytes. Their number, or negative errno when there are none. */
static long copy_bytes(const struct copy_end *in, const struct copy_end *out, long count)
{
	long size = count < (long)COPY_CHUNK ? count : (long)COPY_CHUNK, copied = 0, n = 0;
	long buffer = sys6(__NR_mmap, 0, (u64)size, PROT_RW, MAP_PRIVATE_ANONYMOUS, (u64)-1, 0);

	if (buffer < 0)
		return buffer;
	while (copied < count) {
		long part = count - copied < size ? count - copied : size;

		n = sys4(__NR_pread64, in->fd, buffer, part, in->pos + copied);
		if (n > 0)
			n = sys4(__NR_pwrite64, out->fd, buffer, n, out->pos + copied);
		if (n <= 0)
			break;
		copied += n;
	}
	(void)sys2(__NR_munmap, buffer, size);
	return copied ? copied : n;
}

static long copy_by_steps(const u64 *arg)
{
	struct copy_end in, out;
	long r;

	if ((r = end_open(&in, arg[0], arg[1])) < 0 || (r = end_open(&out, arg[2], arg[3])) < 0)
		return r;
	if ((r = end_position(&in)) < 0 || (r = end_position(&out)) < 0)
		return r;
	if ((u32)arg[5])
		return -EINVAL;
	r = copy_check(&in, &out, arg[4]);
	if (r > 0)
		r = copy_bytes(&in, &out, r);
	if (r > 0) {
		long a = end_advance(&in, r), b = end_advance(&out, r);

		r = a < 0 || b < 0 ? -EFAULT : r;
	}
	return r;
}

enum verdict newcalls_copy_file_range(struct call *call)
{
	if (newcall_there(NEWCALL_COPY_FILE_RANGE))
		return CALL_PASS;
	return done(call, copy_by_steps(call->arg));
}
