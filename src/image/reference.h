/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image is called: [REGISTRY/]REPOSITORY[:TAG][@DIGEST], as Docker writes it (distribution/reference), made complete:
 *
 *     debian                     docker.io/library/debian:latest
 *     ghcr.io/owner/app:1        ghcr.io/owner/app:1
 *     localhost:5000/x@sha256:…  localhost:5000/x@sha256:…
 *
 * The first component is a registry when it has a dot, a colon or a capital letter, or is "localhost"; else the registry is docker.io, where
 * a repository of one component lies in library/. What has neither tag nor digest has the tag "latest".
 */
#ifndef LICHEN_IMAGE_REFERENCE_H
#define LICHEN_IMAGE_REFERENCE_H

#include "base/types.h"

#define REFERENCE_NAME_MAX 255 /* registry, a slash, repository */
#define REFERENCE_TAG_MAX 128
#define DIGEST_TEXT_LENGTH (7 + 64)                                                              /* sha256:HEX */
#define REFERENCE_TEXT_MAX (REFERENCE_NAME_MAX + 1 + REFERENCE_TAG_MAX + 1 + DIGEST_TEXT_LENGTH) /* without the NUL */

struct image_reference {
	char registry[REFERENCE_NAME_MAX + 1];   /* "docker.io", "localhost:5000", "[::1]:5000" */
	char repository[REFERENCE_NAME_MAX + 1]; /* "library/debian" */
	char tag[REFERENCE_TAG_MAX + 1];         /* "" only when there is a digest */
	char digest[DIGEST_TEXT_LENGTH + 1];     /* "sha256:…", or "" */
};

/*
 * Parses a reference. Returns 0, or -EINVAL with *ret_why pointing at the reason, a constant text that completes "not an image reference: …".
 * `ret_reference` is untouched on failure.
 */
int image_reference_parse(const char *text, struct image_reference *ret_reference, const char **ret_why) MUST_CHECK;

/* Writes the complete form. Returns `text`. */
const char *image_reference_text(const struct image_reference *reference, char text[REFERENCE_TEXT_MAX + 1]);

/* Is this "sha256:" and 64 digits of lowercase hexadecimal, and nothing else? The only kind of digest that lichen knows. */
bool digest_valid(const char *text);

#endif
