// SPDX-License-Identifier: Apache-2.0
/* Garbage: what no reference, pin or lease leads to. store.h has the theory of operation. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/image.h"
#include "image/path_set.h"
#include "image/store_int.h"

struct collection {
	struct image_store *store;
	struct path_set live; /* "b" and "r" before the digits of blobs and roots */
	struct store_garbage garbage;
	char (*trash)[NAME_MAX + 1]; /* names in tmp */
	size_t trash_count;
};

static int mark(struct collection *collection, char kind, const struct digest *digest)
{
	char name[1 + DIGEST_HEX + 1] = { kind };
	digest_hex(digest, name + 1);
	int result = path_set_add(&collection->live, name, 1 + DIGEST_HEX);
	return result < 0 ? result : 0;
}

static bool is_live(const struct collection *collection, char kind, const char *hex)
{
	char name[1 + DIGEST_HEX + 1] = { kind };
	if (strlen(hex) != DIGEST_HEX)
		return false;
	memcpy(name + 1, hex, DIGEST_HEX);
	return path_set_has(&collection->live, name, 1 + DIGEST_HEX);
}

/* Marks all that an image consists of. */
static int mark_image(struct collection *collection, const struct digest *digest, struct image_error *ret_error)
{
	struct image_manifest manifest;
	struct image_config config;
	int error = image_load_manifest(collection->store, digest, &manifest, &config, ret_error);
	if (error)
		return error;
	struct digest chain = digest_chain(config.diff_ids, config.layer_count);
	error = mark(collection, 'b', digest);
	if (!error)
		error = mark(collection, 'b', &manifest.config);
	if (!error)
		error = mark(collection, 'r', &chain);
	for (size_t i = 0; i < manifest.layer_count && !error; i++)
		error = mark(collection, 'b', &manifest.layers[i].digest);
	manifest_done(&manifest);
	image_config_done(&config);
	return error;
}

/* Marks what references or pins lead to. A pin whose path is gone is removed. */
static int mark_all(struct collection *collection, const char *kind, struct image_error *ret_error)
{
	struct store_refs refs;
	struct stat st;
	bool pins = strcmp(kind, "pins") == 0;
	int error = store_refs_list(collection->store, kind, &refs);
	if (error)
		return image_fail_errno(ret_error, error, "cannot list %s in %s", kind, collection->store->path);
	for (size_t i = 0; i < refs.count && !error; i++) {
		if (pins && lstat(refs.rows[i].name, &st) && (errno == ENOENT || errno == ENOTDIR)) {
			char path[STORE_PATH];
			struct digest name = digest_of(refs.rows[i].name, strlen(refs.rows[i].name));
			(void)unlinkat(collection->store->dir, store_path_of("pins", &name, path), 0);
			continue;
		}
		error = mark_image(collection, &refs.rows[i].manifest, ret_error);
	}
	store_refs_done(&refs);
	return error;
}

static int sweep_blob(void *arg, int dir, const char *name)
{
	struct collection *collection = arg;
	if (!is_live(collection, 'b', name) && unlinkat(dir, name, 0) == 0)
		collection->garbage.blobs++;
	return 0;
}

/* Moves a root that nobody has a lease on to tmp. */
static int sweep_root(void *arg, int dir, const char *name)
{
	struct collection *collection = arg;
	char to[STORE_PATH], temp[STORE_TEMP_NAME];
	if (is_live(collection, 'r', name))
		return 0;
	CLEANUP_FD int root = tree_enter(dir, name);
	if (root >= 0 && flock(root, LOCK_EX | LOCK_NB))
		return 0; /* in use */
	int error = store_temp_name(temp);
	snprintf(to, sizeof(to), "tmp/%s", temp);
	if (!error && renameat(dir, name, collection->store->dir, to) == 0)
		collection->garbage.roots++;
	return error;
}

static int note_trash(void *arg, int dir, const char *name)
{
	struct collection *collection = arg;
	(void)dir;
	void *more = reallocarray(collection->trash, collection->trash_count + 1, sizeof(*collection->trash));
	if (!more)
		return -ENOMEM;
	collection->trash = more;
	memcpy(collection->trash[collection->trash_count++], name, strlen(name) + 1);
	return 0;
}

static int sweep(struct collection *collection, const char *where, int (*each)(void *, int, const char *))
{
	CLEANUP_FD int dir = openat(collection->store->dir, where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? -errno : tree_each(dir, each, collection);
}

/* With the exclusive lock: decides, and moves garbage out of sight. */
static int find_garbage(struct collection *collection, struct image_error *ret_error)
{
	int error = mark_all(collection, "refs", ret_error);
	if (!error)
		error = mark_all(collection, "pins", ret_error);
	if (error)
		return error;
	error = sweep(collection, "roots", sweep_root);
	if (!error)
		error = sweep(collection, "blobs/sha256", sweep_blob);
	if (!error)
		error = sweep(collection, "tmp", note_trash);
	return error ? image_fail_errno(ret_error, error, "cannot clean up %s", collection->store->path) : 0;
}

int store_collect(struct image_store *store, struct store_garbage *ret_garbage, struct image_error *ret_error)
{
	struct collection collection = { .store = store };
	int error = store_lock(store, LOCK_EX | LOCK_NB);
	if (error == -EWOULDBLOCK) {
		*ret_garbage = (struct store_garbage){ .skipped = true };
		error = store_lock(store, LOCK_SH); /* an attempt to change it may have dropped the lock */
	} else if (!error) {
		error = path_set_init(&collection.live);
		if (!error)
			error = find_garbage(&collection, ret_error);
		int again = store_lock(store, LOCK_SH);
		for (size_t i = 0; i < collection.trash_count && !error; i++)
			store_temp_remove(store, collection.trash[i]);
		path_set_done(&collection.live);
		free(collection.trash);
		*ret_garbage = collection.garbage;
		return error ? error : again;
	}
	return error ? image_fail_errno(ret_error, error, "cannot lock %s", store->path) : 0;
}
