/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes: OCI image-spec 1.1 (manifest.md, image-index.md) and Docker's image manifest version 2, schema 2, which differ in
 * media types only. Not trusted: sizes have limits, digests must be sha256, layers must be tar, plain or with gzip or zstd.
 */
#ifndef LICHEN_IMAGE_MANIFEST_H
#define LICHEN_IMAGE_MANIFEST_H

#include "image/digest.h"
#include "image/image_error.h"

#define MANIFEST_MAX (4u * 1024 * 1024) /* bytes of a manifest or index; registries take no larger ones (distribution-spec) */
#define MANIFEST_LAYERS_MAX 512u
#define MANIFEST_INDEX_MAX 4096u /* manifests in an index */
#define MANIFEST_TYPE_OCI "application/vnd.oci.image.manifest.v1+json"
#define MANIFEST_TYPE_DOCKER "application/vnd.docker.distribution.manifest.v2+json"
#define INDEX_TYPE_OCI "application/vnd.oci.image.index.v1+json"
#define INDEX_TYPE_DOCKER "application/vnd.docker.distribution.manifest.list.v2+json"
#define CONFIG_TYPE_OCI "application/vnd.oci.image.config.v1+json"

enum layer_format { /* by media type; what the bytes are is seen when they are read */
		    LAYER_TAR,
		    LAYER_GZIP,
		    LAYER_ZSTD,
};

struct image_layer {
	struct digest digest; /* of the blob as it is, compressed or not */
	u64 size;
	enum layer_format format;
};

struct image_manifest {
	struct digest config;
	u64 config_size;
	struct image_layer *layers; /* the lowest first */
	size_t layer_count;         /* at least 1 */
	bool is_docker;             /* by its media type */
};

/* Parses a manifest. Returns 0; -EBADMSG with ret_error when it is malformed or of another kind; -ENOMEM. */
int manifest_parse(const char *json, size_t size, struct image_manifest *ret_manifest, struct image_error *ret_error) MUST_CHECK;
void manifest_done(struct image_manifest *manifest);

/* Writes an OCI manifest. NULL when memory ran out; the caller's to free. */
char *manifest_write(const struct image_manifest *manifest);

/* One row of an index. */
struct image_index_row {
	struct digest digest;
	u64 size;
	bool is_index, is_manifest;                 /* by media type; neither: something else, which is skipped */
	char os[16], architecture[16], variant[16]; /* "" when not told */
	char name
		[512]; /* annotation org.opencontainers.image.ref.name, or io.containerd.image.name, which comes first; "" = none */
};

struct image_index {
	struct image_index_row *rows;
	size_t count;
};

/* Parses an index or manifest list. Returns 0, -EBADMSG with ret_error, or -ENOMEM. */
int index_parse(const char *json, size_t size, struct image_index *ret_index, struct image_error *ret_error) MUST_CHECK;
void index_done(struct image_index *index);

/* The row for this machine: linux/amd64, else one without a platform when it is the only row. NULL: none. */
const struct image_index_row *index_choose(const struct image_index *index);

#endif
