/* SPDX-License-Identifier: Apache-2.0 */
/* One image from its registry into a directory. */
#ifndef LICHEN_FETCH_FETCH_IMAGE_H
#define LICHEN_FETCH_FETCH_IMAGE_H

#include <stdio.h>

#include "fetch/fetch_error.h"
#include "fetch/remote_manifest.h"

struct fetch_options {
	struct image_reference reference;
	struct platform platform;
	const char *dir;
	const char *ca, *reuse; /* NULL: none */
	bool plain_http;
	long stall; /* seconds */
	unsigned retries;
};

/* Fetches; events go to `to`. Returns 0 or an exit status with ret_error, which has been told as an event, too. */
int fetch_image(const struct fetch_options *options, FILE *to, struct fetch_error *ret_error) MUST_CHECK;

#endif
