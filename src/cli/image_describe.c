// SPDX-License-Identifier: Apache-2.0
/* One image as JSON, with the members that docker prints. */
#include "cli/image_describe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/image_json.h"

/* The names that lead to a manifest, those with a tag or those with a digest. */
static json_t *names_of(const struct image_store *store, const struct digest *manifest, bool with_digest)
{
	char repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX];
	struct store_refs refs;
	json_t *names = json_array();
	if (store_refs_list(store, "refs", &refs))
		return names;
	for (size_t i = 0; i < refs.count; i++) {
		const char *digest = strchr(refs.rows[i].name, '@');
		if (!digest_equal(&refs.rows[i].manifest, manifest) || image_name_is_id(refs.rows[i].name))
			continue;
		image_name_short(refs.rows[i].name, repository, tag);
		if (strcmp(tag, "<none>") != 0 && !with_digest)
			(void)json_array_append_new(names, json_sprintf("%s:%s", repository, tag));
		if (digest && with_digest)
			(void)json_array_append_new(names, json_sprintf("%s%s", repository, digest));
	}
	store_refs_done(&refs);
	return names;
}

static json_t *layers_of(const struct image_config *config)
{
	char text[DIGEST_TEXT_SIZE];
	json_t *layers = json_array();
	for (size_t i = 0; i < config->layer_count; i++)
		(void)json_array_append_new(layers, json_string(digest_text(&config->diff_ids[i], text)));
	return layers;
}

/* The configuration's "config" as it stands there. */
static json_t *raw_config(const struct image_store *store, const struct digest *id)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	json_t *root, *config;
	struct image_error why;
	if (blob_read(store, id, IMAGE_CONFIG_MAX, &text, &size) ||
	    image_json_load(text, size, IMAGE_CONFIG_MAX, "configuration", &root, &why))
		return json_object();
	config = json_incref(json_object_get(root, "config"));
	json_decref(root);
	return config ? config : json_object();
}

json_t *image_describe(const struct image_store *store, const char *text, int *ret_status, struct image_error *why)
{
	struct digest digest;
	struct image_manifest manifest;
	struct image_config config;
	struct tree_size size = { 0 };
	char id[DIGEST_TEXT_SIZE], name[DIGEST_TEXT_SIZE], hex[DIGEST_HEX + 1];
	*ret_status = image_find(store, text, &digest, NULL, why);
	if (!*ret_status)
		*ret_status = image_load_manifest(store, &digest, &manifest, &config, why);
	if (*ret_status)
		return NULL;
	struct digest chain = digest_chain(config.diff_ids, config.layer_count);
	CLEANUP_FD int root = store_root_open(store, &chain);
	if (root >= 0 && tree_measure(root, &size))
		size.bytes = 0;
	json_t *object = json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:I, s:o, s:{s:s, s:o}, s:{s:s, s:{s:o}}}", "Id",
				   digest_text(&manifest.config, id), "Digest", digest_text(&digest, name), "RepoTags",
				   names_of(store, &digest, false), "RepoDigests", names_of(store, &digest, true), "Created",
				   config.created, "Architecture", config.architecture, "Os", config.os, "Size",
				   (json_int_t)size.bytes, "Config", raw_config(store, &manifest.config), "RootFS", "Type",
				   "layers", "Layers", layers_of(&config), "GraphDriver", "Name", "lichen", "Data", "Dir",
				   json_sprintf("%s/roots/%s", store->path, digest_hex(&chain, hex)));
	manifest_done(&manifest);
	image_config_done(&config);
	if (!object)
		*ret_status = image_fail(why, -ENOMEM, "out of memory");
	return object;
}
