/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An overlay that a guest mounts, by lichen's own overlay (fs_layers.h). Its layers are directories of the host; a lower directory that itself lies in
 * an overlay becomes those layers of that one in which it is seen.
 *
 * Without an upper directory the first layer is an empty one, and the file system is read-only.
 */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"

#define FS_LOCK_SIZE 768u /* a frame has no room for more */

struct layers {
	const char **at;
	u32 count;
	u32 used; /* bytes of work->layer_text */
};

/* One more, the host path of a descriptor. */
static long add_layer(struct mnt_work *work, struct layers *layers, long fd)
{
	char link[AGENT_FD_LINK_SIZE], *to = work->layer_text + layers->used;
	u64 room = sizeof(work->layer_text) - layers->used;
	long n;

	agent_fd_link(link, (u32)fd);
	if (layers->count == FS_OVERLAY_MAX || room < 2)
		return -ENOSPC;
	n = sys3(__NR_readlink, link, to, room - 1);
	if (n < 0 || (u64)n == room - 1)
		return n < 0 ? n : -ENOSPC;
	if (n == 1) /* the host's root is the empty path */
		n = 0;
	to[n] = 0;
	layers->used += (u32)n + 1;
	layers->at[layers->count++] = to;
	return 0;
}

/* All layers in which work->other is seen. */
static long add_seen(struct mnt_work *work, struct layers *layers)
{
	long next = 0, r = 0;
	s32 fd;

	for (u32 layer = 0; r == 0; layer = (u32)next + 1) {
		next = fs_layers_next(&work->other, layer, NULL, &fd);
		if (next < 0)
			return next == -ENOENT ? 0 : next;
		r = add_layer(work, layers, fd);
		(void)sys1(__NR_close, fd);
	}
	return r;
}

/* A lower directory. */
static long add_lower(struct mnt_work *work, struct layers *layers, const char *name)
{
	struct mnt_where at;
	long fd = mnt_locate(&work->other, AT_FDCWD_, (u64)name, FS_FOLLOW, &at), r;

	if (fd < 0)
		return fd;
	if (!at.directory)
		r = -EINVAL;
	else
		r = fs_layered(&work->other) ? add_seen(work, layers) : add_layer(work, layers, fd);
	fs_object_done(fd, AT_FDCWD_);
	return r;
}

/* Those of "a:b:c"; written over. Their number or negative errno. */
static long add_lowers(struct mnt_work *work, struct layers *layers, char *names)
{
	long count = 0;

	for (const char *name; (name = mnt_lower_next(&names)); count++) {
		long r = *name ? add_lower(work, layers, name) : -EINVAL;

		if (r < 0)
			return r;
	}
	return count;
}

/* The directory that is written to, and the one that goes with it. */
static long add_upper(struct mnt_work *work, struct mnt_super *super, struct layers *layers, struct fs_new_mount *ret)
{
	struct mnt_where upper, at;
	long fd = mnt_locate(&work->other, AT_FDCWD_, (u64)super->upper, FS_FOLLOW, &upper), r;
	u32 first = layers->used;

	if (fd < 0)
		return fd;
	r = upper.directory && !fs_layered(&work->other) ? add_layer(work, layers, fd) : -EINVAL;
	fs_object_done(fd, AT_FDCWD_);
	if (r < 0)
		return r;
	ret->source = work->layer_text + first;
	fd = mnt_locate(&work->other, AT_FDCWD_, (u64)super->work, FS_FOLLOW, &at);
	if (fd < 0)
		return fd;
	ret->work = work->layer_text + layers->used;
	r = at.directory && at.id == upper.id ? add_layer(work, layers, fd) : -EINVAL;
	fs_object_done(fd, AT_FDCWD_);
	if (r < 0)
		return r;
	layers->count--; /* it is no layer */
	if (layers->used + 5 > sizeof(work->layer_text))
		return -ENOSPC;
	memcpy(work->layer_text + layers->used - 1, "/work", 6);
	layers->used += 5;
	return 0;
}

/* What the work directory has: the lock of who changes the upper one (fs_layers.h). */
static long make_work(const char *path)
{
	char name[FS_LOCK_SIZE];
	u64 length = strlen(path);
	long fd = sys2(__NR_mkdir, path, 0700);

	if ((fd < 0 && fd != -EEXIST) || length + 6 > sizeof(name))
		return fd < 0 ? fd : -ENAMETOOLONG;
	memcpy(name, path, length);
	memcpy(name + length, "/lock", 6);
	fd = sys3(__NR_open, name, O_CREAT_ | O_NOFOLLOW_ | O_CLOEXEC_, 0600);
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	return fd < 0 ? fd : 0;
}

/* Without an upper directory: an empty one. */
static long add_empty(struct mnt_work *work, struct mnt_super *super, struct layers *layers, struct fs_new_mount *ret)
{
	char *to = work->layer_text + layers->used;
	long r = mnt_scratch(super, ret->device, to, sizeof(work->layer_text));

	if (r < 0)
		return r;
	ret->source = to;
	layers->used += (u32)strlen(to) + 1;
	layers->at[layers->count++] = to;
	ret->work = to;
	ret->flags |= FS_READ_ONLY | FS_SUPER_READ_ONLY;
	return 0;
}

static void tell(char *to, const char *word, const char *value)
{
	u64 at = strlen(to);

	memcpy(to + at, word, strlen(word));
	memcpy(to + at + strlen(word), value, strlen(value) + 1);
}

long mnt_overlay_make(struct mnt_work *work, struct mnt_super *super, struct fs_new_mount *ret)
{
	struct layers layers = { .at = work->layers };
	long r, lowers;

	if (!super->lower[0] || (super->upper[0] && !super->work[0]))
		return -EINVAL;
	work->data[0] = 0;
	tell(work->data, "lowerdir=", super->lower);
	if (super->upper[0]) {
		tell(work->data, ",upperdir=", super->upper);
		tell(work->data, ",workdir=", super->work);
	}
	ret->options = work->data;
	r = super->upper[0] ? add_upper(work, super, &layers, ret) : add_empty(work, super, &layers, ret);
	if (r < 0)
		return r;
	lowers = add_lowers(work, &layers, super->lower);
	if (lowers < 0 || (lowers < 2 && !super->upper[0]))
		return lowers < 0 ? lowers : -EINVAL;
	r = super->upper[0] ? make_work(ret->work) : 0;
	if (r < 0)
		return r;
	ret->layers = layers.at;
	ret->layer_count = layers.count;
	ret->flags |= FS_BOUND; /* its layers may be seen by themselves, too */
	return 0;
}
