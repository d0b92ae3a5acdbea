// SPDX-License-Identifier: Apache-2.0
/* Images of the store: what they are called, looking up, opening to run. */
#include "image/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/image_int.h"
#include "image/reference.h"

static_assert(IMAGE_NAME_MAX > REFERENCE_TEXT_MAX, "every reference fits");

int image_name(const char *text, char name[IMAGE_NAME_MAX], struct image_error *ret_error)
{
	struct image_reference reference;
	const char *why;
	if (image_reference_parse(text, &reference, &why))
		return image_fail(ret_error, -EINVAL, "'%.100s' is no image reference: %s", text, why);
	image_reference_text(&reference, name);
	return 0;
}

bool image_name_is_id(const char *name)
{
	return strncmp(name, "sha256:", 7) == 0; /* no complete reference: there is no slash */
}

const char *image_name_short(const char *name, char repository[IMAGE_NAME_MAX], char tag[IMAGE_NAME_MAX])
{
	if (image_name_is_id(name)) {
		snprintf(repository, IMAGE_NAME_MAX, "<none>");
		snprintf(tag, IMAGE_NAME_MAX, "<none>");
		return repository;
	}
	const char *at = name, *digest = strchr(name, '@'), *end = digest ? digest : name + strlen(name);
	const char *colon = memrchr(name, ':', (size_t)(end - name)), *slash = memrchr(name, '/', (size_t)(end - name));
	if (strncmp(at, "docker.io/", 10) == 0)
		at += strncmp(at, "docker.io/library/", 18) == 0 ? 18 : 10;
	bool tagged = colon && (!slash || colon > slash);
	snprintf(repository, IMAGE_NAME_MAX, "%.*s", (int)((tagged ? colon : end) - at), at);
	snprintf(tag, IMAGE_NAME_MAX, "%.*s", tagged ? (int)(end - colon - 1) : 6, tagged ? colon + 1 : "<none>");
	return repository;
}

int image_load_manifest(const struct image_store *store, const struct digest *digest, struct image_manifest *ret_manifest,
			struct image_config *ret_config, struct image_error *ret_error)
{
	CLEANUP_FREE char *text = NULL, *config = NULL;
	size_t size;
	char name[DIGEST_TEXT_SIZE];
	struct image_manifest manifest;
	int error = blob_read(store, digest, MANIFEST_MAX, &text, &size);
	if (error)
		return image_fail_errno(ret_error, error == -ENOENT ? -EBADMSG : error, "the store lacks the manifest %s",
					digest_text(digest, name));
	error = manifest_parse(text, size, &manifest, ret_error);
	if (error || !ret_config)
		goto out;
	error = blob_read(store, &manifest.config, IMAGE_CONFIG_MAX, &config, &size);
	if (error)
		error = image_fail_errno(ret_error, error == -ENOENT ? -EBADMSG : error, "the store lacks the configuration %s",
					 digest_text(&manifest.config, name));
	else
		error = image_config_parse(config, size, ret_config, ret_error);
	if (error)
		manifest_done(&manifest);
out:
	if (!error)
		*ret_manifest = manifest;
	return error;
}

/* Whether a text is 1 to 64 hexadecimal digits, with or without "sha256:" before them; *ret_digits points at the digits. */
static bool looks_like_id(const char *text, const char **ret_digits)
{
	const char *digits = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;
	size_t length = strlen(digits);
	*ret_digits = digits;
	return length > 0 && length <= DIGEST_HEX && strspn(digits, "0123456789abcdef") == length;
}

/* Finds the image whose id begins with these digits. */
static int find_id(const struct image_store *store, const char *digits, struct digest *ret_manifest, struct image_error *ret_error)
{
	struct store_refs refs;
	struct digest found = { 0 };
	struct image_manifest manifest;
	char hex[DIGEST_HEX + 1];
	bool one = false;
	int error = store_refs_list(store, "refs", &refs);
	for (size_t i = 0; !error && i < refs.count; i++) {
		if (image_load_manifest(store, &refs.rows[i].manifest, &manifest, NULL, ret_error))
			continue;
		bool is = strncmp(digest_hex(&manifest.config, hex), digits, strlen(digits)) == 0;
		if (is && one && !digest_equal(&found, &manifest.config))
			error = image_fail(ret_error, -EINVAL, "several images have an id that begins with %s", digits);
		if (is) {
			found = manifest.config;
			*ret_manifest = refs.rows[i].manifest;
			one = true;
		}
		manifest_done(&manifest);
	}
	if (error != -EINVAL)
		store_refs_done(&refs);
	return error ? error : one ? 0 : -ENOENT;
}

