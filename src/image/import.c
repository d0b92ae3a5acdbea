// SPDX-License-Identifier: Apache-2.0
/* Makes an image of a root file system: a directory or a tar archive becomes a blob, which is the image's one layer. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/image_int.h"
#include "image/tar_write.h"

static int to_blob(void *arg, const void *data, size_t size)
{
	return blob_add(arg, data, size);
}

static int copy_directory(int dir, const char *from, struct blob_writer *blob, struct image_error *ret_error)
{
	char where[PATH_MAX];
	const struct tar_sink sink = { to_blob, blob };
	int error = tar_directory(&sink, dir, blob->store->dir, where);
	return error ? image_fail_errno(ret_error, error, "cannot read '%s/%s'", from, where) : 0;
}

static int copy_file(int file, const char *from, struct blob_writer *blob, struct image_error *ret_error)
{
	char data[64 * 1024];
	int error = 0;
	while (!error) {
		ssize_t n = read(file, data, sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return image_fail_errno(ret_error, -errno, "cannot read '%s'", from);
		if (n == 0)
			return 0;
		error = blob_add(blob, data, (size_t)n);
	}
	return image_fail_errno(ret_error, error, "cannot write to %s", blob->store->path);
}

/* Copies what is to be imported into a blob. */
static int make_blob(const struct image_store *store, const char *from, struct digest *ret_blob, struct image_error *ret_error)
{
	bool is_stdin = strcmp(from, "-") == 0;
	CLEANUP_FD int opened = is_stdin ? FD_NONE : open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int file = is_stdin ? STDIN_FILENO : opened;
	struct blob_writer blob;
	struct stat st;
	if (file < 0 || fstat(file, &st))
		return image_fail_errno(ret_error, -errno, "cannot open '%s'", from);
	int error = blob_begin(store, &blob);
	if (error)
		return image_fail_errno(ret_error, error, "cannot write to %s", store->path);
	error = S_ISDIR(st.st_mode) ? copy_directory(file, from, &blob, ret_error) : copy_file(file, from, &blob, ret_error);
	if (error) {
		blob_abort(&blob);
		return error;
	}
	if (blob.size == 0) {
		blob_abort(&blob);
		return image_fail(ret_error, -EBADMSG, "'%s' is empty", from);
	}
	error = blob_commit(&blob, ret_blob);
	return error ? image_fail_errno(ret_error, error, "cannot write to %s", store->path) : 0;
}

int image_import(const struct image_store *store, const char *from, const char *reference, struct image_add *add,
		 struct image_error *ret_error)
{
	struct image_config config = { 0 };
	struct digest blob;
	int error = make_blob(store, from, &blob, ret_error);
	if (!error)
		error = image_add_layer(store, &blob, &config, reference, add, ret_error);
	image_config_done(&config);
	return error;
}
