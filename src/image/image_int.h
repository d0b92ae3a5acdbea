/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that add images share. */
#ifndef LICHEN_IMAGE_IMAGE_INT_H
#define LICHEN_IMAGE_IMAGE_INT_H

#include "image/image.h"

/* Unpacks an image's layers into its root, and checks each against its diff id; nothing is done when the root is there. */
int image_unpack(const struct image_store *store, const struct image_manifest *manifest, const struct image_config *config,
		 struct image_add *add, struct image_error *ret_error) MUST_CHECK;

#endif