/* Finds NAME@DIGEST that no reference is spelled like: another reference of the same name may lead to that manifest. */
static int find_digest(const struct image_store *store, const struct image_reference *wanted, struct digest *ret_manifest)
{
	struct store_refs refs;
	struct digest digest;
	char prefix[IMAGE_NAME_MAX];
	int found = -ENOENT;
	if (digest_parse(wanted->digest, &digest) || store_refs_list(store, "refs", &refs))
		return -ENOENT;
	int length = snprintf(prefix, sizeof(prefix), "%s/%s", wanted->registry, wanted->repository);
	for (size_t i = 0; i < refs.count; i++) {
		const char *name = refs.rows[i].name;
		bool same = strncmp(name, prefix, (size_t)length) == 0 && (name[length] == ':' || name[length] == '@');
		if (same && digest_equal(&refs.rows[i].manifest, &digest))
			found = 0;
	}
	store_refs_done(&refs);
	if (!found)
		*ret_manifest = digest;
	return found;
}

int image_find(const struct image_store *store, const char *text, struct digest *ret_manifest, char *ret_name,
	       struct image_error *ret_error)
{
	struct image_reference reference;
	char name[IMAGE_NAME_MAX] = "";
	const char *why, *digits;
	bool is_id = looks_like_id(text, &digits), is_reference = image_reference_parse(text, &reference, &why) == 0;
	int error = -ENOENT;
	if (!is_id && !is_reference)
		return image_fail(ret_error, -EINVAL, "'%.100s' is no image reference: %s", text, why);
	if (is_reference) {
		image_reference_text(&reference, name);
		error = store_ref_get(store, name, ret_manifest);
		if (error == -ENOENT && reference.digest[0])
			error = find_digest(store, &reference, ret_manifest);
	}
	if (error == -ENOENT && is_id) {
		*name = '\0';
		error = find_id(store, digits, ret_manifest, ret_error);
		if (error && error != -ENOENT)
			return error;
	}
	if (error == -ENOENT)
		return image_fail(ret_error, error, "there is no image '%.200s'", text);
	if (error)
		return image_fail_errno(ret_error, error, "cannot look up '%.200s'", text);
	if (ret_name)
		memcpy(ret_name, name, strlen(name) + 1);
	return 0;
}

/* Opens the root with a lock on it; unpacks it when it is not there. */
static int take_lease(const struct image_store *store, struct image *image, const struct image_manifest *manifest,
		      struct image_error *ret_error)
{
	struct image_add add = { 0 };
	char hex[DIGEST_HEX + 1];
	image->lease = store_root_open(store, &image->chain);
	if (image->lease == -ENOENT) {
		int error = image_unpack(store, manifest, &image->config, &add, ret_error);
		if (error)
			return error;
		image->lease = store_root_open(store, &image->chain);
	}
	if (image->lease < 0)
		return image_fail_errno(ret_error, image->lease, "cannot open the image's root");
	while (flock(image->lease, LOCK_SH))
		if (errno != EINTR)
			return image_fail_errno(ret_error, -errno, "cannot lock the image's root");
	int length = snprintf(image->root, sizeof(image->root), "%s/roots/%s", store->path, digest_hex(&image->chain, hex));
	if ((size_t)length >= sizeof(image->root))
		return image_fail_errno(ret_error, -ENAMETOOLONG, "%s", store->path);
	return 0;
}

int image_open(const struct image_store *store, const char *text, struct image *ret_image, struct image_error *ret_error)
{
	struct image image = { .lease = FD_NONE };
	struct image_manifest manifest;
	int error = image_find(store, text, &image.manifest, image.name, ret_error);
	if (!error)
		error = image_load_manifest(store, &image.manifest, &manifest, &image.config, ret_error);
	if (error)
		return error;
	image.id = manifest.config;
	image.chain = digest_chain(image.config.diff_ids, image.config.layer_count);
	error = take_lease(store, &image, &manifest, ret_error);
	manifest_done(&manifest);
	if (error)
		image_close(&image);
	else
		*ret_image = image;
	return error;
}

void image_close(struct image *image)
{
	close_fd(&image->lease);
	image->lease = FD_NONE;
	image_config_done(&image->config);
}

int image_pin(const struct image_store *store, const struct image *image, const char *path, struct image_error *ret_error)
{
	int error = *path == '/' ? store_pin(store, path, &image->manifest) : -EINVAL;
	return error ? image_fail_errno(ret_error, error, "cannot keep the image for %s", path) : 0;
}
