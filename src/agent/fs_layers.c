/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which layer of an overlay has a path (fs_layers.h). A layer that lacks the path lets the next one be seen, unless a directory above the path
 * is opaque in it; a whiteout says that there is nothing, and what is no directory hides what lies below it.
 */
#include "agent/fs_layers.h"

const char *fs_attr_name(enum fs_overlay_attr attr)
{
	bool trusted = commons()->fs.features & FS_TRUSTED;

	if (attr == FS_ATTR_OPAQUE)
		return trusted ? "trusted.overlay.opaque" : "user.overlay.opaque";
	return trusted ? "trusted.overlay.whiteout" : "user.overlay.whiteout";
}

long fs_set_inner(struct fs_work *work)
{
	const struct fs_mount *m = fs_mount_of(work);
	const char *below = work->guest + m->target_length;

	work->inner = work->guest + m->target_length;
	if (!m->root_length)
		return 0;
	if (m->root_length + strlen(below) >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	work->inner = work->inner_text;
	memcpy(work->inner, work->root.table->text + m->root, m->root_length);
	memcpy(work->inner + m->root_length, below, strlen(below) + 1);
	return fs_is_current(&work->root) ? 0 : -ELOOP;
}

long fs_layer_host(struct fs_work *work, u32 layer)
{
	const struct fs_table *table = work->root.table;
	const struct fs_mount *m = fs_mount_of(work);
	const struct fs_layer *l = &table->layers[(m->layer + layer) % FS_LAYERS_MAX];
	u64 length = strlen(work->inner);

	if (l->source_length + length + 2 > FS_HOST_MAX)
		return -ENAMETOOLONG;
	memcpy(work->host, table->text + l->source, l->source_length);
	memcpy(work->host + l->source_length, work->inner, length + 1);
	work->host_length = (u32)(l->source_length + length);
	if (!work->host_length) {
		memcpy(work->host, "/", 2);
		work->host_length = 1;
	}
	work->layer = layer;
	return fs_is_current(&work->root) ? 0 : -ELOOP;
}

char *fs_cut(struct fs_work *work)
{
	char *at = work->inner + strlen(work->inner);

	while (*at != '/')
		at--;
	*at = 0;
	return at + 1;
}

void fs_uncut(char *name)
{
	name[-1] = '/';
}

/* Where the component that begins at guest[at] (a slash) ends. */
static u64 component_end(const char *guest, u64 at)
{
	do
		at++;
	while (guest[at] && guest[at] != '/');
	return at;
}

void fs_layers_note(const struct fs_work *work, enum fs_seen kind)
{
	struct fs_state *fs = &commons()->fs;

	if (work->mount.flags & FS_FILTERED)
		fs_seen_add(fs, fs_seen_hash(FS_SEEN_START, work->inner, strlen(work->inner)), kind);
}

/* Whether the upper layer may have something at a path of the overlay, whose hash it is. */
static bool may_have(const struct fs_work *work, u64 hash, enum fs_seen kind)
{
	return !(work->mount.flags & FS_FILTERED) || fs_seen_has(&commons()->fs, hash, kind);
}

/* The first layer to be asked. */
static u32 first_layer(const struct fs_work *work)
{
	const struct fs_mount *m = fs_mount_of(work);
	u64 from = 0, end, hash = FS_SEEN_START;

	for (; work->inner[from] && m->layer_count > 1; from = end) {
		end = component_end(work->inner, from);
		hash = fs_seen_hash(hash, work->inner + from, end - from);
		if (!may_have(work, hash, FS_SEEN_ENTRY))
			return 1;
		if (may_have(work, hash, FS_SEEN_OPAQUE) || may_have(work, hash, FS_SEEN_WHITEOUT))
			return 0;
		if (work->inner[end] && may_have(work, hash, FS_SEEN_FILE))
			return 0;
	}
	return 0;
}

bool fs_may_be_copy(const struct fs_work *work)
{
	u64 from = 0, end, hash = FS_SEEN_START;

	for (; work->inner[from]; from = end) {
		end = component_end(work->inner, from);
		hash = fs_seen_hash(hash, work->inner + from, end - from);
		if (may_have(work, hash, work->inner[end] ? FS_SEEN_OPAQUE : FS_SEEN_COPY))
			return true;
	}
	return false;
}

bool fs_upper_lacks(const struct fs_work *work)
{
	return (work->mount.flags & FS_FILTERED) && first_layer(work) == 1;
}

/* Whether the attribute of a host path says 'y'. */
static bool is_opaque_path(const char *host)
{
	char value[2];

	return sys4(__NR_lgetxattr, host, fs_attr_name(FS_ATTR_OPAQUE), value, sizeof(value)) == 1 && value[0] == 'y';
}

bool fs_is_opaque(s32 fd)
{
	char link[AGENT_FD_LINK_SIZE], value[2];

	agent_fd_link(link, (u32)fd);
	return sys4(__NR_getxattr, link, fs_attr_name(FS_ATTR_OPAQUE), value, sizeof(value)) == 1 && value[0] == 'y';
}

/* Whether a layer hides what lower ones have at the guest path, by an opaque directory; own: the path itself counts, too. */
static bool hides(struct fs_work *work, u32 layer, bool own)
{
	u64 from = 0, end, hash = FS_SEEN_START;
	bool written = false;

	for (; work->inner[from]; from = end) {
		u64 cut;
		char at;
		bool opaque;

		end = component_end(work->inner, from);
		if (!work->inner[end] && !own)
			return false;
		hash = fs_seen_hash(hash, work->inner + from, end - from);
		if (layer == 0 && !may_have(work, hash, FS_SEEN_OPAQUE))
			continue;
		if (!written && fs_layer_host(work, layer) < 0)
			return false;
		written = true;
		cut = work->host_length - (strlen(work->inner) - end);
		at = work->host[cut];
		work->host[cut] = 0;
		opaque = is_opaque_path(work->host);
		work->host[cut] = at;
		if (opaque)
			return true;
	}
	return false;
}

/* --- whiteouts -------------------------------------------------------------------------------------------------------------------------- */

static bool has_whiteout_attr(const char *path)
{
	char value[2];

	return sys4(__NR_lgetxattr, path, fs_attr_name(FS_ATTR_WHITEOUT), value, sizeof(value)) >= 0;
}

static bool may_be_whiteout(const struct kernel_stat *st)
{
	if ((st->mode & VFS_TYPE) == VFS_REGULAR)
		return !st->size && (commons()->fs.features & FS_WHITEOUT_XATTR);
	return false;
}

static bool is_device_whiteout(const struct kernel_stat *st)
{
	return (st->mode & VFS_TYPE) == 0020000 && st->rdev == 0;
}

bool fs_is_whiteout(s32 directory, const char *name, const struct kernel_stat *st)
{
	char path[AGENT_FD_NAME_SIZE];

	if (is_device_whiteout(st))
		return true;
	return may_be_whiteout(st) && agent_fd_name(path, directory, name) && has_whiteout_attr(path);
}

/* Whether a host path is a whiteout. st: of it. */
static bool is_whiteout(const char *host, const struct kernel_stat *st)
{
	return is_device_whiteout(st) || (may_be_whiteout(st) && has_whiteout_attr(host));
}

/* Whether what was opened is a whiteout, whatever its name is by now. */
static bool is_whiteout_fd(s32 fd)
{
	char link[AGENT_FD_LINK_SIZE], value[2];
	struct kernel_stat st;

	if (sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_) < 0)
		return false;
	if (is_device_whiteout(&st) || !may_be_whiteout(&st))
		return is_device_whiteout(&st);
	agent_fd_link(link, (u32)fd);
	return sys4(__NR_getxattr, link, fs_attr_name(FS_ATTR_WHITEOUT), value, sizeof(value)) >= 0;
}

