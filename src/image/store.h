/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of images below the state directory. Theory of operation:
 *
 *     images/lock                    flock(2): shared while something is added or looked up, exclusive while garbage is found
 *     images/blobs/sha256/HEX        what images are made of, by digest: manifests, configs, layers as they came
 *     images/roots/HEX/              one root file system unpacked from all layers, by their chain id; never changed afterwards
 *     images/refs/HEX                JSON: one reference and the digest of its manifest; HEX = sha256 of the reference's text
 *     images/pins/HEX                JSON: a path and the manifest that is kept as long as something exists there
 *     images/tmp/                    what is being made, and garbage that is being removed
 *
 * Everything is made in tmp, synced, and renamed to its place, so that a name in blobs, roots or refs is complete, whatever was killed
 * when. Nothing is counted: an image lives while a reference or a pin leads to it (derived anew by each collection), a root also
 * while somebody holds a lock on it (image.h, the lease). A command adds blobs, then the root, then the reference, and holds the shared lock
 * until then; collection needs the exclusive lock, is skipped when it cannot have it at once, and so never sees a half-made image.
 * It moves garbage to tmp and lets go of the lock before it removes it. Whatever lies in tmp while the lock is held exclusively is garbage.
 */
#ifndef LICHEN_IMAGE_STORE_H
#define LICHEN_IMAGE_STORE_H

#include <limits.h>

#include "image/digest.h"
#include "image/image_error.h"

struct image_store {
	int dir;  /* images/ */
	int lock; /* images/lock, held shared */
	char path[PATH_MAX];
};

/* Opens the store, made when it is missing, and takes the shared lock. Returns 0 or negative errno with ret_error. */
int store_open(struct image_store *ret_store, struct image_error *ret_error) MUST_CHECK;

/* The same below a given state directory (which stays the caller's). */
int store_open_at(int state_dir, const char *path, struct image_store *ret_store, struct image_error *ret_error) MUST_CHECK;

void store_close(struct image_store *store);

/* --- Blobs ----------------------------------------------------------------------------------------------------------------------- */

/* A blob in the making. */
struct blob_writer {
	const struct image_store *store;
	int fd;        /* open for reading and writing; FD_NONE: none */
	char name[32]; /* in tmp/ */
	u64 size;
	struct digest_state state;
};

/* Begins a blob. Returns 0 or negative errno. End it with blob_commit() or blob_abort(). */
int blob_begin(const struct image_store *store, struct blob_writer *ret_writer) MUST_CHECK;
int blob_add(struct blob_writer *writer, const void *data, size_t size) MUST_CHECK;

/* Puts it into its place, synced; *ret_digest is its name. Returns 0 or negative errno; the writer is done with in any case. */
int blob_commit(struct blob_writer *writer, struct digest *ret_digest) MUST_CHECK;
void blob_abort(struct blob_writer *writer);

/* A whole blob at once. */
int blob_put(const struct image_store *store, const void *data, size_t size, struct digest *ret_digest) MUST_CHECK;

/*
 * Takes over a file of the same file system: `name` in `dir`, which the caller has checked to have this digest, is synced and renamed.
 * Returns 0 or negative errno (the file then stays).
 */
int blob_adopt(const struct image_store *store, int dir, const char *name, const struct digest *digest) MUST_CHECK;

/* Opens a blob for reading. Returns a descriptor, -ENOENT, or negative errno; ret_size may be NULL. */
int blob_open(const struct image_store *store, const struct digest *digest, u64 *ret_size) MUST_CHECK;

/*
 * Reads a blob of at most `max` bytes and checks its digest: for JSON. The text has a NUL behind it and is the caller's to free.
 * Returns 0, -ENOENT, -EFBIG, -EBADMSG when the store is damaged, or negative errno.
 */
int blob_read(const struct image_store *store, const struct digest *digest, size_t max, char **ret_text,
	      size_t *ret_size) MUST_CHECK;

/* --- References and pins ---------------------------------------------------------------------------------------------------------- */

/* Makes a complete reference (image_reference_text()) lead to a manifest. */
int store_ref_set(const struct image_store *store, const char *reference, const struct digest *manifest) MUST_CHECK;
/* Returns 0, -ENOENT, or negative errno. */
int store_ref_get(const struct image_store *store, const char *reference, struct digest *ret_manifest) MUST_CHECK;
int store_ref_remove(const struct image_store *store, const char *reference) MUST_CHECK;

/* Keeps an image while `path` (absolute, outside the store) exists: a cell's directory. */
int store_pin(const struct image_store *store, const char *path, const struct digest *manifest) MUST_CHECK;

struct store_ref {
	char *name; /* the reference, or the path of a pin */
	struct digest manifest;
	s64 set; /* when: seconds since 1970 */
};

struct store_refs {
	struct store_ref *rows; /* sorted by name */
	size_t count;
};

/* Lists references ("refs") or pins ("pins"). A file that is damaged is left out. */
int store_refs_list(const struct image_store *store, const char *kind, struct store_refs *ret_refs) MUST_CHECK;
void store_refs_done(struct store_refs *refs);

/* --- Roots and temporary directories ------------------------------------------------------------------------------------------------ */

/* Makes an empty directory in tmp and opens it. Returns its descriptor or negative errno; `name` is what it is called in tmp. */
int store_temp_dir(const struct image_store *store, char name[32]) MUST_CHECK;
/* Removes what lies under this name in tmp. */
void store_temp_remove(const struct image_store *store, const char *name);
/* Makes a directory of tmp the root of these layers, synced. Returns 0, also when somebody was faster; or negative errno. */
int store_root_commit(const struct image_store *store, const char *name, const struct digest *chain) MUST_CHECK;
/* Opens the root of these layers. Returns a descriptor, -ENOENT, or negative errno. */
int store_root_open(const struct image_store *store, const struct digest *chain) MUST_CHECK;

/* --- Garbage ------------------------------------------------------------------------------------------------------------------------ */

struct store_garbage {
	unsigned blobs, roots;
	bool skipped; /* somebody else is at work in the store: next time */
};

/*
 * Removes what no reference, pin or lease keeps. The store's own shared lock becomes exclusive for the time, and is shared again (or,
 * for a moment, nobody's) afterwards: call it last. Returns 0 or negative errno; nothing is removed when what is kept cannot be read.
 */
int store_collect(struct image_store *store, struct store_garbage *ret_garbage, struct image_error *ret_error) MUST_CHECK;

#endif
