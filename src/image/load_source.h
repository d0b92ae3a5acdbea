/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an archive or directory that holds images. An archive is read once, from front to back: every file in it becomes a blob. */
#ifndef LICHEN_IMAGE_LOAD_SOURCE_H
#define LICHEN_IMAGE_LOAD_SOURCE_H

#include "image/image.h"

#define LOAD_FILES_MAX 65536u /* in an archive */
#define LOAD_LINKS_MAX 16u    /* from link to link */

struct load_file {
	char *name; /* clean path */
	char *link; /* clean path of another; NULL: a file */
	struct digest digest;
};

struct load_source {
	const struct image_store *store;
	int dir; /* FD_NONE: an archive */
	bool move;
	struct load_file *files;
	size_t count;
};

/* Opens what `file` is. Returns 0 or negative errno with ret_error. */
int load_source_open(const struct image_store *store, int file, const struct image_load *load, struct load_source *ret_source,
		     struct image_error *ret_error) MUST_CHECK;
void load_source_close(struct load_source *source);

/* Makes sure that a file is a blob of the store. Returns 0; -ENOENT without ret_error; or negative errno with it. */
int load_source_get(struct load_source *source, const char *name, struct digest *ret_digest,
		    struct image_error *ret_error) MUST_CHECK;

/* Reads a JSON file. Returns as load_source_get(), also -EBADMSG when it is larger than `max`. */
int load_source_read(struct load_source *source, const char *name, size_t max, char **ret_text, size_t *ret_size,
		     struct image_error *ret_error) MUST_CHECK;

#endif