/* Whether it has to be asked of an object that was found whether it is a whiteout. */
static bool whiteout_possible(const struct fs_work *work, u32 layer)
{
	if (layer)
		return fs_mount_of(work)->layer_count > 2;
	return may_have(work, fs_seen_hash(FS_SEEN_START, work->inner, strlen(work->inner)), FS_SEEN_WHITEOUT);
}

enum fs_near fs_layers_near(const struct fs_work *work)
{
	u32 near = work->near_layer;

	if (whiteout_possible(work, near) || (first_layer(work) == 0) != (near == 0))
		return FS_NEAR_NOT;
	return near + 1 == fs_mount_of(work)->layer_count ? FS_NEAR_ALL : FS_NEAR_SEEN;
}

/* A layer has something in the way, or at the path something that does not open: what that means. */
static long in_the_way(struct fs_work *work, u32 layer, long error)
{
	u64 from = 0, end;
	struct kernel_stat st;
	long r;

	if (error != -ENOTDIR && error != -ENXIO && error != -EACCES)
		return error;
	r = fs_layer_host(work, layer);
	if (r < 0)
		return r; /* somebody mounts: the error may be of another layer */
	for (; work->inner[from]; from = end) {
		u64 cut;
		char at;
		bool there, whiteout;

		end = component_end(work->inner, from);
		cut = work->host_length - (strlen(work->inner) - end);
		at = work->host[cut];
		work->host[cut] = 0;
		there = sys4(__NR_newfstatat, AT_FDCWD_, work->host, &st, AT_SYMLINK_NOFOLLOW_) == 0;
		whiteout = there && is_whiteout(work->host, &st);
		work->host[cut] = at;
		if (whiteout)
			return -ENOENT;
		if (there && (st.mode & VFS_TYPE) != VFS_DIRECTORY)
			return error;
	}
	return error;
}

