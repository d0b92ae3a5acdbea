/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statfs(2) and fstatfs(2) in the tree: the host's answer, with the flags of the mount, and of a file system that the guest mounted its own type, size and
 * number. Of a tmpfs that is limited (fs_quota.h) is told free what is left of its size, where the host has so much; of others what the host has.
 */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"
#include "agent/fs_quota.h"

struct kernel_statfs { /* struct statfs, x86-64 */
	s64 type, block_size;
	u64 blocks, free, available, files, files_free;
	u64 id;
	s64 name_length, fragment_size;
	u64 flags, spare[4];
};
static_assert(sizeof(struct kernel_statfs) == 120, "struct statfs");

#define ST_RDONLY_ 1u
#define ST_VALID_ 0x20u

static u64 told_flags(u64 host, const struct fs_mount *m)
{
	static const struct {
		u32 flag, told;
	} names[] = { { FS_READ_ONLY, ST_RDONLY_ }, { FS_NOSUID, 2 },        { FS_NODEV, 4 },       { FS_NOEXEC, 8 },
		      { FS_NOATIME, 1024 },         { FS_NODIRATIME, 2048 }, { FS_RELATIME, 4096 }, { FS_NOSYMFOLLOW, 0x2000 } };
	u64 flags = m->type ? ST_VALID_ : (host & ST_RDONLY_) | ST_VALID_;

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (m->flags & names[i].flag)
			flags |= names[i].told;
	return flags;
}

/* The number behind a word of the options; 0: there is none. */
static u64 option(const char *options, const char *word)
{
	u64 length = strlen(word), n = 0;

	for (; *options; options++) {
		if (!strncmp(options, word, length)) {
			for (options += length; *options >= '0' && *options <= '9'; options++)
				n = n * 10 + (u64)(*options - '0');
			return n;
		}
		while (*options && *options != ',')
			options++;
		if (!*options)
			break;
	}
	return 0;
}

/* What is left of what it may have. */
static void tell_used(struct kernel_statfs *fs, struct fs_quota *quota)
{
	u64 pages, files;

	fs_quota_count(quota);
	pages = fs_quota_free(quota->pages, &quota->used_pages);
	files = fs_quota_free(quota->files, &quota->used_files);
	if (quota->pages)
		fs->free = fs->available = fs->free < pages ? fs->free : pages;
	if (quota->files)
		fs->files_free = files;
}

static void tell_tmpfs(struct kernel_statfs *fs, const char *source, const char *options)
{
	struct fs_quota *quota = fs_quota_on() ? fs_quota_of(source) : NULL;

	u64 blocks = option(options, "size=") / (LAYOUT_PAGE / 1024), files = option(options, "nr_inodes="),
	    scale = (u64)fs->block_size;

	fs->type = 0x01021994;
	fs->name_length = 255;
	fs->blocks = fs->blocks * scale / LAYOUT_PAGE;
	fs->free = fs->free * scale / LAYOUT_PAGE;
	fs->available = fs->available * scale / LAYOUT_PAGE;
	fs->block_size = fs->fragment_size = (s64)LAYOUT_PAGE;
	if (blocks) {
		fs->blocks = blocks;
		fs->free = fs->free < blocks ? fs->free : blocks;
		fs->available = fs->available < blocks ? fs->available : blocks;
	}
	if (files) {
		if (!fs->files) /* gVisor does not count */
			fs->files_free = files;
		fs->files = files;
		fs->files_free = fs->files_free < files - 1 ? fs->files_free : files - 1;
	}
	if (quota)
		tell_used(fs, quota);
}

