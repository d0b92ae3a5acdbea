/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an image is downloaded to before it is in the store: pull/HEX/layout below the state directory, HEX being the sha256 of the reference.
 * pull/HEX is locked by flock(2) by whoever downloads or adds that image. What an interrupted pull left is taken up by the next one of the
 * same reference; what nobody took up for a week is removed by any pull.
 */
#ifndef LICHEN_IMAGE_STAGING_H
#define LICHEN_IMAGE_STAGING_H

#include "base/cleanup.h"
#include "image/image.h"

struct staging {
	int pull; /* the directory pull */
	int dir;  /* pull/HEX, locked */
	char hex[DIGEST_HEX + 1];
	char layout[PATH_MAX]; /* absolute path of pull/HEX/layout */
	char blobs[PATH_MAX];  /* that of the store's blobs, which can be linked to */
};

#define STAGING_NONE ((struct staging){ .pull = FD_NONE, .dir = FD_NONE })

/*
 * Opens and locks the place for a complete reference. With `wait` it waits for another lichen that has it; without, that is -EBUSY.
 * Returns 0 or negative errno with ret_error.
 */
int staging_open(const char *reference, bool wait, struct staging *ret_staging, struct image_error *ret_error) MUST_CHECK;

/*
 * Adds the image that lies in the layout, whole and checked, to the store: its blobs are moved there, the reference leads to it. Returns 0 or
 * negative errno with ret_error, as image_add().
 */
int staging_add(const struct staging *staging, const struct image_store *store, const struct digest *manifest,
		const char *reference, struct image_add *add, struct image_error *ret_error) MUST_CHECK;

/* Removes the place. The lock goes with it. */
void staging_remove(struct staging *staging);

/* Leaves it for another time. */
void staging_close(struct staging *staging);

#endif