bool fs_opened_whiteout(const struct fs_work *work, s32 fd)
{
	return whiteout_possible(work, 0) && is_whiteout_fd(fd);
}

/* --- lookups ---------------------------------------------------------------------------------------------------------------------------- */

long fs_layers_open_top(struct fs_work *work, u64 flags)
{
	u32 count = fs_mount_of(work)->layer_count;

	for (u32 k = first_layer(work); k < count; k++) {
		long fd = k && hides(work, k - 1, true) ? -ENOENT : fs_layer_host(work, k);

		if (fd < 0)
			return fd;
		fd = fs_host_open_text(work, flags, 0);
		if (fd >= 0) {
			if (!whiteout_possible(work, k) || !is_whiteout_fd((s32)fd))
				return fd;
			(void)sys1(__NR_close, fd);
			return -ENOENT;
		}
		if (fd != -ENOENT)
			return in_the_way(work, k, fd);
	}
	return -ENOENT;
}

long fs_layers_readlink(struct fs_work *work)
{
	u32 count = fs_mount_of(work)->layer_count;

	for (u32 k = first_layer(work); k < count; k++) {
		long n = k && hides(work, k - 1, true) ? -ENOENT : fs_layer_host(work, k);

		if (n < 0)
			return n;
		n = sys3(__NR_readlink, work->host, work->check, FS_HOST_MAX - 1);
		if (n != -ENOENT)
			return in_the_way(work, k, n);
	}
	return -ENOENT;
}

long fs_layers_stat(struct fs_work *work, struct kernel_stat *st)
{
	u32 count = fs_mount_of(work)->layer_count;

	for (u32 k = first_layer(work); k < count; k++) {
		long r = k && hides(work, k - 1, true) ? -ENOENT : fs_layer_host(work, k);

		if (r < 0)
			return r;
		r = sys4(__NR_newfstatat, AT_FDCWD_, work->host, st, AT_SYMLINK_NOFOLLOW_);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

long fs_layers_next(struct fs_work *work, u32 layer, const struct fs_opened *opened, s32 *ret_fd)
{
	u32 count = fs_mount_of(work)->layer_count;

	for (u32 k = !layer && fs_upper_lacks(work) ? 1 : layer; k < count; k++) {
		long fd = k && hides(work, k - 1, true) ? -ENOENT : fs_layer_host(work, k);

		if (fd < 0)
			return fd;
		if (opened && k == opened->layer)
			fd = sys4(__NR_openat, opened->fd, ".", O_DIRECTORY_ | O_CLOEXEC_, 0);
		else
			fd = fs_host_open_text(work, O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd == -ENOTDIR ? -ENOENT : fd;
		*ret_fd = (s32)fd;
		return k;
	}
	return -ENOENT;
}

bool fs_marks_whiteouts(s32 fd)
{
	char value[2];

	return sys4(__NR_fgetxattr, fd, fs_attr_name(FS_ATTR_OPAQUE), value, sizeof(value)) > 0;
}

bool fs_may_be_whiteout(const struct fs_work *work, u32 layer, const char *name)
{
	u64 hash = fs_seen_hash(FS_SEEN_START, work->inner, strlen(work->inner));

	return layer || may_have(work, fs_seen_hash(fs_seen_hash(hash, "/", 1), name, strlen(name)), FS_SEEN_WHITEOUT);
}

u32 fs_layers_below(struct fs_work *work)
{
	u32 count = fs_mount_of(work)->layer_count;

	for (u32 k = 1; k < count; k++) {
		struct kernel_stat st;
		long r;

		if (hides(work, k - 1, k > 1) || fs_layer_host(work, k) < 0)
			return 0;
		r = sys4(__NR_newfstatat, AT_FDCWD_, work->host, &st, AT_SYMLINK_NOFOLLOW_);
		if (r == 0)
			return is_whiteout(work->host, &st) ? 0 : st.mode & VFS_TYPE;
		if (r == -ENOTDIR) /* something above is no directory, which hides the rest */
			return 0;
	}
	return 0;
}
