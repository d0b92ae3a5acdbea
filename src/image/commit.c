// SPDX-License-Identifier: Apache-2.0
/* A cell's changes become a layer, and that an image. */
#include "image/commit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "image/image_int.h"
#include "image/tar_write.h"

#define WHITEOUT ".wh."

struct writing {
	struct tar_objects objects;
	struct tar_sink sink;
	struct image_error *error;
	char name[PATH_MAX + 8];
};

static int to_blob(void *arg, const void *data, size_t size)
{
	return blob_add(arg, data, size);
}

static int write_whiteout(struct writing *writing, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const struct tar_entry entry = { .name = writing->name, .type = '0' };
	if (strlen(base) + strlen(WHITEOUT) > NAME_MAX)
		return image_fail(writing->error, -ENAMETOOLONG,
				  "no layer can tell that '/%.200s' was removed: its name is too long", path);
	(void)snprintf(writing->name, sizeof(writing->name), "%.*s" WHITEOUT "%s", (int)(base - path), path, base);
	return tar_header(&writing->sink, &entry);
}

static int write_change(void *arg, const struct change *change)
{
	struct writing *writing = arg;
	if (change->kind == 'D')
		return write_whiteout(writing, change->path);
	if (strncmp(change->name, WHITEOUT, strlen(WHITEOUT)) == 0)
		return image_fail(writing->error, -EINVAL, "no layer can hold '/%.200s': the name means a removal there",
				  change->path);
	return tar_object(&writing->objects, change->dir, change->name, change->path);
}

static int write_layer(const struct image_commit *commit, struct blob_writer *blob, char *where, struct image_error *ret_error)
{
	struct writing writing = { .sink = { to_blob, blob }, .error = ret_error };
	struct changes changes = commit->changes;
	changes.each = write_change;
	changes.arg = &writing;
	int error = tar_objects_init(&writing.objects, &writing.sink);
	if (!error)
		error = changes_walk(&changes, where);
	if (!error)
		error = tar_end(&writing.sink);
	tar_objects_done(&writing.objects);
	return error;
}

static int make_layer(const struct image_store *store, const struct image_commit *commit, struct image_layer *ret,
		      struct image_error *ret_error)
{
	struct blob_writer blob;
	char where[PATH_MAX] = "";
	int error = blob_begin(store, &blob);
	if (error)
		return image_fail_errno(ret_error, error, "cannot write to %s", store->path);
	ret_error->text[0] = '\0';
	error = write_layer(commit, &blob, where, ret_error);
	if (error) {
		blob_abort(&blob);
		if (ret_error->text[0])
			return error;
		if (error == -EXDEV)
			return image_fail(ret_error, error,
					  "'/%s' was moved or copied by a kernel's overlay in a way that only it can follow",
					  where);
		return image_fail_errno(ret_error, error, "cannot put '/%s' into a layer", where);
	}
	*ret = (struct image_layer){ .size = blob.size, .format = LAYER_TAR };
	error = blob_commit(&blob, &ret->digest);
	return error ? image_fail_errno(ret_error, error, "cannot write to %s", store->path) : 0;
}

/* Manifest and reference of the image whose layers, the new one included, are in the store. */
static int add_image(const struct image_store *store, struct image_manifest *manifest, const char *config, const char *reference,
		     struct image_add *add, struct image_error *ret_error)
{
	char id[DIGEST_TEXT_SIZE];
	int error = blob_put(store, config, strlen(config), &manifest->config);
	if (error)
		return image_fail_errno(ret_error, error, "cannot write to %s", store->path);
	manifest->config_size = strlen(config);
	CLEANUP_FREE char *text = manifest_write(manifest);
	if (!text)
		return image_fail(ret_error, -ENOMEM, "out of memory");
	return image_add(store, text, strlen(text), reference ? reference : digest_text(&manifest->config, id), add, ret_error);
}

int image_commit(const struct image_store *store, const struct image_commit *commit, const char *reference, struct image_add *add,
		 struct image_error *ret_error)
{
	struct image_manifest manifest = { 0 };
	CLEANUP_FREE char *parent = NULL, *config = NULL;
	struct image_layer layer = { 0 };
	size_t size;
	char now[40];
	struct tm tm;
	time_t seconds = time(NULL);
	(void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	int error = image_load_manifest(store, &commit->manifest, &manifest, NULL, ret_error);
	if (error)
		return error;
	if (manifest.layer_count == MANIFEST_LAYERS_MAX)
		error = image_fail(ret_error, -E2BIG, "the image has %u layers already, as many as an image can have",
				   MANIFEST_LAYERS_MAX);
	if (!error && (error = blob_read(store, &manifest.config, IMAGE_CONFIG_MAX, &parent, &size)))
		(void)image_fail_errno(ret_error, error, "cannot read the image's configuration");
	if (!error) /* what is wrong with the instructions is told before anything is written */
		error = commit_config(parent, size, commit, &commit->manifest, now, &config, ret_error);
	if (!error)
		error = make_layer(store, commit, &layer, ret_error);
	if (!error) {
		free(config);
		config = NULL;
		error = commit_config(parent, size, commit, &layer.digest, now, &config, ret_error);
	}
	if (!error) {
		struct image_layer *layers = reallocarray(manifest.layers, manifest.layer_count + 1, sizeof(*layers));
		if (layers) {
			manifest.layers = layers;
			layers[manifest.layer_count++] = layer;
			error = add_image(store, &manifest, config, reference, add, ret_error);
		} else {
			error = image_fail(ret_error, -ENOMEM, "out of memory");
		}
	}
	manifest_done(&manifest);
	return error;
}
