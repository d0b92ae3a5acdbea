// SPDX-License-Identifier: Apache-2.0
/* Manifests and indexes from JSON and to it. */
#include "image/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "image/image_json.h"

/* A descriptor's digest and size (descriptor.md). `what` is for the message. */
static int parse_descriptor(json_t *object, const char *what, struct digest *ret_digest, u64 *ret_size,
			    struct image_error *ret_error)
{
	const char *text = json_string_value(json_object_get(object, "digest"));
	json_t *size = json_object_get(object, "size");
	if (!text || digest_parse(text, ret_digest))
		return image_fail(ret_error, -EBADMSG, "the manifest's %s has no sha256 digest", what);
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return image_fail(ret_error, -EBADMSG, "the manifest's %s has no size", what);
	*ret_size = (u64)json_integer_value(size);
	return 0;
}

static int layer_format_of(const char *type, enum layer_format *ret_format)
{
	static const struct {
		const char *type;
		enum layer_format format;
	} known[] = {
		{ "application/vnd.oci.image.layer.v1.tar", LAYER_TAR },
		{ "application/vnd.oci.image.layer.v1.tar+gzip", LAYER_GZIP },
		{ "application/vnd.oci.image.layer.v1.tar+zstd", LAYER_ZSTD },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar", LAYER_TAR },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LAYER_GZIP },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LAYER_ZSTD },
		{ "application/vnd.docker.image.rootfs.diff.tar", LAYER_TAR },
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER_GZIP },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd", LAYER_ZSTD },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LAYER_GZIP },
	};
	for (size_t i = 0; type && i < ARRAY_SIZE(known); i++)
		if (strcmp(type, known[i].type) == 0) {
			*ret_format = known[i].format;
			return 0;
		}
	return -EBADMSG;
}

static int parse_layers(json_t *rows, struct image_manifest *manifest, struct image_error *ret_error)
{
	size_t count = json_array_size(rows);
	if (!json_is_array(rows) || count == 0)
		return image_fail(ret_error, -EBADMSG, "the manifest lists no layers");
	if (count > MANIFEST_LAYERS_MAX)
		return image_fail(ret_error, -EBADMSG, "the manifest lists %zu layers; the limit is %u", count,
				  MANIFEST_LAYERS_MAX);
	manifest->layers = calloc(count, sizeof(*manifest->layers));
	if (!manifest->layers)
		return -ENOMEM;
	manifest->layer_count = count;
	for (size_t i = 0; i < count; i++) {
		struct image_layer *layer = &manifest->layers[i];
		json_t *row = json_array_get(rows, i);
		const char *type = json_string_value(json_object_get(row, "mediaType"));
		int error = parse_descriptor(row, "layer", &layer->digest, &layer->size, ret_error);
		if (error)
			return error;
		if (layer_format_of(type, &layer->format))
			return image_fail(ret_error, -EBADMSG, "layer %zu is of the unknown media type '%.80s'", i + 1,
					  type ? type : "");
	}
	return 0;
}

int manifest_parse(const char *json, size_t size, struct image_manifest *ret_manifest, struct image_error *ret_error)
{
	struct image_manifest manifest = { 0 };
	json_t *root;
	int error = image_json_load(json, size, MANIFEST_MAX, "manifest", &root, ret_error);
	if (error)
		return error;
	json_t *version = json_object_get(root, "schemaVersion");
	const char *type = json_string_value(json_object_get(root, "mediaType"));
	if (json_integer_value(version) != 2)
		error = image_fail(ret_error, -EBADMSG, "the manifest's schemaVersion is not 2");
	else if (type && strcmp(type, MANIFEST_TYPE_OCI) != 0 && strcmp(type, MANIFEST_TYPE_DOCKER) != 0)
		error = image_fail(ret_error, -EBADMSG, "the manifest is of the unknown media type '%.80s'", type);
	else
		error = parse_descriptor(json_object_get(root, "config"), "config", &manifest.config, &manifest.config_size,
					 ret_error);
	if (!error)
		error = parse_layers(json_object_get(root, "layers"), &manifest, ret_error);
	manifest.is_docker = type && strcmp(type, MANIFEST_TYPE_DOCKER) == 0;
	json_decref(root);
	if (error)
		manifest_done(&manifest);
	else
		*ret_manifest = manifest;
	return error;
}

void manifest_done(struct image_manifest *manifest)
{
	free(manifest->layers);
	*manifest = (struct image_manifest){ 0 };
}

