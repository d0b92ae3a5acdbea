// SPDX-License-Identifier: Apache-2.0
/* Downloads on their way into the store. */
#include "image/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/state_dir.h"
#include "host/tree.h"

#define FORGOTTEN_SECONDS (7L * 86400)

static int open_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return -errno;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Locks a directory of `pull`. Returns its descriptor; -EBUSY; -ESTALE when it was removed meanwhile; or negative errno. */
static int lock_dir(int pull, const char *name, bool make, bool wait)
{
	struct stat is, named;
	CLEANUP_FD int dir = make ? open_dir(pull, name) : openat(pull, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return make ? dir : -errno;
	while (flock(dir, wait ? LOCK_EX : LOCK_EX | LOCK_NB))
		if (errno != EINTR)
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(dir, &is))
		return -errno;
	if (fstatat(pull, name, &named, AT_SYMLINK_NOFOLLOW) || is.st_ino != named.st_ino || is.st_dev != named.st_dev)
		return -ESTALE;
	return take_fd(&dir);
}

/* A name in pull: removed when nobody has taken it up for long. */
static int forget(void *arg, int pull, const char *name)
{
	struct stat st;
	const char *mine = arg;
	if (strcmp(name, mine) == 0 || fstatat(pull, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    time(NULL) - st.st_mtime < FORGOTTEN_SECONDS)
		return 0;
	CLEANUP_FD int dir = lock_dir(pull, name, false, false);
	if (dir >= 0)
		(void)tree_remove(pull, name);
	return 0;
}

static int open_locked(const char *reference, bool wait, struct staging *staging, char state_path[PATH_MAX])
{
	CLEANUP_FD int state = state_dir_open(state_path);
	if (state < 0)
		return state;
	staging->pull = open_dir(state, "pull");
	if (staging->pull < 0)
		return staging->pull;
	struct digest digest = digest_of(reference, strlen(reference));
	digest_hex(&digest, staging->hex);
	int length = snprintf(staging->layout, sizeof(staging->layout), "%s/pull/%s/layout", state_path, staging->hex);
	if ((size_t)length >= sizeof(staging->layout))
		return -ENAMETOOLONG;
	snprintf(staging->blobs, sizeof(staging->blobs), "%.*s/images/blobs/sha256", PATH_MAX - 32, state_path);
	do {
		staging->dir = lock_dir(staging->pull, staging->hex, true, wait);
	} while (staging->dir == -ESTALE);
	if (staging->dir < 0)
		return staging->dir;
	(void)futimens(staging->dir, NULL); /* taken up now */
	tree_each(staging->pull, forget, staging->hex);
	return 0;
}

int staging_open(const char *reference, bool wait, struct staging *ret_staging, struct image_error *ret_error)
{
	struct staging staging = STAGING_NONE;
	char state_path[PATH_MAX] = "";
	int error = open_locked(reference, wait, &staging, state_path);
	if (!error) {
		*ret_staging = staging;
		return 0;
	}
	staging_close(&staging);
	if (error == -EBUSY)
		return image_fail(ret_error, error, "another lichen is pulling %s", reference);
	if (error == -ENOENT && !state_path[0])
		return image_fail(ret_error, -EIO, "no place for images: neither LICHEN_STATE nor HOME is set");
	return image_fail_errno(ret_error, error == -ENOENT ? -EIO : error, "cannot download to the state directory %s",
				state_path);
}

static int adopt(const struct image_store *store, int blobs, const struct digest *digest, struct image_error *ret_error)
{
	char hex[DIGEST_HEX + 1];
	int error = blob_adopt(store, blobs, digest_hex(digest, hex), digest);
	u64 size;
	if (error == -ENOENT) { /* a layer that is listed twice has been moved already */
		CLEANUP_FD int there = blob_open(store, digest, &size);
		error = there < 0 ? there : 0;
	}
	return error ? image_fail_errno(ret_error, error == -ENOENT ? -EIO : error, "cannot move blob %s to the store", hex) : 0;
}

/* Reads a small file of `dir`. Returns 0 or negative errno. */
static int read_file(int dir, const char *name, size_t most, char **ret_text, size_t *ret_size)
{
	struct stat st;
	CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if ((u64)st.st_size > most)
		return -EFBIG;
	CLEANUP_FREE char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	ssize_t n = read(fd, text, (size_t)st.st_size);
	if (n != st.st_size)
		return n < 0 ? -errno : -EIO;
	*ret_text = text;
	*ret_size = (size_t)n;
	text = NULL;
	return 0;
}

int staging_add(const struct staging *staging, const struct image_store *store, const struct digest *manifest,
		const char *reference, struct image_add *add, struct image_error *ret_error)
{
	struct image_manifest parsed;
	char hex[DIGEST_HEX + 1];
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	CLEANUP_FD int blobs = openat(staging->dir, "layout/blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = blobs < 0 ? -errno : read_file(blobs, digest_hex(manifest, hex), MANIFEST_MAX, &text, &size);
	if (error)
		return image_fail_errno(ret_error, error == -ENOENT ? -EIO : error, "cannot read what was downloaded to %s",
					staging->layout);
	error = manifest_parse(text, size, &parsed, ret_error);
	if (error)
		return error;
	error = adopt(store, blobs, &parsed.config, ret_error);
	for (size_t i = 0; i < parsed.layer_count && !error; i++)
		error = adopt(store, blobs, &parsed.layers[i].digest, ret_error);
	manifest_done(&parsed);
	return error ? error : image_add(store, text, size, reference, add, ret_error);
}

void staging_remove(struct staging *staging)
{
	(void)tree_remove(staging->pull, staging->hex);
	staging_close(staging);
}

void staging_close(struct staging *staging)
{
	close_fd(&staging->dir);
	close_fd(&staging->pull);
	*staging = STAGING_NONE;
}
