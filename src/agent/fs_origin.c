/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was copied up keeps its numbers (st_dev, st_ino), as in the kernel's overlayfs: rm(1) and find(1) take a directory whose numbers changed for
 * another one and give up, git reads files again. The copy has them as an attribute, user.overlay.lichen.origin; a file with several names has
 * none, since its names are different files from then on.
 */
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

struct origin {
	u64 dev, ino;
};

static bool can_have(u32 mode)
{
	return (mode & VFS_TYPE) == VFS_DIRECTORY || (mode & VFS_TYPE) == VFS_REGULAR;
}

void fs_origin_keep(s32 copy, const struct kernel_stat *of)
{
	const struct origin origin = { of->dev, of->ino };
	char link[AGENT_FD_LINK_SIZE];

	if (!can_have(of->mode) || ((of->mode & VFS_TYPE) == VFS_REGULAR && of->nlink > 1))
		return;
	agent_fd_link(link, (u32)copy);
	(void)sys5(__NR_setxattr, link, FS_ORIGIN_ATTRIBUTE, &origin, sizeof(origin), 0);
}

static bool find(s32 fd, u32 known, u32 mode, struct origin *ret)
{
	char link[AGENT_FD_LINK_SIZE];
	long r;

	if (!fs_any_layers() || (known & STAT_NO_COPY) || !can_have(mode))
		return false;
	r = known & STAT_O_PATH ? -EBADF : sys4(__NR_fgetxattr, fd, FS_ORIGIN_ATTRIBUTE, ret, sizeof(*ret));
	if (r == -EBADF) { /* O_PATH: by its name, which costs ten times as much */
		agent_fd_link(link, (u32)fd);
		r = sys4(__NR_getxattr, link, FS_ORIGIN_ATTRIBUTE, ret, sizeof(*ret));
	}
	return r == sizeof(*ret);
}

void fs_origin_stat(s32 fd, u32 known, struct kernel_stat *st)
{
	struct origin origin = { 0 };

	if (!find(fd, known, st->mode, &origin))
		return;
	st->dev = origin.dev;
	st->ino = origin.ino;
}

void fs_origin_statx(s32 fd, u32 known, struct kernel_statx *x)
{
	struct origin origin = { 0 };

	if (!find(fd, known, x->mode, &origin))
		return;
	x->dev_major = kernel_dev_major(origin.dev);
	x->dev_minor = kernel_dev_minor(origin.dev);
	x->ino = origin.ino;
}

/* The system call fstat, which musl and Go make. */
enum verdict fs_fstat(struct call *call)
{
	struct kernel_stat st = { 0 };

	if (!fs_any_layers() || identity_on() || agent_reserved_fd((u32)call->arg[0]))
		return CALL_PASS;
	call->ret = sys2(__NR_fstat, call->arg[0], &st);
	if (call->ret == 0) {
		fs_origin_stat((s32)call->arg[0], 0, &st);
		call->ret = guest_write(call->arg[1], &st, sizeof(st));
	}
	return CALL_DONE;
}
