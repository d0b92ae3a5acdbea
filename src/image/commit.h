/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new image out of an image and what an overlay has changed in it: the upper directory becomes a further layer (image-spec layer.md: whiteouts are
 * .wh.NAME), the configuration is the old one with the new layer, its history and what the run says of command and environment.
 * The layer is a plain tar archive; owners, modes and devices are those that its guests see (override_stat.h).
 */
#ifndef LICHEN_IMAGE_COMMIT_H
#define LICHEN_IMAGE_COMMIT_H

#include <jansson.h>

#include "image/changes.h"
#include "image/image.h"

struct image_commit {
	struct digest manifest;          /* of the image that is below */
	struct changes changes;          /* all but `each` and `arg` */
	json_t *command, *env;           /* arrays of texts: what is run, with what; borrowed */
	const char *workdir;             /* NULL = the image's */
	json_t *labels;                  /* an object of texts, added; NULL = none */
	const char *author, *message;    /* NULL = none */
	const char *const *instructions; /* NULL-terminated (instruction.h); NULL = none */
};

/* As image_add(). `reference` NULL: the image is known by its id alone. -EXDEV: changes.h says of what. */
int image_commit(const struct image_store *store, const struct image_commit *commit, const char *reference, struct image_add *add,
		 struct image_error *ret_error) MUST_CHECK;

/* The new configuration's text (the caller's to free); `layer` is the digest of the new layer, `now` RFC 3339. Returns 0, -EBADMSG or -EINVAL with
 * ret_error, or -ENOMEM. */
int commit_config(const char *parent, size_t size, const struct image_commit *commit, const struct digest *layer, const char *now,
		  char **ret_text, struct image_error *ret_error) MUST_CHECK;

#endif