static json_t *write_descriptor(const char *type, const struct digest *digest, u64 size)
{
	char text[DIGEST_TEXT_SIZE];
	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest_text(digest, text), "size", (json_int_t)size);
}

char *manifest_write(const struct image_manifest *manifest)
{
	static const char *const types[] = {
		[LAYER_TAR] = "application/vnd.oci.image.layer.v1.tar",
		[LAYER_GZIP] = "application/vnd.oci.image.layer.v1.tar+gzip",
		[LAYER_ZSTD] = "application/vnd.oci.image.layer.v1.tar+zstd",
	};
	json_t *layers = json_array();
	for (size_t i = 0; i < manifest->layer_count; i++) {
		const struct image_layer *layer = &manifest->layers[i];
		(void)json_array_append_new(layers, write_descriptor(types[layer->format], &layer->digest, layer->size));
	}
	bool whole = json_array_size(layers) == manifest->layer_count;
	json_t *root = json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", MANIFEST_TYPE_OCI, "config",
				 write_descriptor(CONFIG_TYPE_OCI, &manifest->config, manifest->config_size), "layers", layers);
	char *text = root && whole ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	return text;
}

static void copy_text(char *to, size_t size, json_t *value)
{
	const char *text = json_string_value(value);
	if (text && strlen(text) < size)
		memcpy(to, text, strlen(text) + 1);
}

static int parse_row(json_t *row, struct image_index_row *to, struct image_error *ret_error)
{
	int error = parse_descriptor(row, "list of manifests", &to->digest, &to->size, ret_error);
	const char *type = json_string_value(json_object_get(row, "mediaType"));
	json_t *platform = json_object_get(row, "platform"), *notes = json_object_get(row, "annotations");
	if (error)
		return error;
	to->is_index = type && (strcmp(type, INDEX_TYPE_OCI) == 0 || strcmp(type, INDEX_TYPE_DOCKER) == 0);
	to->is_manifest = type && (strcmp(type, MANIFEST_TYPE_OCI) == 0 || strcmp(type, MANIFEST_TYPE_DOCKER) == 0);
	copy_text(to->os, sizeof(to->os), json_object_get(platform, "os"));
	copy_text(to->architecture, sizeof(to->architecture), json_object_get(platform, "architecture"));
	copy_text(to->variant, sizeof(to->variant), json_object_get(platform, "variant"));
	copy_text(to->name, sizeof(to->name), json_object_get(notes, "org.opencontainers.image.ref.name"));
	copy_text(to->name, sizeof(to->name), json_object_get(notes, "io.containerd.image.name"));
	return 0;
}

int index_parse(const char *json, size_t size, struct image_index *ret_index, struct image_error *ret_error)
{
	struct image_index index = { 0 };
	json_t *root;
	int error = image_json_load(json, size, MANIFEST_MAX, "index", &root, ret_error);
	if (error)
		return error;
	json_t *rows = json_object_get(root, "manifests");
	size_t count = json_array_size(rows);
	if (json_integer_value(json_object_get(root, "schemaVersion")) != 2 || !json_is_array(rows))
		error = image_fail(ret_error, -EBADMSG, "the index is none of schemaVersion 2");
	else if (count > MANIFEST_INDEX_MAX)
		error = image_fail(ret_error, -EBADMSG, "the index lists %zu manifests; the limit is %u", count,
				   MANIFEST_INDEX_MAX);
	else if (!(index.rows = calloc(count + 1, sizeof(*index.rows))))
		error = -ENOMEM;
	for (size_t i = 0; i < count && !error && index.rows; i++)
		error = parse_row(json_array_get(rows, i), &index.rows[i], ret_error);
	json_decref(root);
	index.count = count;
	if (error)
		index_done(&index);
	else
		*ret_index = index;
	return error;
}

void index_done(struct image_index *index)
{
	free(index->rows);
	*index = (struct image_index){ 0 };
}

const struct image_index_row *index_choose(const struct image_index *index)
{
	for (size_t i = 0; i < index->count; i++) {
		const struct image_index_row *row = &index->rows[i];
		if ((row->is_manifest || row->is_index) && strcmp(row->os, "linux") == 0 && strcmp(row->architecture, "amd64") == 0)
			return row;
	}
	if (index->count == 1 && !index->rows[0].os[0] && (index->rows[0].is_manifest || index->rows[0].is_index))
		return &index->rows[0];
	return NULL;
}
