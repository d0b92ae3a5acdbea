// SPDX-License-Identifier: Apache-2.0
/*
 * Loads images: docker-archive by its manifest.json (as `docker load` does when there are both), else an OCI layout by its index.json. What the
 * store got and no image needs in the end, index.json itself for one, is garbage.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/image_int.h"
#include "image/image_json.h"
#include "image/load_source.h"

#define INDEX_DEPTH_MAX 4
#define LOAD_IMAGES_MAX 1024u /* in one archive */

struct loading {
	const struct image_store *store;
	struct load_source source;
	struct image_load *load;
	struct image_error *error;
};

static int missing(struct loading *loading, const char *name)
{
	return image_fail(loading->error, -EBADMSG, "there is no '%.200s' in it", name);
}

/* Adds an image by its manifest under one name ("" = its id alone), and tells. */
static int add(struct loading *loading, const char *manifest, size_t size, const char *name)
{
	struct image_load *load = loading->load;
	char full[IMAGE_NAME_MAX];
	if (*name || load->reference) {
		int error = image_name(load->reference ? load->reference : name, full, loading->error);
		if (error)
			return load->reference ? error : -EBADMSG;
		error = image_add(loading->store, manifest, size, full, &load->add, loading->error);
		if (!error && load->loaded)
			load->loaded(load->arg, full, &load->add.id);
		return error;
	}
	int error = image_add(loading->store, manifest, size, NULL, &load->add, loading->error);
	if (error)
		return error;
	struct digest digest = digest_of(manifest, size);
	digest_text(&load->add.id, full);
	error = store_ref_set(loading->store, full, &digest);
	if (error)
		return image_fail_errno(loading->error, error, "cannot write to %s", loading->store->path);
	if (load->loaded)
		load->loaded(load->arg, "", &load->add.id);
	return 0;
}

/* --- docker-archive ----------------------------------------------------------------------------------------------------------------- */

/* One row of manifest.json: the files that an image consists of become an OCI manifest. *ret_text is the caller's to free. */
static int make_manifest(struct loading *loading, json_t *row, char **ret_text)
{
	const char *config = json_string_value(json_object_get(row, "Config"));
	json_t *layers = json_object_get(row, "Layers");
	size_t count = json_array_size(layers);
	struct image_manifest manifest = { .layer_count = count };
	if (!config || count == 0 || count > MANIFEST_LAYERS_MAX)
		return image_fail(loading->error, -EBADMSG, "manifest.json names no config, no layers, or too many");
	manifest.layers = calloc(count, sizeof(*manifest.layers));
	int error = manifest.layers ? load_source_get(&loading->source, config, &manifest.config, loading->error) : -ENOMEM;
	if (error == -ENOENT)
		error = missing(loading, config);
	if (!error) {
		CLEANUP_FD int blob = blob_open(loading->store, &manifest.config, &manifest.config_size);
		error = blob < 0 ? image_fail_errno(loading->error, blob, "cannot read the configuration") : 0;
	}
	for (size_t i = 0; i < count && !error; i++) {
		const char *name = json_string_value(json_array_get(layers, i));
		struct digest digest;
		error = name ? load_source_get(&loading->source, name, &digest, loading->error) : -ENOENT;
		if (error == -ENOENT)
			error = missing(loading, name ? name : "");
		else if (!error && (error = image_layer_of(loading->store, &digest, &manifest.layers[i])))
			(void)image_fail_errno(loading->error, error, "cannot read layer %zu", i + 1);
	}
	char *text = error ? NULL : manifest_write(&manifest);
	manifest_done(&manifest);
	if (!error && !text)
		error = image_fail(loading->error, -ENOMEM, "out of memory");
	*ret_text = text;
	return error;
}

static int load_docker_row(struct loading *loading, json_t *row)
{
	CLEANUP_FREE char *manifest = NULL;
	json_t *tags = json_object_get(row, "RepoTags");
	int error = make_manifest(loading, row, &manifest);
	if (error || !manifest)
		return error;
	if (json_array_size(tags) == 0 || loading->load->reference)
		return add(loading, manifest, strlen(manifest), "");
	for (size_t i = 0; i < json_array_size(tags) && !error; i++) {
		const char *tag = json_string_value(json_array_get(tags, i));
		error = tag && *tag ? add(loading, manifest, strlen(manifest), tag)
				    : image_fail(loading->error, -EBADMSG, "manifest.json has a tag that is no text");
	}
	return error;
}

