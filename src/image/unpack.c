// SPDX-License-Identifier: Apache-2.0
/* Layers become a root file system: one entry after the other. unpack.h has the theory of operation. */
#include "image/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "host/tree.h"
#include "image/layer_stream.h"
#include "image/unpack_int.h"

#define SPACE_ASKED_FROM ((u64)16 * 1024 * 1024) /* smaller files find out by themselves that a disk is full */

/* Where one entry goes. */
struct place {
	int dir;
	const char *base, *path;
};

static int remember_dir(struct unpack *unpack, const char *path, const struct unpack_meta *meta)
{
	if (unpack->dir_count == unpack->dir_room) {
		size_t room = unpack->dir_room ? 2 * unpack->dir_room : 256;
		struct unpack_dir *dirs = reallocarray(unpack->dirs, room, sizeof(*dirs));
		if (!dirs)
			return unpack_refused(unpack, -ENOMEM, "remember", path);
		unpack->dirs = dirs;
		unpack->dir_room = room;
	}
	char *copy = strdup(path);
	if (!copy)
		return unpack_refused(unpack, -ENOMEM, "remember", path);
	unpack->dirs[unpack->dir_count++] = (struct unpack_dir){ copy, meta->mtime, meta->mode };
	return 0; // cppcheck-suppress memleak ; the row has it
}

/* Times of directories, last of all. One that was replaced since is let be. */
static void give_dir_times(struct unpack *unpack)
{
	for (size_t i = unpack->dir_count; i-- > 0;) {
		const struct timespec times[2] = { unpack->dirs[i].mtime, unpack->dirs[i].mtime };
		CLEANUP_FD int dir = tree_open_dir(unpack->root, unpack->dirs[i].path);
		if (dir >= 0 && unpack->flags & UNPACK_HOST)
			(void)fchmod(dir, unpack->dirs[i].mode & (unpack->flags & UNPACK_OURS
									  ? 01777
									  : 07777)); /* nothing has to be made in it any more */
		if (dir >= 0)
			(void)futimens(dir, times);
	}
}

/* Takes away what is in an entry's place; only what is of its kind, where that is asked for. Returns 0 or negative errno. */
static int make_room(const struct unpack *unpack, const struct place *at, const char *name, bool for_directory)
{
	struct stat st;
	if (!(unpack->flags & UNPACK_PLAIN))
		return tree_remove(at->dir, name);
	if (for_directory)
		return -ENOTDIR;
	bool is_dir = fstatat(at->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
	return is_dir ? -EISDIR : tree_remove(at->dir, name);
}

static int unpack_directory(struct unpack *unpack, const struct place *at, struct archive_entry *entry,
			    const struct unpack_meta *meta)
{
	const char *name = *at->base ? at->base : ".";
	CLEANUP_FD int dir = tree_enter(at->dir, name);
	if (!*at->base && unpack->flags & UNPACK_PLAIN)
		return 0;
	if (dir < 0) {
		int error = dir == -ENOENT ? 0 : make_room(unpack, at, name, true);
		if (error)
			return unpack_refused(unpack, error, "replace", at->path);
		dir = mkdirat(at->dir, name, 0700) ? -errno : tree_enter(at->dir, name);
	}
	if (dir < 0)
		return unpack_refused(unpack, dir, "make the directory", at->path);
	int error = unpack_meta_give(unpack, dir, entry, meta, true, NULL);
	return error ? error : remember_dir(unpack, at->path, meta);
}

/* Refuses a file that cannot fit before half of it fills the disk. */
static int check_size(struct unpack *unpack, const struct place *at, s64 size)
{
	struct statvfs fs;
	if (size < 0 || (u64)size > UNPACK_FILE_MAX)
		return image_fail(unpack->error, -EBADMSG, "the file '%s' claims a size of %lld bytes", at->path, (long long)size);
	if ((u64)size < SPACE_ASKED_FROM || fstatvfs(at->dir, &fs))
		return 0;
	if ((u64)size / fs.f_frsize >= fs.f_bavail)
		return unpack_refused(unpack, -ENOSPC, "write", at->path);
	return 0;
}

static int write_data(struct unpack *unpack, struct layer_stream *stream, int file, const struct place *at, s64 size)
{
	const void *data;
	size_t n;
	la_int64_t offset, end = 0;
	int result;
	while ((result = archive_read_data_block(stream->tar, &data, &n, &offset)) == ARCHIVE_OK) {
		if (offset < end || n > (u64)size || offset > size - (s64)n)
			return image_fail(unpack->error, -EBADMSG, "the file '%s' has data outside its size", at->path);
		int error = write_bytes_at(file, data, n, offset);
		if (error)
			return unpack_refused(unpack, error, "write", at->path);
		end = offset + (s64)n;
		unpack->report->bytes += n;
	}
	if (result != ARCHIVE_EOF)
		return layer_stream_wrong(stream, unpack->error);
	if (end < size && ftruncate(file, size)) /* it ends with a hole */
		return unpack_refused(unpack, -errno, "write", at->path);
	return 0;
}

/* Opens a new regular file, in the place of whatever is there. */
static int new_file(struct unpack *unpack, const struct place *at)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int file = openat(at->dir, at->base, flags, 0600);
	if (file < 0 && errno == EEXIST) {
		int error = make_room(unpack, at, at->base, false);
		if (error)
			return unpack_refused(unpack, error, "replace", at->path);
		file = openat(at->dir, at->base, flags, 0600);
	}
	return file < 0 ? unpack_refused(unpack, -errno, "make the file", at->path) : file;
}

