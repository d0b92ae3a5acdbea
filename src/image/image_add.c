// SPDX-License-Identifier: Apache-2.0
/* Adds images: blobs first, then the root, the manifest, and at last the reference. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/image_int.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Says that a layer is wrong, which one, and why. */
static int wrong_layer(struct image_error *ret_error, int error, size_t i, size_t count)
{
	struct image_error why = *ret_error;
	return count == 1 ? error : image_fail(ret_error, error, "layer %zu of %zu: %s", i + 1, count, why.text);
}

/* Applies one layer to a root, and gives its diff id. */
static int apply(const struct image_store *store, const struct image_layer *layer, int root, struct image_add *add,
		 struct digest *ret_diff_id, struct image_error *ret_error)
{
	char name[DIGEST_TEXT_SIZE];
	u64 size;
	CLEANUP_FD int blob = blob_open(store, &layer->digest, &size);
	if (blob == -ENOENT)
		return image_fail(ret_error, -EBADMSG, "there is no blob %s", digest_text(&layer->digest, name));
	if (blob < 0)
		return image_fail_errno(ret_error, blob, "cannot open the blob %s", digest_text(&layer->digest, name));
	if (size != layer->size)
		return image_fail(ret_error, -EBADMSG, "the blob has %llu bytes, the manifest says %llu", (unsigned long long)size,
				  (unsigned long long)layer->size);
	return unpack_layer(blob, size, root, &add->progress, &add->report, ret_diff_id, ret_error);
}

/* A new directory in tmp for a root. */
static int new_root(const struct image_store *store, char name[32], struct image_error *ret_error)
{
	int root = store_temp_dir(store, name);
	if (root >= 0 && fchmod(root, 0755) == 0)
		return root;
	return image_fail_errno(ret_error, root < 0 ? root : -errno, "cannot make a directory in %s", store->path);
}

int image_unpack(const struct image_store *store, const struct image_manifest *manifest, const struct image_config *config,
		 struct image_add *add, struct image_error *ret_error)
{
	struct digest chain = digest_chain(config->diff_ids, config->layer_count), is;
	CLEANUP_FD int there = store_root_open(store, &chain);
	char name[32];
	if (there >= 0)
		return 0;
	if (manifest->layer_count != config->layer_count)
		return image_fail(ret_error, -EBADMSG, "the manifest has %zu layers, the configuration %zu", manifest->layer_count,
				  config->layer_count);
	CLEANUP_FD int root = new_root(store, name, ret_error);
	int error = root < 0 ? root : 0;
	for (size_t i = 0; i < manifest->layer_count && !error; i++) {
		error = apply(store, &manifest->layers[i], root, add, &is, ret_error);
		if (!error && !digest_equal(&is, &config->diff_ids[i]))
			error = image_fail(ret_error, -EBADMSG, "what is unpacked has not the digest that the configuration says");
		if (error)
			(void)wrong_layer(ret_error, error, i, manifest->layer_count);
	}
	if (!error) {
		error = store_root_commit(store, name, &chain);
		if (error)
			(void)image_fail_errno(ret_error, error, "cannot put the root into %s", store->path);
	}
	if (error && root >= 0)
		store_temp_remove(store, name);
	return error;
}

static int check_platform(const struct image_config *config, struct image_error *ret_error)
{
	if (config->os[0] && strcmp(config->os, "linux") != 0)
		return image_fail(ret_error, -EBADMSG, "the image is for %.40s, not for linux", config->os);
	return 0;
}

int image_add(const struct image_store *store, const char *manifest_text, size_t size, const char *reference, struct image_add *add,
	      struct image_error *ret_error)
{
	struct image_manifest manifest;
	struct image_config config = { 0 };
	CLEANUP_FREE char *text = NULL;
	struct digest digest;
	size_t config_size;
	int error = manifest_parse(manifest_text, size, &manifest, ret_error);
	if (error)
		return error;
	error = blob_read(store, &manifest.config, IMAGE_CONFIG_MAX, &text, &config_size);
	if (error == -ENOENT)
		error = image_fail(ret_error, -EBADMSG, "there is no configuration with the digest that the manifest says");
	else if (error)
		(void)image_fail_errno(ret_error, error, "cannot read the image's configuration");
	else if (config_size != manifest.config_size)
		error = image_fail(ret_error, -EBADMSG, "the configuration has not the size that the manifest says");
	if (!error)
		error = image_config_parse(text, config_size, &config, ret_error);
	if (!error)
		error = check_platform(&config, ret_error);
	if (!error)
		error = image_unpack(store, &manifest, &config, add, ret_error);
	if (!error) {
		add->id = manifest.config;
		error = blob_put(store, manifest_text, size, &digest);
		if (!error && reference)
			error = store_ref_set(store, reference, &digest);
		if (error)
			(void)image_fail_errno(ret_error, error, "cannot write to %s", store->path);
	}
	image_config_done(&config);
	manifest_done(&manifest);
	return error;
}

