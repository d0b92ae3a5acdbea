/* SPDX-License-Identifier: Apache-2.0 */
/* What calls that mount begin and end with: their memory, the lock and the tables that they change, what their paths stand for. */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"

bool mnt_may(void)
{
	return fs_may_mount();
}

long mnt_begin(struct mnt_work **ret)
{
	u64 size = ALIGN_UP(sizeof(struct mnt_work), LAYOUT_PAGE);
	long at;

	if (!(commons()->emulated & (1u << GAP_mounts)))
		return -EPERM;
	at = sys6(__NR_mmap, 0, size, 3, 0x22 /* PRIVATE|ANONYMOUS */, (u64)-1, 0);
	if (at < 0)
		return at;
	*ret = (struct mnt_work *)at; /* NOLINT(performance-no-int-to-ptr) */
	(*ret)->mapped = size;
	return 0;
}

void mnt_done(struct mnt_work *work)
{
	(void)sys2(__NR_munmap, work, work->mapped);
}

/* --- the edit ----------------------------------------------------------------------------------------------------------------------------- */

long mnt_lock(struct mnt_work *work)
{
	long r = fs_mounts_lock();

	if (r < 0)
		return r;
	for (u32 i = 0; i < FS_SPACES_MAX; i++)
		work->edit[i].table = NULL;
	work->first_id = work->first_id_kept = fs_spaces()->next_id;
	return 0;
}

long mnt_commit(struct mnt_work *work, long result)
{
	for (u32 i = 0; i < FS_SPACES_MAX; i++)
		if (work->edit[i].table && result >= 0)
			fs_edit_publish(&work->edit[i]);
	fs_mounts_unlock();
	return result;
}

const struct fs_table *mnt_table(struct mnt_work *work, u32 space)
{
	const struct fs_space *s = fs_space_of(space);

	return work->edit[space].table ? work->edit[space].table : &s->copy[s->active & 1];
}

struct fs_edit *mnt_edit(struct mnt_work *work, u32 space)
{
	if (!work->edit[space].table)
		fs_edit_begin(&work->edit[space], space);
	return &work->edit[space];
}

/* --- paths -------------------------------------------------------------------------------------------------------------------------------- */

/* What a descriptor of the guest stands for. */
static long place_of(struct fs_work *path, long fd, u32 hint)
{
	char link[AGENT_FD_LINK_SIZE];
	long n;

	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, path->check, FS_HOST_MAX - 1);
	if (n < 0)
		return n;
	path->check[n] = 0;
	if (path->check[0] != '/')
		return -EINVAL; /* a pipe, a socket … */
	n = fs_place_hinted(path, path->check, hint);
	return n == -ESRCH ? -EINVAL : n < 0 ? n : 0;
}

/* What a tree's descriptor stands for: its root. */
static long locate_tree(struct fs_work *path, u32 space, struct mnt_where *ret)
{
	const struct fs_space *s = fs_space_of(space);
	long r = fs_root_of(&path->root, s->moved_id ? s->moved_space : space, s->moved_id, "", 0);

	if (r < 0)
		return r == -ENOENT ? -EINVAL : r;
	fs_enter_root(path);
	r = fs_find_mount(path);
	if (r < 0)
		return r;
	*ret = (struct mnt_where){
		.space = path->root.space, .id = path->mount.id, .mounted = true, .directory = !(path->mount.flags & FS_FILE)
	};
	return 0;
}

long mnt_locate(struct fs_work *path, s32 dirfd, u64 name, u32 flags, struct mnt_where *ret)
{
	struct kernel_stat st;
	char first = 1;
	long fd, r = 0;

	if ((flags & FS_EMPTY) && guest_read(&first, name, 1) == 0 && !first) {
		r = mnt_handle_of(dirfd, MNT_HANDLE_TREE);
		if (r >= 0) {
			r = locate_tree(path, (u32)r, ret);
			return r < 0 ? r : dirfd;
		}
		r = 0;
	}
	fd = fs_object(path, dirfd, name, flags);
	if (fd < 0)
		return fd;
	if (path->nsfs) {
		*ret = (struct mnt_where){ .space = path->root.space, .nsfs = true };
		return fd;
	}
	if (path->magic || !first)
		r = place_of(path, fd, first ? fs_proc_hint(path) : fs_hint(dirfd));
	if (r == 0)
		r = sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_);
	if (r < 0) {
		fs_object_done(fd, dirfd);
		return r;
	}
	*ret = (struct mnt_where){
		.space = path->root.space,
		.id = path->mount.id,
		.mounted = path->mount.target_length == strlen(path->guest),
		.directory = (st.mode & VFS_TYPE) == VFS_DIRECTORY,
		.removed = (st.mode & VFS_TYPE) == VFS_DIRECTORY && !st.nlink,
		.link = (st.mode & VFS_TYPE) == VFS_LINK,
	};
	return fd;
}
