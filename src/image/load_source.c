// SPDX-License-Identifier: Apache-2.0
/* The files of an archive or directory that holds images. */
#include "image/load_source.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/layer_stream.h"

#define COPY_BYTES (64 * 1024)

static int cannot_write(const struct load_source *source, int error, struct image_error *ret_error)
{
	return image_fail_errno(ret_error, error, "cannot write to %s", source->store->path);
}

/* --- archives ----------------------------------------------------------------------------------------------------------------------- */

static int copy_entry(struct load_source *source, struct layer_stream *stream, struct digest *ret_digest,
		      struct image_error *ret_error)
{
	struct blob_writer blob;
	const void *data;
	size_t size;
	la_int64_t offset;
	int result, error = blob_begin(source->store, &blob);
	if (error)
		return cannot_write(source, error, ret_error);
	while (!error && (result = archive_read_data_block(stream->tar, &data, &size, &offset)) != ARCHIVE_EOF) {
		if (result != ARCHIVE_OK || (u64)offset != blob.size) {
			blob_abort(&blob);
			return layer_stream_wrong(stream, ret_error);
		}
		error = blob_add(&blob, data, size);
	}
	if (!error)
		return (error = blob_commit(&blob, ret_digest)) ? cannot_write(source, error, ret_error) : 0;
	blob_abort(&blob);
	return cannot_write(source, error, ret_error);
}

/* Where a link of an archive leads, as a clean path. A hard link is told from the archive's root. */
static int clean_link(const char *name, struct archive_entry *entry, char to[PATH_MAX])
{
	const char *target = archive_entry_hardlink(entry), *slash = strrchr(name, '/');
	if (target)
		return tree_clean_path(target, to);
	target = archive_entry_symlink(entry);
	if (!target || *target == '/')
		return -EXDEV;
	/* Old docker-archives: ID/layer.tar -> ../ID/layer.tar */
	bool up = strncmp(target, "../", 3) == 0;
	if (up && (!slash || memchr(name, '/', (size_t)(slash - name))))
		return -EXDEV;
	return tree_clean_path(up ? target + 3 : target, to);
}

static int take_entry(struct load_source *source, struct layer_stream *stream, struct archive_entry *entry,
		      struct image_error *ret_error)
{
	char name[PATH_MAX], to[PATH_MAX];
	const char *path = archive_entry_pathname(entry);
	bool is_link = archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK;
	if (!path || tree_clean_path(path, name))
		return image_fail(ret_error, -EBADMSG, "the archive has an entry with an impossible name");
	if (!is_link && archive_entry_filetype(entry) != AE_IFREG)
		return 0;
	if (is_link && clean_link(name, entry, to))
		return image_fail(ret_error, -EBADMSG, "the link '%s' leads out of the archive", name);
	if (source->count == LOAD_FILES_MAX)
		return image_fail(ret_error, -EBADMSG, "the archive has more than %u files", LOAD_FILES_MAX);
	struct load_file *files = reallocarray(source->files, source->count + 1, sizeof(*files));
	if (!files)
		return image_fail(ret_error, -ENOMEM, "out of memory");
	source->files = files;
	struct load_file *file = &files[source->count];
	*file = (struct load_file){ .name = strdup(name), .link = is_link ? strdup(to) : NULL };
	source->count++;
	if (!file->name || (is_link && !file->link))
		return image_fail(ret_error, -ENOMEM, "out of memory");
	return is_link ? 0 : copy_entry(source, stream, &file->digest, ret_error);
}

static int read_archive(struct load_source *source, int file, u64 size, const struct unpack_progress *progress,
			struct image_error *ret_error)
{
	struct layer_stream stream;
	struct archive_entry *entry;
	int result, error = layer_stream_open(&stream, file, size, progress, ret_error);
	if (error)
		return error;
	while (!error && (result = archive_read_next_header(stream.tar, &entry)) != ARCHIVE_EOF)
		error = result == ARCHIVE_OK || result == ARCHIVE_WARN ? take_entry(source, &stream, entry, ret_error)
								       : layer_stream_wrong(&stream, ret_error);
	layer_stream_close(&stream);
	return error;
}

/* The last file of that name counts, as when an archive is unpacked. */
static const struct load_file *find(const struct load_source *source, const char *name)
{
	for (unsigned links = 0; links < LOAD_LINKS_MAX; links++) {
		const struct load_file *found = NULL;
		for (size_t i = source->count; i-- > 0 && !found;)
			if (strcmp(source->files[i].name, name) == 0)
				found = &source->files[i];
		if (!found || !found->link)
			return found;
		name = found->link;
	}
	return NULL;
}

/* --- directories -------------------------------------------------------------------------------------------------------------------- */