/* The shell of a root, for images that do not say what to run. A symbolic link counts as what it leads to in the image: /bin/sh is there. */
static const char *find_shell(int root)
{
	static const char *const shells[] = { "bin/bash", "usr/bin/bash", "bin/sh", "usr/bin/sh" };
	static const char *const names[] = { "/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh" };
	struct stat st;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (fstatat(root, shells[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
			return names[i];
	return NULL;
}

static char **list_of(const char *word)
{
	char **list = calloc(2, sizeof(*list));
	if (list && !(list[0] = strdup(word))) {
		free(list);
		return NULL;
	}
	return list;
}

/* Fills in what the caller left out. */
static int complete_config(struct image_config *config, int root, const struct digest *diff_id)
{
	char now[40];
	time_t seconds = time(NULL);
	struct tm tm;
	const char *shell = find_shell(root);
	bool says = (config->entrypoint && config->entrypoint[0]) || (config->cmd && config->cmd[0]);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	free(config->created);
	free(config->os);
	free(config->architecture);
	free(config->diff_ids);
	config->created = strdup(now);
	config->os = strdup("linux");
	config->architecture = strdup("amd64");
	config->diff_ids = malloc(sizeof(*diff_id));
	if (!says && shell) {
		free(config->cmd);
		config->cmd = list_of(shell);
	}
	if (!config->env)
		config->env = list_of(DEFAULT_PATH);
	if (!config->created || !config->os || !config->architecture || !config->diff_ids || !config->env ||
	    (!says && shell && !config->cmd))
		return -ENOMEM;
	config->diff_ids[0] = *diff_id;
	config->layer_count = 1;
	return 0;
}

/* RFC 1952, RFC 8878 */
int image_layer_of(const struct image_store *store, const struct digest *digest, struct image_layer *ret_layer)
{
	u8 magic[4] = { 0 };
	u64 size;
	CLEANUP_FD int blob = blob_open(store, digest, &size);
	if (blob < 0)
		return blob;
	if (read(blob, magic, sizeof(magic)) < 0)
		return -errno;
	enum layer_format format = LAYER_TAR;
	if (magic[0] == 0x1f && magic[1] == 0x8b)
		format = LAYER_GZIP;
	else if (magic[0] == 0x28 && magic[1] == 0xb5 && magic[2] == 0x2f && magic[3] == 0xfd)
		format = LAYER_ZSTD;
	*ret_layer = (struct image_layer){ *digest, size, format };
	return 0;
}

/* Writes config, manifest and reference of an image whose root lies in tmp. */
static int finish_layer(const struct image_store *store, const struct image_layer *layer, const struct image_config *config,
			const char *name, const char *reference, struct image_add *add)
{
	struct image_manifest manifest = { .layers = (struct image_layer[]){ *layer }, .layer_count = 1 };
	CLEANUP_FREE char *text = image_config_write(config), *json = NULL;
	struct digest digest;
	int error = text ? blob_put(store, text, strlen(text), &manifest.config) : -ENOMEM;
	if (error)
		return error;
	manifest.config_size = strlen(text);
	add->id = manifest.config;
	json = manifest_write(&manifest);
	error = json ? store_root_commit(store, name, &config->diff_ids[0]) : -ENOMEM;
	if (!error)
		error = blob_put(store, json, strlen(json), &digest);
	return error || !reference ? error : store_ref_set(store, reference, &digest);
}

int image_add_layer(const struct image_store *store, const struct digest *blob, struct image_config *config, const char *reference,
		    struct image_add *add, struct image_error *ret_error)
{
	struct image_layer layer = { 0 };
	struct digest diff_id;
	char name[32];
	int error = image_layer_of(store, blob, &layer);
	if (error)
		return image_fail_errno(ret_error, error, "cannot read the layer");
	CLEANUP_FD int root = new_root(store, name, ret_error);
	if (root < 0)
		return root;
	error = apply(store, &layer, root, add, &diff_id, ret_error);
	if (!error) {
		error = complete_config(config, root, &diff_id);
		if (!error)
			error = finish_layer(store, &layer, config, name, reference, add);
		if (error)
			(void)image_fail_errno(ret_error, error, "cannot write to %s", store->path);
	}
	if (error)
		store_temp_remove(store, name);
	return error;
}
