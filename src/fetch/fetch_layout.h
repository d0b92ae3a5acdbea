/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory that is filled: an OCI image layout (image-spec, image-layout.md).
 *
 *     oci-layout, index.json    written last, by renaming: a directory with index.json is complete
 *     blobs/sha256/HEX          whole, checked, synced; made by renaming
 *     partial/HEX               the first bytes of a blob; hashed again when a download is resumed, so they need not be trusted
 *
 * The directory is locked by flock(2) while it is open: one lichen-fetch at a time. It may be killed at any moment.
 */
#ifndef LICHEN_FETCH_FETCH_LAYOUT_H
#define LICHEN_FETCH_FETCH_LAYOUT_H

#include <sodium/crypto_hash_sha256.h>

#include "fetch/fetch_error.h"
#include "fetch/remote_manifest.h"

struct layout {
	int dir, blobs, partial; /* descriptors of DIR, DIR/blobs/sha256, DIR/partial */
	int reuse;               /* of a directory of blobs by HEX that may be linked to; FD_NONE: none */
};

/* One blob on its way. */
struct blob {
	char digest[DIGEST_TEXT_LENGTH + 1];
	const char *kind; /* "config", "layer" */
	s64 size, have;   /* have == size: all bytes are there, maybe not yet checked */
	bool resumed;     /* its bytes are from several answers */
	bool complete;    /* in blobs/, checked */
	int fd;           /* of partial/HEX; FD_NONE until opened */
	crypto_hash_sha256_state state;
};

enum blob_verdict {
	BLOB_WHOLE, /* it is in its place */
	BLOB_SHORT, /* bytes are missing: ask for the rest */
	BLOB_WRONG, /* its digest is another: what came has been thrown away; error is filled */
	BLOB_IO,    /* the directory cannot be written; error is filled */
};

/* Opens DIR, made when missing, and locks it. `reuse`: such a directory of blobs, or NULL. Returns 0 or an exit status. */
int layout_open(struct layout *layout, const char *dir, const char *reuse, struct fetch_error *ret_error) MUST_CHECK;
void layout_close(struct layout *layout);

/*
 * Looks what is there of a blob: complete (checked again) or a part (hashed). Returns 0 or an exit status.
 */
int blob_look(const struct layout *layout, struct blob *blob, struct fetch_error *ret_error) MUST_CHECK;

/* Appends. Returns 0 or an exit status; more than the blob's size is a mismatch. */
int blob_write(struct blob *blob, const void *data, size_t size, struct fetch_error *ret_error) MUST_CHECK;

/* Forgets the bytes that are there. Returns 0 or an exit status. */
int blob_restart(struct blob *blob, struct fetch_error *ret_error) MUST_CHECK;

/* No more bytes came: checks and keeps the blob, if it is whole. */
enum blob_verdict blob_settle(const struct layout *layout, struct blob *blob, struct fetch_error *ret_error);

void blob_done(struct blob *blob);

/* Reads a whole blob of at most `max` bytes; the caller frees. Returns 0 or an exit status. */
int layout_read(const struct layout *layout, const char *digest, size_t max, char **ret_text, size_t *ret_size,
		struct fetch_error *ret_error) MUST_CHECK;

/* Writes bytes whose digest is known as a blob. Returns 0 or an exit status. */
int layout_put(const struct layout *layout, const char *digest, const void *data, size_t size,
	       struct fetch_error *ret_error) MUST_CHECK;

/* Writes oci-layout and index.json with this one manifest, named by the annotations that skopeo and containerd use; removes partial/. */
int layout_finish(struct layout *layout, const struct image_reference *reference, const struct descriptor *manifest,
		  struct fetch_error *ret_error) MUST_CHECK;

/* "sha256:" and the digits of these bytes' digest. Returns `text`. */
const char *digest_text_of(const void *data, size_t size, char text[DIGEST_TEXT_LENGTH + 1]);

#endif