static int copy_file(struct load_source *source, int file, struct digest *ret_digest)
{
	char data[COPY_BYTES];
	struct blob_writer blob;
	int error = blob_begin(source->store, &blob);
	if (error)
		return error;
	ssize_t n;
	while (!error && (n = read(file, data, sizeof(data))) != 0)
		if (n > 0)
			error = blob_add(&blob, data, (size_t)n);
		else if (errno != EINTR)
			error = -errno;
	if (!error)
		return blob_commit(&blob, ret_digest);
	blob_abort(&blob);
	return error;
}

static int digest_file(int file, struct digest *ret_digest)
{
	char data[COPY_BYTES];
	struct digest_state state;
	ssize_t n;
	digest_start(&state);
	while ((n = read(file, data, sizeof(data))) != 0)
		if (n > 0)
			digest_add(&state, data, (size_t)n);
		else if (errno != EINTR)
			return -errno;
	*ret_digest = digest_end(&state);
	return 0;
}

/* Moves a file of the directory into the store. */
static int move_file(struct load_source *source, const char *name, int file, struct digest *ret_digest)
{
	const char *slash = strrchr(name, '/');
	char parent[PATH_MAX] = "";
	if (slash) {
		memcpy(parent, name, (size_t)(slash - name));
		parent[slash - name] = '\0';
	}
	CLEANUP_FD int dir = tree_open_dir(source->dir, parent);
	int error = dir < 0 ? dir : digest_file(file, ret_digest);
	return error ? error : blob_adopt(source->store, dir, slash ? slash + 1 : name, ret_digest);
}

static int get_from_directory(struct load_source *source, const char *name, struct digest *ret_digest)
{
	const char *slash = strrchr(name, '/');
	char parent[PATH_MAX] = "";
	struct stat st;
	u64 size;
	if (slash) {
		memcpy(parent, name, (size_t)(slash - name));
		parent[slash - name] = '\0';
	}
	if (strncmp(name, "blobs/sha256/", 13) == 0 && digest_parse_hex(name + 13, ret_digest) == 0) {
		CLEANUP_FD int known = blob_open(source->store, ret_digest, &size);
		if (known >= 0)
			return 0;
	}
	CLEANUP_FD int dir = tree_open_dir(source->dir, parent);
	if (dir < 0)
		return dir;
	CLEANUP_FD int file = openat(dir, slash ? slash + 1 : name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 || fstat(file, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	return source->move && slash ? move_file(source, name, file, ret_digest) : copy_file(source, file, ret_digest);
}

/* --- both --------------------------------------------------------------------------------------------------------------------------- */

int load_source_open(const struct image_store *store, int file, const struct image_load *load, struct load_source *ret_source,
		     struct image_error *ret_error)
{
	struct load_source source = { .store = store, .dir = FD_NONE, .move = load->move };
	struct stat st;
	int error = fstat(file, &st) ? image_fail_errno(ret_error, -errno, "cannot read the archive") : 0;
	if (!error && S_ISDIR(st.st_mode)) {
		source.dir = fcntl(file, F_DUPFD_CLOEXEC, 3);
		if (source.dir < 0)
			error = image_fail_errno(ret_error, -errno, "cannot read the directory");
	} else if (!error) {
		error = read_archive(&source, file, (u64)st.st_size, &load->add.progress, ret_error);
	}
	if (error)
		load_source_close(&source);
	else
		*ret_source = source;
	return error;
}

void load_source_close(struct load_source *source)
{
	close_fd(&source->dir);
	source->dir = FD_NONE;
	for (size_t i = 0; i < source->count; i++) {
		free(source->files[i].name);
		free(source->files[i].link);
	}
	free(source->files);
	source->files = NULL;
	source->count = 0;
}

int load_source_get(struct load_source *source, const char *name, struct digest *ret_digest, struct image_error *ret_error)
{
	char clean[PATH_MAX];
	if (tree_clean_path(name, clean))
		return image_fail(ret_error, -EBADMSG, "'%.200s' leads out of the archive", name);
	if (source->dir >= 0) {
		int error = get_from_directory(source, clean, ret_digest);
		if (error && error != -ENOENT)
			return image_fail_errno(ret_error, error == -ELOOP ? -EBADMSG : error,
						"cannot take '%.200s' into the store", clean);
		return error;
	}
	const struct load_file *file = find(source, clean);
	if (!file)
		return -ENOENT;
	*ret_digest = file->digest;
	return 0;
}

int load_source_read(struct load_source *source, const char *name, size_t max, char **ret_text, size_t *ret_size,
		     struct image_error *ret_error)
{
	struct digest digest;
	int error = load_source_get(source, name, &digest, ret_error);
	if (error)
		return error;
	error = blob_read(source->store, &digest, max, ret_text, ret_size);
	if (error == -EFBIG)
		return image_fail(ret_error, -EBADMSG, "'%.200s' has more than %zu bytes", name, max);
	return error ? image_fail_errno(ret_error, error == -ENOENT ? -EIO : error, "cannot read '%.200s'", name) : 0;
}
