// SPDX-License-Identifier: Apache-2.0
/* Manifests and indexes. */
#include "fetch/remote_manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int bad(struct fetch_error *ret_error, const char *what)
{
	return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "the manifest is malformed: %s", what);
}

/* Copies a member that is a text of printable ASCII. Absent is "". Returns whether it was that. */
static bool copy_text(json_t *object, const char *name, char *to, size_t size)
{
	json_t *member = json_object_get(object, name);
	const char *text = json_string_value(member);
	*to = '\0';
	if (!member || json_is_null(member))
		return true;
	if (!text || json_string_length(member) >= size || strlen(text) != json_string_length(member))
		return false;
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~')
			return false;
	memcpy(to, text, strlen(text) + 1);
	return true;
}

static int read_descriptor(json_t *object, struct descriptor *to, struct fetch_error *ret_error)
{
	json_t *size = json_object_get(object, "size"), *platform = json_object_get(object, "platform");
	if (!json_is_object(object))
		return bad(ret_error, "a descriptor is no object");
	if (!copy_text(object, "mediaType", to->media_type, sizeof(to->media_type)))
		return bad(ret_error, "the media type of a descriptor is no text, or longer than 255 bytes");
	if (!copy_text(object, "digest", to->digest, sizeof(to->digest)) || !digest_valid(to->digest))
		return bad(ret_error, "a digest is not sha256: and 64 digits of hexadecimal");
	if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > BLOB_BYTES_MAX)
		return bad(ret_error, "the size of a descriptor is no number from 0 to 4 TiB");
	to->size = json_integer_value(size);
	if (platform && (!copy_text(platform, "os", to->platform.os, sizeof(to->platform.os)) ||
			 !copy_text(platform, "architecture", to->platform.architecture, sizeof(to->platform.architecture)) ||
			 !copy_text(platform, "variant", to->platform.variant, sizeof(to->platform.variant))))
		return bad(ret_error, "a platform is no text, or longer than 63 bytes");
	return 0;
}

static int read_list(json_t *array, size_t most, struct remote_manifest *ret, struct fetch_error *ret_error)
{
	size_t count = json_array_size(array);
	if (!json_is_array(array))
		return bad(ret_error, "its list is no array");
	if (count > most)
		return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "the manifest lists %zu entries, which is more than %zu", count,
				  most);
	ret->list = calloc(count ? count : 1, sizeof(*ret->list));
	if (!ret->list)
		return fetch_fail_memory(ret_error);
	for (ret->count = 0; ret->count < count; ret->count++) {
		int error = read_descriptor(json_array_get(array, ret->count), &ret->list[ret->count], ret_error);
		if (error)
			return error;
	}
	return 0;
}

static bool is_index_type(const char *type)
{
	return strcmp(type, "application/vnd.oci.image.index.v1+json") == 0 ||
	       strcmp(type, "application/vnd.docker.distribution.manifest.list.v2+json") == 0;
}

static bool is_image_type(const char *type)
{
	return strcmp(type, "application/vnd.oci.image.manifest.v1+json") == 0 ||
	       strcmp(type, "application/vnd.docker.distribution.manifest.v2+json") == 0;
}

/* What the registry says and what the document says must be one thing; registries of plain files say neither. */
static int decide_type(json_t *root, const char *content_type, struct remote_manifest *ret, struct fetch_error *ret_error)
{
	char said[MEDIA_TYPE_MAX + 1];
	snprintf(said, sizeof(said), "%.*s", (int)strcspn(content_type, "; \t"), content_type);
	bool known = is_index_type(said) || is_image_type(said);
	bool both = json_object_get(root, "manifests") && (json_object_get(root, "layers") || json_object_get(root, "config"));
	if (!copy_text(root, "mediaType", ret->media_type, sizeof(ret->media_type)))
		return bad(ret_error, "its media type is no text");
	if (both)
		return bad(ret_error, "it is an index and an image at once");
	if (strstr(said, "docker.distribution.manifest.v1+") || json_integer_value(json_object_get(root, "schemaVersion")) == 1)
		return fetch_fail(
			ret_error, LICHEN_FETCH_PROTOCOL,
			"the image has Docker's old manifest of schema 1, which lichen does not read; push it again with a newer tool");
	if (ret->media_type[0] && known && strcmp(ret->media_type, said) != 0)
		return bad(ret_error, "its media type is not the one that the registry says");
	if (!ret->media_type[0] && known)
		memcpy(ret->media_type, said, sizeof(ret->media_type));
	if (!ret->media_type[0])
		snprintf(ret->media_type, sizeof(ret->media_type), "%s",
			 json_object_get(root, "manifests") ? "application/vnd.oci.image.index.v1+json"
							    : "application/vnd.oci.image.manifest.v1+json");
	ret->is_index = is_index_type(ret->media_type);
	if (!ret->is_index && !is_image_type(ret->media_type))
		return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "this is no container image but %s", ret->media_type);
	if (json_integer_value(json_object_get(root, "schemaVersion")) != 2)
		return bad(ret_error, "its schemaVersion is not 2");
	return 0;
}

