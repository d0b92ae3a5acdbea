/* SPDX-License-Identifier: Apache-2.0 */
/*
 * umount2(2), as do_umount() of fs/namespace.c, and what keeps a mount busy.
 *
 * Busy is what something hangs on, or what some process has a descriptor, its working directory or its root in. The latter is asked of /proc, and only
 * for file systems of the cell's own that are mounted once: what is open on the host's files does not tell through which mount.
 */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"
#include "agent/fs_quota.h"
#include "base/decimal.h"

#define MNT_FORCE_ 1u
#define MNT_DETACH_ 2u
#define MNT_EXPIRE_ 4u
#define UMOUNT_NOFOLLOW_ 8u

/* --- who uses it ------------------------------------------------------------------------------------------------------------------------------------- */

/* A search of what processes have open. */
struct search {
	const char *host; /* path */
	u64 length;
	bool writers;      /* descriptors for writing alone */
	char *name, *text; /* FS_HOST_MAX each */
};

static bool lies_below(struct search *search, const char *name)
{
	long n = sys3(__NR_readlink, name, search->text, FS_HOST_MAX - 1);

	if (n < (long)search->length)
		return false;
	search->text[n] = 0;
	return !memcmp(search->text, search->host, search->length) &&
	       (search->text[search->length] == '/' || !search->text[search->length]);
}

struct entry {
	u64 ino, off;
	u16 size;
	u8 type;
	char name[];
};

