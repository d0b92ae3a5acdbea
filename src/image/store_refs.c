// SPDX-License-Identifier: Apache-2.0
/* References and pins: one small JSON file each, replaced by rename. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/store_int.h"

/* Writes a file of tmp, synced, and renames it. */
static int replace_file(const struct image_store *store, const char *path, const char *text)
{
	char name[STORE_TEMP_NAME], temp[STORE_PATH];
	int error = store_temp_name(name);
	if (error)
		return error;
	snprintf(temp, sizeof(temp), "tmp/%s", name);
	CLEANUP_FD int file = openat(store->dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t size = strlen(text);
	if (file < 0)
		return -errno;
	errno = EIO;
	if (write(file, text, size) != (ssize_t)size || fsync(file) || renameat(store->dir, temp, store->dir, path)) {
		error = -errno;
		(void)unlinkat(store->dir, temp, 0);
	}
	return error;
}

static const char *path_of_name(const char *kind, const char *name, char path[STORE_PATH])
{
	struct digest digest = digest_of(name, strlen(name));
	return store_path_of(kind, &digest, path);
}

static int set(const struct image_store *store, const char *kind, const char *name, const struct digest *manifest)
{
	char path[STORE_PATH], target[DIGEST_TEXT_SIZE];
	json_t *object = json_pack("{s:s, s:s}", "name", name, "manifest", digest_text(manifest, target));
	CLEANUP_FREE char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	if (!text || strlen(text) > STORE_REF_MAX)
		return text ? -ENAMETOOLONG : -EINVAL; /* a path that is no UTF-8 */
	int error = replace_file(store, path_of_name(kind, name, path), text);
	return error ? error : store_sync_dir(store, kind);
}

/* Reads one file of refs or pins. *ret_name is the caller's to free. -EBADMSG: damaged. */
static int get(int dir, const char *file_name, char **ret_name, struct digest *ret_manifest, s64 *ret_set)
{
	char text[STORE_REF_MAX + 1];
	const char *name, *manifest;
	struct stat st;
	CLEANUP_FD int file = openat(dir, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || fstat(file, &st))
		return -errno;
	ssize_t size = read(file, text, sizeof(text));
	if (size < 0)
		return -errno;
	json_t *object = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
	int error = -EBADMSG;
	if (object && json_unpack(object, "{s:s, s:s}", "name", &name, "manifest", &manifest) == 0 &&
	    digest_parse(manifest, ret_manifest) == 0) {
		*ret_name = strdup(name);
		*ret_set = st.st_mtim.tv_sec;
		error = *ret_name ? 0 : -ENOMEM;
	}
	json_decref(object);
	return error;
}

int store_ref_set(const struct image_store *store, const char *reference, const struct digest *manifest)
{
	return set(store, "refs", reference, manifest);
}

int store_pin(const struct image_store *store, const char *path, const struct digest *manifest)
{
	return set(store, "pins", path, manifest);
}

int store_ref_get(const struct image_store *store, const char *reference, struct digest *ret_manifest)
{
	char path[STORE_PATH];
	char *name = NULL;
	struct digest manifest;
	s64 when;
	int error = get(store->dir, path_of_name("refs", reference, path), &name, &manifest, &when);
	free(name);
	if (!error)
		*ret_manifest = manifest;
	return error;
}

int store_ref_remove(const struct image_store *store, const char *reference)
{
	char path[STORE_PATH];
	if (unlinkat(store->dir, path_of_name("refs", reference, path), 0))
		return -errno;
	return store_sync_dir(store, "refs");
}

static int compare_refs(const void *a, const void *b)
{
	const struct store_ref *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static int list_one(void *arg, int dir, const char *name)
{
	struct store_refs *refs = arg;
	struct store_ref row = { 0 };
	int error = get(dir, name, &row.name, &row.manifest, &row.set);
	if (error == -EBADMSG || error == -ENOENT) /* damaged, or removed since */
		return 0;
	if (error)
		return error;
	struct store_ref *rows = reallocarray(refs->rows, refs->count + 1, sizeof(*rows));
	if (!rows) {
		free(row.name);
		return -ENOMEM;
	}
	rows[refs->count++] = row;
	refs->rows = rows;
	return 0;
}

int store_refs_list(const struct image_store *store, const char *kind, struct store_refs *ret_refs)
{
	struct store_refs refs = { 0 };
	CLEANUP_FD int dir = openat(store->dir, kind, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = dir < 0 ? -errno : tree_each(dir, list_one, &refs);
	if (error) {
		store_refs_done(&refs);
		return error;
	}
	if (refs.count)
		qsort(refs.rows, refs.count, sizeof(*refs.rows), compare_refs);
	*ret_refs = refs;
	return 0;
}

void store_refs_done(struct store_refs *refs)
{
	for (size_t i = 0; i < refs->count; i++)
		free(refs->rows[i].name);
	free(refs->rows);
	*refs = (struct store_refs){ 0 };
}
