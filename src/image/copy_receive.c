// SPDX-License-Identifier: Apache-2.0
/* The end of a copy that gets the files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "image/copy.h"

/* Where it goes: a name in a directory. */
struct place {
	char directory[PATH_MAX], name[256];
};

static int refuse(const struct copy_target *target, struct image_error *ret_error, int error, const char *why)
{
	return image_fail(ret_error, error, "cannot copy to '%s': %s", target->path, why);
}

/* To a path that is no directory, or is not there: its directory must be. */
static int place_at(const struct copy_target *target, bool there, struct place *place, struct image_error *ret_error)
{
	char path[PATH_MAX], parent[PATH_MAX];
	size_t length = strlen(target->path);
	if (there ? !realpath(target->path, path) : length >= sizeof(path))
		return image_fail_errno(ret_error, there ? -errno : -ENAMETOOLONG, "cannot copy to '%s'", target->path);
	if (!there)
		memcpy(path, target->path, length + 1);
	copy_name_of(path, place->name);
	if (strcmp(place->name, ".") == 0)
		return refuse(target, ret_error, -ENOENT, "there is no such directory");
	for (length = strlen(path); length > 0 && path[length - 1] == '/'; length--)
		;
	length -= strlen(place->name);
	(void)snprintf(parent, sizeof(parent), "%s%.*s", length ? "" : ".", (int)length, path);
	if (!realpath(parent, place->directory))
		return image_fail_errno(ret_error, -errno, "cannot copy to '%s'", target->path);
	return 0;
}

/* `kind` as the sender tells it. */
static int choose(const struct copy_target *target, char kind, const char *name, struct place *place, struct image_error *ret_error)
{
	size_t length = strlen(target->path);
	bool slash = length > 0 && target->path[length - 1] == '/';
	struct stat st;
	if (stat(target->path, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (!realpath(target->path, place->directory))
			return image_fail_errno(ret_error, -errno, "cannot copy to '%s'", target->path);
		(void)snprintf(place->name, sizeof(place->name), "%s", kind == 'd' || kind == 'f' ? name : ".");
		return 0;
	}
	bool there = lstat(target->path, &st) == 0;
	if (kind == 't')
		return refuse(target, ret_error, there ? -ENOTDIR : -ENOENT,
			      there ? "it is no directory" : "there is no such directory");
	if (there && kind != 'f')
		return refuse(target, ret_error, -ENOTDIR, "a directory cannot take the place of what is none");
	if (slash && (there || kind == 'f'))
		return refuse(target, ret_error, there ? -ENOTDIR : -ENOENT,
			      there ? "it is no directory" : "there is no such directory");
	return place_at(target, there, place, ret_error);
}

static int receive_tree(int peer, const struct copy_target *target, char kind, const char *name, u64 *ret_lost,
			struct image_error *ret_error)
{
	struct unpack_report report = { 0 };
	struct place place;
	int error = choose(target, kind, target->name ? target->name : name, &place, ret_error);
	CLEANUP_FD int dir = error ? FD_NONE : open(place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!error && dir < 0)
		error = image_fail_errno(ret_error, -errno, "cannot copy to '%s'", target->path);
	if (error) {
		(void)copy_write_line(peer, "E %s", ret_error->text);
		return error;
	}
	if (copy_write_line(peer, "P %s", place.name))
		return -EPIPE;
	error = unpack_archive(peer, dir, target->flags | UNPACK_PLAIN, strcmp(place.name, ".") != 0 ? place.name : NULL, &report,
			       ret_error);
	*ret_lost = report.lost_owners + report.lost_modes + report.lost_devices + report.lost_xattrs;
	if (error)
		(void)copy_write_line(peer, "E %s", ret_error->text);
	else
		error = copy_write_line(peer, "O %llu", (unsigned long long)*ret_lost);
	return error;
}

/* The archive, to somebody who reads archives. */
static int receive_archive(int peer, const struct copy_target *target, const char *name, struct image_error *ret_error)
{
	char data[64 * 1024];
	if (copy_write_line(peer, "P %s", name))
		return -EPIPE;
	u64 size = 0;
	for (;;) {
		ssize_t n = read(peer, data, sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (u64)n;
		int error = write_bytes(target->archive, data, (size_t)n);
		if (error)
			return image_fail_errno(ret_error, error, "cannot write the archive");
	}
	if (size < 1024 || size % 512)
		return image_fail(ret_error, -EBADMSG, "the archive was cut off");
	return copy_write_line(peer, "O 0");
}

/* Whether the sender may send that. Who knows how the source is called has asked for a thing of one name, or for what is in a directory: what else came would
 * be put into the target under names of the sender's choice. */
static bool is_kind(const struct copy_target *target, char kind)
{
	bool one = target->name && strcmp(target->name, ".") != 0;
	return kind == 'd' || kind == 'f' || (!one && (kind == 'c' || kind == 't'));
}

int copy_receive(int peer, const struct copy_target *target, u64 *ret_lost, struct image_error *ret_error)
{
	char line[COPY_LINE];
	int error = copy_read_line(peer, line, ret_error);
	*ret_lost = 0;
	if (error)
		return error;
	if (strncmp(line, "K ", 2) != 0 || !is_kind(target, line[2]) || line[3] != ' ' || !line[4] || strchr(line + 4, '/') ||
	    strlen(line + 4) > NAME_MAX || strcmp(line + 4, "..") == 0)
		return image_fail(ret_error, -EBADMSG, "the other end speaks otherwise");
	if (target->path)
		return receive_tree(peer, target, line[2], line + 4, ret_lost, ret_error);
	return receive_archive(peer, target, line[2] == 'c' ? "." : target->name ? target->name : line + 4, ret_error);
}