static int load_docker(struct loading *loading, const char *text, size_t size)
{
	json_t *rows;
	int error = image_json_load(text, size, MANIFEST_MAX, "manifest.json", &rows, loading->error);
	if (error)
		return error;
	size_t count = json_array_size(rows);
	if (count == 0 || count > LOAD_IMAGES_MAX || (count > 1 && loading->load->reference))
		error = image_fail(loading->error, -EBADMSG, "manifest.json lists %zu images", count);
	for (size_t i = 0; i < count && !error; i++)
		error = load_docker_row(loading, json_array_get(rows, i));
	json_decref(rows);
	return error;
}

/* --- OCI layout --------------------------------------------------------------------------------------------------------------------- */

/* Takes the blob that a descriptor tells of. */
static int take_blob(struct loading *loading, const struct digest *digest)
{
	char name[32 + DIGEST_HEX], hex[DIGEST_HEX + 1];
	struct digest is;
	snprintf(name, sizeof(name), "blobs/sha256/%s", digest_hex(digest, hex));
	int error = load_source_get(&loading->source, name, &is, loading->error);
	if (error == -ENOENT)
		return missing(loading, name);
	if (!error && !digest_equal(&is, digest))
		error = image_fail(loading->error, -EBADMSG, "the blob %s has another digest", hex);
	return error;
}

static int load_manifest(struct loading *loading, const char *text, size_t size, const char *name)
{
	struct image_manifest manifest;
	int error = manifest_parse(text, size, &manifest, loading->error);
	if (error)
		return error;
	error = take_blob(loading, &manifest.config);
	for (size_t i = 0; i < manifest.layer_count && !error; i++)
		error = take_blob(loading, &manifest.layers[i].digest);
	manifest_done(&manifest);
	return error ? error : add(loading, text, size, name);
}

/* Loads the image that a descriptor leads to, through indexes of platforms if need be. */
static int load_row(struct loading *loading, const struct image_index_row *row, const char *name, int depth)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct image_index index;
	int error = take_blob(loading, &row->digest);
	if (error)
		return error;
	error = blob_read(loading->store, &row->digest, MANIFEST_MAX, &text, &size);
	if (error)
		return image_fail_errno(loading->error, error == -EFBIG ? -EBADMSG : error, "cannot read a manifest");
	if (size != row->size)
		return image_fail(loading->error, -EBADMSG, "a manifest has not the size that the index says");
	if (!row->is_index)
		return load_manifest(loading, text, size, name);
	if (depth == INDEX_DEPTH_MAX)
		return image_fail(loading->error, -EBADMSG, "indexes lie %d deep in each other", depth);
	error = index_parse(text, size, &index, loading->error);
	if (error)
		return error;
	const struct image_index_row *inner = index_choose(&index);
	error = inner ? load_row(loading, inner, name, depth + 1)
		      : image_fail(loading->error, -EBADMSG, "the index offers nothing for linux/amd64");
	index_done(&index);
	return error;
}

/* Whether a row of index.json is for machines of another kind. */
static bool is_foreign(const struct image_index_row *row)
{
	return (!row->is_manifest && !row->is_index) || (row->os[0] && strcmp(row->os, "linux") != 0) ||
	       (row->architecture[0] && strcmp(row->architecture, "amd64") != 0);
}

static int load_layout(struct loading *loading, const char *text, size_t size)
{
	struct image_index index;
	size_t loaded = 0;
	int error = index_parse(text, size, &index, loading->error);
	if (error)
		return error;
	for (size_t i = 0; i < index.count && !error; i++) {
		if (is_foreign(&index.rows[i]))
			continue;
		if (loaded++ && loading->load->reference)
			error = image_fail(loading->error, -EBADMSG, "index.json lists several images");
		else
			error = load_row(loading, &index.rows[i], index.rows[i].name, 1);
	}
	index_done(&index);
	if (!error && !loaded)
		error = image_fail(loading->error, -EBADMSG, "index.json lists no image for linux/amd64");
	return error;
}

int image_load(const struct image_store *store, int file, struct image_load *load, struct image_error *ret_error)
{
	struct loading loading = { .store = store, .load = load, .error = ret_error };
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int error = load_source_open(store, file, load, &loading.source, ret_error);
	if (error)
		return error;
	error = load_source_read(&loading.source, "manifest.json", MANIFEST_MAX, &text, &size, ret_error);
	if (!error) {
		error = load_docker(&loading, text, size);
	} else if (error == -ENOENT) {
		error = load_source_read(&loading.source, "index.json", MANIFEST_MAX, &text, &size, ret_error);
		if (!error)
			error = load_layout(&loading, text, size);
		else if (error == -ENOENT)
			error = image_fail(ret_error, -EBADMSG, "there is neither manifest.json nor index.json in it");
	}
	load_source_close(&loading.source);
	return error;
}
