// SPDX-License-Identifier: Apache-2.0
/* The store's directories, its lock, and the roots. */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/state_dir.h"
#include "host/tree.h"
#include "image/store_int.h"

static int make_dir(int dir, const char *name)
{
	return mkdirat(dir, name, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int store_lock(const struct image_store *store, int operation)
{
	while (flock(store->lock, operation))
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Makes what is missing. `dir` is the state directory. */
static int make_store(int state_dir, struct image_store *store)
{
	static const char *const parts[] = { "blobs", "blobs/sha256", "roots", "refs", "pins", "tmp" };
	int error = make_dir(state_dir, "images");
	if (error)
		return error;
	store->dir = openat(state_dir, "images", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (store->dir < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		error = make_dir(store->dir, parts[i]);
		if (error)
			return error;
	}
	store->lock = openat(store->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return store->lock < 0 ? -errno : store_lock(store, LOCK_SH);
}

int store_open_at(int state_dir, const char *path, struct image_store *ret_store, struct image_error *ret_error)
{
	struct image_store store = { .dir = FD_NONE, .lock = FD_NONE };
	int length = snprintf(store.path, sizeof(store.path), "%s/images", path);
	int error = (size_t)length < sizeof(store.path) ? make_store(state_dir, &store) : -ENAMETOOLONG;
	if (error) {
		store_close(&store);
		return image_fail_errno(ret_error, error == -ENOENT ? -EIO : error, "cannot open the store of images in %s", path);
	}
	*ret_store = store;
	return 0;
}

int store_open(struct image_store *ret_store, struct image_error *ret_error)
{
	char path[PATH_MAX];
	CLEANUP_FD int state = state_dir_open(path);
	if (state == -ENOENT && !*path)
		return image_fail(ret_error, -EIO, "no place for images: neither LICHEN_STATE nor HOME is set");
	if (state < 0)
		return image_fail_errno(ret_error, state == -ENOENT ? -EIO : state,
					"cannot open the state directory %s (LICHEN_STATE names another)", path);
	return store_open_at(state, path, ret_store, ret_error);
}

void store_close(struct image_store *store)
{
	close_fd(&store->lock);
	close_fd(&store->dir);
	store->lock = store->dir = FD_NONE;
}

int store_temp_name(char name[STORE_TEMP_NAME])
{
	u64 number;
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(name, STORE_TEMP_NAME, "%016llx", (unsigned long long)number);
	return 0;
}

int store_temp_dir(const struct image_store *store, char name[STORE_TEMP_NAME])
{
	char path[STORE_PATH];
	int error = store_temp_name(name);
	if (error)
		return error;
	snprintf(path, sizeof(path), "tmp/%s", name);
	if (mkdirat(store->dir, path, 0700))
		return -errno;
	int dir = openat(store->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}

void store_temp_remove(const struct image_store *store, const char *name)
{
	char path[STORE_PATH];
	snprintf(path, sizeof(path), "tmp/%s", name);
	(void)tree_remove(store->dir, path);
}

const char *store_path_of(const char *kind, const struct digest *digest, char path[STORE_PATH])
{
	char hex[DIGEST_HEX + 1];
	snprintf(path, STORE_PATH, "%s/%s", kind, digest_hex(digest, hex));
	return path;
}

int store_sync_dir(const struct image_store *store, const char *name)
{
	CLEANUP_FD int dir = openat(store->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	return fsync(dir) && errno != EINVAL ? -errno : 0; /* EINVAL: a file system that cannot, and need not */
}

int store_root_commit(const struct image_store *store, const char *name, const struct digest *chain)
{
	char from[STORE_PATH], to[STORE_PATH];
	snprintf(from, sizeof(from), "tmp/%s", name);
	CLEANUP_FD int dir = openat(store->dir, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (syncfs(dir) && errno != ENOSYS)
		return -errno;
	store_path_of("roots", chain, to);
	if (renameat(store->dir, from, store->dir, to)) {
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
		store_temp_remove(store, name); /* somebody else has unpacked the same layers meanwhile */
		return 0;
	}
	return store_sync_dir(store, "roots");
}

int store_root_open(const struct image_store *store, const struct digest *chain)
{
	char path[STORE_PATH];
	int dir = openat(store->dir, store_path_of("roots", chain, path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}