static int read_image(json_t *root, struct remote_manifest *ret, struct fetch_error *ret_error)
{
	json_t *config = json_object_get(root, "config");
	if (!config)
		return bad(ret_error, "it has no config");
	int error = read_descriptor(config, &ret->config, ret_error);
	if (error)
		return error;
	const char *type = ret->config.media_type;
	if (strcmp(type, "application/vnd.oci.image.config.v1+json") != 0 &&
	    strcmp(type, "application/vnd.docker.container.image.v1+json") != 0)
		return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL,
				  "this is no container image but an artifact with a config of type %s", *type ? type : "''");
	if (ret->config.size > REMOTE_MANIFEST_BYTES_MAX)
		return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "the image's config is longer than %u bytes",
				  REMOTE_MANIFEST_BYTES_MAX);
	return read_list(json_object_get(root, "layers"), REMOTE_MANIFEST_LAYERS_MAX, ret, ret_error);
}

int remote_manifest_parse(const char *json, size_t size, const char *content_type, struct remote_manifest *ret,
			  struct fetch_error *ret_error)
{
	json_error_t why;
	*ret = (struct remote_manifest){ .is_index = false };
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &why);
	int error;
	if (!json_is_object(root))
		error = fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "the manifest is malformed: %s",
				   root ? "it is no JSON object" : why.text);
	else
		error = decide_type(root, content_type, ret, ret_error);
	if (!error && ret->is_index)
		error = read_list(json_object_get(root, "manifests"), REMOTE_MANIFEST_INDEX_MAX, ret, ret_error);
	else if (!error)
		error = read_image(root, ret, ret_error);
	json_decref(root);
	if (error)
		remote_manifest_done(ret);
	return error;
}

void remote_manifest_done(struct remote_manifest *manifest)
{
	free(manifest->list);
	*manifest = (struct remote_manifest){ .is_index = false };
}

const struct descriptor *remote_manifest_choose(const struct remote_manifest *index, const struct platform *wanted)
{
	const struct descriptor *found = NULL;
	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *entry = &index->list[i];
		if (strcmp(entry->platform.os, wanted->os) != 0 || strcmp(entry->platform.architecture, wanted->architecture) != 0)
			continue;
		if (strcmp(entry->platform.variant, wanted->variant) == 0)
			return entry;
		if (!found && !wanted->variant[0])
			found = entry;
	}
	return found;
}

static bool take_word(const char **at, char *to, size_t size)
{
	size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
	if (!length || length >= size)
		return false;
	memcpy(to, *at, length);
	to[length] = '\0';
	*at += length;
	return true;
}

int platform_parse(const char *text, struct platform *ret_platform)
{
	struct platform made = { .variant = "" };
	if (!take_word(&text, made.os, sizeof(made.os)) || *text++ != '/' ||
	    !take_word(&text, made.architecture, sizeof(made.architecture)))
		return -EINVAL;
	if (*text && (*text++ != '/' || !take_word(&text, made.variant, sizeof(made.variant)) || *text))
		return -EINVAL;
	*ret_platform = made;
	return 0;
}

int remote_manifest_check_config(const char *json, size_t size, const struct platform *wanted, struct fetch_error *ret_error)
{
	struct platform is = { .os = "" };
	json_error_t why;
	json_t *root = json_loadb(json, size, 0, &why);
	bool read = json_is_object(root) && copy_text(root, "os", is.os, sizeof(is.os)) &&
		    copy_text(root, "architecture", is.architecture, sizeof(is.architecture));
	const char *problem = root ? "it has no platform" : why.text;
	int error = 0;
	if (!read)
		error = fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "the image's config is malformed: %s", problem);
	else if ((is.os[0] && strcmp(is.os, wanted->os) != 0) ||
		 (is.architecture[0] && strcmp(is.architecture, wanted->architecture) != 0))
		error = fetch_fail(ret_error, LICHEN_FETCH_NOT_FOUND, "the image is for %s/%s, not for %s/%s", is.os,
				   is.architecture, wanted->os, wanted->architecture);
	json_decref(root);
	return error;
}
