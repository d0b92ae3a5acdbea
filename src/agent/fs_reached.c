/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes through a descriptor that was opened before. The host knows nothing of the tree's read-only mounts: what lies on one is not changed, unless it
 * was opened for writing. Of a file in a lower layer of an overlay the copy in the upper layer is changed. The descriptor
 * itself goes on showing the lower file, as the kernel's overlayfs has it for data.
 */
#include "agent/fs_layers.h"

bool fs_reaches_lower(s32 fd)
{
	struct fs_place place = { .layer = 0 };
	char link[AGENT_FD_LINK_SIZE], *text;
	u64 room = ALIGN_UP(2 * FS_HOST_MAX, LAYOUT_PAGE);
	long map, n;

	if (!fs_any_layers())
		return false;
	map = sys6(__NR_mmap, 0, room, 3, 0x22, (u64)-1, 0); /* the scratch holds a resolution */
	if (map < 0)
		return true;
	text = (char *)map; /* NOLINT(performance-no-int-to-ptr) */
	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, text, FS_HOST_MAX - 1);
	if (n > 0)
		text[n] = 0;
	if (n <= 0 || text[0] != '/' || fs_guest_place(text, 0, text + FS_HOST_MAX, &place) < 0)
		place.layer = 0;
	(void)sys2(__NR_munmap, map, room);
	return place.layer != 0;
}

