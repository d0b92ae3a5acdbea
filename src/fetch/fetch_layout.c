// SPDX-License-Identifier: Apache-2.0
/* An OCI image layout being filled. */
#include "fetch/fetch_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"

static int open_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0755) && errno != EEXIST)
		return -errno;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at == AT_FDCWD ? 0 : O_NOFOLLOW));
	return fd < 0 ? -errno : fd;
}

int layout_open(struct layout *layout, const char *dir, const char *reuse, struct fetch_error *ret_error)
{
	*layout = (struct layout){ FD_NONE, FD_NONE, FD_NONE, FD_NONE };
	layout->dir = open_dir(AT_FDCWD, dir);
	if (layout->dir < 0)
		return fetch_fail_file(ret_error, layout->dir, "cannot make the directory %s", dir);
	if (flock(layout->dir, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? fetch_fail(ret_error, LICHEN_FETCH_BUSY, "another lichen-fetch is filling %s", dir)
					    : fetch_fail_file(ret_error, -errno, "cannot lock %s", dir);
	CLEANUP_FD int blobs = open_dir(layout->dir, "blobs");
	layout->blobs = blobs < 0 ? blobs : open_dir(blobs, "sha256");
	layout->partial = layout->blobs < 0 ? layout->blobs : open_dir(layout->dir, "partial");
	if (layout->partial < 0)
		return fetch_fail_file(ret_error, layout->partial, "cannot make directories in %s", dir);
	if (unlinkat(layout->dir, "index.json", 0) && errno != ENOENT)
		return fetch_fail_file(ret_error, -errno, "cannot change what is in %s", dir);
	if (reuse) {
		layout->reuse = open(reuse, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (layout->reuse < 0)
			return fetch_fail_file(ret_error, -errno, "cannot open %s", reuse);
	}
	return 0;
}

void layout_close(struct layout *layout)
{
	close_fd(&layout->dir);
	close_fd(&layout->blobs);
	close_fd(&layout->partial);
	close_fd(&layout->reuse);
}

const char *digest_text_of(const void *data, size_t size, char text[DIGEST_TEXT_LENGTH + 1])
{
	u8 hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(hash, data, size);
	memcpy(text, "sha256:", 7);
	sodium_bin2hex(text + 7, DIGEST_TEXT_LENGTH + 1 - 7, hash, sizeof(hash));
	return text;
}

int layout_read(const struct layout *layout, const char *digest, size_t max, char **ret_text, size_t *ret_size,
		struct fetch_error *ret_error)
{
	CLEANUP_FD int fd = openat(layout->blobs, digest + 7, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		return fetch_fail_file(ret_error, -errno, "cannot read blob %s", digest);
	if ((u64)st.st_size > max)
		return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "blob %s is longer than %zu bytes", digest, max);
	CLEANUP_FREE char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return fetch_fail_memory(ret_error);
	ssize_t n = 0;
	size_t size = 0;
	while (size < (size_t)st.st_size && (n = read(fd, text + size, (size_t)st.st_size - size)) > 0)
		size += (size_t)n;
	if (n < 0)
		return fetch_fail_file(ret_error, -errno, "cannot read blob %s", digest);
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	text = NULL;
	return 0;
}

/* Writes a whole file under another name, syncs it, and renames it to `name` in `to`. Returns 0 or negative errno. */
static int replace(const struct layout *layout, int to, const char *name, const char *data, size_t size)
{
	CLEANUP_FD int fd = openat(layout->partial, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	int error = write_bytes(fd, data, size);
	if (error)
		return error;
	return fsync(fd) || renameat(layout->partial, "file", to, name) ? -errno : 0;
}

int layout_put(const struct layout *layout, const char *digest, const void *data, size_t size, struct fetch_error *ret_error)
{
	int error = replace(layout, layout->blobs, digest + 7, data, size);
	return error ? fetch_fail_file(ret_error, error, "cannot write blob %s", digest) : 0;
}

/* index.json's text: one manifest under its names. */
static char *index_text(const struct image_reference *reference, const struct descriptor *manifest)
{
	char name[REFERENCE_TEXT_MAX + 1];
	json_t *names = json_pack("{ss}", "io.containerd.image.name", image_reference_text(reference, name));
	if (names && reference->tag[0])
		json_object_set_new(names, "org.opencontainers.image.ref.name", json_string(reference->tag));
	json_t *root = json_pack("{si ss s[{ss ss sI so*}]}", "schemaVersion", 2, "mediaType",
				 "application/vnd.oci.image.index.v1+json", "manifests", "mediaType", manifest->media_type,
				 "digest", manifest->digest, "size", (json_int_t)manifest->size, "annotations", names);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	return text;
}

int layout_finish(struct layout *layout, const struct image_reference *reference, const struct descriptor *manifest,
		  struct fetch_error *ret_error)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	CLEANUP_FREE char *index = index_text(reference, manifest);
	if (!index)
		return fetch_fail_memory(ret_error);
	int error = fsync(layout->blobs) ? -errno : 0;
	if (!error)
		error = replace(layout, layout->dir, "oci-layout", version, strlen(version));
	if (!error)
		error = replace(layout, layout->dir, "index.json", index, strlen(index));
	if (!error)
		error = fsync(layout->dir) ? -errno : 0;
	/* Parts of blobs of another image stay, and the directory with them. */
	(void)unlinkat(layout->dir, "partial", AT_REMOVEDIR);
	return error ? fetch_fail_file(ret_error, error, "cannot write index.json") : 0;
}
