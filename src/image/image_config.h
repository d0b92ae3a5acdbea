/* SPDX-License-Identifier: Apache-2.0 */
/* An image's configuration (image-spec config.md; Docker's is the same): what to run, and the diff ids of its layers. Not trusted. */
#ifndef LICHEN_IMAGE_IMAGE_CONFIG_H
#define LICHEN_IMAGE_IMAGE_CONFIG_H

#include "image/digest.h"
#include "image/image_error.h"

#define IMAGE_CONFIG_MAX (8u * 1024 * 1024) /* bytes */
#define IMAGE_CONFIG_LIST_MAX 4096u         /* words of one list, labels */

struct image_label {
	char *name, *value;
};

struct image_config {
	char **env;                 /* "NAME=VALUE", NULL-terminated; never NULL, as the other lists */
	char **entrypoint;          /* words */
	char **cmd;                 /* words */
	char **volumes;             /* absolute paths */
	char *user;                 /* "", "USER", "UID", "USER:GROUP"… */
	char *working_dir;          /* "" = not told, else absolute */
	char *stop_signal;          /* "", "SIGTERM", "15" */
	struct image_label *labels; /* sorted by name */
	size_t label_count;
	char *os, *architecture; /* "linux", "amd64" */
	char *created;           /* RFC 3339, or "" */
	struct digest *diff_ids; /* of the layers unpacked, the lowest first */
	size_t layer_count;      /* at least 1 */
};

/* Parses a configuration. Returns 0; -EBADMSG with ret_error; -ENOMEM. */
int image_config_parse(const char *json, size_t size, struct image_config *ret_config, struct image_error *ret_error) MUST_CHECK;
void image_config_done(struct image_config *config);

/* Writes one; empty texts and lists are left out. NULL when memory ran out or a text is no UTF-8; the caller's to free. */
char *image_config_write(const struct image_config *config);

#endif