static long reach_up(struct fs_work *work, s32 fd, enum fs_need need)
{
	static const char gone[] = " (deleted)";
	char link[AGENT_FD_LINK_SIZE];
	long n;

	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	if (n <= 0 || work->check[0] != '/' || (n > 10 && !memcmp(work->check + n - 10, gone, 10)))
		return fd;
	work->check[n] = 0;
	n = fs_place_hinted(work, work->check, fs_hint(fd));
	if (n < 0 || !fs_layered(work) || work->layer == 0)
		return fd;
	if (fs_mount_of(work)->flags & FS_READ_ONLY)
		return -EROFS;
	n = fs_copy_up(work, need, false);
	return n < 0 ? n : fs_host_open_text(work, O_PATH_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
}

long fs_reach_up(struct fs_work *work, s32 fd, enum fs_need need)
{
	u32 attempts = 0;
	long r;

	if (!fs_any_layers() || fd < 0 || agent_reserved_fd((u32)fd))
		return fd;
	do
		r = reach_up(work, fd, need);
	while (r == -ELOOP && !fs_is_current(&work->root) && fs_once_more(&attempts)); /* somebody mounts meanwhile */
	return r;
}

/* The mount of what fd stands for, in the work's spare text. False: of none. */
static bool mount_of(struct fs_work *work, s32 fd, struct fs_place *ret)
{
	char link[AGENT_FD_LINK_SIZE];
	long n;

	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	if (n <= 0 || work->check[0] != '/')
		return false;
	work->check[n] = 0;
	if (fs_guest_place(work->check, fs_hint(fd), work->rest, ret) < 0)
		return false;
	if (fs_was_read_only(fs_hint(fd), work->check))
		ret->mount.flags |= FS_READ_ONLY;
	return true;
}

bool fs_is_read_only(struct fs_work *work, s32 fd)
{
	long flags = sys2(__NR_fcntl, fd, 3 /* F_GETFL */);
	struct fs_place place;

	if (flags < 0 || (!(flags & O_PATH_) && (flags & O_ACCMODE_)))
		return false;
	return mount_of(work, fd, &place) && (place.mount.flags & FS_READ_ONLY);
}

u32 fs_flags_of(struct fs_work *work, s32 fd, bool itself)
{
	struct fs_place place;

	if (!itself && !work->magic)
		return work->mount.flags;
	return mount_of(work, fd, &place) ? place.mount.flags : 0;
}

bool agent_is_nosuid(s32 fd)
{
	u64 room = ALIGN_UP(sizeof(struct fs_work), LAYOUT_PAGE);
	struct fs_place place = { .layer = 0 };
	bool is;
	long map;

	if (!fs_on())
		return false;
	map = sys6(__NR_mmap, 0, room, 3, 0x22, (u64)-1, 0);
	if (map < 0)
		return true;
	is = mount_of((struct fs_work *)map, fd, &place) && (place.mount.flags & FS_NOSUID); /* NOLINT(performance-no-int-to-ptr) */
	(void)sys2(__NR_munmap, map, room);
	return is;
}

bool fs_is_on(struct fs_work *work, s32 fd, u32 mount_id)
{
	struct fs_place place;

	return !mount_of(work, fd, &place) || place.mount.id == mount_id;
}

/* Whether a call is refused for that. */
static bool refused(struct call *call)
{
	s32 fd = (s32)call->arg[0];

	call->ret = -EROFS;
	if (fd < 0 || sys2(__NR_fcntl, fd, 3 /* F_GETFL */) & O_PATH_) /* EBADF, as for what is not open */
		return false;
	return fs_is_read_only((struct fs_work *)(void *)slot_current()->scratch, fd);
}

/* Makes `nr` with the name of the upper object as first argument. */
static enum verdict by_descriptor(struct call *call, long nr, enum fs_need need)
{
	struct fs_work *work = (struct fs_work *)(void *)slot_current()->scratch;
	s32 fd = (s32)call->arg[0];
	char link[AGENT_FD_LINK_SIZE];
	long object, flags;
	u64 args[6];

	if (refused(call))
		return CALL_DONE;
	if (!fs_any_layers())
		return CALL_PASS;
	flags = sys2(__NR_fcntl, fd, 3 /* F_GETFL */);
	if (flags < 0 || (flags & O_PATH_))
		return CALL_PASS; /* EBADF */
	object = fs_reach_up(work, fd, need);
	if (object == fd)
		return CALL_PASS;
	call->ret = object;
	if (object < 0)
		return CALL_DONE;
	agent_fd_link(link, (u32)object);
	memcpy(args, call->arg, sizeof(args));
	args[0] = (u64)link;
	if (identity_on() && nr == __NR_chmod)
		call->ret = identity_chmod((s32)object, STAT_O_PATH, (u32)args[1]);
	else if (identity_on() && nr == __NR_chown)
		call->ret = identity_chown((s32)object, STAT_O_PATH, (u32)args[1], (u32)args[2]);
	else if (identity_on())
		call->ret = identity_xattr((s32)object, call->nr, call->arg);
	else
		call->ret = fs_reissue(nr, args);
	(void)sys1(__NR_close, object);
	return CALL_DONE;
}

enum verdict fs_fchmod(struct call *call)
{
	return by_descriptor(call, __NR_chmod, FS_NEED_OWNER);
}

enum verdict fs_fchown(struct call *call)
{
	return by_descriptor(call, __NR_chown, FS_NEED_OWNER);
}

enum verdict fs_fsetxattr(struct call *call)
{
	return by_descriptor(call, call->nr == __NR_fsetxattr ? __NR_setxattr : __NR_removexattr, FS_NEED_WRITE);
}

/* utimensat(fd, NULL, times, 0) and futimesat(fd, NULL, times). */
enum verdict fs_reached_times(struct call *call)
{
	struct fs_work *work = (struct fs_work *)(void *)slot_current()->scratch;
	s32 fd = (s32)call->arg[0];
	char link[AGENT_FD_LINK_SIZE];
	long object;
	u64 args[6];

	if (refused(call))
		return CALL_DONE;
	if (!fs_any_layers() || fd < 0)
		return CALL_PASS;
	object = fs_reach_up(work, fd, FS_NEED_EITHER);
	if (object == fd)
		return CALL_PASS;
	call->ret = object;
	if (object < 0)
		return CALL_DONE;
	agent_fd_link(link, (u32)object);
	memcpy(args, call->arg, sizeof(args));
	args[0] = (u64)AT_FDCWD_;
	args[1] = (u64)link;
	call->ret = agent_reissue(call->nr, args);
	(void)sys1(__NR_close, object);
	return CALL_DONE;
}

#define FS_IOC_SETFLAGS_ 0x40086602u
#define FS_IOC_FSSETXATTR_ 0x401c5820u

/* chattr(1). */
enum verdict fs_ioctl(struct call *call)
{
	struct fs_work *work = (struct fs_work *)(void *)slot_current()->scratch;
	s32 fd = (s32)call->arg[0];
	char link[AGENT_FD_LINK_SIZE];
	long object, file;

	if ((u32)call->arg[1] != FS_IOC_SETFLAGS_ && (u32)call->arg[1] != FS_IOC_FSSETXATTR_)
		return notify_ioctl(call) ? CALL_DONE : CALL_PASS;
	if (refused(call))
		return CALL_DONE;
	if (!fs_any_layers() || sys2(__NR_fcntl, fd, 3 /* F_GETFL */) < 0)
		return CALL_PASS;
	object = fs_reach_up(work, fd, FS_NEED_OWNER);
	if (object == fd)
		return CALL_PASS;
	call->ret = object;
	if (object < 0)
		return CALL_DONE;
	agent_fd_link(link, (u32)object);
	file = sys4(__NR_openat, AT_FDCWD_, link, O_NONBLOCK_ | O_CLOEXEC_, 0);
	(void)sys1(__NR_close, object);
	call->ret = file < 0 ? file : sys3(__NR_ioctl, file, call->arg[1], call->arg[2]);
	if (file >= 0)
		(void)sys1(__NR_close, file);
	return CALL_DONE;
}
