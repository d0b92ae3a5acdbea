// SPDX-License-Identifier: Apache-2.0
/* Writes images as an OCI layout with the manifest.json of a docker-archive beside it: one tar archive for both kinds of reader. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "image/image.h"
#include "image/path_set.h"
#include "image/tar_write.h"

struct saving {
	const struct image_store *store;
	int to;
	struct tar_sink sink;
	struct path_set written; /* digests of blobs */
	json_t *index, *table;   /* rows of index.json and manifest.json */
	struct image_error *error;
};

static int write_all(void *arg, const void *data, size_t size)
{
	const struct saving *saving = arg;
	return write_bytes(saving->to, data, size);
}

static int cannot_write(struct saving *saving, int error)
{
	return image_fail_errno(saving->error, error, "cannot write the archive");
}

static int write_dir(struct saving *saving, const char *name)
{
	const struct tar_entry entry = { .name = name, .type = '5', .mode = 0755 };
	int error = tar_header(&saving->sink, &entry);
	return error ? cannot_write(saving, error) : 0;
}

static int write_file(struct saving *saving, const char *name, const char *text, size_t size)
{
	const struct tar_entry entry = { .name = name, .type = '0', .mode = 0644, .size = size };
	int error = tar_header(&saving->sink, &entry);
	if (!error)
		error = write_all(saving, text, size);
	if (!error)
		error = tar_pad(&saving->sink, size);
	return error ? cannot_write(saving, error) : 0;
}

static int copy_blob(struct saving *saving, int blob, u64 size)
{
	char data[64 * 1024];
	for (u64 left = size; left;) {
		ssize_t n = read(blob, data, left < sizeof(data) ? (size_t)left : sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return image_fail_errno(saving->error, n < 0 ? -errno : -EIO, "cannot read a blob of %s",
						saving->store->path);
		int error = write_all(saving, data, (size_t)n);
		if (error)
			return cannot_write(saving, error);
		left -= (u64)n;
	}
	return 0;
}

/* Writes a blob, once. */
static int write_blob(struct saving *saving, const struct digest *digest)
{
	char name[32 + DIGEST_HEX], hex[DIGEST_HEX + 1];
	u64 size;
	digest_hex(digest, hex);
	int added = path_set_add(&saving->written, hex, DIGEST_HEX);
	if (added <= 0)
		return added;
	CLEANUP_FD int blob = blob_open(saving->store, digest, &size);
	if (blob < 0)
		return image_fail_errno(saving->error, blob == -ENOENT ? -EBADMSG : blob, "the store lacks the blob %s", hex);
	snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	const struct tar_entry entry = { .name = name, .type = '0', .mode = 0644, .size = size };
	int error = tar_header(&saving->sink, &entry);
	if (error)
		return cannot_write(saving, error);
	error = copy_blob(saving, blob, size);
	if (!error && (error = tar_pad(&saving->sink, size)))
		(void)cannot_write(saving, error);
	return error;
}

static json_t *blob_name(const struct digest *digest)
{
	char hex[DIGEST_HEX + 1];
	return json_sprintf("blobs/sha256/%s", digest_hex(digest, hex));
}

/* 0 when it is not there. */
static u64 blob_size(const struct image_store *store, const struct digest *digest)
{
	u64 size = 0;
	CLEANUP_FD int blob = blob_open(store, digest, &size);
	return blob < 0 ? 0 : size;
}

/* Notes an image in both tables. `name` is "" when it has none. */
static int note(struct saving *saving, const char *name, const struct digest *digest, const struct image_manifest *manifest)
{
	char id[DIGEST_TEXT_SIZE], repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX];
	json_t *layers = json_array(), *tags = json_array(), *notes = json_object();
	u64 size = blob_size(saving->store, digest);
	bool tagged = *name && !strchr(name, '@') && !image_name_is_id(name);
	image_name_short(name, repository, tag);
	for (size_t i = 0; i < manifest->layer_count; i++)
		(void)json_array_append_new(layers, blob_name(&manifest->layers[i].digest));
	if (tagged) {
		(void)json_array_append_new(tags, json_sprintf("%s:%s", repository, tag));
		(void)json_object_set_new(notes, "io.containerd.image.name", json_string(name));
		(void)json_object_set_new(notes, "org.opencontainers.image.ref.name", json_string(tag));
	}
	int error = json_array_append_new(saving->table, json_pack("{s:o, s:o, s:o}", "Config", blob_name(&manifest->config),
								   "RepoTags", tags, "Layers", layers));
	error |= json_array_append_new(saving->index,
				       json_pack("{s:s, s:s, s:I, s:o, s:{s:s, s:s}}", "mediaType",
						 manifest->is_docker ? MANIFEST_TYPE_DOCKER : MANIFEST_TYPE_OCI, "digest",
						 digest_text(digest, id), "size", (json_int_t)size, "annotations", notes,
						 "platform", "architecture", "amd64", "os", "linux"));
	return error ? image_fail(saving->error, -ENOMEM, "out of memory") : 0;
}

static int save_one(struct saving *saving, const char *reference)
{
	struct image_manifest manifest;
	struct digest digest;
	char name[IMAGE_NAME_MAX];
	int error = image_find(saving->store, reference, &digest, name, saving->error);
	if (!error)
		error = image_load_manifest(saving->store, &digest, &manifest, NULL, saving->error);
	if (error)
		return error;
	error = write_blob(saving, &digest);
	if (!error)
		error = write_blob(saving, &manifest.config);
	for (size_t i = 0; i < manifest.layer_count && !error; i++)
		error = write_blob(saving, &manifest.layers[i].digest);
	if (!error)
		error = note(saving, name, &digest, &manifest);
	manifest_done(&manifest);
	return error;
}

/* The files that say what the blobs are. */
static int write_tables(struct saving *saving)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	json_t *root = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", INDEX_TYPE_OCI, "manifests", saving->index);
	CLEANUP_FREE char *index = root ? json_dumps(root, JSON_COMPACT) : NULL, *table = json_dumps(saving->table, JSON_COMPACT);
	json_decref(root);
	if (!index || !table)
		return image_fail(saving->error, -ENOMEM, "out of memory");
	int error = write_file(saving, "index.json", index, strlen(index));
	if (!error)
		error = write_file(saving, "manifest.json", table, strlen(table));
	if (!error)
		error = write_file(saving, "oci-layout", layout, strlen(layout));
	if (!error && (error = tar_end(&saving->sink)))
		(void)cannot_write(saving, error);
	return error;
}

int image_save(const struct image_store *store, char *const *references, size_t count, int to, struct image_error *ret_error)
{
	struct saving saving = { .store = store, .to = to, .index = json_array(), .table = json_array(), .error = ret_error };
	struct digest digest;
	int error = 0;
	saving.sink = (struct tar_sink){ write_all, &saving };
	for (size_t i = 0; i < count && !error; i++) /* before anything is written */
		error = image_find(store, references[i], &digest, NULL, ret_error);
	if (!error && (error = path_set_init(&saving.written)))
		(void)image_fail_errno(ret_error, error, "cannot write the archive");
	if (!error)
		error = write_dir(&saving, "blobs/");
	if (!error)
		error = write_dir(&saving, "blobs/sha256/");
	for (size_t i = 0; i < count && !error; i++)
		error = save_one(&saving, references[i]);
	if (!error)
		error = write_tables(&saving);
	path_set_done(&saving.written);
	json_decref(saving.index);
	json_decref(saving.table);
	return error;
}
