/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes: application/vnd.oci.image.{manifest,index}.v1+json (image-spec) and Docker's older
 * application/vnd.docker.distribution.manifest{,.list}.v2+json, which have the same members.
 */
#ifndef LICHEN_FETCH_REMOTE_MANIFEST_H
#define LICHEN_FETCH_REMOTE_MANIFEST_H

#include <jansson.h>

#include "fetch/fetch_error.h"
#include "image/reference.h"

#define REMOTE_MANIFEST_BYTES_MAX (4u << 20) /* distribution-spec: what a registry should take at least */
#define REMOTE_MANIFEST_LAYERS_MAX 1024
#define REMOTE_MANIFEST_INDEX_MAX 4096
#define MEDIA_TYPE_MAX 255
#define BLOB_BYTES_MAX ((s64)1 << 42) /* 4 TiB */

/* What asks for all kinds, best first. */
#define REMOTE_MANIFEST_ACCEPT                                                                                 \
	"application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, " \
	"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"

struct platform {
	char os[64], architecture[64], variant[64]; /* variant: "" for none */
};

struct descriptor {
	char media_type[MEDIA_TYPE_MAX + 1];
	char digest[DIGEST_TEXT_LENGTH + 1];
	s64 size;
	struct platform platform; /* of an index's entries; empty texts where it is not said */
};

struct remote_manifest {
	bool is_index;
	char media_type[MEDIA_TYPE_MAX + 1];
	struct descriptor config; /* of an image */
	struct descriptor *list;  /* an image's layers, lowest first; an index's manifests */
	size_t count;
};

/*
 * Parses the bytes that a registry gave; `content_type` is its field of that name. Returns 0 or an exit status. remote_manifest_done() frees.
 * A document that is both an index and an image, or whose own media type is another than its content type, is refused (CVE-2021-41190).
 */
int remote_manifest_parse(const char *json, size_t size, const char *content_type, struct remote_manifest *ret,
			  struct fetch_error *ret_error) MUST_CHECK;

void remote_manifest_done(struct remote_manifest *manifest);

/*
 * The manifest for a platform: operating system and architecture equal; without a wanted variant one that has none comes before others, and of
 * those the first listed counts. NULL when there is none.
 */
const struct descriptor *remote_manifest_choose(const struct remote_manifest *index, const struct platform *wanted);

/* "linux/amd64" or "linux/arm/v7". Returns 0 or -EINVAL. */
int platform_parse(const char *text, struct platform *ret_platform) MUST_CHECK;

/* Checks an image's config: JSON for this platform. Returns 0 or an exit status. */
int remote_manifest_check_config(const char *json, size_t size, const struct platform *wanted,
				 struct fetch_error *ret_error) MUST_CHECK;

#endif
