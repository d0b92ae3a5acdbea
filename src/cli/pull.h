/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling an image into the store, for every verb that needs one which may not be there. */
#ifndef LICHEN_CLI_PULL_H
#define LICHEN_CLI_PULL_H

#include "cli/options.h"
#include "image/digest.h"

struct pull_options {
	bool quiet, plain_http;
	const char *ca; /* NULL: the system's certificates alone */
};

/*
 * Downloads an image by a complete reference (image_name()), adds it to the store, and collects garbage. Progress and errors go to stderr in the
 * name of `command`. Returns 0 with the image's id, or the exit status: one of LICHEN_FETCH_*, or as image_say().
 * The caller must not hold the store open.
 */
int pull_image(const struct command *command, const char *reference, const struct pull_options *options,
	       struct digest *ret_id) MUST_CHECK;

#endif
