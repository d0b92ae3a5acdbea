// SPDX-License-Identifier: Apache-2.0
/* Blobs: written under a name in tmp, synced, renamed to their digest. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "image/store_int.h"

int blob_begin(const struct image_store *store, struct blob_writer *ret_writer)
{
	struct blob_writer writer = { .store = store, .fd = FD_NONE };
	char path[STORE_PATH];
	int error = store_temp_name(writer.name);
	if (error)
		return error;
	snprintf(path, sizeof(path), "tmp/%s", writer.name);
	writer.fd = openat(store->dir, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (writer.fd < 0)
		return -errno;
	digest_start(&writer.state);
	*ret_writer = writer;
	return 0;
}

int blob_add(struct blob_writer *writer, const void *data, size_t size)
{
	digest_add(&writer->state, data, size);
	writer->size += size;
	return write_bytes(writer->fd, data, size);
}

void blob_abort(struct blob_writer *writer)
{
	char path[STORE_PATH];
	if (writer->fd < 0)
		return;
	snprintf(path, sizeof(path), "tmp/%s", writer->name);
	(void)unlinkat(writer->store->dir, path, 0);
	close_fd(&writer->fd);
	writer->fd = FD_NONE;
}

/* Renames a synced file to the place of its digest. */
static int put_in_place(const struct image_store *store, int dir, const char *name, const struct digest *digest)
{
	char path[STORE_PATH];
	if (renameat(dir, name, store->dir, store_path_of("blobs/sha256", digest, path)))
		return -errno;
	return store_sync_dir(store, "blobs/sha256");
}

int blob_commit(struct blob_writer *writer, struct digest *ret_digest)
{
	char path[STORE_PATH];
	struct digest digest = digest_end(&writer->state);
	snprintf(path, sizeof(path), "tmp/%s", writer->name);
	int error = fsync(writer->fd) ? -errno : put_in_place(writer->store, writer->store->dir, path, &digest);
	if (!error) {
		close_fd(&writer->fd);
		writer->fd = FD_NONE;
		*ret_digest = digest;
	}
	blob_abort(writer);
	return error;
}

int blob_put(const struct image_store *store, const void *data, size_t size, struct digest *ret_digest)
{
	struct blob_writer writer;
	int error = blob_begin(store, &writer);
	if (error)
		return error;
	error = blob_add(&writer, data, size);
	if (!error)
		return blob_commit(&writer, ret_digest);
	blob_abort(&writer);
	return error;
}

int blob_adopt(const struct image_store *store, int dir, const char *name, const struct digest *digest)
{
	CLEANUP_FD int file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || fsync(file))
		return -errno;
	return put_in_place(store, dir, name, digest);
}

int blob_open(const struct image_store *store, const struct digest *digest, u64 *ret_size)
{
	char path[STORE_PATH];
	struct stat st;
	CLEANUP_FD int file = openat(store->dir, store_path_of("blobs/sha256", digest, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || fstat(file, &st))
		return -errno;
	if (ret_size)
		*ret_size = (u64)st.st_size;
	return take_fd(&file);
}

/* Reads exactly these bytes. */
static int read_all(int file, char *to, size_t size)
{
	while (size) {
		ssize_t n = read(file, to, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		to += n;
		size -= (size_t)n;
	}
	return 0;
}

int blob_read(const struct image_store *store, const struct digest *digest, size_t max, char **ret_text, size_t *ret_size)
{
	u64 size = 0;
	CLEANUP_FD int file = blob_open(store, digest, &size);
	if (file < 0)
		return file;
	if (size > max)
		return -EFBIG;
	char *text = malloc((size_t)size + 1);
	if (!text)
		return -ENOMEM;
	int error = read_all(file, text, (size_t)size);
	struct digest is = digest_of(text, error ? 0 : (size_t)size);
	if (!error && !digest_equal(&is, digest))
		error = -EBADMSG;
	if (error) {
		free(text);
		return error;
	}
	text[size] = '\0';
	*ret_text = text;
	*ret_size = (size_t)size;
	return 0;
}