static int unpack_file(struct unpack *unpack, struct layer_stream *stream, const struct place *at, struct archive_entry *entry,
		       const struct unpack_meta *meta)
{
	s64 size = archive_entry_size(entry);
	int error = check_size(unpack, at, size);
	if (error)
		return error;
	CLEANUP_FD int file = new_file(unpack, at);
	if (file < 0)
		return file;
	error = write_data(unpack, stream, file, at, size);
	return error ? error : unpack_meta_give(unpack, file, entry, meta, false, NULL);
}

/* A device that the host lets us make, else a file that stands for it, else nothing. */
static int unpack_device(struct unpack *unpack, const struct place *at, struct archive_entry *entry, const struct unpack_meta *meta)
{
	bool is_block = archive_entry_filetype(entry) == AE_IFBLK;
	dev_t number = archive_entry_rdev(entry);
	if (unpack->flags & UNPACK_HOST) {
		unpack->report->lost_devices++;
		return 0;
	}
	if (mknodat(at->dir, at->base, (is_block ? S_IFBLK : S_IFCHR) | 0600, number) == 0)
		return unpack_meta_give_name(unpack, at->dir, at->base, entry, meta);
	CLEANUP_FD int file = new_file(unpack, at);
	if (file < 0)
		return file;
	const struct override_stat device = { .type = is_block ? 'b' : 'c', .major = major(number), .minor = minor(number) };
	int error = unpack_meta_give(unpack, file, entry, meta, false, &device);
	if (error != -ENODATA)
		return error;
	unpack->report->lost_devices++;
	error = tree_remove(at->dir, at->base);
	return error ? unpack_refused(unpack, error, "remove", at->path) : 0;
}

/* Symbolic links, FIFOs, devices: after what is there is gone. */
static int unpack_special(struct unpack *unpack, const struct place *at, struct archive_entry *entry,
			  const struct unpack_meta *meta)
{
	int error = make_room(unpack, at, at->base, false);
	if (error)
		return unpack_refused(unpack, error, "replace", at->path);
	if (archive_entry_filetype(entry) == AE_IFLNK) {
		const char *target = archive_entry_symlink(entry);
		if (!target || !*target || strlen(target) >= PATH_MAX)
			return image_fail(unpack->error, -EBADMSG, "the symbolic link '%s' has no sane target", at->path);
		if (symlinkat(target, at->dir, at->base))
			return unpack_refused(unpack, -errno, "make the symbolic link", at->path);
	} else if (archive_entry_filetype(entry) == AE_IFIFO) {
		if (mkfifoat(at->dir, at->base, 0600))
			return unpack_refused(unpack, -errno, "make the FIFO", at->path);
	} else {
		return unpack_device(unpack, at, entry, meta);
	}
	return unpack_meta_give_name(unpack, at->dir, at->base, entry, meta);
}

/* Whether a clean path is the name that was asked for, or lies below it. */
static bool is_wanted(const struct unpack *unpack, const char *clean)
{
	size_t length = unpack->only ? strlen(unpack->only) : 0;
	return !unpack->only || (strncmp(clean, unpack->only, length) == 0 && (clean[length] == '\0' || clean[length] == '/'));
}

static int unpack_hard_link(struct unpack *unpack, const struct place *at, const char *link)
{
	char target[PATH_MAX];
	struct stat st;
	int error = tree_clean_path(link, target);
	bool wanted = !error && is_wanted(unpack, target);
	char *slash = error ? NULL : strrchr(target, '/');
	if (slash)
		*slash = '\0';
	if (error || !*target)
		return image_fail(unpack->error, -EBADMSG, "the hard link '%s' leads out of the root", at->path);
	if (!wanted)
		return image_fail(unpack->error, -EBADMSG, "the hard link '%s' leads to what was not asked for", at->path);
	CLEANUP_FD int dir = tree_open_dir(unpack->root, slash ? target : "");
	const char *base = slash ? slash + 1 : target;
	if (dir < 0 || fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) || S_ISDIR(st.st_mode))
		return image_fail(unpack->error, -EBADMSG, "the hard link '%s' leads to no file", at->path);
	struct stat is;
	if (fstatat(at->dir, at->base, &is, AT_SYMLINK_NOFOLLOW) == 0 && is.st_dev == st.st_dev && is.st_ino == st.st_ino)
		return 0; /* to itself, or there already */
	error = make_room(unpack, at, at->base, false);
	if (error)
		return unpack_refused(unpack, error, "replace", at->path);
	if (linkat(dir, base, at->dir, at->base, 0))
		return unpack_refused(unpack, -errno, "make the hard link", at->path);
	return 0;
}

