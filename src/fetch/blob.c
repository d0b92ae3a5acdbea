// SPDX-License-Identifier: Apache-2.0
/* One blob: from the first byte, or from where an earlier run was interrupted, to its place. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fetch/fetch_layout.h"

#define COPY_BYTES 262144u

static bool digest_is(const crypto_hash_sha256_state *state, const char *digest)
{
	crypto_hash_sha256_state copy = *state;
	u8 hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(hash) + 1];
	crypto_hash_sha256_final(&copy, hash);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	return strcmp(hex, digest + 7) == 0;
}

/* Hashes a file from its start. Returns 0 or negative errno. */
static int hash_file(int fd, crypto_hash_sha256_state *state)
{
	static u8 buffer[COPY_BYTES];
	ssize_t n;
	crypto_hash_sha256_init(state);
	for (off_t at = 0; (n = pread(fd, buffer, sizeof(buffer), at)) > 0; at += n)
		crypto_hash_sha256_update(state, buffer, (u64)n);
	return n < 0 ? -errno : 0;
}

/* Is the file of this name in a directory of blobs whole and right? */
static bool is_good(int dir, const struct blob *blob)
{
	CLEANUP_FD int fd = openat(dir, blob->digest + 7, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	crypto_hash_sha256_state state;
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == blob->size && hash_file(fd, &state) == 0 &&
	       digest_is(&state, blob->digest);
}

static bool find_whole(const struct layout *layout, const struct blob *blob)
{
	const char *hex = blob->digest + 7;
	if (is_good(layout->blobs, blob))
		return true;
	return layout->reuse >= 0 && is_good(layout->reuse, blob) && (unlinkat(layout->blobs, hex, 0) == 0 || errno == ENOENT) &&
	       linkat(layout->reuse, hex, layout->blobs, hex, 0) == 0;
}

int blob_look(const struct layout *layout, struct blob *blob, struct fetch_error *ret_error)
{
	struct stat st;
	if (find_whole(layout, blob)) {
		blob->complete = true;
		blob->have = blob->size;
		return 0;
	}
	blob->fd = openat(layout->partial, blob->digest + 7, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (blob->fd < 0 || fstat(blob->fd, &st))
		return fetch_fail_file(ret_error, -errno, "cannot write blob %s", blob->digest);
	if (st.st_size > blob->size)
		return blob_restart(blob, ret_error);
	int error = hash_file(blob->fd, &blob->state);
	if (error)
		return fetch_fail_file(ret_error, error, "cannot read the part of blob %s", blob->digest);
	blob->have = st.st_size;
	blob->resumed = st.st_size > 0;
	return 0;
}

int blob_restart(struct blob *blob, struct fetch_error *ret_error)
{
	crypto_hash_sha256_init(&blob->state);
	blob->have = 0;
	blob->resumed = false;
	return ftruncate(blob->fd, 0) ? fetch_fail_file(ret_error, -errno, "cannot write blob %s", blob->digest) : 0;
}

int blob_write(struct blob *blob, const void *data, size_t size, struct fetch_error *ret_error)
{
	const u8 *at = data;
	if ((u64)size > (u64)(blob->size - blob->have))
		return fetch_fail(ret_error, LICHEN_FETCH_MISMATCH, "blob %s is longer than the %lld bytes that the manifest says",
				  blob->digest, (long long)blob->size);
	while (size) {
		ssize_t n = pwrite(blob->fd, at, size, blob->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fetch_fail_file(ret_error, -errno, "cannot write blob %s", blob->digest);
		crypto_hash_sha256_update(&blob->state, at, (u64)n);
		blob->have += n;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

enum blob_verdict blob_settle(const struct layout *layout, struct blob *blob, struct fetch_error *ret_error)
{
	const char *hex = blob->digest + 7;
	if (blob->have < blob->size)
		return BLOB_SHORT;
	if (!digest_is(&blob->state, blob->digest)) {
		if (blob_restart(blob, ret_error))
			return BLOB_IO;
		fetch_fail(ret_error, LICHEN_FETCH_MISMATCH,
			   "blob %s has another digest: its bytes were changed on the way or in the registry", blob->digest);
		return BLOB_WRONG;
	}
	if (fsync(blob->fd) || renameat(layout->partial, hex, layout->blobs, hex)) {
		fetch_fail_file(ret_error, -errno, "cannot keep blob %s", blob->digest);
		return BLOB_IO;
	}
	blob->complete = true;
	blob_done(blob);
	return BLOB_WHOLE;
}

void blob_done(struct blob *blob)
{
	int fd = take_fd(&blob->fd);
	close_fd(&fd);
}
