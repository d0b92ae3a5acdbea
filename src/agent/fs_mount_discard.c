/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system of the cell's own that is not mounted anywhere any more: its directory on the host goes, if umount2(2) found nobody using it. What was
 * detached (MNT_DETACH) stays until the cell ends, for it may be open. What cannot be removed stays as well.
 *
 * Directories are entered only where they are what a look without following links says: a process that kept one may still change it.
 */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"

#define FAILURES_MAX 8u

static bool begins(const char *text, const char *path, u64 length)
{
	return !strncmp(text, path, length) && (!text[length] || text[length] == '/');
}

/* Whether a row is of the file system, or has a layer in it. */
static bool is_of(const struct fs_table *table, const struct fs_mount *m, const char *path, u64 length)
{
	if (begins(table->text + m->source, path, length) || begins(table->text + m->work, path, length))
		return true;
	for (u32 i = 0; i < m->layer_count; i++)
		if (begins(table->text + table->layers[(m->layer + i) % FS_LAYERS_MAX].source, path, length))
			return true;
	return false;
}

bool mnt_directory_of(struct mnt_work *work, u32 space, u32 id, char *path)
{
	const struct fs_table *table = mnt_table(work, space);
	const struct fs_mount *m = mnt_find(table, id);
	u64 scratch = strlen(commons()->scratch), length;

	if (!m || !m->device || m->layer_count || (m->flags & (FS_PROC | FS_CGROUP)) || !scratch ||
	    !begins(table->text + m->source, commons()->scratch, scratch))
		return false;
	length = (u64)m->source_length - m->root_length;
	memcpy(path, table->text + m->source, length);
	path[length] = 0;
	return length > scratch + 1;
}

bool mnt_is_gone(struct mnt_work *work, const char *path)
{
	u64 length = strlen(path);

	for (u32 s = 0; s < FS_SPACES_MAX; s++)
		for (u32 i = 0; fs_space_of(s)->state == FS_SPACE_READY && i < mnt_table(work, s)->count; i++)
			if (is_of(mnt_table(work, s), &mnt_table(work, s)->mounts[i], path, length))
				return false;
	return true;
}

/* --- removing ---------------------------------------------------------------------------------------------------------------------------------- */

struct entry {
	u64 ino, off;
	u16 size;
	u8 type;
	char name[];
};

/* Opens the directory at a path, unless it is another than a look without following says. */
static long enter(const char *path)
{
	struct kernel_stat st, opened;
	long fd;

	if (sys4(__NR_newfstatat, AT_FDCWD_, path, &st, AT_SYMLINK_NOFOLLOW_) < 0 || (st.mode & VFS_TYPE) != VFS_DIRECTORY)
		return -ENOTDIR;
	fd = sys3(__NR_open, path, O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
	if (fd >= 0 && (sys2(__NR_fstat, fd, &opened) < 0 || opened.ino != st.ino || opened.dev != st.dev)) {
		(void)sys1(__NR_close, fd);
		return -ENOTDIR;
	}
	return fd;
}

/* Removes the files of a directory. 1: its path has become that of a directory in it; 0: nothing is left; negative errno. */
static long empty(long fd, char *path, u64 size)
{
	char buffer[512];
	u64 length = strlen(path);
	long n, r = 0;

	while (r == 0 && (n = sys3(__NR_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n && r == 0;) {
			const struct entry *e = (const struct entry *)(const void *)(buffer + at);
			u64 name = strlen(e->name);

			at += e->size;
			if (!strcmp(e->name, ".") || !strcmp(e->name, ".."))
				continue;
			r = sys3(__NR_unlinkat, fd, e->name, 0);
			if (r != -EISDIR && r != -EPERM)
				continue;
			r = length + name + 2 > size ? -ENAMETOOLONG : 1;
			if (r < 0)
				break;
			path[length] = '/';
			memcpy(path + length + 1, e->name, name + 1);
		}
	}
	return r;
}

void mnt_discard(char *path, u64 size)
{
	u64 top = strlen(path);

	for (u32 failures = 0; failures < FAILURES_MAX && strlen(path) >= top;) {
		u64 length = strlen(path);
		long fd = enter(path), r = fd < 0 ? fd : empty(fd, path, size);

		if (fd >= 0)
			(void)sys1(__NR_close, fd);
		if (r == 1)
			continue;
		if (r < 0 || sys1(__NR_rmdir, path) < 0) {
			failures++; /* perhaps something has come since */
			continue;
		}
		if (length == top)
			return;
		while (path[--length] != '/')
			;
		path[length] = 0;
	}
}
