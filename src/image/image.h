/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of the store: look up, open to run, add. An image is known by a manifest (what it is made of) and shown by its config's digest, as
 * docker shows it ("IMAGE ID"). Its layers are unpacked once, when it is added, into one root directory, which nobody ever writes to.
 */
#ifndef LICHEN_IMAGE_IMAGE_H
#define LICHEN_IMAGE_IMAGE_H

#include <limits.h>

#include "image/image_config.h"
#include "image/manifest.h"
#include "image/store.h"
#include "image/unpack.h"

#define IMAGE_NAME_MAX 512 /* bytes of a complete reference, NUL included */

/* An image in use. */
struct image {
	char name[IMAGE_NAME_MAX]; /* the complete reference; "" when it was found by its id */
	char root[PATH_MAX];       /* absolute path of the unpacked root directory: for reading only; no symbolic link in it */
	struct digest id, manifest, chain;
	struct image_config config;
	int lease; /* keeps the root from removal while this descriptor, or a copy of it in any process, is open; close-on-exec */
};

/*
 * Finds an image by reference ("debian:12", "NAME@sha256:…"), or by id: "sha256:HEX", or the first digits of HEX when only one image's id
 * begins so and no reference is spelled so. *ret_name (may be NULL) is the complete reference or "". Returns 0; -EINVAL for no
 * reference; -ENOENT; or negative errno, with ret_error.
 */
int image_find(const struct image_store *store, const char *text, struct digest *ret_manifest, char *ret_name,
	       struct image_error *ret_error) MUST_CHECK;

/*
 * Opens an image to run. A root that is not there (its unpacking was cut short) is unpacked again. Returns 0 or negative errno as
 * image_find(), -EBADMSG when the store is damaged. End it with image_close(). To keep the image for longer than a process lives, pin it.
 */
int image_open(const struct image_store *store, const char *text, struct image *ret_image,
	       struct image_error *ret_error) MUST_CHECK;
void image_close(struct image *image);

/* Keeps the image as long as something exists at `path`: a cell's directory. Nothing needs to be undone. */
int image_pin(const struct image_store *store, const struct image *image, const char *path,
	      struct image_error *ret_error) MUST_CHECK;

/* What the user wants to know while an image is added, and afterwards. */
struct image_add {
	struct unpack_progress progress;
	struct unpack_report report; /* out */
	struct digest id;            /* out */
};

/*
 * Adds an image whose config and layers are in the store as blobs: checks all digests and sizes, unpacks the layers unless that is done,
 * puts the manifest there, and makes the reference lead to it. `reference` is a complete one, or NULL. Returns 0 or negative errno
 * with ret_error; then references are as they were.
 */
int image_add(const struct image_store *store, const char *manifest, size_t size, const char *reference, struct image_add *add,
	      struct image_error *ret_error) MUST_CHECK;

/*
 * Makes an image of one layer, a blob of the store, and of `config`, whose diff ids, os, architecture and time are set here. With neither
 * entrypoint nor cmd, cmd becomes the shell that is found there.
 */
int image_add_layer(const struct image_store *store, const struct digest *blob, struct image_config *config, const char *reference,
		    struct image_add *add, struct image_error *ret_error) MUST_CHECK;

/* Reads an image's manifest, and its config when `ret_config` is not NULL. */
int image_load_manifest(const struct image_store *store, const struct digest *digest, struct image_manifest *ret_manifest,
			struct image_config *ret_config, struct image_error *ret_error) MUST_CHECK;

/* Makes a text a complete reference (IMAGE_NAME_MAX bytes). Returns 0 or -EINVAL with ret_error. */
int image_name(const char *text, char name[IMAGE_NAME_MAX], struct image_error *ret_error) MUST_CHECK;

/* How a complete reference is shown: repository without docker.io/ and library/, and tag ("<none>"). Returns `repository`. */
const char *image_name_short(const char *name, char repository[IMAGE_NAME_MAX], char tag[IMAGE_NAME_MAX]);

/* --- Where images come from and go to ---------------------------------------------------------------------------------------------- */

/*
 * Makes an image of a root file system: a directory (without what is mounted below it), a tar archive, plain, gzip or zstd, or "-" for one on
 * stdin. Files of a user who is not root, and that user imports, become root's.
 */
int image_import(const struct image_store *store, const char *from, const char *reference, struct image_add *add,
		 struct image_error *ret_error) MUST_CHECK;

/*
 * Makes an image of this machine's own programs with the libraries that they load, and of as much of /etc as programs look for. Without programs (`count` is 0):
 * a shell, coreutils and the like. Returns 0 or negative errno with ret_error; -ENOENT when there is no such program or a library is missing.
 */
int image_from_host(const struct image_store *store, char *const *programs, size_t count, const char *reference,
		    struct image_add *add, struct image_error *ret_error) MUST_CHECK;

/* What is told of each image that an archive brings. */
struct image_load {
	struct image_add add;
	/* `name`: the complete reference; "" when the archive names none, and the image is known by its id alone. */
	void (*loaded)(void *arg, const char *name, const struct digest *id);
	void *arg;
	const char *reference; /* instead of the names in the archive, which must then hold one image; NULL = those */
	bool move; /* a directory's blobs may be taken out of it: it lies on the store's file system and goes afterwards */
};

/*
 * Loads all images of an archive or directory: what `docker save` writes (docker-archive), an OCI image layout (image-spec
 * image-layout.md) as directory or tar archive, which may be compressed with gzip or zstd. `file` is open for reading. Of an index that
 * offers several platforms linux/amd64 is taken.
 */
int image_load(const struct image_store *store, int file, struct image_load *load, struct image_error *ret_error) MUST_CHECK;

/*
 * Writes images as a tar archive that is both an OCI image layout and a docker-archive: `docker load`, skopeo and podman take it. Layers are written
 * as the store has them.
 */
int image_save(const struct image_store *store, char *const *references, size_t count, int to,
	       struct image_error *ret_error) MUST_CHECK;

/* The reference under which an image without a name is kept: its id ("sha256:HEX"). */
bool image_name_is_id(const char *name);

#endif