static void tell(struct kernel_statfs *fs, const struct fs_table *table, const struct fs_mount *m)
{
	const char *type = table->text + m->type;

	fs->flags = told_flags(fs->flags, m);
	if (!m->device)
		return;
	fs->id = m->device;
	if (!strcmp(type, "tmpfs")) {
		tell_tmpfs(fs, table->text + m->source, table->text + m->options);
	} else if (!strcmp(type, "ramfs") || !strcmp(type, "mqueue")) {
		*fs = (struct kernel_statfs){ .type = type[0] == 'r' ? 0x858458f6 : 0x19800202,
					      .block_size = (s64)LAYOUT_PAGE,
					      .fragment_size = (s64)LAYOUT_PAGE,
					      .name_length = 255,
					      .id = m->device,
					      .flags = fs->flags };
	} else if (m->flags & FS_CGROUP) {
		*fs = (struct kernel_statfs){ .type = type[6] ? 0x63677270 : 0x27e0eb,
					      .block_size = (s64)LAYOUT_PAGE,
					      .fragment_size = (s64)LAYOUT_PAGE,
					      .name_length = 255,
					      .id = m->device,
					      .flags = fs->flags };
	} else if (!strcmp(type, "overlay")) {
		fs->type = 0x794c7630;
	}
}

static long tell_namespace(u64 to)
{
	struct kernel_statfs fs = {
		.type = 0x6e736673, .block_size = (s64)LAYOUT_PAGE, .fragment_size = (s64)LAYOUT_PAGE, .name_length = 255
	};

	return guest_write(to, &fs, sizeof(fs));
}

/* Whether a descriptor is the file of a namespace. In the work's check. */
static bool is_namespace(struct fs_work *work, long fd)
{
	char link[AGENT_FD_LINK_SIZE];
	long n;

	if (!(commons()->emulated & (1u << GAP_namespaces)))
		return false;
	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	work->check[n > 0 ? n : 0] = 0;
	return ns_name_of(work->check);
}

/* What the host says of a descriptor, corrected. root, m: where it is. */
static long tell_guest(long fd, const struct fs_root *root, const struct fs_mount *m, u64 to)
{
	struct kernel_statfs fs = { .flags = 0 };
	long r = sys2(__NR_fstatfs, fd, &fs);

	if (r < 0)
		return r;
	if (m->flags & FS_NSFS)
		return tell_namespace(to);
	tell(&fs, root->table, m);
	return guest_write(to, &fs, sizeof(fs));
}

/* The mount that a descriptor lies on, which becomes the work's. */
static bool is_placed(struct fs_work *work, long fd, u32 hint)
{
	char link[AGENT_FD_LINK_SIZE];
	long n;

	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	if (n <= 0 || work->check[0] != '/' || (n > 7 && !memcmp(work->check, "/memfd:", 7)))
		return false;
	work->check[n] = 0;
	return fs_place_hinted(work, work->check, hint) >= 0;
}

enum verdict fs_statfs(struct call *call)
{
	struct fs_work *work = (struct fs_work *)(void *)slot_current()->scratch;
	long fd = fs_object(work, AT_FDCWD_, call->arg[0], FS_FOLLOW);

	call->ret = fd;
	if (fd < 0)
		return CALL_DONE;
	if (work->nsfs)
		call->ret = tell_namespace(call->arg[1]);
	else if (work->magic && !is_placed(work, fd, 0))
		call->ret = sys2(__NR_fstatfs, fd, call->arg[1]);
	else
		call->ret = tell_guest(fd, &work->root, &work->mount, call->arg[1]);
	fs_object_done(fd, AT_FDCWD_);
	return CALL_DONE;
}

enum verdict fs_fstatfs(struct call *call)
{
	struct fs_work *work = (struct fs_work *)(void *)slot_current()->scratch;
	s32 fd = (s32)call->arg[0];

	if (fd >= 0 && is_namespace(work, fd)) {
		call->ret = tell_namespace(call->arg[1]);
		return CALL_DONE;
	}
	if (fd < 0 || agent_reserved_fd((u32)fd) || !is_placed(work, fd, fs_hint(fd)))
		return CALL_PASS;
	if (fs_was_read_only(fs_hint(fd), work->check))
		work->mount.flags |= FS_READ_ONLY;
	call->ret = tell_guest(fd, &work->root, &work->mount, call->arg[1]);
	return CALL_DONE;
}
