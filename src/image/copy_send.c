// SPDX-License-Identifier: Apache-2.0
/* The end of a copy that has the files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "host/tree.h"
#include "image/copy.h"

#define SKIP_MAX 64u

struct sending {
	int peer;
	const struct copy_source *source;
	struct image_error *error;
	char path[PATH_MAX]; /* canonical, but for a link at its end that is not followed */
	bool content;        /* of a directory, without its name */
	bool directory;
};

static int fail(struct sending *sending, int error, const char *what)
{
	return image_fail_errno(sending->error, error, "%s '%s'", what, sending->source->path);
}

/* The path without a link in its directories. */
static int canonical_name(struct sending *sending, const char *path)
{
	char parent[PATH_MAX], real[PATH_MAX], name[256];
	copy_name_of(path, name);
	size_t length = strlen(path), cut = strlen(name);
	if (length >= sizeof(parent))
		return -ENAMETOOLONG;
	(void)snprintf(parent, sizeof(parent), "%s%.*s", length == cut ? "." : "", (int)(length - cut), path);
	if (!realpath(parent, real))
		return -errno;
	int n = snprintf(sending->path, sizeof(sending->path), "%s/%s", strcmp(real, "/") != 0 ? real : "", name);
	return n < (int)sizeof(sending->path) ? 0 : -ENAMETOOLONG;
}

static int resolve(struct sending *sending)
{
	const char *path = sending->source->path;
	size_t length = strlen(path);
	char name[256];
	struct stat st;
	copy_name_of(path, name);
	bool slash = length > 0 && path[length - 1] == '/', dots = strcmp(name, ".") == 0;
	if (length == 0)
		return fail(sending, -ENOENT, "there is no");
	if (sending->source->follow || slash || dots) {
		if (!realpath(path, sending->path))
			return fail(sending, -errno, "cannot copy");
	} else {
		int error = canonical_name(sending, path);
		if (error)
			return fail(sending, error, "cannot copy");
	}
	if (lstat(sending->path, &st))
		return fail(sending, -errno, "cannot copy");
	sending->directory = S_ISDIR(st.st_mode);
	sending->content = dots;
	if ((slash || dots) && !sending->directory)
		return fail(sending, -ENOTDIR, "cannot copy");
	if (S_ISSOCK(st.st_mode))
		return image_fail(sending->error, -EINVAL, "'%s' is a socket", path);
	return 0;
}

static int to_peer(void *arg, const void *data, size_t size)
{
	const struct sending *sending = arg;
	return send_bytes(sending->peer, data, size);
}

/* Those of the paths to leave out that lie below the one that is sent, relative to it. */
static const char *const *skip_below(const struct sending *sending, const char *rows[SKIP_MAX + 1])
{
	size_t count = 0, length = strcmp(sending->path, "/") != 0 ? strlen(sending->path) : 0;
	for (const char *const *skip = sending->source->skip; skip && *skip && count < SKIP_MAX; skip++)
		if (strncmp(*skip, sending->path, length) == 0 && (*skip)[length] == '/')
			rows[count++] = *skip + length + 1;
	rows[count] = NULL;
	return rows;
}

/* A directory: its own entry, then what is in it. */
static int send_directory(struct sending *sending, struct tar_objects *objects, const char *as, char *where)
{
	const char *rows[SKIP_MAX + 1];
	CLEANUP_FD int dir = open(sending->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	(void)snprintf(where, PATH_MAX, "%s/", as);
	int error = tar_object_opened(objects, dir, where);
	return error ? error : tar_below(objects, dir, skip_below(sending, rows), where);
}

static int send_file(struct sending *sending, struct tar_objects *objects, const char *as, char *where)
{
	char *slash = strrchr(sending->path, '/');
	*slash = '\0';
	CLEANUP_FD int dir = open(*sending->path ? sending->path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	(void)snprintf(where, PATH_MAX, "%s", as);
	return tar_object(objects, dir, slash + 1, as);
}

static int send_tree(struct sending *sending, const char *as)
{
	struct tar_objects objects;
	struct tar_sink sink = { to_peer, sending };
	char where[PATH_MAX] = "";
	int error = tar_objects_init(&objects, &sink);
	objects.owners = sending->source->owners;
	if (!error)
		error = sending->directory ? send_directory(sending, &objects, as, where) : send_file(sending, &objects, as, where);
	if (!error)
		error = tar_end(&sink);
	tar_objects_done(&objects);
	if (error && error != -EPIPE && error != -ECONNRESET)
		return image_fail_errno(sending->error, error, "cannot read '%s'", where);
	return error ? -EPIPE : 0; /* the other end says why it went away */
}

/* Somebody's archive, as it is. */
static int send_archive(struct sending *sending)
{
	char data[64 * 1024];
	for (;;) {
		ssize_t n = read(sending->source->archive, data, sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return image_fail_errno(sending->error, -errno, "cannot read the archive");
		if (n == 0)
			return 0;
		int error = to_peer(sending, data, (size_t)n);
		if (error)
			return -EPIPE;
	}
}

/* What the other end says at its end. */
static int last_word(int peer, int error, struct image_error *ret_error)
{
	struct image_error why;
	char line[COPY_LINE];
	int r = copy_read_line(peer, line, &why);
	if (r == -EREMOTEIO)
		*ret_error = why;
	if (r)
		return error && error != -EPIPE ? error : r;
	return line[0] == 'O' ? error : image_fail(ret_error, -EBADMSG, "the other end speaks otherwise");
}

int copy_send(int peer, const struct copy_source *source, struct image_error *ret_error)
{
	struct sending sending = { .peer = peer, .source = source, .error = ret_error };
	char line[COPY_LINE], name[256] = ".";
	ret_error->text[0] = '\0';
	int error = source->path ? resolve(&sending) : 0;
	if (error) {
		(void)copy_write_line(peer, "E %s", ret_error->text);
		return error;
	}
	if (source->path)
		copy_name_of(source->path, name);
	error = copy_write_line(peer, "K %c %s", !source->path ? 't' : sending.content ? 'c' : sending.directory ? 'd' : 'f', name);
	if (!error)
		error = copy_read_line(peer, line, ret_error);
	if (error)
		return error;
	if (strncmp(line, "P ", 2) != 0 || strlen(line + 2) > NAME_MAX || strchr(line + 2, '/'))
		return image_fail(ret_error, -EBADMSG, "the other end speaks otherwise");
	error = source->path ? send_tree(&sending, line + 2) : send_archive(&sending);
	if (error && error != -EPIPE) { /* cut off in the middle of the archive, which the other end sees */
		(void)shutdown(peer, SHUT_RDWR);
		return error;
	}
	(void)shutdown(peer, SHUT_WR);
	return last_word(peer, error, ret_error);
}
