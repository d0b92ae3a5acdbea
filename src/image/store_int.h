/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share. */
#ifndef LICHEN_IMAGE_STORE_INT_H
#define LICHEN_IMAGE_STORE_INT_H

#include "image/store.h"

#define STORE_PATH 128      /* "blobs/sha256/" and 64 digits fit */
#define STORE_TEMP_NAME 32  /* a name in tmp */
#define STORE_REF_MAX 16384 /* bytes of a reference's or pin's file */

/* flock(2) of the store's lock. Returns 0 or negative errno. */
int store_lock(const struct image_store *store, int operation) MUST_CHECK;

/* A name that nobody else uses. Returns 0 or negative errno. */
int store_temp_name(char name[STORE_TEMP_NAME]) MUST_CHECK;

/* "KIND/HEX". Returns `path`. */
const char *store_path_of(const char *kind, const struct digest *digest, char path[STORE_PATH]);

/* Makes the names in a directory of the store last. */
int store_sync_dir(const struct image_store *store, const char *name) MUST_CHECK;

#endif
