/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount and its file system have beside what is in them: flags, options. */
#include "agent/fs_mount.h"

u32 mnt_attributes(u64 flags)
{
	u32 set = 0;

	if (!(flags & (MS_NOATIME_ | MS_STRICTATIME_)))
		set |= FS_RELATIME;
	if ((flags & MS_NOATIME_) && !(flags & MS_STRICTATIME_))
		set |= FS_NOATIME;
	if (flags & MS_NOSUID_)
		set |= FS_NOSUID;
	if (flags & MS_NODEV_)
		set |= FS_NODEV;
	if (flags & MS_NOEXEC_)
		set |= FS_NOEXEC;
	if (flags & MS_NODIRATIME_)
		set |= FS_NODIRATIME;
	if (flags & MS_RDONLY_)
		set |= FS_OWN_READ_ONLY;
	if (flags & MS_NOSYMFOLLOW_)
		set |= FS_NOSYMFOLLOW;
	return set;
}

/* Rows that the host laid out say FS_READ_ONLY alone. */
static void know_own(struct fs_mount *m)
{
	if ((m->flags & FS_READ_ONLY) && !(m->flags & FS_SUPER_READ_ONLY))
		m->flags |= FS_OWN_READ_ONLY;
}

static void follow(struct fs_mount *m)
{
	m->flags &= ~(u32)FS_READ_ONLY;
	if (m->flags & (FS_OWN_READ_ONLY | FS_SUPER_READ_ONLY))
		m->flags |= FS_READ_ONLY;
}

void mnt_set_attributes(struct fs_mount *m, u32 mask, u32 flags)
{
	know_own(m);
	m->flags = (m->flags & ~mask) | (flags & mask);
	follow(m);
}

long mnt_set_super(struct mnt_work *work, u32 space, u32 id, bool read_only, const char *options)
{
	const struct fs_mount *of = mnt_find(mnt_table(work, space), id);
	u32 device = of ? of->device : 0;

	for (u32 s = 0; s < FS_SPACES_MAX; s++) {
		if (fs_space_of(s)->state != FS_SPACE_READY)
			continue;
		for (u32 i = 0; i < mnt_table(work, s)->count; i++) {
			const struct fs_mount *seen = &mnt_table(work, s)->mounts[i];
			struct fs_edit *edit;
			struct fs_mount *m;
			long at = 0;

			if (seen->id != id && (!device || seen->device != device))
				continue;
			edit = mnt_edit(work, s);
			m = &edit->table->mounts[i];
			if (options)
				at = fs_edit_put(edit, options, strlen(options));
			if (at < 0)
				return at;
			if (options)
				m->options = (u32)at;
			know_own(m);
			m->flags = read_only ? m->flags | FS_SUPER_READ_ONLY : m->flags & ~(u32)FS_SUPER_READ_ONLY;
			follow(m);
		}
	}
	return 0;
}
