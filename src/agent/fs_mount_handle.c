/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors of the new mount API: trees that are mounted nowhere yet (open_tree, fsmount), and file systems that are being configured (fsopen, fspick).
 *
 * Such a descriptor is an open directory of the cell's scratch directory, "tree-N" or "context-N", with a shared lock (flock) that lives as long as the
 * open file does, whoever has it. N is a namespace without a name, whose root is the tree; or the number of the file "state" in the directory, which
 * holds struct mnt_context. What nobody has open any more is removed by the next call that makes one.
 *
 * Paths that begin at a tree's descriptor are looked up in its namespace (fs_path.c asks mnt_handle_space()).
 */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"
#include "base/decimal.h"

#define LOCK_SH_ 1
#define LOCK_EX_ 2
#define LOCK_NB_ 4

static const char *word_of(enum mnt_handle kind)
{
	return kind == MNT_HANDLE_TREE ? "/tree-" : "/context-";
}

/* The path of a handle's directory. */
static void handle_path(enum mnt_handle kind, u32 number, char *to)
{
	const char *word = word_of(kind);
	u64 n = strlen(commons()->scratch), size = strlen(word);

	memcpy(to, commons()->scratch, n);
	memcpy(to + n, word, size);
	to[n + size + decimal_put(to + n + size, number)] = 0;
}

/* The number of a handle by its host path: -1: it is none of this kind. */
static long number_of(const char *host, enum mnt_handle kind)
{
	u64 n = strlen(commons()->scratch), size = strlen(word_of(kind));
	long number = 0;

	if (!n || strncmp(host, commons()->scratch, n) || strncmp(host + n, word_of(kind), size))
		return -1;
	for (host += n + size; *host >= '0' && *host <= '9'; host++)
		number = number * 10 + (*host - '0');
	return *host ? -1 : number;
}

long mnt_handle_space(const char *host)
{
	return number_of(host, MNT_HANDLE_TREE);
}

long mnt_handle_of(s32 fd, enum mnt_handle kind)
{
	char link[AGENT_FD_LINK_SIZE], path[sizeof(commons()->scratch) + 32];
	long n;

	if (fd < 0 || agent_reserved_fd((u32)fd))
		return -EBADF;
	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, path, sizeof(path) - 1);
	if (n < 0)
		return -EBADF;
	path[n] = 0;
	n = number_of(path, kind);
	return n < 0 ? -EINVAL : n;
}

/* Whether nobody has it open any more; then it is gone. */
static bool collected(enum mnt_handle kind, u32 number)
{
	char path[sizeof(commons()->scratch) + 40];
	u64 length;
	long fd;
	bool free;

	handle_path(kind, number, path);
	fd = sys3(__NR_open, path, O_DIRECTORY_ | O_CLOEXEC_, 0);
	if (fd == -ENOENT)
		return true;
	if (fd < 0)
		return false;
	free = sys2(__NR_flock, fd, LOCK_EX_ | LOCK_NB_) == 0;
	if (free) {
		length = strlen(path);
		memcpy(path + length, "/state", 7);
		(void)sys1(__NR_unlink, path);
		path[length] = 0;
		(void)sys1(__NR_rmdir, path);
	}
	(void)sys1(__NR_close, fd);
	return free;
}

/* A descriptor of a new handle. */
static long make(enum mnt_handle kind, u32 number, bool cloexec)
{
	char path[sizeof(commons()->scratch) + 32];
	long r, fd;

	handle_path(kind, number, path);
	r = sys2(__NR_mkdir, path, 0700);
	if (r < 0 && r != -EEXIST)
		return r;
	fd = sys3(__NR_open, path, O_DIRECTORY_ | (cloexec ? O_CLOEXEC_ : 0), 0);
	if (fd < 0)
		return fd;
	r = sys2(__NR_flock, fd, LOCK_SH_);
	if (r < 0)
		(void)sys1(__NR_close, fd);
	return r < 0 ? r : fd;
}

/* --- trees ------------------------------------------------------------------------------------------------------------------------------------ */

/* Under the lock. The tree's mounts go, if it still has any: nobody sees them. */
static void collect_trees(struct mnt_work *work)
{
	for (u32 i = 1; i < FS_SPACES_MAX; i++) {
		struct fs_space *s = fs_space_of(i);

		if (s->state == FS_SPACE_MAKING && s->tree) /* its maker was killed */
			__atomic_store_n(&s->state, FS_SPACE_FREE, __ATOMIC_RELEASE);
		if (s->state != FS_SPACE_READY || !s->tree || !collected(MNT_HANDLE_TREE, i))
			continue;
		while (mnt_table(work, i)->count)
			mnt_remove(work, i, mnt_table(work, i)->mounts[mnt_table(work, i)->count - 1].id);
		fs_edit_publish(mnt_edit(work, i));
		__atomic_store_n(&s->state, FS_SPACE_FREE, __ATOMIC_RELEASE);
	}
}

long mnt_tree_make(struct mnt_work *work, bool cloexec, u32 *ret_space)
{
	long space, fd;

	collect_trees(work);
	space = fs_space_tree();
	if (space < 0)
		return space;
	fd = make(MNT_HANDLE_TREE, (u32)space, cloexec);
	if (fd < 0)
		__atomic_store_n(&fs_space_of((u32)space)->state, FS_SPACE_FREE, __ATOMIC_RELEASE);
	*ret_space = (u32)space;
	return fd;
}

/* --- contexts --------------------------------------------------------------------------------------------------------------------------------- */

#define CONTEXTS_MAX 1024u

/* The state of a context, open; flags: how. */
static long open_state(u32 number, u64 flags)
{
	char path[sizeof(commons()->scratch) + 40];

	handle_path(MNT_HANDLE_CONTEXT, number, path);
	memcpy(path + strlen(path), "/state", 7);
	return sys3(__NR_open, path, flags | O_CLOEXEC_, 0600);
}

long mnt_context_write(u32 number, const struct mnt_context *context)
{
	long fd = open_state(number, O_WRONLY_ | O_CREAT_), n;

	if (fd < 0)
		return fd;
	n = sys4(__NR_pwrite64, fd, context, sizeof(*context), 0);
	(void)sys1(__NR_close, fd);
	return n == (long)sizeof(*context) ? 0 : n < 0 ? n : -EIO;
}

long mnt_context_read(u32 number, struct mnt_context *context)
{
	long fd = open_state(number, 0), n;

	if (fd < 0)
		return fd;
	n = sys4(__NR_pread64, fd, context, sizeof(*context), 0);
	(void)sys1(__NR_close, fd);
	return n == (long)sizeof(*context) ? 0 : -EIO;
}

long mnt_context_make(const struct mnt_context *context, bool cloexec)
{
	static const u32 last = CONTEXTS_MAX;
	long fd = -ENOSPC, r;
	u32 number;

	r = fs_mounts_lock(); /* so that two do not take one number */
	if (r < 0)
		return r;
	for (number = 1; number < last; number++)
		if (collected(MNT_HANDLE_CONTEXT, number))
			break;
	if (number < last)
		fd = make(MNT_HANDLE_CONTEXT, number, cloexec);
	r = fd < 0 ? fd : mnt_context_write(number, context);
	fs_mounts_unlock();
	if (r < 0 && fd >= 0)
		(void)sys1(__NR_close, fd);
	return r < 0 ? r : fd;
}
