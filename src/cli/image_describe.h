/* SPDX-License-Identifier: Apache-2.0 */
/* One image as JSON, with the members that `docker image inspect` prints and that make sense here (docs/image-json.md). */
#ifndef LICHEN_CLI_IMAGE_DESCRIBE_H
#define LICHEN_CLI_IMAGE_DESCRIBE_H

#include <jansson.h>

#include "image/image.h"

/* Returns the object, the caller's; or NULL with *ret_status a negative errno (-ENOENT, -EINVAL: no such image or no name) and `why`. */
json_t *image_describe(const struct image_store *store, const char *text, int *ret_status, struct image_error *why);

#endif
