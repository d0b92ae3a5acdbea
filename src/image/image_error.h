/* SPDX-License-Identifier: Apache-2.0 */
/* Why something about images failed, in words: functions of src/image that can fail for a user's reason fill one of these. */
#ifndef LICHEN_IMAGE_IMAGE_ERROR_H
#define LICHEN_IMAGE_IMAGE_ERROR_H

#include "base/types.h"

/*
 * One sentence without a full stop. The negative errno that the function returned says of what kind it is:
 *
 *     -EINVAL    the caller's words are wrong: no reference, no name
 *     -ENOENT    there is no such image or file
 *     -EBADMSG   an image, manifest, layer or archive is malformed, or its digest is wrong
 *     -EBUSY     somebody is using it
 *     other      the machine said no: a file could not be read or written
 */
struct image_error {
	char text[512];
};

/* Writes the text; bytes that are no printable ASCII become '?', since names come from archives. Returns `error`, a negative errno. */
int image_fail(struct image_error *ret_error, int error, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same for a failed system call: the text, a colon, and what strerror says. */
int image_fail_errno(struct image_error *ret_error, int error, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
