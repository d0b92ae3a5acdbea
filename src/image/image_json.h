/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from outside: what manifests, configs and archives' tables share. */
#ifndef LICHEN_IMAGE_IMAGE_JSON_H
#define LICHEN_IMAGE_IMAGE_JSON_H

#include <jansson.h>

#include "image/image_error.h"

/*
 * Parses a JSON object or array of at most `max` bytes without duplicate members. `what` is for the message. Returns 0, or -EBADMSG with
 * ret_error. The caller drops the object.
 */
int image_json_load(const char *json, size_t size, size_t max, const char *what, json_t **ret_root,
		    struct image_error *ret_error) MUST_CHECK;

#endif
