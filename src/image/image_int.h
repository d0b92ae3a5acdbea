/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that add images share. */
#ifndef LICHEN_IMAGE_IMAGE_INT_H
#define LICHEN_IMAGE_IMAGE_INT_H

#include "image/image.h"

/* Unpacks an image's layers into its root, and checks each against its diff id; nothing is done when the root is there. */
int image_unpack(const struct image_store *store, const struct image_manifest *manifest, const struct image_config *config,
		 struct image_add *add, struct image_error *ret_error) MUST_CHECK;

/* Describes a blob as layer, by its size and first bytes. Returns 0 or negative errno. */
int image_layer_of(const struct image_store *store, const struct digest *digest, struct image_layer *ret_layer) MUST_CHECK;

#endif