static int unpack_kind(struct unpack *unpack, struct layer_stream *stream, const struct place *at, struct archive_entry *entry)
{
	struct unpack_meta meta;
	const char *link = archive_entry_hardlink(entry);
	if (link)
		return unpack_hard_link(unpack, at, link);
	if (unpack_meta_read(entry, &meta))
		return image_fail(unpack->error, -EBADMSG, "the owner of '%s' is out of range", at->path);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return unpack_file(unpack, stream, at, entry, &meta);
	case AE_IFDIR:
		return unpack_directory(unpack, at, entry, &meta);
	case AE_IFLNK:
	case AE_IFIFO:
	case AE_IFCHR:
	case AE_IFBLK:
		return unpack_special(unpack, at, entry, &meta);
	default: /* sockets are made by who listens */
		return 0;
	}
}

static int unpack_entry(struct unpack *unpack, struct layer_stream *stream, struct archive_entry *entry)
{
	char clean[PATH_MAX];
	const char *path = archive_entry_pathname(entry);
	if (!path)
		return image_fail(unpack->error, -EBADMSG, "the layer has an entry without a readable name");
	int error = tree_clean_path(path, clean);
	if (error == -EXDEV)
		return image_fail(unpack->error, -EBADMSG, "the entry '%.300s' leads out of the root", path);
	if (error)
		return image_fail(unpack->error, -EBADMSG, "the name '%.80s…' is too long or too deep", path);
	if (!*clean && (archive_entry_filetype(entry) != AE_IFDIR || archive_entry_hardlink(entry)))
		return image_fail(unpack->error, -EBADMSG, "the layer's root is no directory");
	if (!is_wanted(unpack, clean))
		return image_fail(unpack->error, -EBADMSG, "the archive brings '%s', which was not asked for", clean);
	bool is_whiteout = false;
	error = unpack->flags & UNPACK_PLAIN ? 0 : unpack_is_whiteout(unpack, clean, &is_whiteout);
	if (error || is_whiteout)
		return error ? (error < 0 ? error : 0) : unpack_whiteout(unpack, clean);
	struct place at = { .path = clean };
	at.dir = unpack_parent(unpack, clean, &at.base);
	if (at.dir < 0)
		return at.dir;
	error = path_set_add(&unpack->made, clean, strlen(clean));
	if (error < 0)
		return unpack_refused(unpack, error, "remember", clean);
	unpack->report->entries++;
	return unpack_kind(unpack, stream, &at, entry);
}

static int unpack_all(struct unpack *unpack, struct layer_stream *stream)
{
	struct archive_entry *entry;
	for (u64 count = 0;; count++) {
		int result = archive_read_next_header(stream->tar, &entry);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN) /* a warning: a name or owner that is no UTF-8 */
			return layer_stream_wrong(stream, unpack->error);
		if (count == UNPACK_ENTRIES_MAX)
			return image_fail(unpack->error, -EBADMSG, "the layer has more than %u entries", UNPACK_ENTRIES_MAX);
		int error = unpack_entry(unpack, stream, entry);
		if (error)
			return error;
	}
	give_dir_times(unpack);
	return 0;
}

/* Reads the archive and applies it; `unpack` has everything but its set of paths. */
static int run(struct unpack *unpack, int from, u64 size, const struct unpack_progress *progress, struct digest *ret_diff_id)
{
	struct layer_stream stream;
	int error = path_set_init(&unpack->made);
	if (error)
		(void)image_fail_errno(unpack->error, error, "cannot unpack");
	else
		error = layer_stream_open(&stream, from, size, progress, unpack->error);
	if (!error) {
		error = unpack_all(unpack, &stream);
		if (!error)
			error = layer_stream_finish(&stream, ret_diff_id, unpack->error);
		layer_stream_close(&stream);
	}
	unpack_forget_parent(unpack);
	for (size_t i = 0; i < unpack->dir_count; i++)
		free(unpack->dirs[i].path);
	free(unpack->dirs);
	path_set_done(&unpack->made);
	return error;
}

int unpack_layer(int blob, u64 size, int root, const struct unpack_progress *progress, struct unpack_report *report,
		 struct digest *ret_diff_id, struct image_error *ret_error)
{
	struct unpack unpack = { .root = root, .parent = FD_NONE, .report = report, .error = ret_error };
	return run(&unpack, blob, size, progress, ret_diff_id);
}

int unpack_archive(int from, int root, u32 flags, const char *only, struct unpack_report *report, struct image_error *ret_error)
{
	struct unpack unpack = {
		.root = root, .flags = flags, .only = only, .parent = FD_NONE, .report = report, .error = ret_error
	};
	struct digest unused;
	return run(&unpack, from, 0, NULL, &unused);
}