/* Calls `found` with the numbers that a directory of procfs lists, until it says true. */
static bool each_number(const char *directory, struct search *search, bool (*found)(struct search *search, u64 number))
{
	char buffer[512];
	long fd = sys3(__NR_open, directory, O_DIRECTORY_ | O_CLOEXEC_, 0), n;
	bool is = false;

	if (fd < 0)
		return false;
	while (!is && (n = sys3(__NR_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n && !is;) {
			const struct entry *e = (const struct entry *)(const void *)(buffer + at);
			u64 number = 0;
			const char *c = e->name;

			while (*c >= '0' && *c <= '9')
				number = number * 10 + (u64)(*c++ - '0');
			if (!*c && c != e->name)
				is = found(search, number);
			at += e->size;
		}
	}
	(void)sys1(__NR_close, fd);
	return is;
}

static bool is_writer(u64 number, struct search *search)
{
	/* …/fd/N: a link that may be written is a descriptor that may write */
	struct kernel_stat st;

	(void)number;
	return sys4(__NR_newfstatat, AT_FDCWD_, search->name, &st, AT_SYMLINK_NOFOLLOW_) == 0 && (st.mode & 0200) &&
	       sys4(__NR_newfstatat, AT_FDCWD_, search->name, &st, 0) == 0 && (st.mode & VFS_TYPE) == VFS_REGULAR;
}

/* search->name: "/proc/PID/fd". */
static bool descriptor_found(struct search *search, u64 number)
{
	u64 length = strlen(search->name);
	bool is;

	search->name[length] = '/';
	search->name[length + 1 + decimal_put(search->name + length + 1, number)] = 0;
	is = lies_below(search, search->name) && (!search->writers || is_writer(number, search));
	search->name[length] = 0;
	return is;
}

static bool process_found(struct search *search, u64 pid)
{
	char *at;

	memcpy(search->name, "/proc/", 7);
	at = search->name + 6;
	at += decimal_put(at, pid);
	memcpy(at, "/cwd", 5);
	if (!search->writers && lies_below(search, search->name))
		return true;
	memcpy(at, "/fd", 4);
	return each_number(search->name, search, descriptor_found);
}

static bool is_used(struct mnt_work *work, u32 space, u32 id, bool writers)
{
	const struct fs_table *table = mnt_table(work, space);
	const struct fs_mount *m = mnt_find(table, id);
	struct search search = { .writers = writers, .name = work->other.guest, .text = work->other.check };

	if (!m->device || m->layer_count || (m->flags & FS_PROC) ||
	    strncmp(table->text + m->source, commons()->scratch, strlen(commons()->scratch)))
		return false;
	for (u32 s = 0; s < FS_SPACES_MAX; s++)
		for (u32 i = 0; fs_space_of(s)->state == FS_SPACE_READY && i < mnt_table(work, s)->count; i++)
			if (mnt_table(work, s)->mounts[i].device == m->device && mnt_table(work, s)->mounts[i].id != id)
				return false;
	search.host = table->text + m->source;
	search.length = m->source_length;
	return each_number("/proc", &search, process_found);
}

bool mnt_is_written(struct mnt_work *work, u32 space, u32 id)
{
	return is_used(work, space, id, true);
}

/* --- umount2(2) --------------------------------------------------------------------------------------------------------------------------------------- */

/* Marks a mount; the second time in a row it is to go. */
static long expire(struct mnt_work *work, const struct mnt_where *at)
{
	if (mnt_is_held(work, at->space, at->id) || is_used(work, at->space, at->id, false))
		return -EBUSY;
	return work->path.expired == at->id ? 0 : -EAGAIN;
}

static long take_down(struct mnt_work *work, const struct mnt_where *at, u64 flags)
{
	const struct fs_mount *m = mnt_find(mnt_table(work, at->space), at->id);
	const struct view *view = view_self();
	bool is_root = at->id == view->root_mount || (!view->root_mount && m && !m->parent);
	long r;

	if (!m || (m->flags & FS_LOCKED))
		return -EINVAL;
	if (flags & MNT_EXPIRE_) {
		if (is_root || (flags & (MNT_FORCE_ | MNT_DETACH_)))
			return -EINVAL;
		r = expire(work, at);
		if (r < 0)
			return r;
	}
	if (is_root && !(flags & MNT_DETACH_)) /* the root file system becomes read-only */
		return mnt_set_super(work, at->space, at->id, true, NULL);
	if (!m->parent)
		return -EINVAL;
	if (!(flags & MNT_DETACH_) && (mnt_is_held(work, at->space, at->id) || is_used(work, at->space, at->id, false)))
		return -EBUSY;
	return mnt_take_down(work, at->space, at->id);
}

/* Whether the working directory is of a mount that has been taken down. */
static bool stands_nowhere(struct fs_work *path)
{
	bool inside;

	return sys2(__NR_getcwd, path->check, FS_HOST_MAX) > 0 &&
	       fs_guest_path(path->check, fs_hint(AT_FDCWD_), path->guest, &inside) == -ESRCH;
}

static long do_umount(struct mnt_work *work, u64 path, u32 flags)
{
	struct mnt_where at;
	long r, failed;
	bool mark, discard;

	if (flags & ~(MNT_FORCE_ | MNT_DETACH_ | MNT_EXPIRE_ | UMOUNT_NOFOLLOW_))
		return -EINVAL;
	r = mnt_locate(&work->path, AT_FDCWD_, path, flags & UMOUNT_NOFOLLOW_ ? 0 : FS_FOLLOW, &at);
	if (r < 0) /* from there no path is known; crun takes "." down until there is nothing more */
		return r == -EACCES && stands_nowhere(&work->path) ? -EINVAL : r;
	fs_object_done(r, AT_FDCWD_);
	if (!mnt_may())
		return -EPERM;
	if (!at.mounted)
		return -EINVAL;
	r = mnt_lock(work);
	if (r < 0)
		return r;
	discard = mnt_directory_of(work, at.space, at.id, work->source);
	r = take_down(work, &at, flags);
	discard = discard && r == 0 && mnt_is_gone(work, work->source);
	if (discard && fs_quota_on())
		fs_quota_drop(work->source);
	discard = discard && !(flags & MNT_DETACH_);
	mark = r < 0 && (r == -EAGAIN || work->path.expired == at.id);
	if (mark && fs_edit_mount(mnt_edit(work, at.space), at.id)) /* which this call itself took away */
		fs_edit_mount(mnt_edit(work, at.space), at.id)->flags |= FS_EXPIRING;
	failed = mnt_commit(work, mark ? 0 : r);
	if (discard && failed == 0)
		mnt_discard(work->source, sizeof(work->source));
	return mark ? r : failed;
}

enum verdict fs_umount2(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_umount(work, call->arg[0], (u32)call->arg[1]);
	mnt_done(work);
	return CALL_DONE;
}
